"""Shards: whatever their number, and whatever happens to them, the merged file is the one that a
single process writes."""

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from conftest import SAMPLE, digest

from rsmi.engine.shards import Shard, parse_shard
from rsmi.errors import UsageError
from rsmi.store.digest import content_digest

# Everything that runs in eight streams or more.
RUNS = {
    "cluster chains": f"{SAMPLE} --samples 100",
    "local chains, all found by a pilot": (
        "sample --size 6x4 --temperature 5 --algorithm metropolis --chains 8 --samples 83"
    ),
    "wolff": "sample --size 8 --temperature Tc --algorithm wolff --samples 40",
    "strips": "sample --size 128 --temperature 4 --thermalization 2 --interval 1 --samples 18",
    "dimers, four chains to a stream": (
        "sample --model dimers --size 4 --thermalization 4 --interval 2 --samples 101"
    ),
    "replicas, 512 chains to a stream": (
        "sample --size 8 --temperature Tc --algorithm metropolis --chains 4096 --thermalization 4"
        " --interval 2 --samples 4500"
    ),
    "flow of what is sampled": (
        "flow --model ising --size 8 --temperature Tc --temperature 1.1Tc --algorithm swendsen-wang"
        " --chains 8 --samples 500 --rule majority --steps 1"
    ),
    "flow": "flow samples.h5 other.h5 --rule majority --steps 2",
}
QUICK = "--thermalization 2 --interval 1"
REPLICAS = f"sample --size 6x4 --temperature 3 --algorithm heat-bath {QUICK}"
FLOW = f"flow --model ising --size 4 --algorithm heat-bath {QUICK} --rule majority --steps 1"
# Three shards of every kind of work, and one run in more shards; one or two shards are slow. What
# the models sample in other ways is divided by the contract of models.
THREE = ("local chains, all found by a pilot", "flow of what is sampled", "flow")
DEFAULT = {("cluster chains", 7), *((name, 3) for name in THREE)}
NUMBERS = [
    pytest.param(
        line,
        count,
        id=f"{name}, {count}",
        marks=() if (name, count) in DEFAULT else pytest.mark.slow,
    )
    for name, line in RUNS.items()
    for count in (1, 2, 3, 7)
]


@pytest.fixture
def place(workplace, pipeline):
    """A working directory with samples for a flow."""
    for name in ("samples.h5", "other.h5"):
        shutil.copy(pipeline / name, workplace)
    return workplace


@pytest.fixture
def make(here):
    """Run a command line that must succeed; returns the digest of its output."""

    def call(line: str, output: str) -> str:
        result = here(*line.split(), "-o", output)
        assert (result.code, result.out) == (0, f"{output}\n"), result.err
        return digest(output)

    return call


@pytest.fixture
def shards(make):
    """Make all shards of a run; returns their names."""

    def call(line: str, count: int) -> list[str]:
        names = [f"{number}-of-{count}.h5" for number in range(count)]
        for number, name in enumerate(names):
            make(f"{line} --shard {number}/{count}", name)
        return names

    return call


def merge(names) -> str:
    return f"merge {' '.join(names)}"


# ---- the same file -------------------------------------------------------------------------------


@pytest.mark.parametrize(("line", "count"), NUMBERS)
def test_any_number_of_shards_makes_the_same_file(line, count, place, make, shards):
    """1, 2, 3 or 7 shards of eight streams or more, merged in any order; all but the run's facts
    agree."""
    expected = make(line, "whole.h5")
    assert make(merge(reversed(shards(line, count))), "merged.h5") == expected
    with h5py.File("whole.h5") as whole, h5py.File("merged.h5") as merged:
        assert content_digest(whole) == content_digest(merged) == expected
        assert {name: str(value) for name, value in whole.attrs.items()} == {
            name: str(value) for name, value in merged.attrs.items()
        }
        assert bytes(whole["/provenance/ancestors"][()]) == bytes(
            merged["/provenance/ancestors"][()]
        )


def test_fewer_samples_than_chains(workplace, make, shards):
    """Three samples are three streams of the eight."""
    line = f"{SAMPLE} --samples 3"
    assert make(merge(shards(line, 3)), "merged.h5") == make(line, "whole.h5")


def test_shards_share_the_streams():
    streams = list("abcdefgh")
    for count in range(1, 9):
        shares = [Shard(number, count).select(streams) for number in range(count)]
        assert sorted(sum(shares, [])) == streams
        assert all(
            share == [stream for c, stream in enumerate(streams) if c % count == number]
            for number, share in enumerate(shares)
        )
    with pytest.raises(UsageError, match=r"more shards than streams of random numbers \(8\)"):
        Shard(0, 9).select(streams)


# ---- resumed and extended ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        RUNS["cluster chains"],
        RUNS["dimers, four chains to a stream"],
        RUNS["flow"],
        RUNS["flow of what is sampled"],
    ],
)
def test_interrupted_shard(line, place, make, interrupt):
    """A shard that is stopped, and then taken up, is the shard that was never stopped."""
    undisturbed = make(f"{line} --shard 1/2", "whole.h5")
    interrupt([*line.split(), "--shard", "1/2", "-o", "again.h5"], 9)
    assert not Path("again.h5").exists()
    assert make(f"{line} --shard 1/2", "again.h5") == undisturbed


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        ("sample --size 8 --temperature Tc --chains 8", (3, 47, 60)),
        pytest.param(
            "sample --size 8 --temperature Tc --chains 8", (20, 47, 60), marks=pytest.mark.slow
        ),
        pytest.param(
            "sample --size 128 --temperature 4 --thermalization 2 --interval 1",
            (5, 47, 60),
            marks=pytest.mark.slow,
        ),
        pytest.param("sample --model dimers --size 4", (10, 47, 60), marks=pytest.mark.slow),
        (
            (
                "sample --size 8 --temperature Tc --algorithm metropolis --chains 2048"
                " --thermalization 4 --interval 2"
            ),
            (1100, 3000, 3300),
        ),
    ],
    ids=["few", "many", "strips", "dimers", "replicas"],
)
def test_extended_shards(line, counts, workplace, make, shards, interrupt):
    """More samples from every shard, stopped on the way, and from those that had none; the merged
    file grows with them."""
    few, more, most = (f"{line} --samples {count}" for count in counts)
    make(merge(shards(few, 3)), "merged.h5")
    interrupt([*more.split(), "--shard", "1/3", "-o", "1-of-3.h5"], 3)
    assert make(merge(shards(more, 3)), "merged.h5") == make(more, "whole.h5")
    assert make(most, "merged.h5") == make(most, "whole.h5")


def test_merged_again(workplace, pipeline, here):
    """Complete already, with the shards in another order too."""
    for name in ("shard-0.h5", "shard-1.h5", "merged.h5"):
        shutil.copy(pipeline / name, workplace)
    assert digest("merged.h5") == digest(pipeline / "samples.h5")
    result = here("merge", "shard-1.h5", "shard-0.h5", "-o", "merged.h5")
    assert result.code == 0
    assert "complete already" in result.err


def test_merged_file_takes_the_place_of_nothing_else(workplace, pipeline, here):
    """An output of other parameters is kept, and a shard is no output."""
    for name in ("shard-0.h5", "shard-1.h5", "other.h5"):
        shutil.copy(pipeline / name, workplace)
    assert_refused(
        here("merge", "shard-0.h5", "shard-1.h5", "-o", "other.h5"),
        73,
        "samples = 100 there, 400 in this command",
    )
    assert_refused(
        here("merge", "shard-0.h5", "shard-1.h5", "-o", "shard-1.h5"),
        2,
        "is an input of this command",
    )


# ---- refused -------------------------------------------------------------------------------------


def assert_refused(result, code, words):
    assert (result.code, result.out) == (code, "") and words in result.sentence, result.err
    assert result.err.count("\n") == 1
    assert "Traceback" not in result.err
    assert "defect" not in result.err


@pytest.fixture(scope="module")
def collection(tmp_path_factory):
    """Shards of runs that differ in one thing each."""
    from conftest import run_here

    folder = tmp_path_factory.mktemp("shards")
    lines = {
        **{f"{number}.h5": f"{SAMPLE} --samples 24 --shard {number}/3" for number in range(3)},
        "whole.h5": f"{SAMPLE} --samples 24",
        "seed.h5": f"{SAMPLE} --samples 24 --seed 5 --shard 2/3",
        "longer.h5": f"{SAMPLE} --samples 32 --shard 2/3",
        "fourth.h5": f"{SAMPLE} --samples 24 --shard 2/4",
        "seeded.h5": f"{SAMPLE} --samples 24 --seed 5",
        "flow.h5": f"flow {folder}/whole.h5 --rule majority --steps 1 --shard 0/2",
        "rule.h5": f"flow {folder}/whole.h5 --rule decimation --steps 1 --shard 1/2",
        "input.h5": f"flow {folder}/seeded.h5 --rule majority --steps 1 --shard 1/2",
    }
    for name, line in lines.items():
        result = run_here(*line.split(), "-o", folder / name)
        assert result.code == 0, result.err
    shutil.copy(folder / "1.h5", folder / "same.h5")
    return folder


REFUSED = {
    "0.h5 2.h5": (2, "shard 1/3 is missing: give all 3"),
    "2.h5": (2, "shard 0/3, 1/3 is missing"),
    "0.h5 1.h5 2.h5 same.h5": (2, "shard 1/3 is given twice"),
    "0.h5 0.h5 1.h5": (2, "shard 0/3 is given twice"),
    "0.h5 1.h5 none.h5": (2, "none.h5: no such file"),
    "0.h5 1.h5 seed.h5": (65, "seed.h5: is of another run: seed 5, in 0.h5 0"),
    "0.h5 1.h5 longer.h5": (65, "longer.h5: is of another run: samples 32, in 0.h5 24"),
    "0.h5 1.h5 fourth.h5": (65, "fourth.h5: is of another run: number of shards 4, in 0.h5 3"),
    "0.h5 1.h5 flow.h5": (65, "flow.h5: is of another run: kind flow-shard, in 0.h5 samples-shard"),
    "0.h5 1.h5 whole.h5": (65, "whole.h5: holds samples, not a shard"),
    "flow.h5 rule.h5": (65, "rule.h5: is of another run: rule"),
    "flow.h5 input.h5": (65, "input.h5: is of another run: inputs"),
}


@pytest.mark.parametrize("names", REFUSED)
def test_what_is_no_complete_set(names, collection, tmp_path, here, monkeypatch):
    monkeypatch.chdir(collection)
    assert_refused(here("merge", *names.split(), "-o", tmp_path / "out.h5"), *REFUSED[names])
    assert list(tmp_path.iterdir()) == []


def forge(path, change):
    """Change a file and make its digest fit."""
    with h5py.File(path, "a") as handle:
        change(handle)
        handle.attrs["digest"] = np.bytes_(content_digest(handle))


def attribute(name, value):
    return lambda handle: handle.attrs.__setitem__(name, value)


def replaced(path, array):
    def change(handle):
        del handle[path]
        handle[path] = array

    return change


def renamed(handle):
    for group in ("rows", "state"):
        handle.move(f"/{group}/chain-0001", f"/{group}/chain-0009")


FORGED = {
    "another pilot": (attribute("interval", np.int64(3)), "is of another run: interval"),
    "another minor version of the format": (
        attribute("format_version", np.array([1, 999])),
        "is of another run: format_version",
    ),
    "no such shard": (attribute("shard", np.array([3, 3])), "shard [3, 3] of 8 streams is none"),
    "more shards than streams": (
        attribute("streams", np.int64(2)),
        "shard [1, 3] of 2 streams is none",
    ),
    "a stream too few": (
        lambda handle: [handle.__delitem__(f"/{group}/chain-0001") for group in ("rows", "state")],
        "holds 2 streams, not 3",
    ),
    "a stream without rows": (
        lambda handle: handle.__delitem__("/rows/chain-0001"),
        "contradict what they say of themselves",
    ),
    "a stream of another": (renamed, "contradict what they say of themselves"),
    "rows of different number": (
        replaced("/rows/chain-0001/energy", np.zeros(2, np.int64)),
        "must hold arrays of equal length",
    ),
    "rows too few": (replaced("/rows/chain-0001", np.zeros(0)), ""),
    "no row": (
        lambda handle: [
            handle.__delitem__(f"/rows/chain-0001/{name}") for name in ("spins", "energy")
        ],
        "must hold arrays of equal length",
    ),
    "rows too wide": (
        replaced("/rows/chain-0001/spins", np.zeros((3, 33), np.uint8)),
        "contradict what they say of themselves",
    ),
    "no spins": (lambda handle: handle.__delitem__("/rows/chain-0001/spins"), ""),
}


@pytest.mark.parametrize(("change", "words"), FORGED.values(), ids=FORGED)
def test_forged_shard(change, words, collection, workplace, here):
    """Whatever a shard claims, with a digest that fits: one sentence, 65, and nothing is left."""
    for number in range(3):
        shutil.copy(collection / f"{number}.h5", workplace)
    forge("1.h5", change)
    assert_refused(here("merge", "0.h5", "1.h5", "2.h5", "-o", "out.h5"), 65, words)
    assert sorted(path.name for path in workplace.iterdir()) == ["0.h5", "1.h5", "2.h5"]


def test_damaged_shard(collection, workplace, here):
    """A changed bit that no checksum of HDF5 guards."""
    for number in range(3):
        shutil.copy(collection / f"{number}.h5", workplace)
    with h5py.File("1.h5", "a") as handle:
        handle["/state/chain-0001/rng"][0] ^= 1
    assert_refused(
        here("merge", "0.h5", "1.h5", "2.h5", "-o", "out.h5"),
        65,
        "1.h5: the content does not match the stored digest",
    )


def test_a_shard_is_not_the_whole(collection, workplace, here):
    """Neither an input of other commands, nor an output of another shard, nor extended by the
    whole's command."""
    for name in ("0.h5", "whole.h5"):
        shutil.copy(collection / name, workplace)
    line = f"{SAMPLE} --samples 24".split()
    assert_refused(
        here("coarse-grain", "0.h5", "--rule", "majority", "-o", "out.h5"),
        65,
        "holds samples-shard, but samples is needed here: join all shards by 'rsmi merge'",
    )
    assert_refused(here("plot", "0.h5", "-o", "out.png"), 2, "'rsmi merge'")
    assert_refused(
        here(*line, "--shard", "1/3", "-o", "0.h5"),
        73,
        "0.h5: exists with shard 0/3, not shard 1/3",
    )
    assert_refused(
        here(*line, "-o", "0.h5"), 73, "0.h5: exists with shard 0/3, not the whole result"
    )
    assert_refused(
        here(*line, "--shard", "1/3", "-o", "whole.h5"),
        73,
        "whole.h5: exists with the whole result, not shard 1/3",
    )


def test_unfinished_work_of_another_shard(workplace, here, interrupt):
    line = f"{SAMPLE} --samples 100".split()
    interrupt([*line, "--shard", "1/3", "-o", "out.h5"], 5)
    assert_refused(
        here(*line, "--shard", "0/3", "-o", "out.h5"),
        73,
        "unfinished work with shard 1/3, not shard 0/3",
    )
    assert here(*line, "--shard", "0/3", "--force", "-o", "out.h5").code == 0


def test_more_shards_than_streams(place, here):
    """A usage error that leaves nothing behind."""
    for line, streams in (
        (RUNS["cluster chains"], 8),
        (RUNS["flow"], 16),
        (f"{SAMPLE} --samples 3", 3),
    ):
        result = here(*line.split(), "--shard", f"0/{streams + 1}", "-o", "out.h5")
        assert result.code == 2
        assert f"more shards than streams of random numbers ({streams})" in result.sentence
    assert not [path for path in place.iterdir() if path.name.startswith("out")]


@pytest.mark.parametrize(
    ("line", "shards", "cure"),
    [
        (f"{REPLICAS} --samples 3000", 5, "--chains 2560 for 5"),
        (f"{REPLICAS} --samples 900", 3, "--chains 1536 and --samples 1025 or more for 3"),
        (f"{SAMPLE} --samples 90", 12, "--chains 12 for 12"),
        (f"{FLOW} --temperature 2 --temperature 3 --samples 3000", 5, "--chains 1536 for 6"),
    ],
)
def test_the_cure_for_too_many_shards(line, shards, cure, workplace, here):
    """The message names the options that make enough streams, and with them the run is possible."""
    words = [*line.split(), "--shard", f"0/{shards}", "-o", "out.h5"]
    assert f"take {cure} streams" in here(*words).sentence
    options = cure.split(" for ")[0].replace(" and", "").replace(" or more", "").split()
    assert here(*words, *options).code == 0


@pytest.mark.parametrize(
    "text", ["", "1", "3/3", "-1/3", "0/0", "1/2/3", "a/b", "1.0/3", "1/ 3", "\u0661/3"]
)
def test_no_shard(text):
    with pytest.raises(UsageError, match="write i/N"):
        parse_shard(text)


def test_shard_says_what_it_is(collection, here, monkeypatch):
    """info, and the answer of the command itself."""
    monkeypatch.chdir(collection)
    text = here("info", "1.h5").out
    assert "samples-shard" in text
    assert "1/3" in text
    assert "3 of 8" in text
    result = here(*f"{SAMPLE} --samples 24 --shard 1/3 --json -o 1.h5".split())
    assert '"shard": "1/3"' in result.out
    assert '"chain-0004": 3' in result.out
