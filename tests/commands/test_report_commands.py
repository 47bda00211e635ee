"""The commands on a page: they make the files again; what is not known is said."""

import contextlib
import json
import shlex
import shutil
import subprocess
import tomllib
from types import SimpleNamespace

import pytest
from conftest import COMMANDS, MCISING, PIPELINE, by_default, run_here

from rsmi.figures.files import DRAWINGS
from rsmi.pages.drawings import TEXTS
from rsmi.reports import command_lines
from rsmi.reports.command_lines import line_of
from rsmi.reports.option_words import folded
from rsmi.reports.sampling_words import sampled_attributes, toml_lines
from rsmi.reports.shell_line import Inputs
from rsmi.reports.steps import SOURCE, steps_of
from rsmi.samples.files import open_file

# Samples of other models, rules of one's own and sampling in flight, by the name of the output.
SMALL = "--samples 400 --chains 8 --thermalization 4 --interval 2"
STUDIES = {
    "chain.h5": f"sample --dimension 1 --size 32 --temperature 1.3 {SMALL}",
    "cube.h5": f"sample --dimension 3 --size 4 --temperature 0.99Tc {SMALL}",
    "oblong.h5": f"sample --size 8x12 --temperature 2.5 {SMALL}",
    "potts.h5": f"sample --model potts --states 3 --size 8 --temperature Tc {SMALL}",
    "small-potts.h5": f"sample --model potts --states 3 --size 4 --temperature Tc {SMALL}",
    "clock.h5": f"sample --model clock --states 5 --size 8 --temperature 0.9 {SMALL}",
    "four.h5": f"sample --model ashkin-teller --four-spin 0.5 --size 8 --temperature 3 {SMALL}",
    "ice.h5": f"sample --model six-vertex --size 8 --ice {SMALL}",
    "attracting.h5": f"sample --model dimers --size 8 --temperature 0.7 {SMALL}",
    "repelling.h5": f"sample --model dimers --size 8 --temperature 0.7 --interaction 0.4 {SMALL}",
    "open.h5": f"sample --model dimers --size 8 --boundary open {SMALL}",
    "ground.h5": f"sample --model triangular-ground-states --size 12 {SMALL}",
    "frustrated.h5": (
        f"sample --model ising-triangular --antiferromagnetic --size 12 --temperature 1 {SMALL}"
    ),
    "field.h5": (
        f"sample --model ising-j1j2 --ratio J2=0.4 --field 0.2 --size 8 --temperature 1.7 {SMALL}"
    ),
    "hexagons.h5": f"sample --model hard-hexagons --size 12 --fugacity zc {SMALL}",
    "own.h5": f"sample --model own.toml --size 4 --temperature 2 {SMALL}",
    "in-flight.h5": (
        "flow --model ising --size 16 --temperature Tc --temperature 0.98Tc --samples 256 --rule"
        " majority --steps 2"
    ),
    "sizes.h5": (
        "spectrum --model ising --sizes 4,8,12 --temperature Tc --samples 256 --function plaquette"
    ),
    "states.h5": "spectrum --model potts --states 3 --sizes 4,8 --temperature Tc --samples 256",
    "filter.h5": "coarse-grain oblong.h5 --rule three.csv --bias=-0.3 --hard",
    "plurality.h5": "coarse-grain potts.h5 --rule plurality",
    "steps.h5": "flow oblong.h5 --rule majority --rule decimation --steps 2",
    "even.h5": (
        "train-lambda oblong.h5 --block 2x2 --windows 2400 --sector even --restarts 1"
        " --decoder-units 2"
    ),
    "sites.h5": "train-lambda oblong.h5 --block sites.csv --windows 1600 --restarts 1",
    "canonical.h5": "train-lambda oblong.h5 --block 2x2 --windows 1600 --canonical",
    "tied.h5": (
        "train-lambda potts.h5 --block 2x2 --windows 2800 --hidden-states 3 --restarts 1"
        " --updates 50"
    ),
    "odd.h5": "spectrum small-potts.h5 potts.h5 --odd tied.h5",
    "linear.h5": "spectrum oblong.h5 --correlation --function canonical.h5 --readout linear",
    "flips.h5": "import flips.csv --shape 2x2 --symmetric flip --discard 1",
}
LADDER = "sample --model ising-j1j2 --size 8 --temper 1.5,1.7 -o ladder-{T}.h5 " + SMALL
FILES = {
    "three.csv": "1, 1\n1, -0.5\n",
    "sites.csv": "0,0\n0,1\n1,0\n",
    "flips.csv": "1 -1 1 1\n" * 40,
}


def steps_from(*names):
    """The commands of files in the working directory."""
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(open_file(name)) for name in names]
        return steps_of(files, {file.digest: file.path.name for file in files})


def make_again(steps, folder) -> None:
    """Run the lines as a shell reads them, and compare the digests."""
    with contextlib.chdir(folder):
        for step in steps:
            for line in step.lines:
                words = shlex.split(folded(line).replace("\\\n", " "))
                if words[0] == "rsmi":
                    result = run_here(*words[1:])
                    assert result.code == 0, (line, result.err)
                else:
                    subprocess.run(line, shell=True, check=True)
            if step.lines:
                with open_file(step.output) as file:
                    assert file.digest == step.digest, step.lines


@pytest.mark.parametrize("name", by_default(("exponent.h5",), PIPELINE))
def test_lines_make_the_pipeline_again(name, pipeline, tmp_path, monkeypatch):
    """From one file, all of its ancestors and itself, bit by bit."""
    monkeypatch.chdir(pipeline)
    steps = steps_from(name)
    assert all(step.remarks == () for step in steps if step.command not in (SOURCE, "import"))
    for step in steps:
        if step.command == SOURCE:
            shutil.copy(MCISING, tmp_path / step.output)
    make_again(steps, tmp_path)


@pytest.mark.slow
def test_lines_make_other_studies_again(workplace):
    """All models, rules of one's own, ladders, sampling in flight. The cheap test is
    test_lines_make_the_pipeline_again."""
    for name, text in FILES.items():
        (workplace / name).write_text(text)
    (workplace / "own.toml").write_text(run_here("sample", "--model-schema").out)
    for name, line in STUDIES.items():
        result = run_here(*line.split(), "-o", name)
        assert result.code == 0, (line, result.err)
    assert run_here(*LADDER.split()).code == 0
    shutil.copy("ladder-1.5.h5", "renamed.h5")
    (workplace / "again").mkdir()
    for names in ([*STUDIES, "ladder-1.7.h5"], ["renamed.h5"]):
        steps = steps_from(*names)
        for step in steps:
            if step.command == SOURCE:
                shutil.copy("flips.csv", workplace / "again" / step.output)
        make_again(steps, workplace / "again")


def test_every_command_has_a_line():
    """A new command, and a new kind with a figure, cannot be forgotten here. A merged file is that
    of the command of its shards."""
    assert command_lines.WORDS.keys() == COMMANDS.keys() - {"merge"}
    assert TEXTS.keys() == DRAWINGS.keys()


# ---- what is not known ---------------------------------------------------------------------------


def entry(digest, command, **parameters):
    return {"digest": digest * 32, "command": command, "parameters": parameters}


def study(*older, inputs, command="exponent"):
    """The steps of one file with such ancestors."""
    own = {"inputs": [one * 32 for one in inputs], "command": command}
    file = SimpleNamespace(
        digest="ff" * 32, attributes=own, parameters={}, ancestors=lambda: [*older]
    )
    return {step.digest[:2]: step for step in steps_of([file], {"ff" * 32: "last.h5"})}


def rule(digest):
    return {"digest": digest * 32, "block": [2, 2], "hard": True}


SAMPLES = entry("aa", "sample"), entry("bb", "sample")
LAMBDA = entry("cc", "train-lambda", objective="decoder", block=[2, 2], buffer=1, environment=1)


def test_an_ancestor_read_all_that_nothing_else_read():
    """Both samples are ancestors of the flow, and it alone can have read them."""
    flow = entry("dd", "flow", rule={"name": "majority", "block": [2, 2], "hard": True}, steps=1)
    steps = study(*SAMPLES, flow, inputs=["dd"])
    assert steps["dd"].inputs == ("sample-aaaaaaaa.h5", "sample-bbbbbbbb.h5")
    assert steps["dd"].lines[-1].startswith("rsmi flow sample-aaaaaaaa.h5 sample-bbbbbbbb.h5 ")
    assert steps["ff"].lines == ("rsmi exponent flow-dddddddd.h5 -o last.h5",)


def test_what_an_ancestor_read_is_not_guessed():
    """The rule was learned on one of two samples, and the flow read at least the other one."""
    flow = entry("dd", "flow", rule=rule("cc"), steps=1)
    steps = study(*SAMPLES, LAMBDA, flow, inputs=["dd"])
    for digest in ("cc", "dd"):
        assert steps[digest].inputs is None
        assert "INPUT.h5 stands for it" in " ".join(steps[digest].remarks)
    assert "--rule train-lambda-cccccccc.h5" in steps["dd"].lines[-1]
    only = study(SAMPLES[0], LAMBDA, flow, inputs=["dd"])
    assert only["cc"].inputs == ("sample-aaaaaaaa.h5",)
    assert only["dd"].inputs == ("sample-aaaaaaaa.h5", "train-lambda-cccccccc.h5")


@pytest.mark.parametrize("command", [*command_lines.WORDS, "dance"])
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"rule": 7, "shape": "x", "block": [[]], "sampled": {"a": 1}, "functions": [None]},
        {"shape": ["\x1b[2J", "\n"], "sites": [["\x1b"]], "block": ["\x1b"], "axes": "\x1b"},
        {"rules": [{"digest": []}], "ladder": [0], "coupling": "1", "model": "\x1b[2J; rm -rf x"},
    ],
)
def test_wrong_parameters_are_shown(command, parameters):
    """A file of a stranger may have any parameters: they are named, in one line that harms no
    terminal and no shell."""
    line = line_of(command, parameters, Inputs({}, {}), "$(x).h5")
    assert line.lines[-1].endswith("-o '$(x).h5'")
    assert not parameters or line.remarks
    assert "\x1b" not in "".join([*line.lines, *line.remarks])
    for one in line.lines:
        assert ";" not in shlex.shlex(one, posix=True, punctuation_chars=True)


def test_parameters_that_no_command_makes_are_not_simulated():
    """A billion states of a clock would take 8 GB of memory."""
    parameters = {
        "model": "clock",
        "states": 5,
        "shape": [4, 4],
        "coupling": 1.0,
        "algorithm": "auto",
        "samples": 9,
        "chains": 8,
        "seed": 0,
        "thermalization": "auto",
        "interval": "auto",
    }
    assert sampled_attributes(parameters)["shape"] == (4, 4)
    with pytest.raises(ValueError, match="no options lead"):
        sampled_attributes(parameters | {"states": 10**9})


def test_a_parameter_without_an_option_is_named():
    line = line_of("crossing", {"colour": "blue"}, Inputs({}, {}), "a.h5")
    assert line.remarks == ["No option gives the parameter colour = blue."]


def test_a_model_file_is_written_as_toml():
    """Values of all types come back; null stands for what a file leaves out."""
    table = {"a": 1e-05, "b": [[1, 2.5], []], "c c": {"d": 'x"\\\n'}, "e": True, "f": None}
    assert tomllib.loads("\n".join(toml_lines(table))) == json.loads(
        json.dumps({name: value for name, value in table.items() if value is not None})
    )


def test_long_lines_are_folded():
    """An option stays with its value, and the shell reads the same words."""
    line = shlex.join(["rsmi", "sample", *["--size", "64 x"] * 30])
    lines = folded(line).split(" \\\n    ")
    assert len(lines) > 3 and all(len(one) <= 92 for one in lines)
    assert all(one.startswith(("rsmi", "--size")) for one in lines)
    assert shlex.split(" ".join(lines)) == shlex.split(line)
