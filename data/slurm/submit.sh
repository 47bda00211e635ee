#!/bin/bash
# Submit the shards and, after them, the rest; options for sbatch, such as --partition=short, are handed on to both.
set -e
cd "$(dirname "$0")"
shards=$(sbatch --parsable "$@" shard.sbatch)
rest=$(sbatch --parsable "$@" --dependency="afterok:$shards" --kill-on-invalid-dep=yes rest.sbatch)
echo "shards: job $shards, the rest: job $rest"
