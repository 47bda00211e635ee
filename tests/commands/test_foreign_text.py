"""Text that others wrote: devices, pipes and huge files are refused, and nothing that a file says
reaches a terminal as a control character."""

import json
import os
from pathlib import Path

import h5py
import pytest
from conftest import SAMPLE, run_here

from rsmi.foreign_text import LARGEST, parse_toml, printable, printable_lines, read_small_file
from rsmi.store.digest import content_digest
from rsmi.store.writer import write_text

HOSTILE = "\x1b]0;owned\x07\x1b[2J\r\u202e\x9b31m"

# Option, its file, and the rest of the command line: every text input that a command reads.
INPUTS = {
    "rule.csv": "coarse-grain samples.h5 --rule {} -o out.h5",
    "rule.npy": "flow samples.h5 --rule {} --steps 1 -o out.h5",
    "config.toml": "coarse-grain samples.h5 --rule majority --config {} -o out.h5",
    "model.toml": "sample --model {} --size 4 --samples 10 -o out.h5",
    "sites.csv": "train-lambda samples.h5 --block {} -o out.h5",
}


@pytest.fixture(scope="module")
def few(tmp_path_factory) -> Path:
    """A small file of samples; read only."""
    path = tmp_path_factory.mktemp("few") / "samples.h5"
    assert run_here(*SAMPLE.split(), "--samples", "40", "-o", path).code == 0
    return path


@pytest.fixture
def samples(workplace, few):
    (workplace / "samples.h5").symlink_to(few)


def refusal(here, line: str) -> str:
    result = here(*line.split())
    assert result.code in (2, 65) and "Traceback" not in result.err, result
    assert not Path("out.h5").exists() and not Path("out.h5.parts").exists()
    return " ".join(result.err.split())


@pytest.mark.parametrize("name", INPUTS)
def test_text_inputs_are_small_regular_files(name, samples, here):
    """A device without end, a pipe that nobody writes, a folder, and one byte too many."""
    Path(name).symlink_to("/dev/zero")
    assert "not a regular file" in refusal(here, INPUTS[name].format(name))
    os.unlink(name)
    os.mkfifo(name)
    assert "not a regular file" in refusal(here, INPUTS[name].format(name))
    os.unlink(name)
    Path(name).write_bytes(b"#" * (LARGEST + 1))
    assert "more than 1 MiB" in refusal(here, INPUTS[name].format(name))
    os.unlink(name)
    Path(name).mkdir()
    assert "irectory" in refusal(here, INPUTS[name].format(name))


@pytest.mark.parametrize(
    "bomb",
    [
        "a=" + "[" * 100_000,
        "a=" + "{a=" * 100_000,
        "a." * 100_000 + "a=1",
        '"#".' * 100_000 + "a=1",
        "a = " + "9" * 5000,
    ],
    ids=["nested lists", "nested tables", "long key", "long quoted key", "long number"],
)
def test_bombs_of_toml(bomb, samples, here):
    """Without the check of keys, the third would take ten minutes."""
    Path("bomb.toml").write_text(bomb)
    assert "bomb.toml" in refusal(here, INPUTS["config.toml"].format("bomb.toml"))
    assert "bomb.toml" in refusal(here, INPUTS["model.toml"].format("bomb.toml"))


def test_ordinary_toml_is_no_bomb():
    text = "# . . . . . . . . . . . . . . . . . . . . . . . . . . . . . . . . . . . . .\n"
    text += "# " + 70 * "." + f"\na.b.c = [{', '.join(['0.125'] * 100)}]\n"
    assert parse_toml(text.encode()) == {"a": {"b": {"c": [0.125] * 100}}}


def test_an_array_that_claims_too_much(samples, here):
    """A header of 10^12 numbers takes no memory."""
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,)}\n"
    Path("rule.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    assert "not a plain array" in refusal(here, INPUTS["rule.npy"].format("rule.npy"))


def test_a_long_field_of_a_list_of_sites(samples, here):
    Path("sites.csv").write_text("0," + "1" * 200_000)
    assert "integer coordinates" in refusal(here, INPUTS["sites.csv"].format("sites.csv"))


def test_a_list_of_paths_without_end(workplace, here):
    result = here("info", "-", stdin="x" * (1 << 24) + "x")
    assert result.code == 2 and "more than 16 MiB" in result.err


# ---- the terminal --------------------------------------------------------------------------------


def test_what_is_printable():
    assert printable("T_c = 2.27 J/k_B, η ± 1 Å, 名前") == "T_c = 2.27 J/k_B, η ± 1 Å, 名前"
    assert printable("a\nb\tc") == "a\\nb\\tc"
    assert printable(HOSTILE) == r"\x1b]0;owned\x07\x1b[2J\r\u202e\x9b31m"
    assert printable(os.fsdecode(b"\xff.h5")) == r"\udcff.h5"
    assert printable_lines("a\x1b\nb") == "a\\x1b\nb"
    assert printable(printable(HOSTILE)) == printable(HOSTILE)


def is_clean(text: str) -> bool:
    return all(line.isprintable() for line in text.split("\n"))


def forged(path: Path, **attributes: str) -> None:
    """Samples whose text attributes are hostile, with the digest that belongs to them."""
    with h5py.File(path, "r+") as handle:
        for name, value in attributes.items():
            write_text(handle, name, value)
        for name in handle["/provenance/run"].attrs:
            write_text(handle["/provenance/run"], name, HOSTILE)
        write_text(handle, "digest", content_digest(handle))


def test_no_attribute_reaches_the_terminal(workplace, few, here):
    """Without the replacement, `info --tree` would clear the screen."""
    name = f"bad{HOSTILE}.h5"
    Path(name).write_bytes(few.read_bytes())
    forged(Path(name), software=HOSTILE, algorithm=HOSTILE)
    for words in ((), ("--tree",), ("--digest",)):
        result = here("info", name, *words)
        assert result.code == 0 and is_clean(result.out + result.err), result
    assert r"\x1b[2J" in here("info", name, "--tree").out
    assert json.loads(here("info", name, "--tree", "--json").out)["software"] == HOSTILE


@pytest.mark.parametrize("attribute", ["kind", "boundary", "model"])
def test_no_message_moves_the_cursor(attribute, workplace, few, here):
    Path("bad.h5").write_bytes(few.read_bytes())
    forged(Path("bad.h5"), **{attribute: HOSTILE})
    for words in ((), ("--debug",)):
        result = here("info", "bad.h5", *words)
        assert is_clean(result.out + result.err), result


def test_no_name_of_a_file_moves_the_cursor(samples, here):
    """Names in errors of ours, in errors of click, in remarks and in the progress of work."""
    for line in (
        ["info", f"missing{HOSTILE}"],
        ["info", f"--{HOSTILE}"],
        ["coarse-grain", "samples.h5", "--rule", f"{HOSTILE}.csv", "-o", "out.h5"],
        ["sample", "--config", f"{HOSTILE}.toml", "-o", "out.h5"],
        [*SAMPLE.split(), "--samples", "4", "-o", f"{HOSTILE}/out.h5"],
        ["import", f"{HOSTILE}.npy", "-o", "out.h5"],
    ):
        result = here(*line)
        assert result.code == 2 or result.code == 1
        assert is_clean(result.err) and r"\x1b" in result.err, result


def test_unfinished_work_of_others(workplace, interrupt, here):
    interrupt([*SAMPLE.split(), "--samples", "40", "-o", "out.h5"], 2)
    note = json.loads(Path("out.h5.parts/run.json").read_text())
    note |= {"folder": HOSTILE, "arguments": [HOSTILE]}
    Path("out.h5.parts/run.json").write_text(json.dumps(note))
    result = here("info", "out.h5.parts")
    assert result.code == 0 and is_clean(result.out) and r"\x1b[2J" in result.out


def test_a_small_file_is_read_whole(tmp_path):
    (tmp_path / "text").write_bytes(b"x" * LARGEST)
    assert len(read_small_file(tmp_path / "text")) == LARGEST
