"""``rsmi info`` of unfinished work: the progress of every task, and the command that goes on."""

import json
import shlex
from pathlib import Path

import pytest
from conftest import SAMPLE

WORDS = [*SAMPLE.split(), "--samples", "40", "--seed", "21", "--chains", "3", "-o", "w.h5"]
MANY = [*WORDS[:-3], "20", "-o", "w.h5"]


def progress(here, path) -> dict:
    result = here("info", path, "--json")
    assert result.code == 0, result.err
    return json.loads(result.out)


def test_rows_of_every_task(workplace, here, interrupt):
    """Three chains of 40 samples: 14, 13 and 13; the thermalization comes first."""
    interrupt(WORDS, 15)
    shown = progress(here, "w.h5.parts")
    tasks = {task["name"]: (task["rows"], task["total"]) for task in shown["tasks"]}
    assert [total for name, (_, total) in tasks.items() if name.startswith("chain")] == [14, 13, 13]
    assert all(rows <= total for rows, total in tasks.values())
    assert 0 < sum(rows for rows, _ in tasks.values()) < 40 + 3 * 4
    assert (shown["kind"], shown["command"], shown["file"]) == ("unfinished", "sample", "w.h5")
    assert shown["parameters"]["seed"] == 21
    assert shown == progress(here, "w.h5") == progress(here, "w.h5.parts/")


def test_text(workplace, here, interrupt):
    interrupt(WORDS, 15)
    text = here("info", "w.h5").out
    assert text.startswith("w.h5: unfinished work of 'rsmi sample'\n")
    assert "thermalization-0000           4    4   100%" in text
    assert f"to go on     rsmi {shlex.join(WORDS)}" in text
    assert "seed = 21" in text


def test_the_command_that_is_shown_goes_on(workplace, here, interrupt):
    interrupt([*WORDS[:-1], "my work.h5"], 12)
    resume = shlex.split(progress(here, "my work.h5")["resume"])
    assert resume[0] == "rsmi"
    result = here(*resume[1:])
    assert (result.code, "resuming" in result.err) == (0, True)
    assert progress(here, "my work.h5")["kind"] == "samples"
    assert here("info", "my work.h5.parts").code == 2


def test_many_tasks_are_added_up(workplace, here, interrupt):
    interrupt(MANY, 95)
    text = here("info", "w.h5").out
    assert "thermalization (20 tasks)" in text and "chain (20 tasks)" in text
    assert len(progress(here, "w.h5")["tasks"]) == 40


def test_a_shard_and_another_folder(workplace, here, interrupt, monkeypatch):
    interrupt([*WORDS, "--shard", "1/3"], 4)
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    lines = [line.split() for line in here("info", "../w.h5").out.splitlines()]
    assert ["shard", "1/3"] in lines
    assert ["in", "the", "folder", str(workplace)] in lines


def test_through_a_link(workplace, here, interrupt):
    Path("scratch").mkdir()
    Path("w.h5").symlink_to("scratch/real.h5")
    interrupt(WORDS, 10)
    assert progress(here, "w.h5")["parts"].endswith("scratch/real.h5.parts")


@pytest.mark.parametrize("content", [b"", b"{", b'{"totals": 3}', b"\xff", b"[" * 10**5])
def test_without_the_note_of_the_run(content, workplace, here, interrupt):
    """Parts of a version that has written no note, or a damaged note: the rows are shown."""
    interrupt(WORDS, 15)
    Path("w.h5.parts/run.json").write_bytes(content)
    shown = progress(here, "w.h5")
    assert shown["resume"] is None and all(task["total"] is None for task in shown["tasks"])
    assert "run the command again that has begun this work" in here("info", "w.h5").out
    Path("w.h5.parts/run.json").unlink()
    assert progress(here, "w.h5") == shown
    assert here(*WORDS).code == 0


def test_what_is_refused(workplace, here, interrupt):
    interrupt(WORDS, 10)
    for option in ("--tree", "--digest", "--verify"):
        result = here("info", "w.h5", option)
        assert (result.code, "is unfinished work" in result.sentence) == (2, True)
    result = here("coarse-grain", "w.h5", "--rule", "majority", "-o", "c.h5")
    assert result.code == 2
    assert "no such file yet: 'rsmi info w.h5.parts' shows the unfinished work" in result.sentence
    Path("w.h5.parts/job.json").write_text("{")
    assert here("info", "w.h5").code == 65
    Path("empty.h5.parts").mkdir()
    assert here("info", "empty.h5").code == 2


def test_another_temperature_is_named(workplace, here):
    """The difference names temperatures, because the command line gave one."""
    assert here(*WORDS).code == 0
    words = ["2.5" if word == "Tc" else word for word in WORDS]
    assert "coupling = 0.4406867935097714" in here(*words).sentence
    assert "(T = 2.26918531) there, 0.4 (T = 2.5) in this command" in here(*words).sentence
