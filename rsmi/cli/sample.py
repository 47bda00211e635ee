"""``rsmi sample``."""

from __future__ import annotations

from rsmi.cli import common, sampling
from rsmi.cli.model_options import ModelCommand, model_option

_HELP = """Sample configurations of a lattice model.

Each of the --chains independent chains forgets --thermalization sweeps, and then stores a
configuration after every --interval sweeps. One sweep is one attempted update per site
(Swendsen-Wang: one update of all clusters; Wolff: a fixed number of clusters, found by a pilot run,
that flips about one lattice of spins). With auto a pilot run measures the autocorrelation time and
chooses, so that stored samples are practically independent.

The options and the text below are those of the Ising model, or of the model that --model names:
'rsmi sample --model dimers --help'.

\b
Example: 20,000 configurations at the critical point, on every core
  rsmi sample --model ising --dimension 2 --size 64 --temperature Tc --samples 20000 -o samples.h5
Example: dimers buried in noise
  rsmi sample --model dimers --size 16 --noise-probability 0.982 --samples 100000 -o dimers.h5
Example: dimers that attract each other, close to where they order in columns
  rsmi sample --model dimers --size 32 --temperature 0.65 --samples 20000 -o columns.h5
The same command with more --samples extends the file.
"""


@common.command("sample", cls=ModelCommand, help=_HELP)
@model_option()
@sampling.options()
@common.stage_command(shards=True, remote=True)
def command(dimension, size, output, run, dry_run, as_json, **rest):
    from rsmi.stages import merge, sample

    asked = sample.request(shape=sampling.parse_size(size, dimension), **rest)
    if dry_run:
        return common.print_plan(sample.plan(asked), as_json)
    sample.run(asked, output, run)
    common.answer(output, as_json, (merge if run.shard else sample).summary)
