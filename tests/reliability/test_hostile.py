"""Hostile files: whatever the bytes, a reader answers with its one sentence (exit 65) or with what
the file really held.

Never with another exception, a crash of HDF5, or much memory or time. See `hostile` for the
mutants; the ones in this file are repeatable by their number.
"""

import collections
import contextlib
import os
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from conftest import FINE, MCISING, PIPELINE, SAMPLE, digest, run_here
from hostile.bytes import HEADERS, HEAPS, checksums, damaged, lookup3
from hostile.forgeries import FORGERIES, forge, plausible
from hostile.pen import fresh, in_pen, in_pens
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rsmi.engine import session
from rsmi.engine.stop import Stop
from rsmi.errors import DataError, RsmiError
from rsmi.samples.files import open_file
from rsmi.stages.import_reading import ReadingTask
from rsmi.stages.import_request import prepare
from rsmi.store import PartsFolder
from rsmi.store.digest import datasets_of


def read_everything(path, kind=None):
    """What the stages do with a file; `verify` reads all datasets."""
    with open_file(path, kind) as file:
        file.datasets(), file.ancestors(), file.run_facts(), file.verify()
        return file.digest


def outcome_of(path, kind: str, expected: str | None) -> str:
    """Refused, or harmless: then what is read is what was written. Anything else escapes."""
    try:
        found = read_everything(path)
    except RsmiError as error:
        assert error.exit_code == 65 and "\n" not in str(error), repr(error)
        return f"{kind}: refused"
    assert expected is None or found == expected, f"{kind}: accepted with other content"
    return f"{kind}: accepted"


def test_the_checksum_of_metadata(pipeline):
    """The repair of checksums is what HDF5 computes: Jenkins' own test value, and everything in a
    file that has one is found."""
    assert lookup3(b"Four score and seven years ago") == 0x17770551
    content = (pipeline / "samples.h5").read_bytes()
    found = [content[start : start + 4] for start, _, _ in checksums(content)]
    assert all(
        content.count(mark) == found.count(mark)
        for mark in (b"\x89HDF", b"OHDR", b"OCHK", b"FRHP", b"FHIB", b"FHDB", b"BTHD", b"BTLF")
    )


def reader_of(pipeline, name: str):
    """Three of four mutants damaged, one forged."""
    content, expected = (pipeline / name).read_bytes(), digest(pipeline / name)

    def work(number):
        rng = np.random.default_rng([number, sum(name.encode())])
        if number % 4:
            kind, mutant = damaged(content, rng)
            Path("mutant.h5").write_bytes(mutant)
            return outcome_of("mutant.h5", kind, expected)
        kind = forge(fresh(pipeline / name), rng)
        return outcome_of("mutant.h5", f"forged {kind}", None)

    return work


def test_no_mutant_escapes_the_reader(pipeline, workplace):
    for name in ("samples.h5", "flow.h5"):
        outcomes, escapes = in_pen(range(50), reader_of(pipeline, name))
        assert not escapes, "\n".join(escapes)
        assert sum(outcomes.values()) == 50


@pytest.mark.parametrize("name", ["samples.h5", "flow.h5"])
def test_every_forgery_is_refused_or_harmless(name, pipeline, workplace):
    """Each kind of forgery by its name, twice; a check that is missing cannot be left out by
    chance, as it can above."""
    kinds = {kind.__name__: kind for kind in FORGERIES}

    def work(number):
        kind = list(kinds)[number % len(kinds)]
        rng = np.random.default_rng([number, sum(name.encode())])
        forge(fresh(pipeline / name), rng, (kinds[kind],))
        return outcome_of("mutant.h5", kind, None)

    outcomes, escapes = in_pen(range(2 * len(kinds)), work)
    assert not escapes, "\n".join(escapes)
    assert {outcome.partition(":")[0] for outcome in outcomes} == kinds.keys()
    assert (
        sum(count for outcome, count in outcomes.items() if "refused" in outcome) > len(kinds) / 2
    )


# ---- files of other programs ---------------------------------------------------------------------


def write_hdf5(path, array, **storage):
    with h5py.File(path, "w") as handle:
        handle.create_dataset("spins", data=array, **storage)


def write_bits(path, array):
    np.packbits(array.reshape(len(array), -1) > 0, axis=1, bitorder="little").tofile(path)


# name -> how it is written; None: the file of mcising in tests/data.
FOREIGN = {
    "spins.npy": np.save,
    "fortran.npy": lambda path, array: np.save(path, np.asfortranarray(array)),
    "spins.npz": np.savez,
    "deflated.npz": np.savez_compressed,
    "spins.csv": lambda path, array: np.savetxt(
        path, array.reshape(len(array), -1), fmt="%d", delimiter=","
    ),
    "spins.bits": write_bits,
    "plain.h5": write_hdf5,
    "chunked.h5": lambda path, array: write_hdf5(
        path, array, chunks=(7, 6, 6), compression="gzip", shuffle=True, fletcher32=True
    ),
    "lzf.h5": lambda path, array: write_hdf5(
        path, array, chunks=(7, 6, 6), compression="lzf", shuffle=True
    ),
    "plain-lzf.h5": lambda path, array: write_hdf5(
        path, array, chunks=(7, 6, 6), compression="lzf"
    ),
    "checked-lzf.h5": lambda path, array: write_hdf5(
        path, array, chunks=(7, 6, 6), compression="lzf", fletcher32=True
    ),
    "latest.h5": lambda path, array: latest(path, array),
    "mcising.h5": None,
}


def latest(path, array):
    """Newer metadata: other indices of chunks."""
    with h5py.File(path, "w", libver="latest") as handle:
        handle.create_dataset(
            "spins", data=array, chunks=(7, 6, 6), maxshape=(None, 6, 6), compression="gzip"
        )


def import_everything(path) -> None:
    """What `rsmi import` does up to the writing."""
    settings = {
        "values": "auto",
        "bit_order": "little",
        "model": None,
        "coupling": None,
        "boundary": "periodic",
        "chains": 1,
        "one_after_another": False,
    }
    shape = "6x6" if path.endswith((".csv", ".bits")) else None
    with prepare(
        [Path(path)],
        format=None,
        shape=shape,
        temperature="2" if path == "mcising.h5" else None,
        **settings,
    ) as work:
        task = ReadingTask(work.source, work.lattice, work.values, work.energies, work.mask)
        _, state = task.begin()
        for start in range(0, task.total, 1 << 14):
            task.advance(state, start, min(1 << 14, task.total - start))
        assert work.source.digest


def foreign_outcome(path, kind: str) -> str:
    try:
        import_everything(path)
    except RsmiError as error:
        assert error.exit_code in (2, 65) and "\n" not in str(error), repr(error)
        return f"{kind}: refused"
    return f"{kind}: accepted"


def importer_of(name: str):
    """Of HDF5 one of three is forged. What has no checksum may say anything: to be refused or read
    is all there is to ask."""
    array = np.random.default_rng(3).choice(np.array([-1, 1], np.int8), (40, 6, 6))
    source = MCISING
    if FOREIGN[name]:
        source = Path(f"source-{name}").resolve()
        FOREIGN[name](source, array)
    content = source.read_bytes()

    def work(number):
        rng = np.random.default_rng([number, sum(name.encode())])
        if number % 3 or not name.endswith(".h5"):
            kind, mutant = damaged(content, rng)
            Path(name).write_bytes(mutant)
        else:
            kind = "forged " + forge(fresh(source, name), rng)
        return foreign_outcome(name, kind)

    return work


def test_no_mutant_escapes_the_import(workplace):
    for name in FOREIGN:
        work = importer_of(name)
        shutil.copy(workplace / f"source-{name}" if FOREIGN[name] else MCISING, name)
        import_everything(name)
        outcomes, escapes = in_pen(range(20), work)
        assert not escapes, f"{name}: " + "\n".join(escapes)


# ---- chunks --------------------------------------------------------------------------------------


def shorten_first_chunk(path, name: str) -> None:
    """In its place one row, right in its checksum: HDF5 would read on beyond its end."""
    with (
        h5py.File(path, "r+") as handle,
        h5py.File("small", "w", driver="core", backing_store=False) as small,
    ):
        data = handle[name]
        filters = {
            "compression": data.compression,
            "shuffle": data.shuffle,
            "fletcher32": data.fletcher32,
        }
        row = small.create_dataset("row", data=data[:1], chunks=(1, *data.shape[1:]), **filters)
        data.id.write_direct_chunk((0,) * data.ndim, row.id.read_direct_chunk((0,) * row.ndim)[1])


def compressed(path) -> str:
    with h5py.File(path) as handle:
        return next(
            name
            for name in datasets_of(handle)
            if handle[name].compression and len(handle[name]) > 1
        )


def test_chunks_that_decode_to_less(pipeline, workplace):
    """Their sizes are foretold before HDF5 decodes them, plain and compressed, ours and of other
    programs."""
    for name, dataset in (("samples.h5", "/spins"), ("flow.h5", compressed(pipeline / "flow.h5"))):
        shorten_first_chunk(fresh(pipeline / name), dataset)
        with pytest.raises(DataError, match="a chunk that is truncated or of another size"):
            read_everything("mutant.h5")
    importer_of("chunked.h5")
    shorten_first_chunk("source-chunked.h5", "spins")
    with pytest.raises(DataError, match="a chunk that is truncated or of another size"):
        import_everything("source-chunked.h5")


def test_compression_that_cannot_be_foretold(workplace):
    write_hdf5("scaled.h5", np.ones((40, 6, 6), np.int8), chunks=(7, 6, 6), scaleoffset=0)
    with pytest.raises(
        DataError,
        match=(
            r"compressed otherwise than by gzip or LZF, which is not read: repack it \(h5repack -f"
            r" GZIP=4\)"
        ),
    ):
        import_everything("scaled.h5")


# ---- 100,000 -------------------------------------------------------------------------------------

MUTANTS = 100_000
ALIKE = (
    "other.h5",
    "16-hot.h5",
    "16-cold.h5",
    "8-hot.h5",
    "8-cold.h5",
    "merged.h5",
    "shard-1.h5",
)  # another file is of the same kind and command
IMPORTED = dict.fromkeys(FOREIGN, 5000) | {"mcising.h5": 1000}  # of which many start a process
READ = {
    name: -(-(MUTANTS - sum(IMPORTED.values())) // (len(PIPELINE) - len(ALIKE)))
    for name in PIPELINE
    if name not in ALIKE
}


@pytest.mark.slow
@pytest.mark.parametrize("name", READ)
def test_no_mutant_of_any_kind_escapes(name, pipeline, workplace):
    report(name, *in_pens(range(READ[name]), reader_of(pipeline, name)))


@pytest.mark.slow
@pytest.mark.parametrize("name", IMPORTED)
def test_no_mutant_of_any_foreign_kind_escapes(name, workplace):
    report(name, *in_pens(range(IMPORTED[name]), importer_of(name)))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["samples.h5", "flow.h5"])
def test_heaps_forged_with_valid_checksums(name, pipeline, workplace):
    """Not among the 100,000: HDF5 believes heaps and B-trees, and may die of them; nothing worse
    happens. A process each."""
    content, expected = (pipeline / name).read_bytes(), digest(pipeline / name)

    def work(number):
        kind, mutant = damaged(content, np.random.default_rng(number), HEADERS + HEAPS)
        Path("mutant.h5").write_bytes(mutant)
        return outcome_of("mutant.h5", kind, expected)

    deaths = collections.Counter()
    for number in range(1000):
        for escape in in_pen([number], work)[1]:
            deaths[escape.partition(": ")[2]] += 1
    print(f"{name}: {dict(deaths)} of 1000")
    assert all(death.startswith("died of ") for death in deaths), deaths


def report(name: str, outcomes, escapes) -> None:
    """One line a kind of change and outcome."""
    for outcome, count in sorted(outcomes.items()):
        print(f"{name:20} {outcome:30} {count}")
    assert not escapes, "\n".join(escapes)


# ---- commands ------------------------------------------------------------------------------------

# What else reads files, and how a samples file is extended; as the pipeline, output -> command
# line.
READERS = {f"info of {name}": f"info {name} --json" for name in PIPELINE} | {
    f"text of {name}": f"info {name}" for name in PIPELINE
}
FIGURES = {f"{name.removesuffix('.h5')}.svg": f"plot {name}" for name in PIPELINE}
MORE = {
    "exact": "exact samples.h5 --rule lambda.h5 --windows 500 --json",
    "few.h5": f"{SAMPLE} --samples 100",
    "few-dimers.h5": f"{PIPELINE['dimers.h5'].replace('600', '40')}",
    "mcmc.h5": (
        "train-lambda samples.h5 --theta theta.h5 --estimator mcmc --windows 2000 --restarts 1"
    ),
    "explanation.h5": (
        "train-lambda samples.h5 --block 2x2 --objective total-correlation --windows 2000"
        " --restarts 1"
    ),
    "learned-flow.h5": "flow samples.h5 other.h5 --rule lambda.h5 --steps 2",
    "twice.h5": "coarse-grain samples.h5 --rule majority --steps 2",
}
EXTENDED = {"few.h5": PIPELINE["samples.h5"], "few-dimers.h5": PIPELINE["dimers.h5"]}
UNFINISHED = {
    name: PIPELINE[name]
    for name in (
        "samples.h5",
        "dimers.h5",
        "theta.h5",
        "lambda.h5",
        "coarse.h5",
        "flow.h5",
        "crossing.h5",
    )
}
READING = {
    name: line for name, line in (PIPELINE | MORE | READERS | FIGURES).items() if ".h5" in line
}


def spoil(path, rng) -> str:
    """Damage a file, or forge it; mostly so that it passes for a good one."""
    choice = rng.random()
    if choice < 0.25:
        kind, content = damaged(Path(path).read_bytes(), rng)
        Path(path).write_bytes(content)
        return kind
    return (forge if choice < 0.4 else plausible)(path, rng)


def answer(line: str, output: str | None) -> str:
    """Run a command line on hostile files; its exit code. Escapes are tracebacks, defects, other
    codes, and remains."""
    result = run_here(
        *line.split(),
        *(["-o", output] if output else []),
        *(["--threads", 1] if output and output.endswith(".h5") else []),
    )
    assert result.code in (0, 1, 2, 65, 73), (line, result)
    assert (
        "Traceback" not in result.err
        and "a defect in rsmi" not in result.err
        and "not enough memory" not in result.err
    ), (line, result.err)
    assert result.code == 0 or output is None or not os.path.exists(output), line
    return result.code


def commands_on_hostile_inputs(folder, number: int) -> str:
    rng = np.random.default_rng(number)
    name = list(READING)[number % len(READING)]
    line = READING[name]
    output = name if name.endswith((".h5", ".svg")) and " " not in name else None
    _clear(output)
    inputs = [word for word in line.split() if word.endswith(".h5")]
    for word in inputs:
        fresh(folder / word, word)
    spoil(inputs[rng.integers(len(inputs))], rng)
    return f"{line.split()[0]}: exit {answer(line, output)}"


def hostile_outputs(folder, number: int) -> str:
    """A file that is there already: extended, found complete, or refused, and never replaced by
    less."""
    rng = np.random.default_rng(number)
    few = list(EXTENDED)[number % 2]
    _clear("out.h5")
    fresh(folder / few, "out.h5")
    spoil("out.h5", rng)
    before = Path("out.h5").read_bytes()
    result = run_here(*EXTENDED[few].split(), "-o", "out.h5", "--threads", 1)
    assert (
        result.code in (0, 65, 73)
        and "a defect in rsmi" not in result.err
        and "Traceback" not in result.err
    ), result
    assert result.code == 0 or Path("out.h5").read_bytes() == before
    return f"extended: exit {result.code}"


def hostile_parts(folder, number: int) -> str:
    """Work that was interrupted, and changed before it is taken up."""
    rng = np.random.default_rng(number)
    name = list(UNFINISHED)[number % len(UNFINISHED)]
    _clear("out.h5")
    for word in UNFINISHED[name].split():
        if word.endswith(".h5"):
            fresh(folder / word, word)
    shutil.copytree(folder / f"{name}.parts", "out.h5.parts")
    parts = sorted(entry for entry in Path("out.h5.parts").iterdir() if entry.name != "lock")
    target = parts[rng.integers(len(parts))]
    if target.suffix == ".h5" and rng.random() < 0.5:
        forge(target, rng)
    else:
        target.write_bytes(damaged(target.read_bytes(), rng)[1])
    code = answer(f"{UNFINISHED[name]} {'--force' if rng.random() < 0.2 else ''}", "out.h5")
    assert code or digest("out.h5") == digest(folder / name), "hostile parts became a result"
    return f"parts of {name}: exit {code}"


def _clear(output: str | None) -> None:
    if output:
        shutil.rmtree(f"{output}.parts", ignore_errors=True)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(output)


@pytest.fixture(scope="session")
def sources(pipeline, tmp_path_factory):
    """The files of the pipeline, those to extend, and unfinished work. Read only."""
    folder = tmp_path_factory.mktemp("sources")
    with contextlib.chdir(folder):
        for file in pipeline.glob("*.h5"):
            os.link(file, file.name)
        for name in EXTENDED:
            assert run_here(*MORE[name].split(), "-o", name).code == 0
        for name, line in UNFINISHED.items():
            leave_unfinished(name, line)
    return folder


def leave_unfinished(name: str, line: str) -> None:
    """Parts of an output that a command left when it was stopped."""
    stop, commit = Stop(), PartsFolder.commit
    committed = []

    def counting(*rest):
        committed.append(commit(*rest))
        stop.reason = "stopped by the test" if len(committed) == 5 else stop.reason
        return committed[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "LIMITS", FINE)
        patch.setattr(PartsFolder, "commit", counting)
        result = run_here(*line.split(), "-o", f"unfinished-{name}", stop=stop)
    assert result.code == 75, result.err
    os.rename(f"unfinished-{name}.parts", f"{name}.parts")


WORKS = {"inputs": commands_on_hostile_inputs, "outputs": hostile_outputs, "parts": hostile_parts}


@pytest.mark.parametrize(
    ("what", "numbers"),
    [("inputs", range(0, len(READING), 3)), ("outputs", range(12)), ("parts", range(14))],
)
def test_no_mutant_escapes_a_command(what, numbers, sources, workplace):
    """Few of the thousands below, spread over all commands."""
    outcomes, escapes = in_pen(numbers, lambda number: WORKS[what](sources, number))
    assert not escapes, "\n".join(escapes)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "count"), {"inputs": 3000, "outputs": 1000, "parts": 1000}.items()
)
def test_thousands_of_mutants_in_commands(what, count, sources, workplace):
    report(what, *in_pens(range(1000, 1000 + count), lambda number: WORKS[what](sources, number)))


# ---- what is no HDF5 -----------------------------------------------------------------------------

FILTERS = st.one_of(
    st.binary(max_size=300),
    st.text(alphabet="0123456789.,-+eE \n#naif\t\0\ufeff", max_size=200).map(str.encode),
    st.lists(st.lists(st.floats(), min_size=1, max_size=5), max_size=5).map(
        lambda rows: "\n".join(",".join(map(repr, row)) for row in rows).encode()
    ),
)
TOML = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=200).map(str.encode),
    st.dictionaries(
        st.sampled_from(["coarse-grain", "sample", "steps", "x"]),
        st.sampled_from(
            [
                "1",
                "[]",
                "{steps = 1}",
                "{steps = -1}",
                "{steps = [1, 2]}",
                "{seed = 1e999}",
                "{rule = {}}",
                "{output = 3}",
                "{config = 'x'}",
                "{steps = 2026-01-01}",
                "{debug = 1}",
                "{}",
            ]
        ),
        max_size=4,
    ).map(lambda table: "\n".join(f"{key} = {value}" for key, value in table.items()).encode()),
)


def npy(draw_header: dict, data: bytes) -> bytes:
    """An NPY file with a header that may lie."""
    text = repr(draw_header).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


NPY = st.one_of(
    st.binary(max_size=200).map(lambda data: b"\x93NUMPY" + data),
    st.builds(
        npy,
        st.fixed_dictionaries(
            {
                "descr": st.sampled_from(
                    [
                        "<f8",
                        ">f8",
                        "<i4",
                        "|O",
                        "|V8",
                        "<U3",
                        "<c16",
                        "|b1",
                        "<M8[s]",
                        [("a", "<f8")],
                        "nonsense",
                        3,
                    ]
                ),
                "fortran_order": st.sampled_from([False, True, 2, None]),
                "shape": st.sampled_from(
                    [
                        (4,),
                        (2, 2),
                        (1, 4),
                        (2, 4),
                        (),
                        (0,),
                        (1 << 40, 4),
                        (-1, 4),
                        (1 << 62, 1 << 62),
                        [4],
                        "x",
                        None,
                    ]
                ),
            }
        ),
        st.binary(max_size=100)
        | st.lists(st.floats(width=64), max_size=8).map(
            lambda values: np.array(values, "<f8").tobytes()
        ),
    ),
)
QUIET = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def refused_or_done(result, codes=(0, 2, 65)) -> None:
    assert (
        result.code in codes
        and "Traceback" not in result.err
        and "a defect in rsmi" not in result.err
    ), result


@QUIET
@given(FILTERS)
def test_filters_in_csv(inputs, content):
    inputs("flow.h5")
    Path("rule.csv").write_bytes(content)
    refused_or_done(
        run_here(
            "coarse-grain",
            "other.h5",
            "--rule",
            "rule.csv",
            "-o",
            "out.h5",
            "--force",
            "--threads",
            1,
        )
    )


@QUIET
@given(NPY)
def test_filters_in_npy(inputs, content):
    """Also object arrays, which must never be unpickled, and shapes beyond the file."""
    inputs("flow.h5")
    Path("rule.npy").write_bytes(content)
    refused_or_done(
        run_here(
            "coarse-grain",
            "other.h5",
            "--rule",
            "rule.npy",
            "-o",
            "out.h5",
            "--force",
            "--threads",
            1,
        )
    )


@QUIET
@given(TOML)
def test_config_files(inputs, content):
    inputs("flow.h5")
    Path("rsmi.toml").write_bytes(content)
    refused_or_done(
        run_here(
            "coarse-grain",
            "other.h5",
            "--rule",
            "majority",
            "-o",
            "out.h5",
            "--force",
            "--config",
            "rsmi.toml",
        )
    )


@QUIET
@given(
    st.lists(
        st.sampled_from(
            [
                "samples.h5",
                "other.h5",
                "missing.h5",
                "",
                "-",
                ".",
                "/dev/zero",
                "/dev/null",
                "\0",
                "n" * 5000,
                "samples.h5\0",
                "\udcff",
            ]
        )
        | st.text(max_size=20),
        max_size=4,
    ).map("\n".join)
)
def test_paths_on_stdin(inputs, text):
    inputs("flow.h5")
    refused_or_done(
        run_here(
            "flow",
            "-",
            "--rule",
            "majority",
            "--steps",
            1,
            "-o",
            "out.h5",
            "--force",
            "--threads",
            1,
            stdin=text,
        )
    )
