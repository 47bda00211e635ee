"""Small files are verified whenever they are opened: one that was changed by hand is refused."""

import shutil

import h5py
import pytest

from rsmi.errors import DataError
from rsmi.samples.files import open_file
from rsmi.store.schema import KINDS

# The file of every small kind, a dataset that is overwritten, and a command that uses the file.
SMALL = {
    "theta": ("theta.h5", "/block/visible_bias", "train-lambda samples.h5 --theta theta.h5"),
    "lambda": ("lambda.h5", "/filters", "coarse-grain samples.h5 --rule lambda.h5"),
    "flow": ("flow.h5", "/blocks/even_sums", "exponent flow.h5"),
    "exponent": ("exponent.h5", "/sequence/y_t", "plot exponent.h5"),
    "spectrum": ("spectrum.h5", "/groups/odd_sums", "plot spectrum.h5"),
    "correlation": ("correlation.h5", "/groups/axis", "plot correlation.h5"),
    "crossing": ("crossing.h5", "/curves/binder", "plot crossing.h5"),
}


def test_all_small_kinds_are_tested():
    assert set(SMALL) == {name for name, kind in KINDS.items() if kind.small}


@pytest.fixture
def changed(workplace, pipeline):
    """The pipeline's file of one kind, with one number overwritten by h5py."""

    def change(kind):
        name, dataset, _command = SMALL[kind]
        shutil.copy(pipeline / "samples.h5", workplace)
        shutil.copy(pipeline / name, workplace)
        with h5py.File(name, "r+") as handle:
            values = handle[dataset][()]
            values.flat[0] += 1
            handle[dataset][...] = values
        return name

    return change


@pytest.mark.parametrize("kind", SMALL)
def test_a_changed_file_is_refused(kind, changed, here):
    """By `info`, by the command that builds on it, and in Python."""
    name, _dataset, line = SMALL[kind]
    changed(kind)
    output = "out.png" if line.startswith("plot") else "out.h5"
    for arguments in (["info", name], ["info", name, "--json"], [*line.split(), "-o", output]):
        result = here(*arguments)
        assert result.code == 65, result
        assert result.out == ""
        assert "the content does not match the stored digest" in result.sentence
        assert len(result.err.strip().splitlines()) == 1
    with pytest.raises(DataError, match="changed or damaged"), open_file(name):
        pass


def test_a_changed_output_is_not_complete(changed, here):
    """The command that made the file does not take it for its own output."""
    changed("lambda")
    line = "train-lambda samples.h5 --block 2x2 --windows 2000 --restarts 2 -o lambda.h5"
    result = here(*line.split())
    assert result.code == 73
    assert "changed or damaged" in result.sentence


def test_samples_are_verified_on_request(workplace, pipeline, here):
    """Samples may be larger than the memory."""
    shutil.copy(pipeline / "samples.h5", workplace)
    with h5py.File("samples.h5", "r+") as handle:
        handle["energy"][7] += 4
    assert here("info", "samples.h5", "--json").code == 0
    assert here("info", "samples.h5", "--verify").code == 65
