"""What training refuses, and what it says: samples too few or constant, machines of another
geometry, blocks too large, divergence."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from rsmi.stages.training import machines
from rsmi.store import open_file

THETA = (
    "train-theta samples.h5 --block 2x2 --windows 2000 --hidden 4 --cd-steps 1 --epochs 4 -o"
    " theta.h5"
)


@pytest.fixture
def here(here, pipeline, workplace):
    """Command lines in a folder with the small pipeline's samples and machines."""
    for name in ("samples.h5", "theta.h5"):
        shutil.copy(pipeline / name, workplace)
    return lambda line: here(*line.split())


@pytest.mark.parametrize(
    ("line", "words"),
    {
        "train-theta samples.h5 --block 2x2 --windows 5000 --hidden 600": (
            "--windows 5000: a machine with 600 hidden units needs at least 8000, of which 6000 to"
            " learn from"
        ),
        "train-lambda samples.h5 --block 3x3 --hidden 8 --windows 4000": (
            "--windows 4000: a decoder of 448 parameters needs at least 5974, of which 4480 to"
            " learn from"
        ),
        "train-theta few.h5 --block 2x2": (
            "few.h5: 12 configurations are too few: a machine with 20 hidden units needs 1000"
            " blocks that do not overlap: 20 configurations of 16x16"
        ),
        "train-lambda few.h5 --block 4x4": (
            "a decoder of 30 parameters needs 1000 blocks that do not overlap: 79 configurations of"
            " 16x16"
        ),
        "train-theta cold.h5 --block 2x2": (
            "cold.h5: all spins of every window are equal: there is nothing to learn from constant"
            " samples"
        ),
        "train-lambda cold.h5 --block 1x1": "there is nothing to learn from constant samples",
        "train-theta samples.h5 --block 2x2 --windows 1100": "needs at least 13",
        "train-lambda samples.h5 --theta theta.h5 --block 3x3": (
            "--block 3x3 contradicts theta.h5, which was trained with block 2x2"
        ),
        "train-lambda samples.h5 --theta theta.h5 --environment 2": (
            "--environment 2 contradicts theta.h5, which was trained with environment 1"
        ),
        "train-lambda chain.h5 --theta theta.h5": "theta.h5 was trained on samples with coupling",
        "train-lambda samples.h5 --block 2x2 --objective proxy": (
            "needs the Boltzmann machines: give --theta"
        ),
        "train-lambda samples.h5 --block 17x1": "block 17x1 is larger than the lattice",
        "train-lambda samples.h5 --theta large.h5 --objective enumerate": (
            "--objective enumerate sums over 2^20 block states; 16 sites are the most: take proxy"
            " or decoder"
        ),
    }.items(),
)
def test_refused_in_one_sentence(here, line, words):
    for name, options in (
        ("few", "--temperature Tc --samples 12"),
        ("cold", "--temperature 0.1 --samples 100"),
        ("chain", "--dimension 1 --coupling 1 --samples 200"),
    ):
        if name in line:
            here(f"sample --size 16 {options} --thermalization 20 --interval 2 -o {name}.h5")
    if "large" in line:
        here(
            "train-theta samples.h5 --block 4x5 --windows 2000 --hidden 4 --cd-steps 1 --epochs 1"
            " -o large.h5"
        )
    result = here(f"{line} -o out.h5")
    assert result.code == 2
    assert words in result.sentence
    assert "Traceback" not in result.err
    assert not Path("out.h5").exists()
    assert not Path("out.h5.parts").exists()


def test_the_number_that_is_asked_for_is_enough(here):
    """The counts of the refusals above, taken at their word."""
    here(
        "sample --size 16 --temperature Tc --samples 20 --thermalization 20 --interval 2 -o few.h5"
    )
    assert (
        here("train-theta few.h5 --block 2x2 --windows 2000 --epochs 1 -o theta.h5 --force").code
        == 0
    )


def test_a_wild_learning_rate_is_caught(here):
    """Fields are cut off before they overflow, so no number is infinite: the machine predicts worse
    than coins."""
    result = here(
        "train-theta samples.h5 --block 2x2 --windows 2000 --hidden 8 --learning-rate 9 -o wild.h5"
    )
    assert result.code == 1
    assert not Path("wild.h5").exists()
    assert "diverged in epoch 1 of 10" in result.sentence
    assert "lower --learning-rate, which is 9" in result.sentence


def test_what_precedes_a_divergence_is_kept(here, monkeypatch):
    """Epoch 3 overflows: the state after an epoch before it stays in the parts, and the same
    command ends as if nothing had been."""
    shutil.move("theta.h5", "expected.h5")
    healthy, calls = machines.train_epochs, []

    def overflow(state, visible, **settings):
        calls.append(visible.shape[1])
        row = healthy(state, visible, **settings)
        if calls.count(24) == 3 and visible.shape[1] == 24:
            state["weights"][...] = np.nan
            raise FloatingPointError(
                "the training diverged in epoch 3 of 4: lower the learning rate"
            )
        return row

    with monkeypatch.context() as patch:
        patch.setattr(machines, "train_epochs", overflow)
        result = here(THETA + " --threads 1")
    assert result.code == 1
    assert (
        "the machine of (V, E): the training diverged in epoch 3 of 4: lower the learning rate"
        in result.sentence
    )
    assert result.sentence.endswith("theta.h5.parts keeps what was done before")
    assert list(Path("theta.h5.parts").glob("joint.*"))
    assert here(THETA).code == 0
    with open_file("theta.h5", "theta") as again, open_file("expected.h5", "theta") as expected:
        assert again.digest == expected.digest


def test_machines_of_enormous_energies(here, monkeypatch):
    """Lambda training that overflows names the restart, the epoch and the remedy."""
    from rsmi.stages.training import ascent

    def overflow(*_):
        raise FloatingPointError("a value diverged")

    monkeypatch.setattr(ascent, "advance", overflow)
    result = here(
        "train-lambda samples.h5 --theta theta.h5 --windows 2000 --restarts 1 -o lambda.h5"
    )
    assert result.code == 1
    assert not Path("lambda.h5").exists()
    assert "restart 0: the training diverged in epoch 1 of 30" in result.sentence
    assert "train theta again with a smaller --learning-rate" in result.sentence
