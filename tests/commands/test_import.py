"""``rsmi import``: the same spins whatever wrote them, one sentence for what is no spin, and
bounded memory.

tests/data/mcising.h5 is of mcising 1.1.0 (pypi.org/project/mcising):
``mcising run -L 6 -T 2.0 -T 3.0 --sweeps 480 --therm 50 --interval 20 --seed 3 -o mcising.h5``.
"""

import gzip
import io
import json
import math
import os
import re
import shutil
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from conftest import MCISING, digest, process, run_here
from example_files import figure, short_fits
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from rsmi.models.ising.simulation import energies
from rsmi.store import open_file, schema


def stored(path):
    """Spins +-1 (n, *shape) of a samples file of one component, read as SCHEMA.md says."""
    program = re.search(r"```python\n(.*?)```", schema.markdown(), re.DOTALL)[1]
    names = {}
    exec(program.replace('"samples.h5"', repr(str(path))), names)
    return names["spins"][:, 0]


def refused(result, words, code=65):
    assert result.code == code, result.err
    assert words in result.sentence
    assert "Traceback" not in result.err
    assert len(result.err.strip().splitlines()) == 1


@pytest.fixture(scope="module")
def spins():
    """Not symmetric under anything."""
    return np.random.default_rng(5).choice(np.array([-1, 1], np.int8), (40, 3, 4), p=[0.3, 0.7])


# ---- every format --------------------------------------------------------------------------------


def write_csv(path, array, separator=","):
    np.savetxt(path, array.reshape(len(array), -1), fmt="%g", delimiter=separator)


def write_hdf5(path, array, **storage):
    with h5py.File(path, "w") as handle:
        handle.create_dataset("deep/spins", data=array, **storage)
        handle["deep/series"] = np.arange(len(array) / 2)


WRITERS = {
    "spins.npy": (np.save, ""),
    "fortran.npy": (lambda path, array: np.save(path, np.asfortranarray(array)), ""),
    "big.npy": (lambda path, array: np.save(path, array.astype(array.dtype.newbyteorder(">"))), ""),
    "flat.npy": (lambda path, array: np.save(path, array.reshape(len(array), -1)), "--shape SHAPE"),
    "one.npz": (lambda path, array: np.savez(path, array), ""),
    "two.npz": (
        lambda path, array: np.savez_compressed(path, other=np.zeros(3), spins=array),
        "--dataset spins",
    ),
    "fortran.npz": (lambda path, array: np.savez_compressed(path, np.asfortranarray(array)), ""),
    "spins.csv": (write_csv, "--shape SHAPE"),
    "spins.txt": (lambda path, array: write_csv(path, array, " "), "--shape SHAPE"),
    "plain.h5": (write_hdf5, "--dataset deep/spins"),
    "chunked.h5": (
        lambda path, array: write_hdf5(
            path,
            array,
            chunks=(min(3, len(array)),) + (1,) * (array.ndim - 1),
            compression="gzip",
            shuffle=True,
        ),
        "--dataset /deep/spins",
    ),
    "spins.bits": (
        lambda path, array: np.packbits(
            array.reshape(len(array), -1) > 0, axis=1, bitorder="little"
        ).tofile(path),
        "--shape SHAPE --bit-order little --format bits",
    ),
    "big.bin": (
        lambda path, array: np.packbits(array.reshape(len(array), -1) > 0, axis=1).tofile(path),
        "--shape SHAPE --bit-order big --format bits",
    ),
}


def write_and_import(folder, name, array, more=""):
    writer, options = WRITERS[name]
    writer(folder / name, array)
    options = options if "SHAPE" in options else f"{options} {more}"
    shape = "x".join(map(str, array.shape[1:]))
    result = run_here(
        "import",
        folder / name,
        *options.replace("SHAPE", shape).split(),
        "--force",
        "-q",
        "-o",
        folder / "out.h5",
    )
    assert result.code == 0, result.err
    return stored(folder / "out.h5")


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("dtype", ["int8", "int64", "float32", "0/1 uint8", "bool"])
def test_every_format_and_type(name, dtype, spins, workplace):
    """A configuration transposed, reversed, or of another order of bits would differ."""
    array = (
        (spins > 0).astype(dtype.split()[-1])
        if dtype in ("0/1 uint8", "bool")
        else spins.astype(dtype)
    )
    assert (write_and_import(workplace, name, array) == spins).all()


shapes = st.lists(st.integers(1, 5), min_size=1, max_size=3).map(tuple)


# ---- the shapes that people have -----------------------------------------------------------------


def rows_of_lattices(path, array, between=b"\n", first=b"", opener=open):
    """A row of the lattice on a line, and something between the configurations."""
    with opener(path, "wb") as stream:
        stream.write(first)
        for number, configuration in enumerate(array):
            stream.write(between.replace(b"N", b"%d" % number) if number else b"")
            np.savetxt(stream, configuration, fmt="%d")


def strings(path, array, label="", letters="01"):
    """One configuration on a line, one letter a spin."""
    lines = ["".join(letters[int(spin > 0)] for spin in one.ravel()) for one in array]
    Path(path).write_text("".join(f"{label}{line}\n" for line in lines))


def labelled(path, array):
    """A header, a label before the spins, and one behind them."""
    flat = array.reshape(len(array), -1)
    lines = [f"cold; {'; '.join(map(str, one))}; 2.5\n" for one in flat]
    Path(path).write_text("phase; spins; temperature\n" + "".join(lines))


def of_temperatures(array):
    """Other spins at the temperatures 0, 1 and 3."""
    return np.stack([-array, array[::-1], array, array[:, ::-1]])


def matlab(path, array):
    """HDF5 behind a block of 512 bytes; MATLAB writes the axes in reverse order."""
    with h5py.File(path, "w", userblock_size=512) as handle:
        handle["spins"] = array.T.astype(float)
    with open(path, "r+b") as stream:
        stream.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")


def sequences(array):
    """(4, 10, 3, 4): four chains, of which the configurations take turns in ``array``."""
    return array.reshape(10, 4, *array.shape[1:]).swapaxes(0, 1)


def save(change=lambda array: array):
    return lambda path, array: np.save(path, change(array))


def lzf(path, array, shuffle):
    with h5py.File(path, "w") as handle:
        handle.create_dataset(
            "spins", data=array, chunks=(8, 3, 4), compression="lzf", shuffle=shuffle
        )


SHAPES = {
    "last.npy": (save(lambda a: np.moveaxis(a, 0, -1)), "--axes y,x,n"),
    "fortran-last.npy": (
        save(lambda a: np.asfortranarray(np.moveaxis(a, 0, -1))),
        "--axes y,x,n",
    ),
    "last.npz": (lambda path, a: np.savez_compressed(path, np.moveaxis(a, 0, -1)), "--axes y,x,n"),
    "last.h5": (
        lambda path, a: write_hdf5(path, np.moveaxis(a, 0, -1), chunks=(2, 2, 7)),
        "--dataset deep/spins --axes y,x,n",
    ),
    "transposed.npy": (save(lambda a: a.swapaxes(1, 2)), "--axes n,x,y"),
    "ones.npy": (save(lambda a: a[:, None, :, :, None]), "--axes n,1,y,x,1"),
    "range.npy": (save(lambda a: np.concatenate([-a, a, -a])), "--select n=40:-40"),
    "scan.npy": (save(of_temperatures), "--axes t,n,y,x --select t=2"),
    "scan.npz": (
        lambda path, a: np.savez_compressed(path, of_temperatures(a)),
        "--axes t,n,y,x --select t=2",
    ),
    "scan.h5": (
        lambda path, a: write_hdf5(path, of_temperatures(a), chunks=(3, 7, 2, 2)),
        "--dataset deep/spins --axes t,n,y,x --select t=-2",
    ),
    "inner-scan.npy": (
        save(lambda a: np.moveaxis(of_temperatures(a), 0, 1)),
        "--axes n,T,y,x --select T=2",
    ),
    "flat-scan.npy": (
        save(lambda a: of_temperatures(a).reshape(4, 40, 12)),
        "--axes t,n,site --select t=2 --shape 3x4",
    ),
    "chains.npy": (save(sequences), "--axes chain,n,y,x"),
    "chains.h5": (
        lambda path, a: write_hdf5(path, sequences(a), chunks=(3, 4, 3, 4)),
        "--dataset deep/spins --axes chain,n,y,x",
    ),
    "turns.npy": (save(lambda a: a.reshape(10, 4, 3, 4)), "--axes n,chain,y,x"),
    "matlab.mat": (matlab, "--axes x,y,n"),
    "lzf.h5": (lambda path, a: lzf(path, a, False), ""),
    "shuffled-lzf.h5": (lambda path, a: lzf(path, a, True), ""),
    "rows.txt": (rows_of_lattices, ""),
    "rows.dat.gz": (lambda path, a: rows_of_lattices(path, a, opener=gzip.open), ""),
    "comments.txt": (lambda path, a: rows_of_lattices(path, a, b"\n# configuration N\n"), ""),
    "plain-rows.txt": (lambda path, a: rows_of_lattices(path, a, b""), "--shape 3x4"),
    "sizes.txt": (lambda path, a: rows_of_lattices(path, a, first=b"3 4 40\n"), "--header 1"),
    "strings.txt": (strings, "--shape 3x4"),
    "signs.txt": (lambda path, a: strings(path, a, letters="-+"), "--shape 3x4"),
    "labels.txt": (lambda path, a: strings(path, a, "T=2.3, "), "--columns 1: --shape 3x4"),
    "labels.csv": (labelled, "--columns 1:-1 --shape 3x4"),
    "bytes.bin": (lambda path, a: a.tofile(path), "--format bytes --shape 3x4"),
    "images.npy": (save(lambda a: np.where(a > 0, 255, 0).astype(np.uint8)), "--values 0,255"),
    "states.npy": (save(lambda a: np.where(a > 0, 1, 2)), "--values 2,1"),
    "halves.npy": (save(lambda a: a / 2), "--values=-0.5,0.5"),
}


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape(name, spins, workplace, interrupt):
    """The same spins whatever wrote them; of chains, also their number. Work that is stopped after
    17 configurations is taken up in the middle."""
    writer, options = SHAPES[name]
    writer(name, spins)
    line = ["import", name, *options.split(), "-o", "out.h5"]
    result = run_here(*line)
    assert result.code == 0, result.err
    assert (stored("out.h5") == spins).all()
    with open_file("out.h5") as file:
        assert file.attributes["chains"] == (4 if "chain" in options else 1)
    line[-1] = "again.h5"
    interrupt(line, 17)
    assert run_here(*line).code == 0
    assert digest("again.h5") == digest("out.h5")


def test_components(workplace):
    """The same two spins at every site from every order of the axes, packed bits included, and as
    SCHEMA.md reads them."""
    spins = np.random.default_rng(9).choice(np.array([-1, 1], np.int8), (30, 2, 3, 4))
    last = np.moveaxis(spins, 1, -1)
    bits = np.packbits(last.reshape(30, -1) > 0, axis=1)
    np.save("first.npy", spins)
    np.save("last.npy", last)
    np.save("flat.npy", last.reshape(30, -1))
    np.save("scan.npy", np.stack([last, -last]))
    np.savetxt("flat.csv", spins.reshape(30, -1), fmt="%d")
    bits.tofile("last.bits")
    for line in (
        "first.npy --components 2",
        "last.npy --components 2 --component-axis last",
        "first.npy --axes n,c,y,x",
        "scan.npy --axes t,n,y,x,c --select t=0",
        "flat.npy --components 2 --component-axis last --shape 3x4",
        "flat.csv --components 2 --component-axis first --shape 3x4",
        "last.bits --components 2 --component-axis last --shape 3x4 --bit-order big",
    ):
        assert run_here("import", *line.split(), "--force", "-o", "out.h5").code == 0, line
        with open_file("out.h5") as file:
            rows = file.read("/spins")
            assert file.attributes["components"] == 2
            assert file.attributes["shape"] == (3, 4)
        assert (rows == np.packbits(spins.reshape(30, -1) > 0, axis=1, bitorder="little")).all()
    assert run_here("info", "out.h5", "--verify").code == 0
    assert "3x4 spins of an unknown model, periodic, 2 components" in run_here("info", "out.h5").out


def test_files_are_chains(spins, workplace):
    """Files, and datasets of a file, are chains; each may hold several."""
    chains = sequences(spins)
    for number, chain in enumerate(chains):
        np.save(f"chain-{number}.npy", chain)
    np.savez("all.npz", **{f"c{number}": chain for number, chain in enumerate(chains)})
    np.save("half-0.npy", chains[:2].swapaxes(0, 1).reshape(20, 3, 4))
    np.save("half-1.npy", chains[2:].swapaxes(0, 1).reshape(20, 3, 4))
    names = " ".join(f"chain-{number}.npy" for number in range(4))
    datasets = " ".join(f"--dataset c{number}" for number in range(4))
    for line in (names, f"all.npz {datasets}", "half-0.npy half-1.npy --chains 2"):
        assert run_here("import", *line.split(), "--force", "-o", "out.h5").code == 0, line
        assert (stored("out.h5") == spins).all(), line
        with open_file("out.h5") as file:
            assert file.attributes["chains"] == 4
            assert len(file.attributes["inputs"]) == {"all": 4, "hal": 2, "cha": 4}[line[:3]]
    np.save("long.npy", spins)
    np.save("zeros.npy", chains[0] > 0)
    for line, words, code in (
        (
            "chain-0.npy long.npy",
            "long.npy is of shape [40, 3, 4] and chain-0.npy of [10, 3, 4]",
            2,
        ),
        ("chain-0.npy all.npz --dataset c0", "--dataset: for NPZ and HDF5 files", 2),
        ("half-0.npy half-1.npy --chains 3", "are no whole number of steps of 3 chains", 2),
        ("chain-0.npy zeros.npy", "and 0 (configuration 0 of zeros.npy)", 65),
    ):
        refused(run_here("import", *line.split(), "-q", "-o", "x.h5"), words, code)


def test_standard_input(spins, workplace):
    """What another program writes, in any format that its content shows."""
    np.save("spins.npy", spins)
    rows_of_lattices("rows.txt", spins)
    for name in ("spins.npy", "rows.txt"):
        with open(name, "rb") as stream:
            child = process(["import", "-", "--force", "-o", "out.h5"], stdin=stream)
            child.communicate()
        assert child.returncode == 0
        assert (stored("out.h5") == spins).all()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    data=st.data(),
    n=st.integers(1, 12),
    shape=shapes,
    name=st.sampled_from(sorted(WRITERS)),
    down=st.sampled_from([-1, 0]),
)
def test_any_spins_come_back(tmp_path_factory, data, n, shape, name, down):
    """Also constant ones: all ones are up, all -1 or 0 down, however they are written."""
    up = data.draw(arrays.arrays(bool, (n, *shape)))
    array = np.where(up, 1, down).astype(
        data.draw(st.sampled_from([np.int8, np.int32, np.float64]))
    )
    assert (
        write_and_import(tmp_path_factory.mktemp("any"), name, array, "--shape SHAPE")
        == 2 * up.astype(int) - 1
    ).all()


def test_lines_that_do_not_count(workplace):
    """A mark of the encoding, comments, empty lines, Windows' line ends, and no end of the last
    line."""
    Path("a.csv").write_bytes(b"\xef\xbb\xbf# spins\r\n1, -1 ,1\r\n\r\n-1,-1,1.0\r\n\n1e0,1,-1")
    assert run_here("import", "a.csv", "-q", "-o", "out.h5").code == 0
    assert stored("out.h5").tolist() == [[1, -1, 1], [-1, -1, 1], [1, 1, -1]]


@pytest.mark.parametrize("shape", [(7,), (4, 6), (3, 2), (2, 4, 3)])
def test_energies(shape):
    """Every site's forward bonds, one by one; a side of two has every bond twice, as in `rsmi
    sample`."""
    spins = np.random.default_rng(0).choice([-1, 1], (5, *shape))
    expected = [
        -sum(
            s[site] * s[tuple((x + (a == axis)) % shape[a] for a, x in enumerate(site))]
            for site in np.ndindex(shape)
            for axis in range(len(shape))
        )
        for s in spins
    ]
    assert (energies(spins == 1) == expected).all()


def test_chains(spins, workplace):
    """40 configurations of 4 chains, in turns or one chain after the other, are the same file but
    for their origin."""
    np.save("turns.npy", spins)
    np.save("sequential.npy", spins.reshape(10, 4, 3, 4).swapaxes(0, 1).reshape(40, 3, 4))
    for name in ("turns", "sequential"):
        assert (
            run_here(
                "import",
                f"{name}.npy",
                "--model",
                "ising",
                "--chains",
                4,
                "--chain-order",
                name,
                "-q",
                "-o",
                f"{name}.h5",
            ).code
            == 0
        )
    with open_file("turns.h5") as one, open_file("sequential.h5") as other:
        assert (one.read("/spins") == other.read("/spins")).all()
        assert (one.read("/energy") == other.read("/energy")).all()
        assert one.attributes["chains"] == 4
        assert (one.read("/energy") == energies(spins == 1)).all()
    refused(
        run_here("import", "turns.npy", "--chains", 3, "--chain-order", "sequential", "-o", "x.h5"),
        "no whole number of steps of 3 chains",
        2,
    )


# ---- what is refused -----------------------------------------------------------------------------


def npy(array, **changes):
    """Bytes of an NPY file, perhaps with a header that lies."""
    stream = io.BytesIO()
    header = {
        "descr": np.lib.format.dtype_to_descr(array.dtype),
        "fortran_order": False,
        "shape": array.shape,
    } | changes
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.getvalue() + array.tobytes()


def pickled():
    stream = io.BytesIO()
    np.save(stream, np.array([[1, None]], dtype=object), allow_pickle=True)
    return stream.getvalue()


def zipped(content, **changes):
    """An archive of one member whose directory may lie."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", content)
        for name, value in changes.items():
            setattr(archive.filelist[0], name, value)
    return stream.getvalue()


def with_value(value, dtype, where=(7, 1, 2)):
    array = np.ones((12, 3, 4), dtype)
    array[where] = value
    return array


ONES = np.ones((12, 3, 4), np.int8)
BAD = {
    "two.npy": (npy(with_value(2, np.int8)), "holds 2 at configuration 7, site (1, 2)"),
    "half.npy": (npy(with_value(0.5, float)), "holds 0.5 at configuration 7"),
    "nan.npy": (npy(with_value(np.nan, float)), "holds NaN at configuration 7, site (1, 2)"),
    "inf.npy": (npy(with_value(-np.inf, float)), "holds -inf at configuration 7"),
    "unsigned.npy": (npy(with_value(255, np.uint8)), "holds 255 at configuration 7"),
    "both.npy": (
        npy(with_value(-1, np.int8) - (with_value(-1, np.int8, (9, 0, 0)) < 0)),
        "holds -1 (configuration 7) and 0 (configuration 9)",
    ),
    "bool.npy": (npy(with_value(3, np.uint8), descr="|b1"), "holds 3 at configuration 7"),
    "objects.npy": (pickled(), "Python objects, which are never unpickled"),
    "records.npy": (npy(np.zeros(4, [("s", "i1", 3), ("t", "f8")])), "records of several fields"),
    "text.npy": (
        npy(np.array([["1", "-1"]])),
        "holds <U2, where integers, bool or real numbers are needed",
    ),
    "complex.npy": (npy(ONES.astype(complex)), "holds complex128"),
    "empty.npy": (npy(np.zeros((0, 4), np.int8)), "is empty (shape [0, 4])"),
    "scalar.npy": (npy(np.array(1)), "is empty (shape [])"),
    "short.npy": (npy(ONES)[:-1], "claims 144 bytes of numbers and the file has 143: truncated"),
    "long.npy": (
        npy(ONES) + b"\0",
        "claims 144 bytes of numbers and the file has 145: not one array",
    ),
    "huge.npy": (npy(ONES, shape=(1 << 60, 3, 4)), "truncated, or damaged"),
    "large.npy": (npy(ONES, shape=(1, 1 << 20, 1 << 20)), "has 2^31 sites or more"),
    "negative.npy": (npy(ONES, shape=(-12, -3, 4)), "is empty (shape [-12, -3, 4])"),
    "head.npy": (b"\x93NUMPY\x01\x00", "damaged or no plain array"),
    "code.npy": (
        npy(ONES).replace(b"'fortran_order': False", b"'fortran_order': exit("),
        "damaged or no plain array",
    ),
    "bomb.npz": (
        zipped(npy(ONES), file_size=1 << 40),
        "claims 1.1e+12 bytes, more than the archive can hold",
    ),
    "liar.npz": (zipped(npy(ONES), file_size=400), "claims 144 bytes of numbers"),
    "crc.npz": (zipped(npy(ONES), CRC=1), "damaged or no plain array"),
    "cut.npz": (zipped(npy(ONES))[:-30], "damaged or no plain array"),
    "none.npz": (zipped(npy(ONES)).replace(b"a.npy", b"a.txt"), "holds no array"),
    "pickle.npz": (zipped(pickled()), "never unpickled"),
    "ragged.csv": (b"1,-1,1\n1,1,1\n1,1\n", "line 3 has 2 numbers, where the lines before have 3"),
    "word.csv": (b"1,-1\n\n1,up\n", "line 3: 'up' is no number"),
    "title.csv": (b"1,-1\ns0,s1\n", "line 2: 's0' is no number"),
    "gap.csv": (b"1,,1\n", "line 1: a number is missing"),
    "nan.csv": (b"1,1\n1,nan\n", "holds NaN at configuration 1, site (1)"),
    "empty.csv": (b"\n# nothing\n", "is empty"),
    "nothing.csv": (b"", "is empty"),
    "binary.csv": (bytes(range(128, 256)), "line 1: "),
    "zip.csv": (zipped(npy(ONES)), "not CSV but NPZ"),
    "text.npy ": (b"1,1\n", "not NPY"),
    "cut.csv.gz": (gzip.compress(b"1,-1\n")[:-9], "damaged or no plain array"),
    "spins.npy.gz": (gzip.compress(npy(ONES)), "compressed by gzip, which is read of texts only"),
    "spins.csv.bz2": (b"BZh91AY", "compressed by bzip2, which is not read: decompress it first"),
    "odd.bits": (
        bytes(7),
        "7 bytes are no whole number of configurations of 2 bytes each (12 sites)",
    ),
    "padding.bits": (bytes([0, 0, 0, 0x10]), "configuration 1 has bits beyond its 12 sites"),
    "none.bits": (b"", "is empty"),
    "damaged.h5": (b"\x89HDF\r\n\x1a\n" + bytes(100), "damaged or no plain array"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files(name, workplace):
    """One sentence, 65, and nothing stays behind."""
    content, words = BAD[name]
    Path(name).write_bytes(content)
    options = (
        ["--shape", "3x4", "--bit-order", "little"] * name.endswith("bits")
        + ["--format", "csv"] * (name == "zip.csv")
        + ["--format", "npy"] * name.endswith(" ")
    )
    refused(run_here("import", name, *options, "-o", "out.h5"), words)
    assert os.listdir() == [name]


def bad_hdf5(handle):
    handle["group/x"] = np.ones(3)
    handle["text"] = np.array([b"a"])
    handle["complex"] = np.ones((2, 2), complex)
    handle["records"] = np.zeros(2, [("a", int)])
    handle["scalar"] = 1
    handle.create_dataset("references", (2, 2), dtype=h5py.ref_dtype)
    handle.create_dataset("words", (2, 2), dtype=h5py.string_dtype())
    handle.create_dataset("huge", (1 << 40, 8), "i1", chunks=(1 << 20, 8))
    handle["room"] = np.zeros(1 << 18, np.uint8)  # for so large a chunk, were it compressed well
    handle.create_dataset("chunk", (1 << 20, 256), "i1", chunks=(1 << 20, 256), compression="gzip")
    handle["elsewhere"] = h5py.ExternalLink("other.h5", "/spins")
    handle["dangling"] = h5py.SoftLink("/none")
    layout = h5py.VirtualLayout((3, 3), np.int8)
    layout[...] = h5py.VirtualSource("other.h5", "spins", (3, 3))
    handle.create_virtual_dataset("virtual", layout)
    handle.create_dataset("external", (3, 3), "i1", external=[("other.bin", 0, 9)])
    handle["loop"] = handle["/"]


def test_bad_hdf5(workplace):
    with h5py.File("other.h5", "w") as handle:
        handle["spins"] = np.ones((3, 3), np.int8)
    with h5py.File("a.h5", "w") as handle:
        bad_hdf5(handle)
    words = {
        "text": "where integers, bool or real numbers are needed",
        "complex": "holds complex128",
        "records": "records of several fields",
        "scalar": "is no array",
        "references": "Python objects",
        "words": "Python objects",
        "huge": "more than the file can hold",
        "chunk": "has chunks of more than 128 MiB: repack",
        "elsewhere": "takes its data from another file",
        "virtual": "takes its data from another file",
        "external": "takes its data from another file",
    }
    for name, sentence in words.items():
        refused(run_here("import", "a.h5", "--dataset", name, "-o", "out.h5"), sentence)
    for name in ("dangling", "none", "group"):
        refused(
            run_here("import", "a.h5", "--dataset", name, "-o", "out.h5"),
            f"has no {name}: --dataset is one of",
            2,
        )
    assert not Path("out.h5.parts").exists()


USAGE = {
    "none.npy": "none.npy: no such file",
    ".": "not a regular file",
    "notes.md": "say what it is by --format",
    "two.npz": "holds 2 arrays: choose by --dataset one of a, b",
    "two.npz --dataset c": "has no c: --dataset is one of a, b",
    "a.npy --dataset a": "--dataset: for NPZ and HDF5 files",
    "a.npy --shape 4x3": "--shape 4x3: a.npy has configurations of 3x4",
    "flat.npy --shape 4x4": "--shape 4x4: flat.npy has configurations of 12",
    "a.bits": "bits say nothing of the lattice: give --shape",
    "line.npy": "has shape [5]; (n, L), (n, Ly, Lx) or (n, Lz, Ly, Lx) is needed",
    "five.npy": "shape [2, 2, 2, 2, 2] could be 2 configurations of a lattice 2x2x2 for each of 2",
    "a.npy --temperature 2": "as by --model ising",
    "a.npy --model ising --temperature 2 --coupling 0.5": "one of the two",
    "a.npy --model ising --coupling -1": "--coupling -1.0: must be positive and finite",
    "a.npy --model ising --temperature nan": "must be positive and finite",
    "side.npy --model ising": "every side of the Ising model must be at least 2",
    "a.npy --chains 13": "--chains 13: a.npy has 12 configurations",
    "samples.h5": "is a file of rsmi already",
    "mcising.h5": "holds configurations at 2 temperatures: choose by --temperature one of 2, 3",
    "mcising.h5 --temperature 2.5": "holds no configurations at temperature 2.5",
    "mcising.h5 --temperature 3 --coupling 0.5": "choose among its temperatures by --temperature",
}


@pytest.mark.parametrize("line", USAGE)
def test_refused_requests(line, workplace, pipeline):
    for name in ("samples.h5", "mcising.h5"):
        shutil.copy(pipeline / name, workplace)
    for name, array in {
        "a": ONES,
        "flat": ONES.reshape(12, 12),
        "line": np.ones(5),
        "five": np.ones((2,) * 5),
        "side": np.ones((12, 1, 4)),
    }.items():
        np.save(f"{name}.npy", array)
    np.savez("two.npz", a=ONES, b=ONES)
    for name in ("notes.md", "a.bits"):
        Path(name).write_bytes(b"12")
    refused(run_here("import", *line.split(), "-o", "out.h5"), USAGE[line], 2)
    assert not Path("out.h5").exists()
    assert not Path("out.h5.parts").exists()


@pytest.mark.parametrize(
    ("values", "found", "words"),
    [
        ("0/1", -1, "holds -1 at configuration 7, site (1, 2), counted from 0: spins are 0/1"),
        ("+-1", 0, "spins are +-1"),
    ],
)
def test_values_can_be_demanded(values, found, words, workplace):
    np.save("a.npy", with_value(found, np.int8))
    refused(run_here("import", "a.npy", "--values", values, "-o", "out.h5"), words)
    assert (
        run_here(
            "import", "a.npy", "--values", {"0/1": "+-1", "+-1": "0/1"}[values], "-o", "out.h5"
        ).code
        == 0
    )


def lines(array, between=""):
    """A text with a row of the array on a line."""
    rows = [" ".join(map(str, row)) + "\n" for row in array]
    return (between.join(rows)).encode()


# name -> content or array, options, words of the refusal
AMBIGUOUS = {
    "scan.npy": (np.ones((3, 50, 8, 8)), "", "--axes t,n,y,x --select t=0"),
    "oblong.npy": (np.ones((30, 4, 8, 16)), "", "a lattice 4x8x16 (--axes n,z,y,x); or"),
    "links.npy": (np.ones((30, 8, 8, 2)), "", "8x8 sites with 2 components (--axes n,y,x,c)"),
    "first.npy": (np.ones((30, 2, 8, 8)), "", "8x8 sites with 2 components (--axes n,c,y,x)"),
    "spinor.npy": (np.ones((50, 40, 2)), "", "40 sites with 2 components (--axes n,x,c)"),
    "last.npy": (np.ones((8, 8, 50)), "", "50 configurations of a lattice 8x8 (--axes y,x,n)"),
    "chains.npy": (np.ones((4, 50, 12)), "", "for each of 4 chains (--axes chain,n,x)"),
    "column.npy": (np.ones((12, 50)), "", "50 configurations of 12 sites (--axes x,n)"),
    "flat.npy": (np.ones((50, 64)), "", "50 flat lattices 8x8 (--shape 8x8); or"),
    "six.npy": (np.ones((2, 2, 5, 3, 4, 4)), "", "name its axes by --axes"),
    "rows.txt": (lines(np.ones((48, 6), int)), "", "8 lattices 6x6, one row a line (--shape 6x6)"),
    "cubes.txt": (
        2 * (lines(np.ones((3, 3), int)) + b"\n" + lines(np.ones((3, 3), int)) + b"\n\n"),
        "",
        "gaps of 1 and of 2 lines",
    ),
    "int8.bin": (b"\x01\xff" * 80, "--shape 4x4", "the bytes 1 and 255: one byte for every spin"),
    "images.bits": (b"\x00\xff" * 80, "--shape 4x4", "(--format bytes --values 0,-1)"),
    "order.bits": (bytes(range(80)), "--shape 4x4", "--bit-order big if the first site of a byte"),
    "both.npy": (np.ones((30, 2, 5, 2)), "--components 2", "say by --component-axis whether"),
    "flat-two.npy": (np.ones((30, 24)), "--components 2 --shape 3x4", "say by --component-axis"),
}


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_nothing_is_guessed(name, workplace):
    """What could be read in several ways is refused, with the option that chooses."""
    content, options, words = AMBIGUOUS[name]
    if isinstance(content, bytes):
        Path(name).write_bytes(content)
    else:
        np.save(name, content)
    refused(run_here("import", name, *options.split(), "-o", "out.h5"), words, 2)
    assert os.listdir() == [name]


@pytest.mark.parametrize("shape", [(50, 12), (50, 8, 8), (8, 8, 8), (40, 4, 6), (20, 5, 5, 5)])
def test_plain_arrays_need_no_option(shape, workplace):
    np.save("a.npy", np.ones(shape))
    assert run_here("import", "a.npy", "-o", "out.h5").code == 0
    with open_file("out.h5") as file:
        assert file.attributes["shape"] == shape[1:]


UNREADABLE = {
    "uneven.txt": (
        b"1 1\n1 1\n\n1 1\n1 1\n\n1 1\n",
        "the block of lines that ends at line 7 has 1 lines, where those before have 2",
    ),
    "label.txt": (b"1 1 hot\n1 1 hot\n", "line 1: 'hot' is no number"),
    "letters.txt": (b"0110\n01x0\n", "line 2: '01x0' is no number"),
    "short.txt": (b"0110\n010\n", "line 2 has 3 numbers, where the lines before have 4"),
    "states.npy": (npy(1 + (ONES * np.arange(4) % 2)), "2 means up, say --values=1,2"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_files_that_are_not_read(name, workplace):
    """The sentence has the place of the fault, or the option that reads them."""
    content, words = UNREADABLE[name]
    Path(name).write_bytes(content)
    refused(run_here("import", name, "-o", "out.h5"), words)


WRONG = {
    "--axes n,y": "the lattice is x, or y and x, or z, y and x, or site",
    "--axes y,x": "names every axis once",
    "--axes n,n,y,x": "names every axis once",
    "--axes n,y,x,site": "the lattice is x, or y and x",
    "--axes n,t,y,x": "choose an index of t by --select t=0",
    "--axes n,y,x": "scan.npy has 4 axes: shape [5, 6, 4, 4]",
    "--axes n,1,y,x": "an axis of scan.npy that is called 1 has length 6",
    "--axes n,t,y,x --select t=6": "--select t=6: the axis has 6 entries, 0 to 5",
    "--axes n,t,y,x --select u=0": "--select u: --axes n,t,y,x has no such axis",
    "--axes n,t,y,x --select t=1.5": "an axis and an index or a range",
    "--axes n,t,y,x --select t=0,n=5:": "--select n=5:",
    "--axes n,chain,y,x --chains 2": "--chains 2: --axes already has 6 chains",
    "--axes n,c,y,x --components 2": "--axes already says c, which has length 6",
    "--axes n,c,y,x --model ising": "the number of components of its sites is 1, and that of",
    "--axes n,c,y,x --mask mask.npy": "--mask: for sites with one component",
    "--components 3": "without an axis of 3 first or last",
    "--columns 1:": "--columns and --header: for texts",
    "--columns 1": "--columns 1: a range counted from 0",
    "--values 0,0": "the two numbers of a spin down and a spin up",
    "--values up": "the two numbers of a spin down and a spin up",
    "--format bytes": "bytes say nothing of the lattice: give --shape",
}


@pytest.mark.parametrize("line", WRONG)
def test_options_that_do_not_fit(line, workplace):
    np.save("scan.npy", np.ones((5, 6, 4, 4)))
    np.save("mask.npy", np.eye(2))
    refused(run_here("import", "scan.npy", *line.split(), "-o", "out.h5"), WRONG[line], 2)


# ---- the run -------------------------------------------------------------------------------------


def test_another_source_is_another_request(spins, workplace):
    """The same content under another name is complete already; other content conflicts."""
    np.save("a.npy", spins)
    assert run_here("import", "a.npy", "-o", "out.h5").code == 0
    shutil.copy("a.npy", "b.npy")
    assert "complete already" in run_here("import", "b.npy", "-o", "out.h5").err
    np.save("a.npy", -spins)
    refused(
        run_here("import", "a.npy", "-o", "out.h5"), "exists with results from another input", 73
    )
    with open_file("out.h5") as file:
        (origin,) = file.ancestors()
        assert origin["command"] == "source"
        assert origin["digest"] == file.attributes["inputs"][0]


@pytest.mark.parametrize("name", WRITERS)
def test_resumed_anywhere(name, spins, workplace, interrupt):
    """Every configuration a part, stopped after 17: the file of an undisturbed run; streams are
    taken up in the middle."""
    write_and_import(workplace, name, spins)
    line = ["import", name, *WRITERS[name][1].replace("SHAPE", "3x4").split(), "-o"]
    interrupt([*line, "again.h5"], 17)
    assert run_here(*line, "again.h5").code == 0
    assert digest("again.h5") == digest("out.h5")


def test_both_writings_are_found_across_a_stop(workplace, interrupt):
    """-1 before the stop, 0 after it."""
    array = np.ones((40, 4), np.int8)
    array[3, 1], array[30, 2] = -1, 0
    np.save("a.npy", array)
    interrupt(["import", "a.npy", "-o", "out.h5"], 10)
    refused(
        run_here("import", "a.npy", "-q", "-o", "out.h5"),
        "holds -1 (configuration 3) and 0 (configuration 30)",
    )
    assert os.listdir() == ["a.npy"]


def test_a_source_that_changes_under_way(spins, workplace, interrupt):
    """Between two runs it is another request; during one, a failure."""
    from rsmi.stages.import_reading import ReadingTask

    np.save("a.npy", spins)
    interrupt(["import", "a.npy", "-o", "out.h5"], 10)
    np.save("a.npy", -spins)
    refused(
        run_here("import", "a.npy", "-o", "out.h5"),
        "unfinished work with results from another input",
        73,
    )
    with pytest.MonkeyPatch.context() as patch:
        check = ReadingTask._check
        patch.setattr(
            ReadingTask, "_check", lambda *rest: (os.utime("a.npy", (1, 1)), check(*rest))
        )
        refused(
            run_here("import", "a.npy", "-q", "-o", "other.h5"),
            "was changed while it was being imported",
            1,
        )


# Prints by how much the memory has grown, in MiB, when the process ends.
GROWTH = """
import atexit
from pathlib import Path
def peak():
    lines = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
    return int(lines["VmHWM"].split()[0])
before = peak()
atexit.register(lambda: print((peak() - before) >> 10))
"""


def large_npy(name, shape=(1 << 13, 64, 64)):
    with open(name, "wb") as stream:
        stream.write(npy(np.empty(0, np.int8), shape=shape))
        stream.truncate(stream.tell() + math.prod(shape))


def large_npz(name):
    with (
        zipfile.ZipFile(name, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("a.npy", "w", force_zip64=True) as stream,
    ):
        stream.write(npy(np.empty(0, np.int8), shape=(2, 1 << 12, 64, 64)))
        for _ in range(32):
            stream.write(bytes(1 << 20))


def large_hdf5(name, shape, chunks):
    with h5py.File(name, "w") as handle:
        data = handle.create_dataset(
            "a", shape, "i1", chunks=chunks, compression="gzip", compression_opts=1
        )
        for start in range(0, shape[0], chunks[0]):
            data[start : start + chunks[0]] = np.zeros((chunks[0], *shape[1:]), np.int8)


def large_text(name, line, lines, opener=open):
    with opener(name, "wb") as stream:
        for _ in range(lines):
            stream.write(line)


# What writes the file, the options, and the growth that is too much: the whole file would add 32
# MiB of numbers of one byte, or of numbers of eight (texts), to what is measured, which is 49, 49,
# 49, 92, 96, 37 and 37 MiB. HDF5 holds slabs and chunks of 8 MiB.
LARGE = {
    "large.npy": (large_npy, "", 66),
    "last.npy": (lambda name: large_npy(name, (64, 64, 1 << 13)), "--axes y,x,n", 66),
    "large.npz": (large_npz, "--axes chain,n,y,x", 66),
    "large.h5": (lambda name: large_hdf5(name, (1 << 13, 64, 64), (2048, 64, 64)), "", 110),
    "last.h5": (
        lambda name: large_hdf5(name, (64, 64, 1 << 13), (64, 64, 1 << 9)),
        "--axes y,x,n",
        112,
    ),
    "large.csv": (
        lambda name: large_text(name, b"0," * 4095 + b"0\n", 1024),
        "--shape 64x64",
        60,
    ),
    "rows.txt.gz": (
        lambda name: large_text(name, (b"0 " * 63 + b"0\n") * 64 + b"\n", 1024, gzip.open),
        "",
        60,
    ),
}


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no peak of memory in /proc")
@pytest.mark.parametrize("name", LARGE)
def test_memory_is_bounded(name, workplace, cli):
    """Beyond what the program itself takes, the memory does not hold the file."""
    writer, options, limit = LARGE[name]
    writer(name)
    done = cli("import", name, *options.split(), "-q", "-o", "out.h5", prelude=GROWTH)
    output, growth = done.out.split()
    assert (done.code, output, done.err) == (0, "out.h5", "")
    assert int(growth) < limit


# ---- a known format ------------------------------------------------------------------------------


def edited(name, **changes):
    """The file of mcising with another Hamiltonian."""
    shutil.copy(MCISING, name)
    with h5py.File(name, "a") as handle:
        settings = json.loads(handle["metadata"].attrs["config_json"])
        settings["lattice"] |= changes
        handle["metadata"].attrs["config_json"] = json.dumps(settings)


def test_mcising(workplace):
    """Spins, temperature, and the energies that mcising computed itself."""
    for temperature in (2, 3):
        assert (
            run_here(
                "import", MCISING, "--temperature", temperature, "-o", "out.h5", "--force"
            ).code
            == 0
        )
        spins = stored("out.h5")
        with open_file("out.h5") as file, h5py.File(MCISING) as source:
            group = source[f"T={temperature}.000000"]
            assert (spins == group["configurations"][()]).all()
            np.testing.assert_allclose(file.read("/energy") / 36, group["energy"], rtol=1e-12)
            a = file.attributes
            assert (a["model"], a["shape"], a["chains"], a["temperature"]) == (
                "ising",
                (6, 6),
                1,
                temperature,
            )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"j2": 0.5}, "j2 = 0.5 beside"),
        ({"h": -0.1}, "h = -0.1 beside"),
        ({"j1": -1.0}, "no ferromagnet"),
        ({"lattice_type": "triangular"}, "triangular lattice is not hypercubic"),
    ],
)
def test_mcising_of_another_hamiltonian(changes, words, workplace):
    """Imported, but nothing is claimed of its coupling, and the program says why."""
    edited("other.h5", **changes)
    result = run_here("import", "other.h5", "--temperature", "3", "-o", "out.h5")
    assert result.code == 0
    assert words in result.err
    assert "--model none" in result.err
    with open_file("out.h5") as file:
        assert file.attributes["model"] == "none"
        assert "coupling" not in file.attributes
        assert "/energy" not in file
    refused(
        run_here("import", "other.h5", "--temperature", "3", "--model", "ising", "-o", "x.h5"),
        f"{words}",
        2,
    )
    plain = run_here("import", "other.h5", "--temperature", "3", "--model", "none", "-o", "n.h5")
    assert plain.code == 0
    assert words not in plain.err


def test_mcising_in_other_units(workplace):
    """K = J1/T."""
    edited("other.h5", j1=2.0)
    assert run_here("import", "other.h5", "--temperature", "3", "-o", "out.h5").code == 0
    with open_file("out.h5") as file:
        assert file.attributes["coupling"] == 2 / 3


def test_mcising_without_what_is_needed(workplace):
    edited("honeycomb.h5", lattice_type="honeycomb")
    refused(
        run_here("import", "honeycomb.h5", "--temperature", "3", "-o", "x.h5"),
        "honeycomb lattice has two spins in every cell",
    )
    shutil.copy(MCISING, "bare.h5")
    with h5py.File("bare.h5", "a") as handle:
        for temperature in (2, 3):
            del handle[f"T={temperature}.000000/configurations"]
    refused(
        run_here("import", "bare.h5", "-o", "x.h5"),
        "without configurations: let it run with --store-configs",
    )


# ---- every stage ---------------------------------------------------------------------------------

STAGES = {
    "theta.h5": "train-theta {} --block 2x2 --windows 2000 --hidden 4 --cd-steps 1 --epochs 4",
    "lambda.h5": "train-lambda {} --block 2x2 --objective decoder --windows 2000 --restarts 1",
    "proxy.h5": "train-lambda {} --theta theta.h5 --windows 2000 --restarts 1",
    "coarse.h5": "coarse-grain {} --rule lambda.h5 --hard",
    "flow.h5": "flow {} --rule lambda.h5 --hard --steps 2",
    "exponent.h5": "exponent flow.h5",
}


def through_every_stage(samples, stages=STAGES, drawn=STAGES):
    """Make the file of every stage, show it, and make its figure if it is among the ``drawn``; the
    summaries."""
    for output, line in stages.items():
        with short_fits():
            result = run_here(*line.format(samples).split(), "-q", "-o", output)
        assert result.code == 0, f"{line}: {result.err}"
        assert run_here("info", output).code == 0
        if output in drawn:
            assert figure(output)
    return {output: json.loads(run_here("info", output, "--json").out) for output in stages}


def test_exported_and_imported_again(pipeline, workplace):
    """Samples, written by numpy and imported, say the same to every stage: number for number where
    nothing is drawn, within the errors where windows and trainings are, which have streams of their
    own."""
    shutil.copy(pipeline / "samples.h5", workplace)
    np.save("spins.npy", stored("samples.h5"))
    line = "import spins.npy --model ising --temperature Tc --chains 8 -o imported.h5"
    assert run_here(*line.split()).code == 0
    with open_file("samples.h5") as ours, open_file("imported.h5") as theirs:
        for name in ("/spins", "/energy"):
            assert (ours.read(name) == theirs.read(name)).all()
    assert answer("info", "samples.h5") == answer("info", "imported.h5")
    found = through_every_stage("imported.h5", drawn=())  # as any file of an Ising model
    assert found["exponent.h5"]["temperature"] == pytest.approx(2.269185314213022)
    assert found["theta.h5"]["kl"] is not None
    Path("again").mkdir()
    shutil.copy("samples.h5", "again")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir("again")
        ours = through_every_stage("samples.h5", drawn=())
    assert ours.keys() == found.keys()
    assert all(ours[name].keys() == found[name].keys() for name in ours)
    learned = [file["lambda.h5"] for file in (ours, found)]
    assert abs(np.subtract(*(rule["mutual_information"] for rule in learned))) < 4 * np.hypot(
        *(rule["mutual_information_error"] for rule in learned)
    )
    for more in ((), ("--rule", "lambda.h5")):
        assert answer(
            "exact", "imported.h5", "--rule", "majority", *more, "--windows", 200
        ) == answer("exact", "samples.h5", "--rule", "majority", *more, "--windows", 200)


def answer(*line):
    result = run_here(*line, "--json")
    assert result.code == 0, result.err
    return {
        name: value
        for name, value in json.loads(result.out).items()
        if name not in ("file", "samples_file", "seed")
    }


def test_nothing_known(pipeline, workplace):
    """Every stage runs on spins of an unknown model; what needs a coupling is empty, with a reason,
    or refused in one sentence."""
    np.save("spins.npy", stored(pipeline / "samples.h5") > 0)
    assert run_here("import", "spins.npy", "--chains", 8, "-o", "imported.h5").code == 0
    shown = run_here("info", "imported.h5").out
    assert "spins of an unknown model" in shown
    assert "unknown" in shown
    assert "8 chains" in shown
    found = through_every_stage("imported.h5")
    assert found["theta.h5"]["kl"] is None
    assert found["lambda.h5"]["mutual_information_exact"] is None
    assert found["lambda.h5"]["mutual_information"] > 0.2
    assert "unknown" in found["flow.h5"]["flows"][0]["reason"]
    assert "unknown" in found["exponent.h5"]["nu_reason"]
    assert found["exponent.h5"]["T_c"] is None
    refused(
        run_here("exact", "imported.h5", "--rule", "majority"),
        "exact information is not known of",
        2,
    )
    refused(
        run_here("crossing", "imported.h5", "imported.h5", "-o", "x.h5"),
        "the temperature of the samples is unknown",
        2,
    )


def test_a_symmetry_without_a_model(pipeline, workplace):
    """Windows, biases and the odd sector use a flip that is said to be a symmetry, and every file
    says so; without it a zero bias is refused, and y_h is doubtful."""
    np.save("spins.npy", stored(pipeline / "samples.h5"))
    line = "import spins.npy --chains 8 --symmetric flip -o imported.h5"
    assert run_here(*line.split()).code == 0
    assert run_here("import", "spins.npy", "--chains", 8, "-o", "plain.h5").code == 0
    learn = "train-lambda {}.h5 --block 2x2 --windows 2000 --restarts 1 -q -o rule.h5"
    assert run_here(*learn.format("imported").split(), "--bias", "zero").code == 0
    assert answer("info", "rule.h5")["bias"] == [0]
    refused(
        run_here(*learn.format("plain").split(), "--bias", "zero", "--force"),
        "is not known to be symmetric under a flip of all spins",
        2,
    )
    theta = "train-theta imported.h5 --block 2x2 --windows 2000 --hidden 4 --epochs 2 -q -o t.h5"
    assert run_here(*theta.split()).code == 0
    coarse = "coarse-grain imported.h5 -q --rule"
    assert run_here(*coarse.split(), "rule.h5", "-o", "kept.h5").code == 0
    assert run_here(*coarse.split(), "majority-ties-up", "-o", "lost.h5").code == 0
    symmetries = {}
    for name in ("imported", "rule", "t", "kept", "lost", "plain"):
        with open_file(f"{name}.h5") as file:
            symmetries[name] = file.attributes.get("symmetry")
    assert "an unknown model, symmetric under a flip" in run_here("info", "rule.h5").out
    assert symmetries == {**dict.fromkeys(symmetries, "flip"), "lost": None, "plain": None}
    with open_file("t.h5") as file:
        assert file.attributes["symmetric"]
        assert not file.read("/joint/hidden_bias").any()
    for name, said in (("imported", False), ("plain", True)):
        result = run_here("flow", f"{name}.h5", *"--rule majority --steps 1 -o f.h5".split())
        assert ("not known to be symmetric" in result.err) == said, result.err
        Path("f.h5").unlink()


def test_an_ising_model_of_unknown_temperature(pipeline, workplace):
    """The symmetry and the energy are known, the coupling is not."""
    np.save("spins.npy", stored(pipeline / "samples.h5"))
    assert (
        run_here("import", "spins.npy", "--model", "ising", "--chains", 8, "-o", "imported.h5").code
        == 0
    )
    found = through_every_stage("imported.h5", drawn=("flow.h5", "exponent.h5"))
    assert answer("info", "imported.h5")["energy"] < -1
    assert found["lambda.h5"]["bias"] == [0]
    refused(
        run_here("exact", "imported.h5", "--rule", "majority"),
        "the temperature of the samples is unknown",
        2,
    )


def test_open_boundaries(pipeline, workplace):
    """A 10x14 piece of the lattice: windows stay inside, coarse-graining works, what needs a torus
    is refused."""
    np.save("spins.npy", stored(pipeline / "samples.h5")[:, :10, :14])
    assert (
        run_here(
            *"import spins.npy --model ising --temperature Tc --boundary open --chains 8 -o"
            " imported.h5".split()
        ).code
        == 0
    )
    stages = {
        output: STAGES[output] for output in ("theta.h5", "lambda.h5", "proxy.h5", "coarse.h5")
    }
    found = through_every_stage("imported.h5", stages, drawn=("coarse.h5",))
    low, high = (
        found["lambda.h5"]["mutual_information"]
        + sign * 5 * found["lambda.h5"]["mutual_information_error"]
        for sign in (-1, 1)
    )
    assert low < found["lambda.h5"]["mutual_information_exact_soft"] < high
    with open_file("imported.h5") as file:
        assert "/energy" not in file
    for line in (
        "flow imported.h5 --rule majority --steps 1 -o x.h5",
        "exact imported.h5 --rule majority",
        "flow coarse.h5 --rule majority --steps 1 -o x.h5",
    ):
        refused(run_here(*line.split()), "open boundaries", 2)
    refused(run_here("train-theta", "imported.h5", "--block", "7x2", "-o", "x.h5"), "do not fit", 2)


# ---- sites without data --------------------------------------------------------------------------

KAGOME = np.array([[1, 1], [1, 0]])


@pytest.fixture
def chain(workplace):
    """A chain of 32 at K = 0.6, and the same on every other site of one of 64 whose other sites
    hold one random sign a configuration."""
    line = (
        "sample --size 32 --dimension 1 --coupling 0.6 --samples 4000 --interval 3 --thermalization"
        " 100 -q -o chain.h5"
    )
    assert run_here(*line.split()).code == 0
    spins = stored("chain.h5")
    sparse = np.repeat(np.random.default_rng(1).choice([-1, 1], (len(spins), 1)), 64, axis=1)
    sparse[:, ::2] = spins
    np.save("sparse.npy", sparse)
    np.save("mask.npy", np.array([True, False]))
    assert (
        run_here(
            *"import sparse.npy --shape 64 --mask mask.npy --model ising --chains 8 -o".split(),
            "sparse.h5",
        ).code
        == 0
    )
    return spins


def test_sites_without_data_are_not_learned_from(chain, here):
    """Block 4, buffer 2, environment 2 of the sparse chain are block 2, buffer 1, environment 1 of
    the full one, where I(H:E) is exact.

    The sign on the other sites, the same in V and E, would show ln 2 = 0.69 nats; the exact value
    is 0.052.
    """
    for samples, geometry in (
        ("sparse", "--block 4 --buffer 2 --environment 2"),
        ("chain", "--block 2"),
    ):
        assert (
            here(
                *f"train-theta {samples}.h5 {geometry} --windows 40000 --hidden 6 -q -o"
                f" {samples}-theta.h5".split()
            ).code
            == 0
        )
        for name, how in (("decoder", geometry), ("proxy", f"--theta {samples}-theta.h5")):
            result = here(
                *f"train-lambda {samples}.h5 {how} --windows 40000 --restarts 1 -q -o"
                f" {samples}-{name}.h5".split()
            )
            assert result.code == 0, result.err
    exact = answer("info", "chain-decoder.h5")["mutual_information_exact_soft"]
    for name in ("decoder", "proxy"):
        found, full = answer("info", f"sparse-{name}.h5"), answer("info", f"chain-{name}.h5")
        assert (
            abs(found["mutual_information"] - exact) < 4 * found["mutual_information_error"] + 0.002
        )
        assert found["mutual_information_exact"] is None
        (filters,) = found["filters"]
        assert filters[1] == filters[3] == 0
        np.testing.assert_allclose(
            np.sort(filters)[2:] / max(filters),
            np.sort(full["filters"][0]) / np.max(full["filters"]),
            atol=0.35,
        )  # either end may lead; the other costs little
    with h5py.File("sparse-theta.h5") as theta:
        assert theta["joint/weights"].shape == (4, 6)
        assert theta["mask"][:].tolist() == [1, 0, 1, 0]
    refused(
        here(*"train-lambda chain.h5 --theta sparse-theta.h5 -o x.h5".split()),
        "sparse-theta.h5 was trained on samples with coupling",
        2,
    )


def test_coarse_graining_fills_the_lattice(chain, here):
    """The majority of one site is that site: the chain comes back; tie-breaking noise of the other
    sites would not."""
    assert here(*"coarse-grain sparse.h5 --rule majority --block 2 -o coarse.h5".split()).code == 0
    assert (stored("coarse.h5") == chain).all()
    assert (
        here(*"flow coarse.h5 --rule majority --block 2 --steps 2 -q -o flow.h5".split()).code == 0
    )
    found, full = answer("info", "sparse.h5"), answer("info", "chain.h5")
    assert found["magnetization_abs"] == full["magnetization_abs"]
    assert found["energy"] is None
    assert "32 of 64 sites with data" in here("info", "sparse.h5").out
    for line, words in {
        "flow sparse.h5 --rule majority --block 2 --steps 1 -o x.h5": (
            "operators are of all of them; coarse-grain it first"
        ),
        "coarse-grain sparse.h5 --rule majority --block 2 --steps 2 -o x.h5": "take --steps 1",
        "coarse-grain sparse.h5 --rule odd.csv --block 2 -o x.h5": (
            "looks only at sites of the block without data"
        ),
        "train-lambda sparse.h5 --block 3 -o x.h5": (
            "blocks of 3 that tile the lattice are not alike"
        ),
        "train-lambda sparse.h5 --block 2 --buffer 2 --environment 60 -o x.h5": "do not fit",
        "exact sparse.h5 --rule majority --block 2": "exact information needs all of them",
    }.items():
        Path("odd.csv").write_text("0,1\n")
        refused(here(*line.split()), words, 2)


def test_masked_plane_through_every_stage(pipeline, workplace, here):
    """Three sites of every cell of four, as kagome's; NaN on the fourth."""
    spins = stored(pipeline / "samples.h5").astype(float)
    mask = np.tile(KAGOME, (8, 8)) == 1
    np.save("spins.npy", np.where(mask, spins, np.nan))
    np.save("mask.npy", KAGOME)
    np.save("full.npy", mask)
    assert (
        here(
            *"import spins.npy --mask mask.npy --model ising --chains 8 -o imported.h5".split()
        ).code
        == 0
    )
    assert (
        "complete already"
        in here(
            *"import spins.npy --mask full.npy --model ising --chains 8 -o imported.h5".split()
        ).err
    )
    assert (stored("imported.h5") == np.where(mask, spins, -1)).all()
    assert here("info", "imported.h5", "--verify").out == "ok\n"
    assert here("plot", "imported.h5", "-o", "imported.png").code == 0
    stages = STAGES | {"flow.h5": "flow coarse.h5 --rule majority --steps 2"}
    found = through_every_stage("imported.h5", stages, ("theta.h5", "lambda.h5", "coarse.h5"))
    (filters,) = np.array(found["proxy.h5"]["filters"])
    assert filters[1, 1] == 0
    assert (filters[mask[:2, :2]] != 0).all()
    shown = here("info", "lambda.h5").out
    assert "2x2: 3 sites" in shown
    assert "ring of width 1: 15 sites" in shown
    mask[3, 3] = True
    np.save("random.npy", mask)
    np.save("spins.npy", spins)
    assert here(*"import spins.npy --mask random.npy --chains 8 -o random.h5".split()).code == 0
    for command in ("train-theta", "train-lambda"):
        refused(
            here(command, "random.h5", "--block", "2x2", "-o", "x.h5"),
            "random dilution has none",
            2,
        )


def test_windows_keep_to_the_cell(workplace, here):
    """Links of a square lattice on a lattice of twice the side: a translation along the diagonal
    maps links onto links, but x-links onto y-links.

    All x-links of a configuration have one random sign, the y-links are noise: I(H:E) = ln 2 nats.
    Windows that also begin at y-links mix the two and know less.
    """
    rng = np.random.default_rng(7)
    spins = np.zeros((2000, 12, 12), np.int8)
    spins[:, ::2, 1::2] = rng.choice([-1, 1], (2000, 1, 1))
    spins[:, 1::2, ::2] = rng.choice([-1, 1], (2000, 6, 6))
    np.save("links.npy", spins)
    np.save("cell.npy", np.array([[0, 1], [1, 0]]))
    line = "import links.npy --mask cell.npy --symmetric flip -o links.h5"
    assert here(*line.split()).code == 0
    learn = "train-lambda links.h5 --block 2x2 --windows 5000 --restarts 1 -q -o rule.h5"
    assert here(*learn.split()).code == 0
    found = answer("info", "rule.h5")
    assert found["mutual_information"] > np.log(2) - 0.05
    first, second = np.abs(found["filters"][0]).ravel()[1:3]
    assert first > 3 * second


def test_a_cell_larger_than_the_periods_of_its_mask(workplace, here):
    """The cell that is given counts: blocks are made of whole cells of it."""
    np.save("spins.npy", np.random.default_rng(8).choice([-1, 1], (40, 8, 8)))
    for name, cell in {"cell": np.eye(1, 2), "large": np.tile(np.eye(1, 2), (2, 2))}.items():
        np.save("mask.npy", cell)
        line = f"import spins.npy --mask mask.npy -o {name}.h5"
        assert here(*line.split()).code == 0
    with open_file("cell.h5") as small, open_file("large.h5") as large:
        assert (small.read("/mask") == large.read("/mask")).all()
        assert "cell" not in small.attributes
        assert large.attributes["cell"] == (2, 4)
    coarse = "coarse-grain {}.h5 --rule decimation --block 2x2 -q -o coarse.h5"
    assert here(*coarse.format("cell").split()).code == 0
    refused(
        here(*coarse.format("large").split(), "--force"), "is not made of whole cells of 2x4", 2
    )


@pytest.mark.parametrize(
    ("mask", "options", "words", "code"),
    [
        (np.ones((3, 3)), "", "has shape 3x3, which neither is nor tiles the lattice 3x4", 2),
        (np.full((3, 4), 2), "", "a mask is of bool, or of 0 and 1", 65),
        (np.zeros((3, 4), bool), "", "no site carries data", 65),
        (np.eye(3, 4), "--boundary open", "--mask: for periodic lattices", 2),
        (
            np.eye(3, 4),
            "--model ising --temperature 2",
            "leave --temperature and --coupling out",
            2,
        ),
        (np.eye(3, 4), "", "holds 2 at configuration 7, site (1, 1)", 65),
    ],
)
def test_bad_masks(mask, options, words, code, workplace):
    array = with_value(2, np.int8, (7, 1, 1))
    array[:, 0, 3] = 7  # where no data is wanted
    np.save("a.npy", array)
    np.save("mask.npy", mask)
    refused(
        run_here("import", "a.npy", "--mask", "mask.npy", *options.split(), "-o", "out.h5"),
        words,
        code,
    )


def test_one_source_cannot_double_itself(pipeline, workplace):
    """Imported twice, with other options or coarse-grained: the same random numbers."""
    np.save("spins.npy", stored(pipeline / "samples.h5"))
    for name, options in (("a", "--chains 8"), ("b", "--trust")):
        result = run_here("import", "spins.npy", *options.split(), "-o", f"{name}.h5")
        assert result.code == 0, result.err
    refused(
        run_here(*"flow a.h5 b.h5 --rule majority --steps 1 -o x.h5".split()),
        "the same random streams",
        2,
    )
    np.save("other.npy", stored(pipeline / "other.h5"))
    assert run_here("import", "other.npy", "-o", "c.h5").code == 0
    assert run_here(*"flow a.h5 c.h5 --rule majority --steps 1 -q -o x.h5".split()).code == 0


def test_from_a_process_of_its_own(spins, workplace):
    """The command is found under its name, which is a word of Python."""
    np.save("spins.npy", spins)
    child = process(["import", "spins.npy", "-o", "out.h5"])
    assert child.communicate()[0] == "out.h5\n"
    assert child.returncode == 0
