"""Files that are not read: the message says what they are, and its line of Python converts them."""

import io
import os
import pickle
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from conftest import run_here

SPINS = np.where(np.random.default_rng(6).random((9, 4, 6)) < 0.5, -1, 1).astype(np.int8)


def message(name: str, *options: str) -> str:
    result = run_here("import", name, *options, "-o", "out.h5")
    assert result.code == 65 and not Path("out.h5").exists()
    return result.sentence


def convert(sentence: str, **environment: str) -> np.ndarray:
    """Run the line of a message as a shell would, and load what it saves."""
    words = shlex.split(sentence[sentence.index("python -c ") :])
    assert len(words) == 3
    words[0] = sys.executable
    subprocess.run(words, check=True, env={**os.environ, **environment})
    return np.load("spins.npy")


def table() -> np.ndarray:
    records = np.zeros(9, [("T", "f8"), ("E", "f4", (40,)), ("the spins", "i1", (4, 6))])
    records["the spins"] = SPINS
    return records


@pytest.mark.parametrize("name", ["t.h5", "it's a $(touch oops) table.h5"])
def test_a_table_of_records_in_hdf5(name, workplace):
    with h5py.File(name, "w") as handle:
        handle["runs/first"] = table()
        handle["note"] = "a text"
    for options in ((), ("--dataset", "/runs/first")):
        sentence = message(name, *options)
        assert "records of several fields (T, E, the spins)" in sentence
        assert (convert(sentence) == SPINS).all()
    assert not Path("oops").exists()
    assert run_here("import", "spins.npy", "-o", "out.h5").code == 0


def test_records_in_npy_and_npz(workplace):
    np.save("a.npy", table())
    np.savez("b.npz", other=table())
    assert (convert(message("a.npy")) == SPINS).all()
    assert (convert(message("b.npz")) == SPINS).all()


def test_hdf5_without_numbers(workplace):
    with h5py.File("words.h5", "w") as handle:
        handle["names"] = np.array([b"up", b"down"])
        handle["count"] = 7
    assert "no dataset of numbers, but /count of one number, /names of text" in message("words.h5")
    h5py.File("empty.h5", "w").close()
    assert message("empty.h5").endswith("holds no dataset of numbers")


def torch_saves(name: str) -> None:
    with zipfile.ZipFile(name, "w") as archive:
        archive.writestr("model/data.pkl", pickle.dumps(3))
        archive.writestr("model/data/7", bytes(216))


def test_an_archive_of_torch(workplace):
    """A module of the same name stands for torch, which the tests do not need."""
    torch_saves("net.pt")
    sentence = message("net.pt")
    assert "is an archive of torch.save" in sentence
    Path("torch.py").write_text(
        "import numpy\nclass Tensor:\n    def numpy(self):\n        return numpy.arange(5)\n"
        "def load(path, map_location):\n    assert (path, map_location) == ('net.pt', 'cpu')\n"
        "    return Tensor()\n"
    )
    assert (convert(sentence, PYTHONPATH=os.getcwd()) == np.arange(5)).all()


def test_an_archive_without_arrays(workplace):
    with zipfile.ZipFile("notes.npz", "w") as archive:
        archive.writestr("readme.md", "spins")
    assert "of NPZ these end in .npy, here is readme.md" in message("notes.npz")


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_pickle(protocol, workplace):
    Path("chain.pkl").write_bytes(pickle.dumps(SPINS, protocol))
    sentence = message("chain.pkl")
    assert "a pickle, which may run any program" in sentence
    assert (convert(sentence) == SPINS).all()


@pytest.mark.parametrize(
    ("name", "head", "words"),
    [
        ("a.mat", b"MATLAB 5.0 MAT-file, Platform", "scipy.io.loadmat"),
        ("a.png", b"\x89PNG\r\n\x1a\n\x00", "PIL.Image.open"),
        ("a.jpg", b"\xff\xd8\xff\xe0\x00", "PIL.Image.open"),
        ("a.tif", b"II*\x00\x08\x00", "PIL.Image.open"),
    ],
)
def test_other_programs(name, head, words, workplace):
    Path(name).write_bytes(head + bytes(200))
    assert words in message(name)


def test_packed_bits_are_not_taken_for_a_pickle(workplace):
    """Their first bytes may be anything; the name says what they are."""
    Path("a.bits").write_bytes(b"\x80\x04\xff\xd8\xff\x01")
    line = "import a.bits --shape 4x4 --bit-order big -o out.h5"
    assert run_here(*line.split()).code == 0


@pytest.mark.parametrize(
    ("dtype", "number", "shown"),
    [
        ("f4", np.float32(1) - np.float32(2**-24), "holds 0.99999994 at"),
        ("f8", 1.0000000001, "holds 1.0000000001 at"),
        ("f8", -0.99999, "holds -0.99999 at"),
        ("f8", 1e-9, "holds 1e-09 at"),
        ("f8", 0.5, "holds 0.5 at"),
    ],
)
def test_numbers_that_are_nearly_spins(dtype, number, shown, workplace):
    """All digits are shown that tell the number from a spin, and the cure where rounding is one."""
    numbers = SPINS.astype(dtype)
    numbers[3, 2, 1] = number
    np.save("nearly.npy", numbers)
    sentence = message("nearly.npy")
    assert shown in sentence and "configuration 3, site (2, 1)" in sentence
    assert ("round the numbers (numpy.rint)" in sentence) == (number != 0.5)
    content = io.StringIO()
    np.savetxt(content, numbers.reshape(9, 24).astype(float), fmt="%.12g", delimiter=",")
    Path("nearly.csv").write_text(content.getvalue())
    assert ("round" in message("nearly.csv", "--shape", "4x6")) == (number != 0.5)
