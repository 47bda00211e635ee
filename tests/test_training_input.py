"""What training refuses, and what it does when the numbers run away: one sentence, and what was done is kept."""

from pathlib import Path

import pytest

CHAIN = "sample --dimension 1 --size 64 --coupling 1 --samples 200 --thermalization 10 --interval 2 -o chain.h5"
FROZEN = "sample --size 8 --coupling 20 --samples 400 --thermalization 2 --interval 1 -o frozen.h5"
FEW = "sample --size 8 --temperature Tc --samples 8 --thermalization 2 --interval 1 -o few.h5"


@pytest.mark.parametrize(
    "line, sentence",
    [
        ("train-theta samples.h5 --block 2x2 --windows 1100", "needs at least 13"),
        ("train-theta samples.h5 --block 2x2 --hidden 400 --windows 2000", "a machine with 400 hidden units needs at least"),
        ("train-theta few.h5 --block 2x2", "8 configurations are too few"),
        ("train-lambda few.h5 --block 2x2", "configurations of 8x8"),
        ("train-theta frozen.h5 --block 2x2", "nothing to learn from constant samples"),
        ("train-lambda frozen.h5 --block 2x2", "nothing to learn from constant samples"),
        ("train-lambda samples.h5 --theta theta.h5 --block 4x4", "--block 4x4 contradicts theta.h5"),
        ("train-lambda samples.h5 --theta theta.h5 --buffer 2", "--buffer 2 contradicts theta.h5"),
        ("train-lambda chain.h5 --theta theta.h5", "theta.h5 was trained on samples with coupling"),
        ("train-lambda samples.h5 --block 2x2 --objective proxy", "needs the Boltzmann machines"),
        ("train-lambda samples.h5 --block 17x1", "block 17x1 is larger than the lattice"),
    ],
)
def test_refused(line, sentence, inputs, here):
    inputs("lambda.h5")
    for extra in (CHAIN, FROZEN, FEW):
        if extra.split("-o ")[1] in line:
            assert here(*extra.split()).code == 0
    result = here(*line.split(), "-o", "out.h5")
    assert result.code == 2 and sentence in result.sentence, result.err
    assert not Path("out.h5").exists() and not Path("out.h5.parts").exists()


def test_enumerate_refuses_a_large_block(inputs, here):
    inputs("lambda.h5")
    line = "train-theta samples.h5 --block 5x5 --windows 2000 --hidden 4 --cd-steps 1 --epochs 1 -o large.h5"
    assert here(*line.split()).code == 0
    result = here(*"train-lambda samples.h5 --theta large.h5 --objective enumerate -o out.h5".split())
    assert result.code == 2 and "2^25 block states; 16 sites are the most" in result.sentence


def test_divergence_names_the_epoch_and_keeps_what_was_done(inputs, here):
    """A learning rate a hundred times too large: exit 1, the epoch, the advice; no file under the final name."""
    inputs("theta.h5")
    result = here(*"train-theta samples.h5 --block 2x2 --windows 4000 --epochs 40 --learning-rate 9 -o out.h5".split())
    assert result.code == 1 and "diverged in epoch" in result.sentence and "lower" in result.sentence
    assert not Path("out.h5").exists()
