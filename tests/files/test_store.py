"""Files: what is refused before it is believed, and what the digest depends on."""

import dataclasses
import shutil
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h5py
import numpy as np
import pytest
from conftest import PIPELINE, digest, process

from rsmi.errors import DataError, Failure, RsmiError, UsageError
from rsmi.samples.files import open_file
from rsmi.store import canonical_json, parameters_digest
from rsmi.store.digest import content_digest, file_uuid
from rsmi.store.parts import PartsFolder
from rsmi.store.writer import write_text


@pytest.fixture
def samples(pipeline, tmp_path):
    """A samples file to spoil."""
    return shutil.copy(pipeline / "samples.h5", tmp_path / "samples.h5")


def replace(handle, path, **settings):
    del handle[path]
    handle.create_dataset(path, **settings)


def read_everything(path, kind=None):
    """What the stages do with a file."""
    with open_file(path, kind) as file:
        for name in file.datasets():
            file.read(name)
        file.ancestors(), file.run_facts(), file.verify()


# ---- what is no file of ours ---------------------------------------------------------------------


def test_missing_file(tmp_path):
    for name in ("none.h5", "none/none.h5", "n" * 300, "nu\0ll"):
        with pytest.raises(UsageError):
            read_everything(tmp_path / name)
    with pytest.raises(UsageError, match="not a regular file"):
        read_everything(tmp_path)


def test_not_hdf5(tmp_path):
    for content in (b"", b"\x89HDF", b"n\n1 2 3\n"):
        (tmp_path / "a.h5").write_bytes(content)
        with pytest.raises(DataError, match="not an HDF5 file"):
            read_everything(tmp_path / "a.h5")


def test_hdf5_of_others(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as handle:
        handle["spins"] = np.ones(5)
    with pytest.raises(DataError, match="not written by rsmi"):
        read_everything(tmp_path / "a.h5")


def test_wrong_kind(samples):
    with pytest.raises(DataError, match="holds samples, but flow is needed"):
        read_everything(samples, "flow")


@pytest.mark.parametrize("kept", [8, 100, 0.1, 0.5, 0.9, 0.999])
def test_truncated(samples, kept):
    content = samples.read_bytes()
    samples.write_bytes(content[: kept if kept > 1 else int(kept * len(content))])
    with pytest.raises(DataError, match="truncated or damaged"):
        read_everything(samples)


def test_newer_major_version_is_named_before_anything_else(samples):
    with h5py.File(samples, "a") as handle:
        handle.attrs["format_version"] = [2, 0]
        del handle["spins"]
    with pytest.raises(
        DataError, match=r"format 2\.0, newer than this program reads \(1\.x\): upgrade"
    ):
        read_everything(samples)


def test_newer_minor_version_is_read(samples):
    with h5py.File(samples, "a") as handle:
        handle.attrs["format_version"] = np.array([1, 9])
        handle["later"] = np.arange(3)
    with open_file(samples) as file:
        assert file.read("/later").tolist() == [0, 1, 2]


# ---- files that say what they must not -----------------------------------------------------------


def hard_link_cycle(handle):
    handle["state/loop"] = handle["state"]


def wide_cycle(handle):
    """Few objects, endlessly many paths."""
    for name in "abcdefgh":
        handle[f"state/{name}"] = handle["/"]


def virtual_spins(handle):
    shape = handle["spins"].shape
    layout = h5py.VirtualLayout(shape, np.uint8)
    layout[...] = h5py.VirtualSource("elsewhere.h5", "spins", shape)
    del handle["spins"]
    handle.create_virtual_dataset("spins", layout)


def external_storage(handle):
    replace(handle, "energy", shape=(400,), dtype="int64", external=[("elsewhere.bin", 0, 3200)])


SPOILS = {
    "spins missing": lambda f: f.__delitem__("spins"),
    "ancestors missing": lambda f: f.__delitem__("provenance/ancestors"),
    "attribute missing": lambda f: f.attrs.__delitem__("shape"),
    "digest missing": lambda f: f.attrs.__delitem__("digest"),
    "wrong dtype": lambda f: replace(f, "spins", data=np.zeros((400, 32), np.int8)),
    "big-endian energies": lambda f: replace(f, "energy", data=np.zeros(400, ">i8")),
    "wrong number of axes": lambda f: replace(f, "energy", data=np.zeros((400, 1), np.int64)),
    "axes disagree": lambda f: replace(f, "energy", data=np.zeros(399, np.int64)),
    "wrong row length": lambda f: replace(f, "spins", data=np.zeros((400, 33), np.uint8)),
    "no samples": lambda f: (
        replace(f, "spins", shape=(0, 32), dtype="u1"),
        replace(f, "energy", shape=(0,), dtype="i8"),
    ),
    "group for a dataset": lambda f: (f.__delitem__("energy"), f.create_group("energy")),
    "named type for a dataset": lambda f: (
        f.__delitem__("energy"),
        f.__setitem__("energy", np.dtype("int64")),
    ),
    "object references": lambda f: f.create_dataset("state/x", (1,), dtype=h5py.ref_dtype),
    "text of any length": lambda f: f.create_dataset("state/x", (1,), dtype=h5py.string_dtype()),
    "external link": lambda f: (
        f.__delitem__("spins"),
        f.__setitem__("spins", h5py.ExternalLink("elsewhere.h5", "spins")),
    ),
    "soft link": lambda f: f.__setitem__("state/spins", h5py.SoftLink("/spins")),
    "virtual dataset": virtual_spins,
    "external storage": external_storage,
    "huge shape": lambda f: replace(
        f, "spins", shape=(1 << 50, 32), dtype="u1", chunks=(1 << 10, 32)
    ),
    "huge rows": lambda f: replace(
        f, "spins", shape=(400, 1 << 40), dtype="u1", chunks=(1, 1 << 20)
    ),
    "cycle": hard_link_cycle,
    "many cycles": wide_cycle,
    "deep": lambda f: f.create_group("/".join("abcdefgh")),
    "number for text": lambda f: f.attrs.__setitem__("model", 3),
    "text for a number": lambda f: write_text(f, "coupling", "0.44068679350977147"),
    "array for a number": lambda f: f.attrs.__setitem__("coupling", [0.44]),
    "number for an integer": lambda f: f.attrs.__setitem__("chains", 8.0),
    "number for a list": lambda f: f.attrs.__setitem__("shape", 16),
    "nan": lambda f: f.attrs.__setitem__("temperature", np.nan),
    "infinite": lambda f: f.attrs.__setitem__("coupling", np.inf),
    "empty attribute": lambda f: f.attrs.__setitem__("shape", h5py.Empty("i8")),
    "empty shape": lambda f: f.attrs.__setitem__("shape", np.zeros(0, np.int64)),
    "four dimensions": lambda f: f.attrs.__setitem__("shape", [4, 4, 4, 4]),
    "negative shape": lambda f: f.attrs.__setitem__("shape", [-16, -16]),
    "shape beyond any file": lambda f: f.attrs.__setitem__("shape", [1 << 62, 1 << 62]),
    "other dimension": lambda f: f.attrs.__setitem__("original_shape", [16]),
    "no components": lambda f: f.attrs.__setitem__("components", 0),
    "no chains": lambda f: f.attrs.__setitem__("chains", 0),
    "negative step": lambda f: f.attrs.__setitem__("rg_step", -1),
    "coupling without temperature": lambda f: f.attrs.__delitem__("temperature"),
    "coupling against temperature": lambda f: f.attrs.__setitem__("temperature", 2.0),
    "kind unknown": lambda f: write_text(f, "kind", "sample"),
    "kind no text": lambda f: f.attrs.__setitem__("kind", [1, 2]),
    "format a list": lambda f: f.attrs.__setitem__("format", np.array([b"rsmi", b"rsmi"])),
    "version no pair": lambda f: f.attrs.__setitem__("format_version", [1]),
    "version a text": lambda f: write_text(f, "format_version", "one"),
    "parameters no JSON": lambda f: write_text(f, "parameters", "{"),
    "parameters a list": lambda f: write_text(f, "parameters", "[]"),
    "parameters with nan": lambda f: write_text(f, "parameters", '{"a": NaN}'),
    "parameters with infinity": lambda f: write_text(f, "parameters", '{"a": 1e999}'),
    "parameters endlessly nested": lambda f: write_text(f, "parameters", "[" * 30000),
    "inputs no digests": lambda f: write_text(f, "inputs", "[1]"),
    "text of variable length": lambda f: f.attrs.__setitem__("model", "ising"),
    "attribute no UTF-8": lambda f: f.attrs.__setitem__("model", np.bytes_(b"\xff\xfe")),
}


@pytest.mark.parametrize("spoil", SPOILS.values(), ids=SPOILS)
def test_hostile_file_is_refused_when_opened(samples, spoil):
    with h5py.File(samples, "a") as handle:
        spoil(handle)
    with pytest.raises(DataError) as refusal, open_file(samples, "samples"):
        pass
    assert str(samples) in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "text",
    [
        "[",
        "{}",
        "[1]",
        '[{"command": "sample"}]',
        '[{"command": 1, "parameters": {}, "digest": ""}]',
        "[" * 30000,
    ],
)
def test_damaged_ancestors(samples, text):
    with h5py.File(samples, "a") as handle:
        replace(handle, "provenance/ancestors", data=np.bytes_(text))
    with open_file(samples) as file, pytest.raises(DataError, match="ancestors"):
        file.ancestors()


def test_links_are_not_followed_out_of_the_file(samples, pipeline):
    """Even where the link leads to good data."""
    with h5py.File(samples, "a") as handle:
        del handle["spins"]
        handle["spins"] = h5py.ExternalLink(str(pipeline / "samples.h5"), "/spins")
    with pytest.raises(DataError, match="link to elsewhere"), open_file(samples):
        pass


def test_many_chains_are_not_taken_for_an_attack(samples):
    """A chain is three HDF5 objects; thousands of them are still one of our files."""
    with h5py.File(samples, "a", libver="latest") as handle:
        for chain in range(1500):
            for name in ("spins", "rng"):
                handle.create_dataset(f"state/other-{chain}/{name}", data=1)
    with open_file(samples) as file:
        assert file.shape("/spins") == (400, 32)


def test_a_long_chain_can_be_read(here, workplace):
    """One side longer than any square lattice's."""
    line = (
        "sample --dimension 1 --size 2000000 --temperature 2 --samples 1 --thermalization 0"
        " --interval 1 -o long.h5 --json"
    )
    assert here(*line.split()).code == 0


# ---- damage --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dataset", ["spins", "energy", "state/chain-0003/spins"])
def test_flipped_bit_in_data(samples, dataset):
    with h5py.File(samples) as handle:
        chunk = handle[dataset].id.get_chunk_info(0)
    content = bytearray(samples.read_bytes())
    content[chunk.byte_offset + chunk.size // 2] ^= 1
    samples.write_bytes(content)
    for action in (lambda file: file.read(f"/{dataset}"), lambda file: file.verify()):
        with (
            pytest.raises(DataError, match=f"cannot read /{dataset}|damaged"),
            open_file(samples) as file,
        ):
            action(file)


def test_an_error_leaves_nothing_locked(samples):
    """A group where an array should be, met by another thread: an iterator of h5py's that its error
    kept would lock HDF5 for ever."""
    with h5py.File(samples, "a") as handle:
        del handle["state/chain-0000/spins"]
        handle.create_group("state/chain-0000/spins")
    with open_file(samples) as file, ThreadPoolExecutor(1) as pool:
        found = pool.submit(file.state, "chain-0000")
        with pytest.raises(DataError, match="cannot read the state of chain-0000"):
            found.result()
        assert file.shape("/spins")[0] == len(file.read("/energy"))


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f["energy"].__setitem__(0, f["energy"][0] + 4),
        lambda f: f.attrs.__setitem__("clusters_per_sweep", 3),
        lambda f: write_text(
            f, "parameters", f.attrs["parameters"].decode().replace('"seed":0', '"seed":1')
        ),
        lambda f: f.create_dataset("state/more", data=1),
    ],
)
def test_changed_content_is_found_by_verify(samples, change):
    """What checksums cannot know: the file was rewritten consistently."""
    with h5py.File(samples, "a") as handle:
        change(handle)
    with (
        open_file(samples) as file,
        pytest.raises(DataError, match="does not match the stored digest"),
    ):
        file.verify()


def mutants(content: bytes, number: int):
    """Files with a few bytes changed; seeded, and mostly among the metadata, where HDF5 believes
    what it reads."""
    rng = np.random.default_rng(20180404)
    for _ in range(number):
        mutant = np.frombuffer(content, np.uint8).copy()
        count = rng.integers(1, 9)
        where = rng.integers(
            0, len(mutant) if rng.random() < 0.3 else min(len(mutant), 4096), count
        )
        mutant[where] = (
            rng.integers(0, 256, count)
            if rng.random() < 0.7
            else mutant[where] ^ (1 << rng.integers(0, 8, count))
        )
        yield mutant.tobytes()


MUTANTS = """
import sys
sys.path[:0] = {folders!r}
from pathlib import Path
from rsmi.errors import RsmiError
from test_store import mutants, read_everything
path, content, outcomes = Path("mutant.h5"), Path({source!r}).read_bytes(), {{}}
for mutant in mutants(content, {number}):
    path.write_bytes(mutant)
    try:
        outcome = read_everything(path)
    except RsmiError as error:
        outcome = error.exit_code
    outcomes[outcome] = outcomes.get(outcome, 0) + 1
print(outcomes)
raise SystemExit
"""


def run_mutants(source, number):
    """In a process of its own: HDF5 itself may crash on what it reads."""
    here = Path(__file__).parent
    folders = [str(here), str(here.parent)]  # of this module and of conftest
    script = MUTANTS.format(folders=folders, source=str(source), number=number)
    child = process([], script)
    out, err = child.communicate()
    assert (child.returncode, err) == (0, "")
    return out


def test_no_mutant_escapes(workplace, pipeline):
    """Only RsmiError leaves open_file and read, whatever the bytes."""
    assert "65: " in run_mutants(pipeline / "samples.h5", 300)


@pytest.mark.slow
@pytest.mark.parametrize("name", PIPELINE)
def test_no_mutant_of_any_kind_escapes(workplace, pipeline, name):
    assert "65: " in run_mutants(pipeline / name, 3000)


# ---- digests -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PIPELINE)
def test_every_file_verifies(pipeline, name):
    read_everything(pipeline / name)
    with open_file(pipeline / name) as file:
        assert file.attributes["uuid"] == file_uuid(file.digest)
        assert uuid.UUID(file.attributes["uuid"]).version == 5
        assert file.attributes["parameters_digest"] == parameters_digest(
            file.attributes["command"], file.parameters, file.attributes["inputs"]
        )
        assert {"host", "cpu", "numpy", "h5py", "hdf5", "blas"} <= set(file.run_facts())


def test_ancestors_are_the_whole_chain(pipeline):
    with open_file(pipeline / "exponent.h5") as file:
        chain = [(entry["command"], entry["digest"]) for entry in file.ancestors()]
    assert chain == [
        ("sample", digest(pipeline / "samples.h5")),
        ("sample", digest(pipeline / "other.h5")),
        ("flow", digest(pipeline / "flow.h5")),
    ]


def test_digest_knows_content_not_storage(samples, tmp_path):
    """Other chunks, compression, order and software, no provenance: the same digest."""
    with h5py.File(samples) as old, h5py.File(tmp_path / "new.h5", "w", libver="latest") as new:
        for name in reversed(list(old.attrs)):
            new.attrs[name] = old.attrs[name] if name != "software" else "another program"
        old.copy("state", new)
        for name, chunks in (("energy", (7,)), ("spins", (3, 5))):
            new.create_dataset(name, data=old[name][()], chunks=chunks, compression="gzip")
        assert content_digest(new) == content_digest(old) == old.attrs["digest"].decode()


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f.attrs.__setitem__("coupling", np.nextafter(f.attrs["coupling"], 1)),
        lambda f: write_text(f, "inputs", '["other"]'),
        lambda f: replace(f, "energy", data=f["energy"][()].astype("i4")),
        lambda f: replace(f, "energy", data=f["energy"][()].reshape(1, -1)),
        lambda f: f.move("energy", "energies"),
    ],
)
def test_digest_knows_every_value(samples, change):
    with h5py.File(samples, "a") as handle:
        before = content_digest(handle)
        change(handle)
        assert content_digest(handle) != before


def test_canonical_json():
    assert canonical_json({"b": [1, 2.5], "a": None}) == '{"a":null,"b":[1,2.5]}'
    with pytest.raises(ValueError):
        canonical_json({"a": float("nan")})


# ---- parts ---------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    folder = PartsFolder(tmp_path / "out.h5")
    folder.acquire()
    return folder


def commit(folder, start, stop):
    folder.commit("task", start, stop, {"x": np.arange(start, stop)}, {"at": np.int64(stop)})


def test_parts_come_back_in_order(folder, tmp_path):
    """Also a part without rows, which shares its start with the next."""
    for start, stop in ((0, 0), (0, 2), (2, 2), (2, 5)):
        commit(folder, start, stop)
    folder.release()
    again = PartsFolder(tmp_path / "out.h5")
    again.acquire()
    assert [(part.start, part.stop) for part in again.parts("task")] == [
        (0, 0),
        (0, 2),
        (2, 2),
        (2, 5),
    ]
    assert again.parts("task")[-1].state() == {"at": 5}
    assert again.parts("task")[-1].rows("x", 3, 5).tolist() == [3, 4]


def from_disk(part):
    """A part as a process sees it that has not written it."""
    return dataclasses.replace(part, content=None)


def test_a_part_in_memory_is_that_on_the_disk(folder):
    """What a process keeps of its own parts, and no caller can change; larger parts are read."""
    rows = {"x": np.arange(12.0).reshape(4, 3), "b": np.array([True, False, True, False])}
    state = {"rng": np.arange(4, dtype=np.uint64), "at": np.int64(4)}
    part = folder.commit("task", 0, 4, rows, state)
    assert part.content is not None
    for _ in range(2):
        for ours, theirs in (
            (part.state(), from_disk(part).state()),
            *(
                ({"": part.rows(name, 1, 3)}, {"": from_disk(part).rows(name, 1, 3)})
                for name in from_disk(part).arrays
            ),
        ):
            assert list(ours) == list(theirs)
            for name, array in ours.items():
                assert array.dtype == theirs[name].dtype
                np.testing.assert_array_equal(array, theirs[name])
                array[...] = 0
        rows["x"][...], state["rng"][...] = 7, 7  # the task goes on with its own arrays
    assert part.arrays == from_disk(part).arrays == ["b", "x"]
    assert folder.commit("large", 0, 1, {"x": np.zeros((1, 1 << 22))}, {}).content is None


def test_missing_part(folder):
    commit(folder, 0, 2), commit(folder, 3, 4)
    with pytest.raises(DataError, match="missing between 2 and 3: remove this folder"):
        folder.parts("task")


def test_damaged_part(folder):
    commit(folder, 0, 1000)
    part = from_disk(folder.parts("task")[0])
    content = bytearray(part.path.read_bytes())
    with h5py.File(part.path) as handle:
        content[handle["rows/x"].id.get_offset() + 9] ^= 1
    for damaged in (bytes(content), bytes(content[:500]), b""):
        part.path.write_bytes(damaged)
        with pytest.raises(DataError, match="remove the folder .*out.h5.parts to start again"):
            part.rows("x", 0, 1000)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"command": "sample", "parameters": [], "inputs": []}',
        "\xff",
        "[" * 30000,
    ],
)
def test_damaged_job(folder, text):
    (folder.path / "job.json").write_text(text, encoding="latin-1")
    with pytest.raises(DataError, match="job.json is damaged: use --force"):
        folder.job()


def test_the_folder_goes_with_the_last_work(folder):
    """An empty one is of no use; one with work, or with what is not ours, stays."""
    folder.set_job({"command": "sample", "parameters": {}, "inputs": []})
    folder.release()
    assert not folder.path.exists()
    folder.acquire()
    (folder.path / "notes.txt").write_text("mine")
    folder.release()
    assert (folder.path / "notes.txt").exists()


def test_errors_are_ours(folder):
    assert issubclass(DataError, RsmiError)
    assert DataError.exit_code == 65


# ---- parts that several processes make -----------------------------------------------------------

JOB = {"command": "sample", "parameters": {}, "inputs": []}


def joined(folder) -> PartsFolder:
    """Another process's view of a folder."""
    other = PartsFolder(folder.output)
    assert other.join(folder.token, folder.call())
    return other


@pytest.mark.parametrize(
    "cuts",
    [
        [(0, 2), (2, 5), (0, 3), (3, 5)],
        [(0, 2), (2, 4), (0, 3), (3, 6)],
        [(0, 3), (0, 2), (2, 6), (3, 4)],
        [(0, 0), (0, 6), (2, 3), (3, 6)],
    ],
)
def test_parts_that_overlap(folder, cuts):
    """Two drives cut the same rows differently: a chain of parts without gap or overlap, as far as
    one of them came."""
    for start, stop in cuts:
        commit(folder, start, stop)
    folder.refresh()
    chain = [(part.start, part.stop) for part in folder.parts("task")]
    assert chain[0][0] == 0
    assert chain[-1][1] == max(stop for _, stop in cuts)
    assert all(before[1] == after[0] for before, after in zip(chain, chain[1:]))
    assert set(chain) <= set(cuts)


def test_parts_of_others(folder):
    """Seen when looked for, or known by word alone."""
    folder.set_job(JOB)
    other = joined(folder)
    commit(other, 0, 3)
    assert folder.parts("task") == []
    assert folder.reached("task") == 0
    folder.note_parts("task", [(0, 3)])
    folder.refresh()
    assert folder.parts("task") == other.parts("task")
    assert folder.reached("task") == 3
    assert folder.parts("task")[0].rows("x", 0, 3).tolist() == [0, 1, 2]


def test_a_part_seen_before_the_one_it_follows(folder):
    """Another process makes two parts while we read the folder: it is read again before anything is
    said to be missing."""
    folder.set_job(JOB)
    other = joined(folder)
    commit(other, 0, 1), commit(other, 1, 2), commit(other, 2, 3)
    folder.note_parts("task", [(0, 1), (2, 3)])
    assert len(folder.parts("task")) == 3


def test_parts_of_dropped_work_are_never_taken_for_others(folder):
    """A drive does not know yet that its work was dropped, and commits: right into the work that
    came after."""
    folder.set_job(JOB)
    other = joined(folder)
    folder.clear()
    folder.set_job(JOB | {"parameters": {"seed": 9}})
    commit(other, 0, 3)
    assert other.path.exists()
    assert len(list(folder.path.glob("task.*"))) == 1
    folder.refresh()
    assert folder.parts("task") == []
    folder.release()
    assert not folder.path.exists()


def test_calling_and_recalling_drives(folder):
    """Drives go on until they are recalled, or another call is made."""
    folder.set_job(JOB)
    first = folder.call()
    assert folder.is_called(first)
    folder.recall()
    assert not folder.is_called(first)
    assert PartsFolder(folder.output).join(folder.token, first)
    second = folder.call()
    assert folder.is_called(second)
    assert not folder.is_called(first)
    assert not PartsFolder(folder.output).join(folder.token, first)
    folder.release()
    assert not folder.is_called(second)


def test_kept_arrays_go_with_the_work(folder):
    array = np.arange(6.0).reshape(2, 3)
    name = folder.keep_array(array)
    assert np.array_equal(PartsFolder(folder.output).kept_array(name), array)
    folder.sweep()
    with pytest.raises(Failure, match="cannot be read"):
        folder.kept_array(name)


def test_work_that_an_old_version_has_begun(tmp_path):
    """Up to version 0.3.0, neither the record nor the names of the parts had a token: such work is
    refused, and its parts stay."""
    folder = PartsFolder(tmp_path / "out.h5")
    folder.path.mkdir()
    (folder.path / "job.json").write_text('{"command":"sample","inputs":[],"parameters":{}}')
    part = folder.path / "task.000000000000-000000000002.h5"
    part.write_bytes(b"")
    folder.acquire()
    folder.sweep()
    assert not folder.empty
    with pytest.raises(DataError, match=r"0\.3\.0 or an earlier version .* remove this folder"):
        folder.job()
    folder.release()
    assert part.exists()
