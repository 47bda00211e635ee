"""A fixed set of commands still makes what it made in version 0.4.0, dataset by dataset. What is
newer makes what it made in the version that released it.

This is the safety net under refactorings. The commands in `FILES` make small files of every kind,
with both models, all algorithms and all objectives. What they made when the record was taken is
kept in ``data/golden_digests.json`` beside this module:

- the SHA-256 of the type, the shape and the decoded bytes of every dataset. Datasets of integers
  and texts (``exact`` in the record) are compared by it on every machine. Datasets of floating
  point numbers (``float``) and of JSON (``json``) are compared by their values, to a relative
  1e-9 (in single precision to a few units in the last place), because another processor or
  another numpy may round differently;
- the text of the attribute ``parameters``, which is the identity of a file, and all the other
  attributes that do not depend on the version or the run. Every attribute of the record must
  still be there with the same value; new attributes are allowed;
- the digest of the whole file where it depends on integers alone. It covers the version of the
  format, so after a change of that version it is recomputed with the version of the record;
- the keys of some random streams, the numbers that some commands print, and the exit codes of
  commands that are refused.

Digests of other files appear in attributes as the names of those files in braces, so that a file
whose content is allowed to differ in its last bits does not spoil the files that are made from it.

With ``GOLDEN_EXACT=1`` in the environment the floating point datasets too must agree in every
bit. This is meant for the machine on which the record was taken.

To take the record anew, run ``python tests/test_golden_digests.py --record`` with the package
installed. This is legitimate in two cases only. The first is a deliberate change of what a
command makes, such as a new random stream, a corrected estimator or another default: it changes
the results of users, so it belongs in the changelog and raises the version, and the difference of
the JSON must show the expected files and no others. The second is a new entry in one of the
tables below, which must leave all the other entries of the JSON untouched. It is never legitimate
to take the record anew because a refactoring, a speed-up or another compiler made this test fail:
then the code is wrong, and not the record.
"""

import contextlib
import hashlib
import io
import json
import os
import sys
import tempfile
import zipfile
from pathlib import Path
from unittest import mock

import h5py
import numpy as np
import pytest

RECORD = Path(__file__).parent / "data" / "golden_digests.json"

# ---- the commands -----------------------------------------------------------------------------

_QUICK = "--thermalization 3 --interval 2"
_ISING = f"sample --temperature Tc {_QUICK}"
_CLUSTERS = f"{_ISING} --algorithm swendsen-wang"
_PLAIN = f"sample --algorithm swendsen-wang {_QUICK}"
_DIMERS = f"sample --model dimers --size 6 --chains 4 {_QUICK}"
_TRAINING = f"{_PLAIN} --chains 4 --samples 240"
_IN_FLIGHT = f"flow --model ising {_QUICK} --rule majority"
_REPLICAS_IN_FLIGHT = f"{_IN_FLIGHT} --size 4 --coupling 0.4 --samples 1100 --steps 1"
_SIZES_IN_FLIGHT = f"spectrum --model ising {_QUICK}"
_TWO_SIZES = f"{_SIZES_IN_FLIGHT} --sizes 4,6 --coupling 0.4 --samples 600"
_THETA = "--windows 2000 --hidden 4 --cd-steps 1 --epochs 3"
_LAMBDA = "--windows 1500 --restarts 1"

# The name of a file, and the command line that makes it, or several that extend it one after
# another. What a command reads is made first; ``-o`` and the name are added to every line.
FILES = {
    # Ising samples: a strip of one lattice, 512 replicas together, one spin at a time.
    "strip-metropolis.h5": f"{_ISING} --size 16x128 --algorithm metropolis --samples 6 --chains 2",
    "strip-heat-bath.h5": f"{_ISING} --size 16x128 --algorithm heat-bath --samples 5 --chains 2",
    "strip-auto.h5": f"{_ISING} --size 32x128 --samples 4 --chains 3 --seed 5",
    "strip-3d.h5": (
        f"{_ISING} --dimension 3 --size 16x4x128 --algorithm metropolis --samples 2 --chains 2"
    ),
    "replicas-metropolis.h5": f"{_ISING} --size 4x6 --algorithm metropolis --samples 1500",
    "replicas-heat-bath.h5": (
        f"{_ISING} --size 8 --algorithm heat-bath --samples 700 --chains 512 --seed 3"
    ),
    "replicas-1d.h5": (
        f"sample --dimension 1 --size 10 --temperature 1.5 {_QUICK} --samples 600 --chains 512"
    ),
    "replicas-3d.h5": (
        f"{_ISING} --dimension 3 --size 4 --algorithm metropolis --samples 1100 --chains 512"
    ),
    "plain-metropolis.h5": f"{_ISING} --size 6x10 --algorithm metropolis --samples 20 --chains 3",
    "plain-heat-bath.h5": (
        f"sample --coupling 0.3 {_QUICK} --size 8 --algorithm heat-bath --samples 20 --chains 3"
    ),
    "plain-1d.h5": (
        f"sample --dimension 1 --size 12 --coupling 0.7 {_QUICK} --algorithm heat-bath"
        " --samples 12 --chains 2"
    ),
    "plain-3d.h5": (
        f"{_ISING} --dimension 3 --size 4x4x6 --algorithm metropolis --samples 12 --chains 2"
    ),
    "clusters-1d.h5": (
        "sample --dimension 1 --size 9 --temperature 1 --algorithm swendsen-wang"
        f" {_QUICK} --samples 12 --chains 2"
    ),
    "clusters-2d.h5": f"{_CLUSTERS} --size 7x9 --samples 20 --seed 11",
    "clusters-3d.h5": f"{_CLUSTERS} --dimension 3 --size 5x4x3 --samples 12 --chains 2",
    "wolff-1d.h5": (
        "sample --dimension 1 --size 12 --temperature 1 --algorithm wolff"
        f" {_QUICK} --samples 12 --chains 2"
    ),
    "wolff-2d.h5": f"{_ISING} --size 8 --algorithm wolff --samples 16 --chains 2",
    # Variables with q states.
    "potts-clusters.h5": (
        f"sample --model potts --states 3 --size 7x9 --temperature Tc {_QUICK} --samples 20"
    ),
    "potts-3d.h5": (
        f"sample --model potts --states 10 --dimension 3 --size 5x4x3 --coupling 0.6 {_QUICK}"
        " --algorithm wolff --samples 12 --chains 2"
    ),
    "potts-heat-bath.h5": (
        f"sample --model potts --states 4 --size 8 --coupling 1 {_QUICK} --algorithm heat-bath"
        " --samples 12 --chains 5"
    ),
    "clock.h5": (
        f"sample --model clock --states 6 --size 8 --temperature 0.8 {_QUICK} --samples 12"
    ),
    "ashkin-teller.h5": (
        f"sample --model ashkin-teller --four-spin 0.5 --size 8 --temperature Tc {_QUICK}"
        " --samples 12"
    ),
    "wolff-3d.h5": f"{_ISING} --dimension 3 --size 4 --algorithm wolff --samples 12 --chains 2",
    "pilot.h5": "sample --size 5 --temperature 1.3Tc --samples 12 --chains 2",
    "pilot-replicas.h5": "sample --size 4 --temperature 1.5Tc --samples 600 --chains 512",
    # Dimers: free by worms, interacting by loops, with noise, with open boundaries.
    "worm.h5": f"{_DIMERS} --samples 24",
    "worm-default-chains.h5": f"sample --model dimers --size 4x6 {_QUICK} --samples 40",
    "worm-open.h5": f"{_DIMERS} --samples 16 --boundary open",
    "loop-free.h5": f"{_DIMERS} --samples 16 --algorithm loop",
    "loop-attracting.h5": f"{_DIMERS} --samples 16 --temperature 0.65",
    "loop-repelling.h5": f"{_DIMERS} --samples 16 --coupling -0.3",
    "loop-open.h5": f"{_DIMERS} --samples 16 --temperature 2 --interaction -0.5 --boundary open",
    "noise-cell.h5": f"{_DIMERS} --samples 24 --noise-probability 0.9",
    "noise-straddling.h5": (
        f"{_DIMERS} --samples 24 --noise-probability 0.8 --noise-pairing straddling"
        " --temperature 1 --seed 2"
    ),
    # Extensions: the same file with more samples.
    "extended-plain.h5": (
        f"{_CLUSTERS} --size 6 --chains 3 --samples 7",
        f"{_CLUSTERS} --size 6 --chains 3 --samples 17",
    ),
    "extended-strip.h5": (
        f"{_ISING} --size 16x128 --algorithm metropolis --samples 3 --chains 2",
        f"{_ISING} --size 16x128 --algorithm metropolis --samples 6 --chains 2",
    ),
    "extended-replicas.h5": (
        f"{_ISING} --size 4x6 --algorithm metropolis --samples 700",
        f"{_ISING} --size 4x6 --algorithm metropolis --samples 1500",
    ),
    "extended-dimers.h5": (
        f"{_DIMERS} --samples 9 --noise-probability 0.9",
        f"{_DIMERS} --samples 24 --noise-probability 0.9",
    ),
    # Shards and what they make together.
    "shard-0.h5": f"{_CLUSTERS} --size 6 --chains 3 --samples 17 --shard 0/2",
    "shard-1.h5": f"{_CLUSTERS} --size 6 --chains 3 --samples 17 --shard 1/2",
    "merged.h5": "merge shard-1.h5 shard-0.h5",
    "replicas-shard-0.h5": (
        f"{_ISING} --size 4x6 --algorithm metropolis --samples 1500 --shard 0/2"
    ),
    "replicas-shard-1.h5": (
        f"{_ISING} --size 4x6 --algorithm metropolis --samples 1500 --shard 1/2"
    ),
    "replicas-merged.h5": "merge replicas-shard-0.h5 replicas-shard-1.h5",
    "dimers-shard-0.h5": f"sample --model dimers --size 4x6 {_QUICK} --samples 40 --shard 0/2",
    "dimers-shard-1.h5": f"sample --model dimers --size 4x6 {_QUICK} --samples 40 --shard 1/2",
    "dimers-merged.h5": "merge dimers-shard-0.h5 dimers-shard-1.h5",
    "flow-shard-0.h5": "flow cold.h5 hot.h5 --rule majority --steps 1 --shard 0/2",
    "flow-shard-1.h5": "flow cold.h5 hot.h5 --rule majority --steps 1 --shard 1/2",
    "flow-merged.h5": "merge flow-shard-0.h5 flow-shard-1.h5",
    "flight-shard-0.h5": f"{_REPLICAS_IN_FLIGHT} --shard 0/2",
    "flight-shard-1.h5": f"{_REPLICAS_IN_FLIGHT} --shard 1/2",
    "flight-merged.h5": "merge flight-shard-0.h5 flight-shard-1.h5",
    # Samples of other programs; `make_sources` writes what is read.
    "import-npy.h5": "import spins.npy --model ising --temperature 2.5 --chains 4 --trust",
    "import-npz.h5": "import spins.npz --dataset ring --model ising --coupling 0.4",
    "import-csv.h5": "import spins.csv --shape 4x6 --values 0/1 --boundary open",
    "import-hdf5.h5": "import spins-other.h5 --dataset /spins --model ising --chains 2",
    "import-bits.h5": "import spins.bits --shape 4x4x2 --bit-order big",
    "import-mask.h5": "import spins.npy --mask mask.npy --chains 4 --chain-order sequential",
    # Samples that others are made from.
    "training.h5": f"{_TRAINING} --temperature Tc --size 8",
    "training-1d.h5": f"{_TRAINING} --dimension 1 --temperature 1.5 --size 64",
    "training-3d.h5": f"{_TRAINING} --dimension 3 --temperature Tc --size 4",
    "training-dimers.h5": (
        f"sample --model dimers --size 8 {_QUICK} --chains 4 --samples 240 --noise-probability 0.98"
    ),
    "training-free.h5": f"sample --model dimers --size 8 {_QUICK} --chains 4 --samples 240",
    "critical.h5": f"{_CLUSTERS} --size 16 --samples 24 --chains 4",
    "cold.h5": f"{_PLAIN} --temperature 0.95Tc --size 16 --samples 32 --chains 2",
    "hot.h5": f"{_PLAIN} --temperature 1.05Tc --size 16 --samples 32 --chains 2",
    "small-cold.h5": f"{_PLAIN} --temperature 0.9Tc --size 8 --samples 48 --chains 2",
    "small-hot.h5": f"{_PLAIN} --temperature 1.1Tc --size 8 --samples 48 --chains 2",
    "cube.h5": f"{_CLUSTERS} --dimension 3 --size 8 --samples 24 --chains 2",
    "ring.h5": f"{_PLAIN} --dimension 1 --temperature 1.2 --size 32 --samples 48 --chains 2",
    # Coarse-graining: the named rules, filters of the user's, learned rules.
    "majority.h5": "coarse-grain critical.h5 --rule majority",
    "majority-7x3.h5": "coarse-grain clusters-2d.h5 --rule majority --block 7x3 --seed 4",
    "decimation.h5": "coarse-grain critical.h5 --rule decimation --steps 2",
    "majority-ties-up.h5": "coarse-grain critical.h5 --rule majority-ties-up",
    "staggered.h5": "coarse-grain critical.h5 --rule staggered --steps 3",
    "majority-twice.h5": "coarse-grain majority.h5 --rule majority",
    "majority-1d.h5": "coarse-grain ring.h5 --rule majority --block 2 --steps 2",
    "majority-3d.h5": "coarse-grain cube.h5 --rule majority --steps 2",
    "majority-replicas.h5": "coarse-grain replicas-heat-bath.h5 --rule majority --block 4x2",
    "majority-mask.h5": "coarse-grain import-mask.h5 --rule majority",
    "filter-soft.h5": "coarse-grain critical.h5 --rule filter.csv --bias 0.1,-0.2",
    "filter-hard.h5": "coarse-grain critical.h5 --rule filter.npy --hard --seed 8",
    "learned-soft.h5": "coarse-grain training.h5 --rule decoder.h5",
    "learned-hard.h5": "coarse-grain training.h5 --rule decoder.h5 --hard --steps 2",
    "learned-two.h5": "coarse-grain training.h5 --rule enumerate.h5",
    # Boltzmann machines.
    "theta.h5": f"train-theta training.h5 --block 2x2 {_THETA}",
    "theta-persistent.h5": f"train-theta training.h5 --block 2x1 --buffer 0 {_THETA} --persistent",
    "theta-1d.h5": f"train-theta training-1d.h5 --block 2 --environment 2 {_THETA}",
    "theta-mask.h5": (
        "train-theta import-mask.h5 --block 2x2 --windows 1300 --hidden 3 --cd-steps 2 --epochs 2"
    ),
    "theta-dimers.h5": f"train-theta training-dimers.h5 --block 2x2 --buffer 0 {_THETA}",
    # Learned rules: each objective and each of its estimators.
    "decoder.h5": "train-lambda training.h5 --block 2x2 --windows 1500 --restarts 3",
    "decoder-free-bias.h5": (
        f"train-lambda training.h5 --block 2x2 --bias free --hidden 2 {_LAMBDA} --seed 6"
    ),
    "decoder-1d.h5": f"train-lambda training-1d.h5 --block 2 {_LAMBDA}",
    "decoder-3d.h5": f"train-lambda training-3d.h5 --block 1x1x2 --buffer 0 {_LAMBDA}",
    "decoder-mask.h5": f"train-lambda import-mask.h5 --block 2x2 {_LAMBDA}",
    "decoder-dimers.h5": f"train-lambda training-free.h5 --block 2x2 {_LAMBDA}",
    "proxy-pairs.h5": f"train-lambda training.h5 --theta theta.h5 {_LAMBDA}",
    "proxy-mcmc.h5": f"train-lambda training.h5 --theta theta.h5 --estimator mcmc {_LAMBDA}",
    "proxy-gaussian.h5": f"train-lambda training.h5 --block 2x2 --estimator gaussian {_LAMBDA}",
    "proxy-dimers.h5": (
        "train-lambda training-dimers.h5 --theta theta-dimers.h5 --windows 1500 --restarts 1"
    ),
    "logsum.h5": f"train-lambda training.h5 --theta theta.h5 --objective logsum {_LAMBDA}",
    "enumerate.h5": (
        f"train-lambda training.h5 --theta theta.h5 --objective enumerate --hidden 2 {_LAMBDA}"
    ),
    "total-correlation.h5": (
        f"train-lambda training.h5 --block 2x2 --objective total-correlation --hidden 2 {_LAMBDA}"
    ),
    "likelihood-cd.h5": f"train-lambda training.h5 --block 2x2 --estimator cd {_LAMBDA}",
    "likelihood-pcd.h5": (
        f"train-lambda training.h5 --block 2x2 --estimator pcd --hidden 2 {_LAMBDA}"
    ),
    # Flows of files and in flight.
    "flow.h5": "flow cold.h5 critical.h5 hot.h5 --rule majority --steps 2",
    "flow-1d.h5": "flow ring.h5 --rule decimation --steps 2",
    "flow-3d.h5": "flow cube.h5 --rule majority --steps 2",
    "flow-coarse.h5": "flow majority.h5 --rule majority-ties-up --steps 1",
    "flow-filter.h5": "flow critical.h5 --rule filter-one.csv --steps 1 --seed 3",
    "flow-learned.h5": "flow critical.h5 --rule decoder.h5 --hard --steps 1",
    "flow-import.h5": "flow import-npy.h5 --rule majority --steps 1",
    "flight-replicas.h5": _REPLICAS_IN_FLIGHT,
    "flight-plain.h5": (
        f"{_IN_FLIGHT} --size 8 --temperature Tc --temperature 1.05Tc --chains 4 --samples 64"
        " --steps 2 --algorithm swendsen-wang"
    ),
    "flight-pilot.h5": (
        "flow --model ising --size 6 --temperature 1.3Tc --chains 2 --samples 64 --steps 1"
        " --algorithm wolff --rule staggered --seed 9"
    ),
    "flight-1d.h5": (
        f"{_IN_FLIGHT} --dimension 1 --size 16 --coupling 0.5 --chains 2 --samples 64 --steps 2"
    ),
    "flight-3d.h5": (
        f"{_IN_FLIGHT} --dimension 3 --size 4 --temperature Tc --chains 512 --samples 600 --steps 1"
    ),
    "flight-potts.h5": (
        f"flow --model potts --states 3 --size 16 --temperature Tc {_QUICK} --chains 2 --samples 64"
        " --rule plurality --steps 2"
    ),
    # Exponents and crossings.
    "exponent.h5": "exponent flow.h5",
    "exponent-flight.h5": "exponent flight-plain.h5",
    "exponent-potts.h5": "exponent flight-potts.h5",
    "exponent-1d.h5": "exponent flow-1d.h5 --critical-temperature 1.2",
    "exponent-3d.h5": "exponent flow-3d.h5",
    "crossing.h5": "crossing small-cold.h5 small-hot.h5 cold.h5 hot.h5",
    "crossing-more.h5": "crossing small-cold.h5 small-hot.h5 cold.h5 critical.h5 hot.h5",
    # Spectra and correlation functions, of files and in flight.
    "spectrum.h5": (
        "spectrum training.h5 critical.h5 --modes --function plaquette --even zigzag"
        " --odd filter-one.csv"
    ),
    "spectrum-hard.h5": (
        "spectrum training.h5 critical.h5 --function majority --odd filter-one.csv --readout hard"
        " --omega 1.75"
    ),
    "spectrum-flight.h5": f"{_SIZES_IN_FLIGHT} --sizes 4,6,8 --samples 600 --temperature Tc",
    "spectrum-3d.h5": (
        f"{_SIZES_IN_FLIGHT} --dimension 3 --sizes 6,8 --samples 300 --temperature Tc --modes"
    ),
    "spectrum-shard-0.h5": f"{_TWO_SIZES} --shard 0/2",
    "spectrum-shard-1.h5": f"{_TWO_SIZES} --shard 1/2",
    "spectrum-merged.h5": "merge spectrum-shard-0.h5 spectrum-shard-1.h5",
    "correlation.h5": (
        "spectrum training.h5 critical.h5 --correlation --odd filter-one.csv --function majority"
    ),
    "correlation-dimers.h5": (
        f"spectrum --model dimers --sizes 4,6 --samples 40 --chains 4 --correlation {_QUICK}"
    ),
}

# Commands whose printed JSON is compared.
PRINTED = (
    "exact --size 4 --temperature Tc --block 2x1 --buffer 0 --rule majority --rule decimation",
    "exact --size 16 --temperature 1.1Tc --rule majority --windows 400 --seed 4",
    "exact --size 12 --dimension 1 --coupling 0.8 --block 2 --rule decimation",
    "exact training.h5 --rule decoder.h5 --hard --windows 400",
    "info training.h5",
    "info noise-straddling.h5",
    "info import-mask.h5",
    "info learned-two.h5",
    "info shard-0.h5",
    "info theta.h5",
    "info decoder-dimers.h5",
    "info total-correlation.h5",
    "info flow-coarse.h5",
    "info exponent.h5",
    "info crossing.h5",
    "info spectrum-flight.h5",
    "info correlation-dimers.h5",
)

# Commands that are refused, and their exit codes.
REFUSED = {
    "sample --size 8 --samples 4 -o new.h5": 2,
    "sample --size 8 --samples 4 --temperature hot -o new.h5": 2,
    "sample --size 7 --samples 4 --temperature Tc --algorithm metropolis -o new.h5": 2,
    "sample --model dimers --size 5 --samples 4 -o new.h5": 2,
    "sample --model dimers --size 6 --samples 4 --algorithm wolff -o new.h5": 2,
    f"{_CLUSTERS} --size 6 --chains 3 --samples 17 --shard 2/2 -o new.h5": 2,
    "coarse-grain critical.h5 --rule minority -o new.h5": 2,
    "coarse-grain critical.h5 --rule majority --steps 5 -o new.h5": 2,
    "coarse-grain missing.h5 --rule majority -o new.h5": 2,
    "flow --rule majority --steps 1 -o new.h5": 2,
    "flow critical.h5 critical.h5 --rule majority --steps 1 -o new.h5": 2,
    "train-theta critical.h5 --block 32x32 -o new.h5": 2,
    "train-lambda training.h5 --block 2x2 --objective proxy -o new.h5": 2,
    "crossing cold.h5 hot.h5 -o new.h5": 2,
    "import spins.bits -o new.h5": 2,
    "simulate": 2,
    "info spins.csv": 65,
    "coarse-grain spins-other.h5 --rule majority -o new.h5": 65,
    "coarse-grain critical.h5 --rule critical.h5 -o new.h5": 65,
    "exponent critical.h5 -o new.h5": 65,
    "spectrum critical.h5 -o new.h5": 2,
    "spectrum training.h5 hot.h5 -o new.h5": 2,
    "merge shard-0.h5 -o new.h5": 2,
    "merge shard-0.h5 dimers-shard-1.h5 -o new.h5": 65,
    "import numbers.csv -o new.h5": 65,
    "flow shard-0.h5 --rule majority --steps 1 -o new.h5": 65,
    f"{_CLUSTERS} --size 6 --chains 3 --samples 7 -o extended-plain.h5": 73,
    f"{_CLUSTERS} --size 6 --chains 3 --samples 17 --seed 1 -o extended-plain.h5": 73,
    "coarse-grain critical.h5 --rule decimation -o majority.h5": 73,
    "coarse-grain critical.h5 --rule decimation -o spins.csv": 73,
}

# The seed, the stage, the physics and the number of some random streams.
STREAMS = (
    (0, "sample", {"algorithm": "wolff", "coupling": 0.4, "model": "ising", "shape": [8, 8]}, 0),
    (0, "sample", {"algorithm": "wolff", "coupling": 0.4, "model": "ising", "shape": [8, 8]}, 1),
    (0, "sample", {"algorithm": "wolff", "coupling": 0.4, "model": "ising", "shape": [8]}, "pilot"),
    (7, "sample", {"coupling": 0.44068679350977147, "layout": "strip", "shape": [16, 128]}, 512),
    (3, "sample", {"boundary": "open", "coupling": 0.0, "model": "dimers"}, "noise-3"),
    (2**63 - 1, "windows", {"rg_step": 0, "samples": "0" * 64}, 0),
    (1, "train-theta", {"machine": "joint", "rg_step": 1, "samples": "f" * 64}, 0),
    (1, "train-lambda", {"purpose": "bound-hard", "rg_step": 0, "samples": "a" * 64}, 2),
    (5, "coarse-grain", {"rg_step": 3, "samples": "b" * 64}, 0),
    (0, "exact", {}, 10**12),
)


# ---- what a refactoring may move ---------------------------------------------------------------


def stream_key(seed: int, stage: str, physics: dict, number) -> list[int]:
    """The key of a random stream; this is the place to change when the module moves."""
    from rsmi.engine.keys import stream_key as key

    return [int(word) for word in key(seed, stage, physics, number)]


def run_command(line: str) -> tuple[int, str, str]:
    """Run one command line in this process and return its exit code, its output and its errors.

    Nothing of the settings in the environment reaches the command.
    """
    from rsmi.cli.application import run
    from rsmi.engine.stop import Stop

    out, err = io.StringIO(), io.StringIO()
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("RSMI_", "SLURM_"))
    }
    with (
        mock.patch.dict(os.environ, kept, clear=True),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        code = run(line.split(), Stop())
    return code, out.getvalue(), err.getvalue()


# ---- making the files --------------------------------------------------------------------------


def spins_of(n: int, *shape: int) -> np.ndarray:
    """Configurations of +-1 that look random and need no generator: int8, ``(n, *shape)``."""
    numbers = np.arange(1, n * int(np.prod(shape)) + 1, dtype=np.uint64)
    numbers = (numbers ^ (numbers >> np.uint64(3))) * np.uint64(0x9E3779B97F4A7C15)
    up = (numbers >> np.uint64(40)) % np.uint64(3) > 0
    return (2 * up.astype(np.int8) - 1).reshape(n, *shape)


def make_sources(folder: Path) -> None:
    """Write the files of other programs that the commands read."""
    np.save(folder / "spins.npy", spins_of(160, 8, 8))
    # not by np.savez, because the bytes of its archives depend on the version of Python
    with zipfile.ZipFile(folder / "spins.npz", "w") as archive:
        for name, array in (("ring", spins_of(30, 12)), ("other", np.zeros(3))):
            content = io.BytesIO()
            np.save(content, array)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), content.getvalue())
    rows = (spins_of(25, 24) + 1) // 2
    np.savetxt(folder / "spins.csv", rows, fmt="%d", delimiter=",")
    np.savetxt(folder / "numbers.csv", rows + 5, fmt="%d", delimiter=",")
    with h5py.File(folder / "spins-other.h5", "w") as file:
        file["spins"] = spins_of(20, 6, 6)
    bits = spins_of(15, 32) > 0
    (folder / "spins.bits").write_bytes(np.packbits(bits, axis=1, bitorder="big").tobytes())
    np.save(folder / "mask.npy", np.array([[True, True], [True, False]]))
    (folder / "filter.csv").write_text("1,0.5,0.25,-1\n0.3,0.3,-0.7,0.2\n")
    (folder / "filter-one.csv").write_text("0.9,0.8\n0.7,0.6\n")
    np.save(folder / "filter.npy", np.array([[2.0, 1.0], [1.0, 0.5]]))


class Workshop:
    """A folder in which files are made when they are first needed.

    Parameters
    ----------
    folder : Path
        An empty folder.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._made: set[str] = set()
        make_sources(folder)

    def run(self, line: str) -> tuple[int, str, str]:
        """Make what a command line reads, and run it in the folder."""
        for name in files_of(line):
            if name in FILES:
                self.make(name)
        with contextlib.chdir(self.folder):
            return run_command(line)

    def make(self, name: str) -> Path:
        """Make a file, unless it is there already; an error of a command is an AssertionError."""
        if name not in self._made:
            for line in lines_of(name):
                code, _, err = self.run(f"{line} --quiet -o {name}")
                assert code == 0, f"{name}: '{line}' ended with {code}: {err}"
            self._made.add(name)
        return self.folder / name

    def printed(self, line: str) -> dict:
        """Run a command line with ``--json`` and return what it printed."""
        code, out, err = self.run(f"{line} --json --quiet")
        assert code == 0, f"'{line}' ended with {code}: {err}"
        return json.loads(out)

    def refused(self, line: str) -> tuple[int, str]:
        """Run a command line that is to be refused, which may be because its output exists."""
        output = line.rpartition(" -o ")[2]
        if output in FILES:
            self.make(output)
        code, _, err = self.run(line)
        return code, err

    def record(self, name: str) -> dict:
        """Make a file and describe it as it is kept in the record."""
        path = self.make(name)
        names = {digest_of(self.folder / other): other for other in ancestors_of(name)}
        with h5py.File(path) as file:
            return {
                "command": list(lines_of(name)),
                **describe_attributes(file, names),
                **describe_datasets(file),
                **({"digest": text_of(file.attrs["digest"])} if has_portable_digest(name) else {}),
            }


def lines_of(name: str) -> tuple[str, ...]:
    """Return the command lines that make a file."""
    lines = FILES[name]
    return (lines,) if isinstance(lines, str) else lines


def files_of(line: str) -> list[str]:
    """Return the words of a command line that are files to read, in their order."""
    words = line.split(" -o ")[0].split()
    return [word for word in words if word.endswith((".h5", ".npy", ".npz", ".csv", ".bits"))]


def ancestors_of(name: str) -> list[str]:
    """Return all files that a file is made from, directly or not."""
    found: dict[str, None] = {}
    for other in (file for line in lines_of(name) for file in files_of(line)):
        found |= dict.fromkeys([other, *(ancestors_of(other) if other in FILES else ())])
    return list(found)


def has_portable_digest(name: str) -> bool:
    """Tell whether the digest of a file depends on integers alone.

    It does for samples, unless a learned rule or an HDF5 file of another program is behind them.
    """
    commands = ("sample", "import", "coarse-grain", "merge")
    own = [line for other in (name, *ancestors_of(name)) for line in lines_of_any(other)]
    return "spins-other.h5" not in ancestors_of(name) and all(
        line.split()[0] in commands for line in own
    )


def lines_of_any(name: str) -> tuple[str, ...]:
    """Return the command lines that make a file, none of a file of another program."""
    return lines_of(name) if name in FILES else ()


# ---- describing a file -------------------------------------------------------------------------

VOLATILE = ("uuid", "digest", "software", "parameters_digest")
SMALL = 64  # numbers of a floating point dataset that are kept one by one
ENDS = 8  # numbers at each end of a larger one


def digest_of(path: Path) -> str:
    """Return the digest by which other files know a file; of another program that of its bytes."""
    with contextlib.suppress(OSError, KeyError), h5py.File(path) as file:
        return text_of(file.attrs["digest"])
    return hashlib.sha256(path.read_bytes()).hexdigest()


def text_of(value) -> str:
    """Return a text attribute as a text."""
    return value.decode() if isinstance(value, bytes) else str(value)


def canonical(value) -> str:
    """Return JSON in the form in which it is digested."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def describe_attributes(file: h5py.File, names: dict[str, str]) -> dict:
    """Describe the attributes of a file and the ancestors it names.

    Parameters
    ----------
    file : h5py.File
        The open file.
    names : dict
        The name of a file by its digest; it replaces the digest in all texts.

    Returns
    -------
    dict
        ``parameters``, ``format_version``, ``ancestors`` and ``attributes``, which has the rest.
    """

    def plain(value):
        if not isinstance(value, bytes):
            return np.asarray(value).tolist()
        text = value.decode()
        for digest, name in names.items():
            text = text.replace(digest, "{" + name + "}")
        return text

    found = {name: plain(value) for name, value in file.attrs.items() if name not in VOLATILE}
    command, parameters, inputs = (text_of(file.attrs[name]) for name in _REQUEST)
    request = canonical([command, json.loads(parameters), json.loads(inputs)])
    stored = text_of(file.attrs["parameters_digest"])
    assert stored == hashlib.sha256(request.encode()).hexdigest(), "parameters_digest is another"
    return {
        "parameters": found.pop("parameters"),
        "format_version": found.pop("format_version"),
        "ancestors": plain(bytes(file["/provenance/ancestors"][()])),
        "attributes": found,
    }


_REQUEST = ("command", "parameters", "inputs")


def describe_datasets(file: h5py.File) -> dict:
    """Describe every dataset outside of ``/provenance``: ``exact``, ``float`` and ``json``."""
    found: dict[str, dict] = {"exact": {}, "float": {}, "json": {}}
    for path in dataset_paths(file):
        array = np.asarray(file[path][()])
        sha = dataset_digest(array)
        if path == "/result":
            found["json"][path] = {"sha256": sha, "value": json.loads(bytes(array[()]))}
        elif array.dtype.kind == "f":
            found["float"][path] = {"sha256": sha, **summary_of(array)}
        else:
            found["exact"][path] = sha
    return found


def dataset_paths(file: h5py.File) -> list[str]:
    """Return the absolute paths of all datasets outside of ``/provenance``, sorted."""
    paths: list[str] = []
    file.visititems(
        lambda name, item: paths.append("/" + name) if isinstance(item, h5py.Dataset) else None
    )
    return sorted(path for path in paths if not path.startswith("/provenance"))


def dataset_digest(array: np.ndarray) -> str:
    """Return the SHA-256 of the type, the shape and the bytes of an array, little-endian."""
    kind = array.dtype.newbyteorder("<")
    sha = hashlib.sha256(f"{kind.str}|{array.shape}|".encode())
    sha.update(np.ascontiguousarray(array.astype(kind, copy=False)).tobytes())
    return sha.hexdigest()


def summary_of(array: np.ndarray) -> dict:
    """Summarise a floating point array so that it can be compared to a tolerance.

    Returns
    -------
    dict
        ``dtype``, ``shape`` and either all ``values`` or the first and the last ones, how many
        numbers are ``finite``, their ``sum`` and the sum of their ``squares``.
    """
    flat = array.astype(np.float64).ravel()
    head = {"dtype": array.dtype.name, "shape": list(array.shape)}
    if flat.size <= SMALL:
        return {**head, "values": written(flat)}
    finite = flat[np.isfinite(flat)]
    return {
        **head,
        "first": written(flat[:ENDS]),
        "last": written(flat[-ENDS:]),
        "finite": int(finite.size),
        "sum": float(finite.sum()),
        "squares": float(np.square(finite).sum()),
    }


def written(values: np.ndarray) -> list:
    """Return numbers as JSON has them; those that are not finite become texts."""
    return [float(value) if np.isfinite(value) else str(float(value)) for value in values]


# ---- comparing ---------------------------------------------------------------------------------

RELATIVE = 1e-9
ABSOLUTE = 1e-12  # of a number alone; in a dataset relative to the largest one


def differences(expected: dict, found: dict, exact_floats: bool = False) -> list[str]:
    """Name everything in which a file differs from its record.

    Parameters
    ----------
    expected, found : dict
        What `Workshop.record` returned then and returns now.
    exact_floats : bool
        Whether floating point datasets must agree in every bit.

    Returns
    -------
    list of str
        One sentence for each difference; none if the file is as it was.
    """
    sentences = []
    for name in ("command", "parameters", "ancestors"):
        if expected[name] != found[name]:
            sentences.append(f"{name} was {expected[name]} and is {found[name]}")
    sentences += leaf_differences("attribute", expected["attributes"], found["attributes"])
    for group in ("exact", "float", "json"):
        for path in sorted(expected[group].keys() | found[group].keys()):
            then, now = expected[group].get(path), found[group].get(path)
            if then is None or now is None:
                sentences.append(f"dataset {path} ({group}) is {'new' if now else 'missing'}")
            elif group == "json" and not exact_floats:
                what = f"dataset {path}:"
                sentences += leaf_differences(what, then["value"], now["value"], new=False)
            elif not same_dataset(group, then, now, exact_floats):
                sentences.append(f"dataset {path} ({group}) was {brief(then)} and is {brief(now)}")
    return sentences


def same_dataset(group: str, then, now, exact_floats: bool) -> bool:
    """Tell whether a dataset is as it was."""
    if group == "exact":
        return then == now
    if then["sha256"] == now["sha256"]:
        return True
    return group == "float" and not exact_floats and same_floats(then, now)


def same_floats(then: dict, now: dict) -> bool:
    """Tell whether a floating point dataset has the values it had, to the tolerance."""
    if any(then.get(name) != now.get(name) for name in ("dtype", "shape", "finite")):
        return False
    relative = max(RELATIVE, 4 * float(np.finfo(then["dtype"]).eps))
    names = [name for name in ("values", "first", "last") if name in then]
    old, new = (np.array([float(x) for name in names for x in d[name]]) for d in (then, now))
    scale = max((abs(x) for x in old if np.isfinite(x)), default=0.0)
    if not np.allclose(new, old, rtol=relative, atol=ABSOLUTE * scale, equal_nan=True):
        return False
    if "sum" not in then:
        return True
    largest_sum = (then["finite"] * then["squares"]) ** 0.5  # of absolute values, by Cauchy-Schwarz
    return (
        abs(now["sum"] - then["sum"]) <= relative * largest_sum
        and abs(now["squares"] - then["squares"]) <= 2 * relative * then["squares"]
    )


def leaf_differences(what: str, then, now, new: bool = True) -> list[str]:
    """Name the numbers and texts in which nested lists and objects differ.

    Keys of objects may be added where ``new`` is true; none may go.
    """
    same_type = type(then) is type(now) or {type(then), type(now)} == {int, float}
    if same_type and isinstance(then, dict):
        added = set() if new else now.keys() - then.keys()
        missing = [f"{what} {key} is missing" for key in sorted(then.keys() - now.keys())]
        inner = [
            sentence
            for key in sorted(then.keys() & now.keys())
            for sentence in leaf_differences(f"{what} {key}", then[key], now[key], new)
        ]
        return [*missing, *(f"{what} {key} is new" for key in sorted(added)), *inner]
    if same_type and isinstance(then, list) and len(then) == len(now):
        return [
            sentence
            for i, (a, b) in enumerate(zip(then, now))
            for sentence in leaf_differences(f"{what} [{i}]", a, b, new)
        ]
    if same_type and isinstance(then, float):
        same = abs(now - then) <= max(RELATIVE * abs(then), ABSOLUTE)
    else:
        same = same_type and then == now
    return [] if same else [f"{what} was {then!r} and is {now!r}"]


def brief(value) -> str:
    """Return a value as a text of moderate length."""
    text = canonical(value)
    return text if len(text) < 400 else f"{text[:400]}..."


def digest_in_format(path: Path, version: list[int]) -> str:
    """Compute the digest that a file would have in another version of the format.

    This is the definition of the digest, written down once more.
    """
    sha = hashlib.sha256()

    def add(name: str, array: np.ndarray) -> None:
        kind = array.dtype.newbyteorder("<")
        sha.update(f"{name}|{kind.str}|{array.shape}|".encode())
        sha.update(np.ascontiguousarray(array.astype(kind)).tobytes())

    with h5py.File(path) as file:
        attributes = dict(file.attrs) | {"format_version": np.array(version, dtype=np.int64)}
        for name in sorted(attributes.keys() - {"uuid", "digest", "software"}):
            add(f"@{name}", np.asarray(attributes[name]))
        for name in dataset_paths(file):
            add(name, np.asarray(file[name][()]))
    return sha.hexdigest()


# ---- the tests ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recorded() -> dict:
    """Return the record."""
    return json.loads(RECORD.read_text())


@pytest.fixture(scope="module")
def workshop(tmp_path_factory) -> Workshop:
    """Return the folder in which the files are made when a test first needs them."""
    return Workshop(tmp_path_factory.mktemp("golden"))


@pytest.mark.parametrize("name", FILES)
def test_file(name, workshop, recorded):
    """A file has the identity, the attributes and the datasets it had."""
    exact = os.environ.get("GOLDEN_EXACT", "") not in ("", "0")
    found = json.loads(json.dumps(workshop.record(name)))
    different = differences(recorded["files"][name], found, exact)
    assert not different, "\n".join([f"{name} is not what it was:", *different])


@pytest.mark.parametrize("name", [name for name in FILES if has_portable_digest(name)])
def test_digest(name, workshop, recorded):
    """The digest of a file of integers is what it was, if need be in the version of the record.

    What is made from other files of ours has their digests among its attributes. Its own is
    therefore compared in the version of the record only.
    """
    expected, path = recorded["files"][name], workshop.make(name)
    with h5py.File(path) as file:
        found, version = text_of(file.attrs["digest"]), file.attrs["format_version"].tolist()
    assert digest_in_format(path, version) == found, f"{name}: the digest has another definition"
    if version == expected["format_version"]:
        assert found == expected["digest"], f"{name}: the digest is another"
    elif expected["attributes"]["inputs"] == "[]":
        found = digest_in_format(path, expected["format_version"])
        assert found == expected["digest"], f"{name}: the digest is another"


@pytest.mark.parametrize("line", PRINTED)
def test_printed(line, workshop, recorded):
    """A command prints the numbers it printed; it may print others besides."""
    different = leaf_differences("", recorded["printed"][line], workshop.printed(line))
    assert not different, "\n".join([f"'{line}' prints something else:", *different])


@pytest.mark.parametrize("line", REFUSED)
def test_refused(line, workshop, recorded):
    """A command is refused with the exit code that it had, and leaves no file behind."""
    code, err = workshop.refused(line)
    assert code == recorded["refused"][line] == REFUSED[line], err
    assert err.strip(), "a refusal needs a sentence"
    assert not (workshop.folder / "new.h5").exists()


@pytest.mark.parametrize("number", range(len(STREAMS)))
def test_stream_key(number, recorded):
    """The key of a random stream is what it was."""
    expected = recorded["streams"][number]
    assert json.loads(json.dumps(STREAMS[number])) == expected["stream"]
    assert [format(word, "016x") for word in stream_key(*STREAMS[number])] == expected["key"]


def test_equal_digests(recorded):
    """Samples that were extended or merged are those that were made at once."""
    digests = {name: file.get("digest") for name, file in recorded["files"].items()}
    for one, other in (
        ("merged.h5", "extended-plain.h5"),
        ("replicas-merged.h5", "replicas-metropolis.h5"),
        ("extended-replicas.h5", "replicas-metropolis.h5"),
        ("extended-strip.h5", "strip-metropolis.h5"),
        ("dimers-merged.h5", "worm-default-chains.h5"),
        ("extended-dimers.h5", "noise-cell.h5"),
    ):
        assert digests[one] == digests[other] is not None, f"{one}, {other}"


def test_record_is_complete(recorded):
    """The record has what is compared, and nothing else."""
    assert recorded["files"].keys() == FILES.keys()
    assert recorded["printed"].keys() == set(PRINTED)
    assert recorded["refused"] == REFUSED
    assert len(recorded["streams"]) == len(STREAMS)
    kinds = {file["attributes"]["kind"] for file in recorded["files"].values()}
    shards = {"samples-shard", "flow-shard", "spectrum-shard"}
    results = {"flow", "exponent", "crossing", "spectrum", "correlation"}
    assert kinds == {"samples", "theta", "lambda"} | results | shards


def test_differences_are_found(workshop):
    """A changed integer, number, attribute, dataset or parameter is named; new attributes pass."""
    expected = json.loads(json.dumps(workshop.record("decoder.h5")))

    def sentences(change) -> list[str]:
        altered = json.loads(json.dumps(expected))
        change(altered)
        return differences(expected, altered)

    def scale(factor):
        def change(file):
            file["float"]["/bias"]["sha256"] = ""
            numbers = file["float"]["/filters"]
            numbers |= {"sha256": "", "values": [factor * x for x in numbers["values"]]}

        return change

    assert not sentences(lambda file: file["attributes"].update(model_of_another="ising"))
    assert not sentences(scale(1 + 1e-11))
    for change, named in (
        (scale(1 + 1e-7), "dataset /filters (float)"),
        (lambda file: file["exact"].update({"/split/held_out": "0"}), "/split/held_out (exact)"),
        (lambda file: file["exact"].pop("/split/held_out"), "/split/held_out (exact) is missing"),
        (lambda file: file["attributes"].update(windows=1), "attribute windows was 1500 and is 1"),
        (lambda file: file["attributes"].pop("model"), "attribute model is missing"),
        (lambda file: file.update(parameters="{}"), "parameters was"),
    ):
        found = sentences(change)
        assert len(found) == 1 and named in found[0], found


# ---- taking the record -------------------------------------------------------------------------


def take_record() -> dict:
    """Run all commands and return what they make."""
    with tempfile.TemporaryDirectory() as folder:
        workshop = Workshop(Path(folder))
        return {
            "files": {name: workshop.record(name) for name in FILES},
            "printed": {line: workshop.printed(line) for line in PRINTED},
            "refused": {line: workshop.refused(line)[0] for line in REFUSED},
            "streams": [
                {"stream": stream, "key": [format(word, "016x") for word in stream_key(*stream)]}
                for stream in STREAMS
            ],
        }


if __name__ == "__main__":
    if sys.argv[1:] != ["--record"]:
        sys.exit(f"usage: python {sys.argv[0]} --record")
    RECORD.write_text(json.dumps(take_record(), indent=1, sort_keys=True) + "\n")
    print(RECORD)
