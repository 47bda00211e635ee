"""`rsmi scan`: the plan, the files that it makes, and what the table says."""

import json
import os
import shlex
import signal
import time

import pytest
from conftest import process, run_here

from rsmi.engine.shards import Shard
from rsmi.engine.stop import Stop
from rsmi.reports.scan import Point, describe, recommended
from rsmi.stages.scan import of_shard
from rsmi.store import open_file

QUICK = "--restarts 1 --windows 1600 --seed 3"


def digest(path):
    with open_file(path) as file:
        return file.digest


@pytest.fixture(scope="module")
def study(pipeline, tmp_path_factory):
    """A scan of one file of samples over two numbers of units, with its answer."""
    folder = tmp_path_factory.mktemp("scan")
    line = f"scan {pipeline}/samples.h5 --block 2x2 --hidden 2,1 {QUICK} --canonical"
    result = run_here(*line.split(), "-o", folder / "study", "--jobs", "2")
    assert result.code == 0, result.err
    return folder / "study", line, result


def plan(line):
    """The commands of a dry run, as words without the program."""
    result = run_here(*f"{line} --dry-run".split())
    assert result.code == 0, result.err
    lines = [shlex.split(text) for text in result.out.splitlines()]
    assert {words[0] for words in lines} == {"rsmi"}
    return [words[1:] for words in lines]


def test_the_plan_has_every_combination():
    """Samples for 2 temperatures and 2 sizes, and 2 rules with canonical correlations for each; the
    options of the model are passed on, and those that were not given are not."""
    commands = plan(
        "scan --model ashkin-teller --four-spin 0.5 --temperature 2,Tc --temperature 3 --size 8,16"
        " --samples 100 --block 2x2 --buffer 1,2 --canonical -o study"
    )
    samples = [words for words in commands if words[0] == "sample"]
    rules = [words for words in commands if words[0] == "train-lambda"]
    assert (len(samples), len(rules)) == (6, 24)
    assert commands[0] == shlex.split(
        "sample --model ashkin-teller --four-spin 0.5 --samples 100 --seed 0 --temperature 2"
        " --size 8 -o study/samples-T2-L8.h5"
    )
    assert [words[words.index("--temperature") + 1] for words in samples[::2]] == ["2", "Tc", "3"]
    assert len({words[-1] for words in commands}) == len(commands)
    assert not os.path.exists("study")


def test_the_files_are_those_of_the_commands(study, pipeline, tmp_path, monkeypatch):
    """Each command of the plan makes the file that the scan has made; the scan again leaves all as
    it is."""
    folder, line, _ = study
    before = {path.name: digest(path) for path in folder.iterdir()}
    monkeypatch.chdir(tmp_path)
    commands = plan(f"{line} -o study")
    os.mkdir("study")
    assert run_here(*commands[-1]).code == 0
    assert digest(commands[-1][-1]) == before[os.path.basename(commands[-1][-1])]
    again = run_here(*line.split(), "-o", folder)
    assert again.code == 0
    assert {path.name: digest(path) for path in folder.iterdir()} == before
    assert len(before) == len(commands) == 3


def test_table_and_json(study):
    """The numbers are those of the files; the units are in order whatever order was asked for."""
    folder, line, result = study
    rules = sorted(folder.glob("lambda-*.h5"))
    assert result.out == describe([*rules[:1], *folder.glob("canonical-*.h5"), *rules[1:]])
    answer = json.loads(run_here(*line.split(), "-o", folder, "--json").out)
    assert [rule["hidden"] for rule in answer["rules"]] == [1, 2]
    for path, rule in zip(rules, answer["rules"]):
        with open_file(path) as file:
            assert rule["value"] == file.attributes["mutual_information_hard"]
            assert rule["whole"] == file.attributes["mutual_information_block"]
    assert answer["units"][0]["units"] in (1, 2)
    assert "shuffled" in result.out


def point(hidden, value, error=0.004):
    return Point("T = 2", "64", "4x4", 1, 1, hidden, value, error, None)


def test_units_are_added_as_long_as_they_gain():
    """The gains of the 4x4 block at T_c: 0.096, 0.061, 0.003."""
    points = [point(1, 0.497), point(2, 0.593), point(3, 0.654), point(4, 0.657)]
    assert recommended(points)[0] == 3
    assert "0.0030(57)" in recommended(points)[1]
    assert recommended(points[:3])[0] == 3


def test_shards_divide_the_samples():
    parts = [of_shard(range(7), Shard(i, 3)) for i in range(3)]
    assert sorted(sum(parts, [])) == list(range(7))
    assert of_shard(range(7), None) == list(range(7))


def test_stopped_by_a_signal_and_continued(study, tmp_path):
    """The commands that run write their checkpoints, and the same command again makes the rest."""
    folder, line, _ = study
    output = tmp_path / "study"
    running = process([*line.split(), "-o", output])
    while not (output.exists() and any(output.iterdir())) and running.poll() is None:
        time.sleep(0.01)
    running.send_signal(signal.SIGTERM)
    _, remarks = running.communicate()
    assert running.returncode == 75, remarks
    assert "run the same command again to continue" in remarks
    assert run_here(*line.split(), "-o", output).code == 0
    assert {path.name: digest(path) for path in output.iterdir()} == {
        path.name: digest(path) for path in folder.iterdir()
    }


def test_stopped_before_the_first_command(pipeline, tmp_path):
    stop = Stop()
    stop.reason = "stopped by SIGTERM"
    line = f"scan {pipeline}/samples.h5 --block 2x2 {QUICK} -o {tmp_path}/study"
    result = run_here(*line.split(), stop=stop)
    assert (result.code, os.listdir(tmp_path / "study")) == (75, [])


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ("--block 32x32", 2, "exit code 2: "),
        ("--block 2x2 --buffer 1,x", 2, "--buffer 1,x: write whole numbers"),
        ("--block 2x2 --hidden 1,1", 2, "--hidden 1,1: write different values"),
        ("--block 2x2 --size 8", 2, "--size: the samples are read from files"),
    ],
)
def test_refused_in_one_sentence(options, code, words, pipeline, tmp_path):
    line = f"scan {pipeline}/samples.h5 {options} {QUICK} -q -o {tmp_path}/study"
    result = run_here(*line.split())
    assert result.code == code
    assert result.err.count("\n") == 1
    assert words in result.err
