"""The command line's manners: what is refused and how, what is printed where, and where settings
come from."""

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import click
import h5py
import numpy as np
import pytest
from click.shell_completion import ShellComplete
from conftest import COMMANDS as ONE_OF_EACH
from conftest import PIPELINE, SAMPLE, arguments_for, by_default, digest, environment, process

from rsmi import models
from rsmi.cli.application import COMMANDS, application
from rsmi.store import open_file
from rsmi.store.digest import content_digest, file_uuid
from rsmi.store.writer import write_text

NAMES = list(COMMANDS)
TINY = "--temperature Tc --thermalization 10 --interval 1"


@pytest.fixture(scope="session")
def zoo(pipeline, tmp_path_factory):
    """The pipeline's files, and those that only some commands can read. Read only."""
    from conftest import run_here

    folder = tmp_path_factory.mktemp("zoo")
    for name in PIPELINE:
        (folder / name).symlink_to(pipeline / name)
    lines = (
        "train-lambda samples.h5 --block 2x2 --windows 1600 --restarts 1 --hidden 2 -o two.h5",
        "coarse-grain samples.h5 --rule two.h5 -o components.h5",
        f"sample --size 4 --dimension 3 {TINY} --samples 8 -o cube.h5",
        (
            "sample --size 8 --dimension 1 --temperature 2 --thermalization 0 --interval 1"
            " --samples 8 -o chain.h5"
        ),
        (
            "sample --size 16 --temperature 0.1 --thermalization 0 --interval 1 --samples 64 -o"
            " cold.h5"
        ),
        "coarse-grain samples.h5 --rule majority --steps 4 -o point.h5",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for line in lines:
            result = run_here(*line.split())
            assert result.code == 0, result.err
    (folder / "text.h5").write_text("n\n1 2 3\n")
    (folder / "truncated.h5").write_bytes((pipeline / "samples.h5").read_bytes()[:9000])
    return folder


# ---- what is refused -----------------------------------------------------------------------------

SIZED = "sample --size 16 --samples 8"
BAD = {
    # the lattice and its temperature
    f"sample --size 15 --algorithm metropolis --samples 8 {TINY}": (
        "--size 15: the checkerboard of metropolis needs even sides"
    ),
    f"sample --size 16x15 --algorithm heat-bath --samples 8 {TINY}": (
        "--size 15: the checkerboard of heat-bath needs even sides"
    ),
    f"sample --size 1 --samples 8 {TINY}": "must be at least 2",
    f"sample --size 0x8 --samples 8 {TINY}": "must be at least 2",
    f"sample --size 8x8x8 --samples 8 {TINY}": "has 3 sides, --dimension says 2",
    f"sample --size big --samples 8 {TINY}": "write a whole number, or sides such as 64x32",
    f"sample --size 32768x65536 --samples 1 {TINY}": "2^31 sites or more",
    f"sample --size 16 --samples 0 {TINY}": "--samples",
    f"sample --size 16 --samples 8 {TINY} --chains 0": "--chains",
    f"sample --size 16 --samples 8 {TINY} --seed -1": "--seed",
    f"{SIZED} --temperature Tc --interval 0": "0 is less than 1",
    f"{SIZED} --temperature Tc --thermalization some": "neither a whole number nor auto",
    f"{SIZED} --temperature 0": "--temperature 0: must be positive and finite",
    f"{SIZED} --temperature -2": "must be positive and finite",
    f"{SIZED} --temperature nan": "must be positive and finite",
    f"{SIZED} --temperature inf": "must be positive and finite",
    f"{SIZED} --temperature 1e-310": "must be positive and finite",
    f"{SIZED} --temperature 0Tc": "must be positive and finite",
    f"{SIZED} --temperature nanTc": "must be positive and finite",
    f"{SIZED} --temperature hot": "write a number in J/k_B, Tc, or a multiple such as 0.98Tc",
    f"{SIZED} --temperature 1.0.0Tc": "write a number in J/k_B, Tc, or a multiple such as 0.98Tc",
    f"{SIZED} --coupling 0": "--coupling 0.0: must be positive and finite",
    f"{SIZED} --coupling nan": "must be positive and finite",
    f"{SIZED} --coupling 1e-310": "must be positive and finite",
    f"{SIZED} --temperature 2 --coupling 0.5": "one of the two",
    f"{SIZED}": "one of the two",
    f"{SIZED} --dimension 1 --temperature Tc": "the Ising chain has no critical temperature",
    f"{SIZED} --dimension 4 --temperature 2": "--dimension",
    f"{SIZED} --temperature Tc --time-limit soon": "--time-limit 'soon'",
    f"{SIZED} --temperature Tc --threads 0": "--threads",
    f"{SIZED} --temperature Tc --model heisenberg": "'heisenberg' is not one of 'ising', 'ashkin",
    f"{SIZED} --temperature Tc --noise-pairing cell": (
        "--noise-pairing is an option for --model dimers only"
    ),
    f"{SIZED} --temperature Tc --boundary open": "the lattice of --model ising is periodic",
    f"{SIZED} --temperature Tc --boundary strange": "the lattice of --model ising is periodic",
    "flow --rule majority --steps 1 --interaction 2": (
        "--interaction is an option for --model dimers only"
    ),
    f"{SIZED} --temperature Tc --colour red": "No such option",
    "simulate": "No such command",
    # blocks and steps
    "coarse-grain samples.h5 --rule majority --block 32x32": "at most 64 sites",
    "coarse-grain chain.h5 --rule majority --block 16": (
        "a lattice of 8 takes 0 steps with blocks of 16"
    ),
    "coarse-grain samples.h5 --rule majority --block 3x3": (
        "a lattice of 16x16 takes 0 steps with blocks of 3x3, not 1"
    ),
    "coarse-grain samples.h5 --rule majority --block 2x2x2": (
        "does not fit a lattice of dimension 2"
    ),
    "coarse-grain samples.h5 --rule majority --block 0x2": "is not a shape",
    "coarse-grain samples.h5 --rule majority --steps 5": (
        "a lattice of 16x16 takes 4 steps with blocks of 2x2, not 5"
    ),
    "coarse-grain point.h5 --rule majority": "a lattice of 1x1 takes 0 steps",
    "coarse-grain samples.h5 --rule lambda.h5 --block 4x4": (
        "contradicts lambda.h5, whose block is 2x2"
    ),
    "coarse-grain samples.h5 --rule minority": "neither a file nor one of majority, decimation",
    "coarse-grain samples.h5 --rule two.h5 --steps 2": (
        "acts on 1 component per site, but the lattice before step 2 has 2 components per site"
    ),
    "coarse-grain components.h5 --rule majority": "has 2 components per site",
    "flow samples.h5 --rule majority --steps 5": "a lattice of 16x16 takes 4 steps",
    "flow components.h5 --rule majority --steps 1": "has 2 components per site",
    "flow samples.h5 --rule two.h5 --steps 1": "has 2 hidden units; a flow needs a rule with one",
    "flow cube.h5 samples.h5 --rule majority --steps 1": "one flow has one dimension",
    "flow cube.h5 --rule majority --steps 3": "a lattice of 4x4x4 takes 2 steps",
    "flow samples.h5 samples.h5 --rule majority --steps 1": "the same random streams as samples.h5",
    "flow --rule majority --steps 1": "give files of samples, or --model",
    "exponent flow.h5 --critical-temperature 0": "must be positive and finite",
    "exponent flow.h5 --critical-temperature nan": "must be positive and finite",
    "exponent flow.h5 --critical-temperature inf": "must be positive and finite",
    "crossing samples.h5": "all samples are of 16x16: a crossing takes two lattice sizes at least",
    "crossing samples.h5 8-hot.h5 8-cold.h5": "16x16: has one temperature only",
    "crossing samples.h5 components.h5": "has 2 components per site",
    "crossing samples.h5 coarse.h5": "rg_step 1, samples.h5 has 0",
    "crossing samples.h5 samples.h5": "the same random streams as samples.h5",
    "crossing samples.h5 chain.h5": "8 samples are too few",
    # windows
    "train-theta samples.h5 --block 32x32": "block 32x32 is larger than the lattice 16x16",
    "train-theta samples.h5 --block 2x2 --buffer 6 --environment 2": (
        "do not fit: they span 18x18 sites, and the lattice has 16x16"
    ),
    "train-theta samples.h5 --block 2x2 --windows 10": "--windows 10: at least 1000 are needed",
    "train-theta samples.h5 --block 2x2 --learning-rate nan": "must be positive",
    "train-theta cold.h5 --block 2x2 --windows 2000": "nothing to learn from constant samples",
    "train-lambda samples.h5": "give the geometry by --block",
    "train-lambda samples.h5 --block 2x2 --objective proxy": (
        "needs the Boltzmann machines: give --theta"
    ),
    "train-lambda samples.h5 --theta theta.h5 --block 4x4": "--block 4x4 contradicts theta.h5",
    "train-lambda samples.h5 --theta theta.h5 --buffer 2": "--buffer 2 contradicts theta.h5",
    "train-lambda coarse.h5 --theta theta.h5": (
        "theta.h5 was trained on samples with rg_step 0, coarse.h5 has 1"
    ),
    # files
    "coarse-grain none.h5 --rule majority": "none.h5: no such file",
    "flow samples.h5 none.h5 --rule majority --steps 1": "none.h5: no such file",
    "train-lambda samples.h5 --theta none.h5": "none.h5: no such file",
    "exponent .": ".: not a regular file",
    "coarse-grain - --rule majority": "stdin gave no path (did the command before it fail?)",
}
WRONG = {
    "coarse-grain text.h5 --rule majority": "text.h5: not an HDF5 file",
    "coarse-grain truncated.h5 --rule majority": "truncated.h5: truncated or damaged",
    "coarse-grain samples.h5 --rule samples.h5": "holds samples, but lambda is needed here",
    "train-theta theta.h5 --block 2x2": "holds theta, but samples is needed here",
    "train-lambda samples.h5 --theta lambda.h5": "holds lambda, but theta is needed here",
    "flow samples.h5 flow.h5 --rule majority --steps 1": "holds flow, but samples is needed here",
    "exponent samples.h5": "holds samples, but flow is needed here",
    "crossing samples.h5 flow.h5": "holds flow, but samples is needed here",
}


def assert_refused(result, code, words):
    """One sentence, the right code, no result, no traceback."""
    assert (result.code, result.out) == (code, "")
    assert words in result.sentence
    assert "Traceback" not in result.err
    assert "defect" not in result.err
    assert result.err.startswith("Usage:") or result.err.count("\n") == 1


@pytest.mark.parametrize("line", BAD)
def test_impossible_request(line, zoo, tmp_path, here, monkeypatch):
    monkeypatch.chdir(zoo)
    assert_refused(here(*line.split(), "-o", tmp_path / "out.h5"), 2, BAD[line])
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("line", WRONG)
def test_wrong_file(line, zoo, tmp_path, here, monkeypatch):
    monkeypatch.chdir(zoo)
    assert_refused(here(*line.split(), "-o", tmp_path / "out.h5"), 65, WRONG[line])
    assert os.listdir(tmp_path) == []


def test_newer_file(zoo, workplace, here):
    shutil.copy(zoo / "samples.h5", "newer.h5")
    with h5py.File("newer.h5", "a") as handle:
        handle.attrs["format_version"] = np.array([2, 0])
    assert_refused(
        here("coarse-grain", "newer.h5", "--rule", "majority", "-o", "out.h5"),
        65,
        "written in format 2.0, newer than this program reads (1.x): upgrade rsmi",
    )


@pytest.mark.parametrize(
    ("word", "suggestion"),
    [
        ("coarsegrain", "Did you mean coarse-grain?"),
        ("exponents", "Did you mean exponent?"),
        ("train", "Did you mean train-"),
        ("zzz", "No such command 'zzz'.\n"),
        ("--sampel", "No such option"),
    ],
)
def test_commands_are_suggested(word, suggestion, here):
    result = here(word, "--size", 8)
    assert result.code == 2
    assert suggestion in result.err


def test_output_is_required(here):
    assert_refused(here(*SAMPLE.split(), "--samples", 8), 2, "Missing option '-o' / '--output'")


def test_traceback_on_demand_only(here):
    line = ("exponent", "none.h5", "-o", "out.h5")
    assert here(*line).err == "rsmi: none.h5: no such file\n"
    assert "Traceback" in here(*line, "--debug").err


def test_defects_are_told_from_mistakes(here, workplace, monkeypatch):
    """What is our fault says so, still in one sentence and with exit code 1."""
    monkeypatch.setattr("rsmi.stages.sample.run", lambda *_: 1 / 0)
    result = here(*SAMPLE.split(), "--samples", 8, "-o", "out.h5")
    assert (result.code, result.err) == (
        1,
        (
            "rsmi: unexpected ZeroDivisionError: division by zero (a defect in rsmi; --debug shows"
            " where)\n"
        ),
    )


# ---- stdout and stderr ---------------------------------------------------------------------------


@pytest.mark.parametrize("output", by_default(ONE_OF_EACH.values(), PIPELINE))
def test_stdout_carries_the_result_only(output, inputs, here):
    inputs(output)
    assert here(*arguments_for(output)).out == f"{output}\n"
    inputs(output)
    for more in ((), ("--force",)):
        result = here(*arguments_for(output), "--json", "--quiet", *more)
        assert result.err == ""
        assert json.loads(result.out)["file"] == output


def test_quiet(workplace, here):
    line = "sample --size 4 --temperature Tc --samples 8".split()
    assert "tau_int" in here(*line, "-o", "loud.h5").err
    assert here(*line, "-q", "-o", "quiet.h5").err == ""


KEYS = {
    "samples.h5": (
        "samples energy energy_error magnetization_abs susceptibility binder tau_int"
        " tau_int_magnetization"
    ),
    "theta.h5": "pseudo_log_likelihood kl windows hidden",
    "lambda.h5": (
        "mutual_information_soft mutual_information_soft_error mutual_information_hard"
        " mutual_information_hard_error mutual_information_exact_soft mutual_information_exact_hard"
        " mutual_information_block share_soft share_hard entropy_soft entropy_hard filters bias"
        " objective restart_number windows hidden"
    ),
    "coarse.h5": (
        "samples energy energy_error magnetization_abs susceptibility binder tau_int"
        " tau_int_magnetization"
    ),
    "flow.h5": "flows",
    "exponent.h5": "y_t y_h headline effective_coupling coupling temperature size",
    "crossing.h5": "sizes temperatures T_c T_c_error nu nu_error crossings",
}


@pytest.mark.parametrize("output", KEYS)
def test_json_keys(output, inputs, pipeline, here):
    """The keys that are promised; the same object from the command and from info."""
    inputs(output)
    shutil.copy(pipeline / output, ".")
    found = json.loads(here(*arguments_for(output), "--json").out)
    assert set(KEYS[output].split()) <= set(found)
    info = json.loads(here("info", output, "--json").out)
    assert info.pop("kind")
    assert info == found


def test_json_of_flow_and_exponent(pipeline, here, monkeypatch):
    monkeypatch.chdir(pipeline)
    (flow,) = json.loads(here("info", "flow.h5", "--json").out)["flows"]
    assert flow["temperature"] == pytest.approx(2.269185, abs=1e-6)
    assert flow["temperature"] * flow["coupling"] == pytest.approx(1)
    assert [(row["step"], row["size"]) for row in flow["steps"]] == [(0, 16), (1, 8), (2, 4)]
    assert {"coupling_eff", "coupling_eff_error", "energy_nn"} <= set(flow["steps"][0])
    found = json.loads(here("info", "exponent.h5", "--json").out)
    for name in ("y_t", "y_h"):
        assert {"step", "operators", "value", "error"} <= set(found[name][0])
        assert {"step", "operators", "value", "error"} <= set(found["headline"][name])
        assert found["headline"][name]["step"] == 2
    assert found["T_c"] is None
    assert "one step more" in found["T_c_reason"]


def test_reader_goes_away(pipeline, workplace):
    """A broken pipe is exit code 1 without a word."""
    reader, writer = os.pipe()
    os.close(reader)
    child = process(["info", pipeline / "samples.h5", "--tree"], stdout=writer)
    os.close(writer)
    _, err = child.communicate()
    assert (child.returncode, err) == (1, "")


# ---- pipes ---------------------------------------------------------------------------------------


def test_pipeline_in_a_shell(workplace):
    """Each command reads from stdin the path that the one before it printed."""
    rsmi = f"{sys.executable} -m rsmi"
    line = (
        f"{rsmi} {SAMPLE} --samples 16 -o s.h5 | {rsmi} coarse-grain - --rule majority -o c.h5 |"
        f" {rsmi} flow - --rule majority --steps 1 --json -o f.h5"
    )
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, env=environment())
    assert done.returncode == 0
    assert [row["size"] for row in json.loads(done.stdout)["flows"][0]["steps"]] == [8, 4]


def test_paths_from_stdin(zoo, workplace, here):
    line = ("flow", "-", "--rule", "majority", "--steps", 1, "-o", "out.h5")
    assert here(*line, stdin=f"{zoo}/samples.h5\n\n{zoo}/other.h5\n").code == 0
    assert_refused(
        here("exponent", "-", "-o", "x.h5", stdin="a.h5\nb.h5\n"),
        2,
        "one input file is needed, 2 were given",
    )
    assert_refused(here(*line), 2, "stdin gave no path")
    assert_refused(here("exponent", "-", "-o", "x.h5", stdin="nu\0ll\n"), 2, "cannot be read")


# ---- where settings come from --------------------------------------------------------------------


@pytest.fixture
def config(workplace):
    def write(text: str) -> Path:
        Path("rsmi.toml").write_text(text)
        return Path("rsmi.toml")

    return write


LINE = (
    "sample --size 8 --temperature Tc --samples 8 --thermalization 1 --interval 1 --dry-run --json"
    " -o out.h5".split()
)


def test_precedence(config, here, monkeypatch):
    """Command line > environment > file > default."""
    found = [json.loads(here(*LINE).out)["seed"]]
    more = ("--config", config("[sample]\nseed = 1\n[flow]\nseed = 9\n"))
    found.append(json.loads(here(*LINE, *more).out)["seed"])
    monkeypatch.setenv("RSMI_SAMPLE_SEED", "2")
    found.append(json.loads(here(*LINE, *more).out)["seed"])
    found.append(json.loads(here(*LINE, *more, "--seed", 3).out)["seed"])
    assert found == [0, 1, 2, 3]


def test_everything_from_the_file(config, here):
    path = config(
        "[sample]\nsize = 8\ntemperature = 2.5\nsamples = 24\nthermalization = 3\ninterval ="
        ' "auto"\noutput = "out.h5"\njson = true\nquiet = true\n'
    )
    result = here("sample", "--config", path)
    assert json.loads(result.out)["samples"] == 24
    assert result.err == ""
    with open_file("out.h5") as file:
        assert file.attributes["temperature"] == 2.5
        assert file.attributes["thermalization"] == 3


def test_everything_from_the_environment(workplace, here, monkeypatch):
    for name, value in {
        "SIZE": "8",
        "COUPLING": "0.4",
        "SAMPLES": "8",
        "OUTPUT": "out.h5",
        "JSON": "1",
        "INTERVAL": "2",
        "THERMALIZATION": "0",
    }.items():
        monkeypatch.setenv(f"RSMI_SAMPLE_{name}", value)
    assert json.loads(here("sample").out)["samples"] == 8


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[sample]\ncolour = 1\n", "sample has no option --colour"),
        ("[sampel]\nseed = 1\n", "sampel is not the [table] of a command"),
        ("seed = 1\n", "seed is not the [table] of a command"),
        ("sample = 1\n", "sample is not the [table] of a command"),
        ("[sample\n", "rsmi.toml"),
        ("[sample]\nseed = 1.5\n", "1.5"),
        ("[sample]\nsamples = true\n", "True"),
        ("[sample]\nseed = [1]\n", "[1]"),
        ("[sample]\nforce = 'perhaps'\n", "perhaps"),
    ],
)
def test_bad_config(text, words, config, here):
    line = (
        [word for word in LINE if word not in ("--samples", "8")] if "samples =" in text else LINE
    )
    if "samples =" in text:
        line = "sample --size 8 --temperature Tc --dry-run -o out.h5".split()
    assert_refused(here(*line, "--config", config(text)), 2, words)


def test_missing_config(here):
    assert_refused(here(*LINE, "--config", "none.toml"), 2, "none.toml")


@pytest.mark.parametrize("output", by_default([*ONE_OF_EACH.values(), "dimers.h5"], PIPELINE))
def test_dry_run(output, inputs, here):
    """The plan, and nothing written; as JSON too."""
    inputs(output)
    before = sorted(os.listdir())
    assert here(*arguments_for(output), "--dry-run").code == 0
    assert json.loads(here(*arguments_for(output), "--dry-run", "--json").out)
    assert sorted(os.listdir()) == before


# ---- help ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_help(name, here):
    """-h works, shows defaults and a complete example; the example parses."""
    result = here(name, "-h")
    assert (result.code, result.err) == (0, "")
    assert result.out == here(name, "--help").out
    assert "Example" in result.out and "default" in result.out or name in ("info", "plot")
    joined = re.sub(r"\\\n\s+", "", result.out)  # a command may go on in the next line
    examples = re.findall(r"^\s+rsmi (.+)$", joined, re.M)
    assert any(example.startswith(name) for example in examples)
    for example in (part for line in examples for part in line.split(" && ")):
        words = example.removeprefix("rsmi ").split()
        command = application.get_command(None, words[0])
        command.make_context(words[0], words[1:], parent=click.Context(application))


@pytest.mark.parametrize("model", models.names())
@pytest.mark.parametrize("name", ["sample", "flow"])
def test_help_of_a_model(name, model, here):
    """Each option is shown once, the model's own right after --model, and the examples parse."""
    result = here(name, "--model", model, "--help")
    sections = result.out[re.search(r"^(Model|Options):$", result.out, re.M).start() :]
    shown = re.findall(r"^  (?:-\w, )?--([a-z-]+)", sections, re.M)
    assert len(set(shown)) == len(shown)
    own = [option.name for option in models.get(model).options]
    place = shown.index("model") + 1
    assert shown[place : place + len(own)] == own
    command = application.get_command(None, name)
    options = [one for one in command.params if isinstance(one, click.Option)]
    assert {*own, "help", *(one.opts[-1].lstrip("-") for one in options)} <= set(shown)
    for _, line in models.get(model).examples:
        words = line.split()
        assert words[:2] == ["rsmi", "sample"]
        command = application.get_command(None, "sample")
        command.make_context("sample", words[2:], parent=click.Context(application))
    listed = result.out.split("Models (")[1]
    assert all(re.search(rf"^  {one} ", listed, re.M) for one in models.names())


@pytest.mark.parametrize(
    ("words", "incomplete", "expected"),
    [
        (["sample", "--model"], "di", ["dimers"]),
        (["sample", "--model", "dimers", "--algorithm"], "", ["auto", "worm", "loop"]),
        (["sample", "--algorithm"], "w", ["wolff"]),
        (["sample", "--model=dimers", "--boundary"], "", ["periodic", "open"]),
        (["sample", "--boundary"], "", ["periodic"]),
        (["sample", "--model", "dimers"], "--noise", ["--noise-probability", "--noise-pairing"]),
        (["sample"], "--noise", []),
        (["flow", "--model", "dimers"], "--inter", ["--interaction", "--interval"]),
        (
            ["import", "x.npy", "--model"],
            "",
            ["ising", "clock", "potts", "six-vertex", "triangular-ground-states", "none"],
        ),
    ],
)
def test_completion_of_a_model(words, incomplete, expected):
    """A shell completes the options and the words of the model that the line names."""
    shell = ShellComplete(application, {}, "rsmi", "_RSMI_COMPLETE")
    assert [item.value for item in shell.get_completions(words, incomplete)] == expected


@pytest.fixture
def broken_model(monkeypatch):
    """A package with a model is installed, and cannot be imported."""
    point = EntryPoint("heisenberg", "no_such_package:MODEL", models.GROUP)
    monkeypatch.setattr(models, "installed", lambda: {"heisenberg": point})


def test_a_model_that_cannot_be_imported(broken_model, here, pipeline, workplace):
    """One sentence where it is needed; nothing else is disturbed."""
    sentence = (
        "--model heisenberg: no_such_package:MODEL cannot be imported (ModuleNotFoundError: No"
        " module named 'no_such_package')"
    )
    for more in ("", "--states 3"):
        line = f"sample --model heisenberg --size 8 --samples 8 {more} -o x.h5"
        assert_refused(here(*line.split()), 1, sentence)
    for name in ("sample", "flow", "import", "exact"):
        help_text = here(name, "--help")
        assert help_text.code == 0
        words = " ".join(help_text.out.split())
        assert "cannot be imported" in words or name not in ("sample", "flow")
    assert_refused(here(*LINE, "--colour", "red"), 2, "No such option")
    assert here(*LINE).code == 0
    assert here("info", pipeline / "samples.h5").code == 0


def test_help_of_the_suite(here):
    result = here("-h")
    assert result.code == 0
    assert all(name in result.out for name in COMMANDS)
    assert "75" in result.out
    for code, words in re.findall(
        r"(\d+) (done|failure|usage|damaged|output|interrupted)", result.out
    ):
        assert {
            "0": "done",
            "1": "failure",
            "2": "usage",
            "65": "damaged",
            "73": "output",
            "75": "interrupted",
        }[code] == words
    assert here("--version").out.startswith("rsmi, version ")
    assert here().code == 2


# ---- what the stages promise ---------------------------------------------------------------------


def spins(path):
    with open_file(path) as file:
        return file.read("/spins")


def test_chained_steps_equal_steps(pipeline, workplace, here):
    """The draws of ties are keyed by step, sample and site."""
    rule = ("--rule", "majority")
    assert here("coarse-grain", pipeline / "samples.h5", *rule, "-o", "1.h5").code == 0
    assert here("coarse-grain", "1.h5", *rule, "-o", "2.h5").code == 0
    assert (
        here("coarse-grain", pipeline / "samples.h5", *rule, "--steps", 2, "-o", "both.h5").code
        == 0
    )
    assert (
        here(
            "coarse-grain",
            pipeline / "samples.h5",
            *rule,
            "--steps",
            2,
            "--seed",
            1,
            "-o",
            "seed.h5",
        ).code
        == 0
    )
    assert (spins("2.h5") == spins("both.h5")).all()
    assert (spins("seed.h5") != spins("both.h5")).any()
    with open_file("2.h5") as file, open_file(pipeline / "samples.h5") as original:
        assert file.attributes["rg_step"] == 2
        assert file.attributes["scale_factor"] == 4
        assert file.attributes["shape"] == (4, 4)
        assert (file.read("/energy") == original.read("/energy")).all()


def test_an_interval_is_that_many_sweeps(workplace, here):
    """--thermalization 0 --samples 1 makes exactly --interval sweeps."""
    line = "sample --size 8 --temperature Tc --chains 1 --thermalization"
    for words in (
        "0 --interval 6 --samples 1 -o a.h5",
        "0 --interval 2 --samples 3 -o b.h5",
        "5 --interval 1 --samples 1 -o c.h5",
    ):
        assert here(*f"{line} {words}".split()).code == 0
    assert (spins("a.h5")[0] == spins("b.h5")[2]).all()
    assert (spins("a.h5")[0] == spins("c.h5")[0]).all()


def test_temperatures_have_streams_of_their_own(workplace, here):
    """One seed at two temperatures: independent, not the same flips."""
    for temperature in ("2.0", "2.0000001"):
        assert (
            here(
                *f"sample --size 8 --temperature {temperature} --thermalization 5 --interval 1"
                f" --samples 8 -o {temperature}.h5".split()
            ).code
            == 0
        )
    assert (spins("2.0.h5") != spins("2.0000001.h5")).any()


def flow_of(here, output, *files):
    result = here("flow", *files, "--rule", "majority", "--steps", 2, "--json", "-o", output)
    assert result.code == 0, result.err
    return json.loads(result.out)["flows"]


def test_files_at_one_temperature_are_merged(pipeline, workplace, here):
    """Any order gives one ensemble, whose blocks are those of the files; a file without energy or
    seed cannot double another."""
    a, b = pipeline / "samples.h5", pipeline / "other.h5"
    (both,), (swapped,) = flow_of(here, "ab.h5", a, b), flow_of(here, "ba.h5", b, a)
    (first,), (second,) = flow_of(here, "a.h5", a), flow_of(here, "b.h5", b)
    for row, turned, one, other in zip(
        both["steps"], swapped["steps"], first["steps"], second["steps"]
    ):
        assert row["coupling_eff"] == pytest.approx(turned["coupling_eff"], rel=1e-12)
        assert row["energy_nn"] == pytest.approx(
            (400 * one["energy_nn"] + 100 * other["energy_nn"]) / 500, rel=1e-12
        )
        assert row["coupling_eff_error"] < one["coupling_eff_error"]
    assert digest("ab.h5") != digest("ba.h5")


def test_other_temperatures_are_not_merged(pipeline, workplace, here):
    assert (
        here(
            *"sample --size 16 --temperature 1.05Tc --thermalization 5 --interval 1 --samples 32"
            " -o hot.h5".split()
        ).code
        == 0
    )
    found = flow_of(here, "flow.h5", pipeline / "samples.h5", "hot.h5")
    assert [entry["temperature"] / found[1]["temperature"] for entry in found] == pytest.approx(
        [1.05, 1]
    )


def test_rounding_of_a_temperature_does_not_matter(workplace, here):
    """K and 1/T differ in the last place: one ensemble. Apart, the fit through two equal
    temperatures would be absurd."""
    for seed, coupling in enumerate((0.44068679350977147, 0.44068679350977)):
        assert (
            here(
                "sample",
                "--size",
                8,
                "--coupling",
                repr(coupling),
                "--seed",
                seed,
                "--thermalization",
                5,
                "--interval",
                1,
                "--samples",
                64,
                "-o",
                f"{seed}.h5",
            ).code
            == 0
        )
    assert len(flow_of(here, "flow.h5", "0.h5", "1.h5")) == 1
    assert here("exponent", "flow.h5", "-o", "exponent.h5").code == 0


def test_coarse_lattices_of_different_shape_are_not_merged(workplace, here):
    for seed, block in enumerate(("2x2", "4x4")):
        assert (
            here(
                *f"sample --size 16 --temperature Tc --seed {seed} --thermalization 5 --interval 1"
                f" --samples 16 -o s{seed}.h5".split()
            ).code
            == 0
        )
        assert (
            here(
                *f"coarse-grain s{seed}.h5 --rule majority --block {block} -o c{seed}.h5".split()
            ).code
            == 0
        )
    assert sorted(
        entry["steps"][0]["size"] for entry in flow_of(here, "flow.h5", "c0.h5", "c1.h5")
    ) == [4, 8]


def test_what_a_result_rests_on_is_said(workplace, here):
    """Correlated samples in short jackknife blocks, and exponents away from T_c, are warned of;
    good ones are not."""
    for name, options in (
        ("correlated", "--temperature Tc --interval 1"),
        ("good", "--temperature Tc"),
        ("hot", "--temperature 1.05Tc"),
    ):
        assert (
            here(
                *"sample --size 8 --algorithm heat-bath --chains 8 --samples 2000 -o".split(),
                f"{name}.h5",
                *options.split(),
            ).code
            == 0
        )
        flow = here(
            "flow", f"{name}.h5", "--rule", "majority", "--steps", 1, "-o", f"{name}-flow.h5"
        )
        assert ("the errors are too small" in flow.err) == (name == "correlated")
        exponent = here("exponent", f"{name}-flow.h5", "-o", f"{name}-exponent.h5")
        assert ("hold only at the critical temperature" in exponent.err) == (name == "hot")


@pytest.mark.parametrize(
    "change", ["--samples 40", "--chains 3", "--thermalization 3", "--interval 4"]
)
def test_equal_streams_are_refused(change, workplace, here):
    """Whatever was made of it: other counts or schedules follow the same random numbers."""
    line = (
        "sample --size 8 --temperature Tc --algorithm swendsen-wang --samples 16 --chains 2"
        " --thermalization 2 --interval 1".split()
    )
    assert here(*line, "-o", "a.h5").code == 0
    assert here(*line, *change.split(), "-o", "b.h5").code == 0
    for first, second in (("a.h5", "b.h5"), ("./a.h5", "a.h5")):
        assert_refused(
            here("flow", first, second, "--rule", "majority", "--steps", 1, "-o", "x.h5"),
            2,
            "the same random streams",
        )
    for name in ("a", "b"):
        assert (
            here(
                "coarse-grain",
                f"{name}.h5",
                "--rule",
                "majority",
                "--seed",
                5 if name == "b" else 0,
                "-o",
                f"c{name}.h5",
            ).code
            == 0
        )
    assert_refused(
        here("flow", "ca.h5", "cb.h5", "--rule", "majority", "--steps", 1, "-o", "x.h5"),
        2,
        "the same random streams",
    )


@pytest.fixture
def stranger(pipeline, workplace):
    """Samples of unknown temperature and energy, as another program might write them."""
    shutil.copy(pipeline / "samples.h5", "stranger.h5")
    with h5py.File("stranger.h5", "a", libver="latest") as handle:
        for name in ("coupling", "temperature"):
            del handle.attrs[name]
        del handle["energy"]
        write_text(handle, "digest", content_digest(handle))
        write_text(handle, "uuid", file_uuid(handle.attrs["digest"].decode()))
    return "stranger.h5"


def test_unknown_temperature(stranger, here):
    """Correlators and exponents of the transformation only; the rest is null, with a reason."""
    assert here("info", stranger, "--verify").out == "ok\n"
    found = json.loads(here("info", stranger, "--json").out)
    assert all(
        found[name] is None
        for name in ("energy", "energy_error", "tau_int", "tau_int_error", "susceptibility")
    )
    assert found["magnetization_abs"] is not None
    assert found["tau_int_magnetization"] is not None
    (flow,) = flow_of(here, "flow.h5", stranger)
    assert flow["temperature"] is flow["coupling"] is None
    assert "unknown" in flow["reason"]
    assert all(row["coupling_eff"] is None and row["energy_nn"] < 0 for row in flow["steps"])
    result = here("exponent", "flow.h5", "--json", "-o", "exponent.h5")
    found = json.loads(result.out)
    assert found["nu"] is None
    assert "unknown" in found["nu_reason"]
    assert found["T_c"] is None
    assert found["T_c_reason"]
    assert found["temperature"] is None
    assert all(row["value"] > 0 for row in found["y_t"] if row["step"] == 1)
    given = here(*"exponent flow.h5 --critical-temperature 2 --json -o given.h5".split())
    assert given.code == 0, given.err
    assert "unknown" in json.loads(given.out)["nu_collapse"]["reason"]
    assert "the temperature of the samples is unknown" in given.err
    assert (
        here("info", "exponent.h5").code
        == here("info", "flow.h5").code
        == here("info", stranger).code
        == 0
    )


def test_reweighting_needs_temperature_and_energy(stranger, pipeline, here):
    assert_refused(
        here("crossing", stranger, pipeline / "8-hot.h5", "-o", "x.h5"),
        2,
        "stranger.h5: the temperature of the samples is unknown",
    )
    with h5py.File(stranger, "a", libver="latest") as handle:
        handle.attrs["coupling"], handle.attrs["temperature"] = 0.5, 2.0
        write_text(handle, "digest", content_digest(handle))
    assert_refused(
        here("crossing", stranger, pipeline / "8-hot.h5", "-o", "x.h5"),
        2,
        "stranger.h5: holds no energies",
    )


def test_unknown_temperature_is_not_merged(stranger, pipeline, here):
    """Two strangers stay apart, and coarse-graining keeps what is not known."""
    assert here("coarse-grain", stranger, "--rule", "majority", "-o", "coarse.h5").code == 0
    with open_file("coarse.h5") as file:
        assert "temperature" not in file.attributes
        assert "/energy" not in file
    assert len(flow_of(here, "flow.h5", stranger, pipeline / "other.h5")) == 2


@pytest.mark.parametrize(
    ("shell", "begins"),
    [
        ("bash", "_rsmi_completion() {"),
        ("zsh", "#compdef rsmi"),
        ("fish", "function _rsmi_completion;"),
    ],
)
def test_completion_script(shell, begins):
    """What the README tells to evaluate at the start of a shell."""
    assert completed({"_RSMI_COMPLETE": f"{shell}_source"}).startswith(begins)


@pytest.mark.parametrize(
    ("words", "answer"),
    {
        "rsmi trai": ["plain,train-lambda", "plain,train-theta"],
        "rsmi sample --therm": ["plain,--thermalization"],
        "rsmi sample --algorithm w": ["plain,wolff"],
        "rsmi sample --model dimers --algorithm w": ["plain,worm"],
        "rsmi sample --model dimers --noise-pr": ["plain,--noise-probability"],
        "rsmi flow --rule maj": ["plain,majority", "plain,majority-ties-up", "file,maj"],
        "rsmi flow sam": ["file,sam"],
        "rsmi coarse-grain -o coa": ["file,coa"],
    }.items(),
)
def test_completion(words, answer):
    """Commands, options, choices, named rules and files are completed."""
    found = completed(
        {
            "_RSMI_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split()) - 1),
        }
    )
    assert sorted(found.split("\n")[:-1]) == sorted(answer)


def completed(variables: dict[str, str]) -> str:
    """What the program prints when a shell asks it to complete a line."""
    return process([], env=variables).communicate()[0]
