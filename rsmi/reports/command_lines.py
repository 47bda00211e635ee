"""The command line that makes a file again, from the parameters that the file keeps.

Every parameter becomes an option, also where it is the default of this version. What has no option,
and what was read from a file whose name is not recorded, is said in a remark.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rsmi.foreign_text import printable
from rsmi.lattice.geometry import shape_text
from rsmi.reports import sampling_words
from rsmi.reports.option_words import number_text
from rsmi.reports.shell_line import MODEL_FILE, Inputs, Line, path_word
from rsmi.store import canonical_json, text_digest

Parameters = dict[str, Any]
# Options of import and train-lambda with the names of their parameters.
_OF_IMPORT = (
    *("boundary", "symmetric", "values", "states", "components", "component_axis", "axes"),
    *("columns", "header", "bit_order", "discard", "trust"),
)
_OF_RULES = (
    *("windows", "hidden", "hidden_states", "filters", "objective", "estimator", "restarts"),
    *("updates", "learning_rate", "sector", "pairs_within", "decoder_units"),
    *("environment_features", "seed"),
)
_FORMATS = ("npy", "npz", "csv", "hdf5", "bits", "bytes")  # that `rsmi import --format` knows


def line_of(
    command: str,
    parameters: Mapping[str, Any],
    inputs: Inputs,
    output: str,
    shard: Sequence[int] | None = None,
) -> Line:
    """The command line that makes a file.

    Parameters
    ----------
    command : str
    parameters : mapping
    inputs : Inputs
    output : str
    shard : (int, int), optional
        Number and count, if the file is a shard.
    """
    line, rest = Line(output, ["rsmi", command]), dict(parameters)
    if command not in WORDS:
        line.remarks.append(f"This version has no command 'rsmi {printable(command)}'.")
        return line
    try:
        WORDS[command](line, rest, inputs)
        for name, value in _left(rest):
            line.remarks.append(f"No option gives the parameter {name} = {number_text(value)}.")
    except Exception:  # of what a stranger wrote, any type and value may be wrong
        line = Line(output, ["rsmi", command])
        text = number_text(dict(parameters))
        line.remarks.append(f"These parameters have no command line of this version: {text}.")
    if shard is not None:
        line.option("shard", "/".join(map(str, shard)))
    return line


def _left(rest: Parameters) -> Iterator[tuple[str, Any]]:
    """The parameters that no option has taken; what is off needs none."""
    return ((printable(name), one) for name, one in rest.items() if one not in (None, False))


def _plain(line: Line, rest: Parameters, *names: str) -> None:
    """Options that have the names of parameters."""
    for name in names:
        line.option(name, rest.pop(name, None))


def _sample(line: Line, rest: Parameters, inputs: Inputs) -> None:
    if "ladder" in rest:
        _ladder(line, rest)
    else:
        line.sampling(sampling_words.of_sample(rest, line.own_file(MODEL_FILE)))
    rest.clear()


def _ladder(line: Line, rest: Parameters) -> None:
    """The command that makes all temperatures of a ladder. Its lines are the same for all of them
    if their names differ in the temperature only; else the files get their names afterwards."""
    whole = {name: value for name, value in rest.items() if name != "coupling"}
    name = f"ladder-{text_digest(canonical_json(whole))[:8]}"
    words, temperature = sampling_words.of_ladder(rest, f"{name}-{MODEL_FILE}")
    made = f"{name}-{temperature}.h5"
    if temperature in line.output:
        name, made = line.output.replace(temperature, ""), line.output
        line.output = line.output.replace(temperature, "{T}")
    else:
        line.after.append(shlex.join(["mv", made, path_word(line.output)]))
        line.output = f"{name}-{{T}}.h5"
    line.words += words.options
    if words.model_file is not None:
        line.text(f"{name}-{MODEL_FILE}", words.model_file)


def _import(line: Line, rest: Parameters, inputs: Inputs) -> None:
    line.words += inputs.made_by("source")
    if rest.pop("mask", None) is not None:
        line.option("mask", "MASK.npy")
        line.remarks.append("The file of the mask is not recorded: MASK.npy stands for it.")
    rest.pop("cell", None)
    form, axes = rest.pop("format"), rest.get("axes") or ""
    line.option("format", form if form in _FORMATS else None)
    _chains(line, rest, axes.split(","))
    shape = rest.pop("shape")
    line.option("shape", None if axes and "site" not in axes.split(",") else _shape(shape))
    for name in ("dataset", "select"):
        value = rest.pop(name, None)
        for one in value if isinstance(value, list) else [value]:
            line.option(name, one)
    line.option(*_state_point(rest.pop("coupling", None)))
    _plain(line, rest, "model", *_OF_IMPORT)
    line.remarks.append(
        "The names of imported files are not recorded: names that begin with FILE stand for them."
    )


def _chains(line: Line, rest: Parameters, axes: Sequence[str]) -> None:
    """The chains of every file, unless an axis counts them."""
    chains, one_after_another = rest.pop("chains"), rest.pop("one_after_another", False)
    files = rest.pop("files", 1)
    if "chain" not in axes:
        line.option("chains", chains // files)
        line.option("chain_order", "sequential" if one_after_another else "turns")


def _state_point(coupling: float | None) -> tuple[str, Any]:
    """The temperature if it gives the same digits: files that say their own refuse a coupling."""
    if coupling and 1 / (1 / coupling) == coupling:
        return "temperature", repr(1 / coupling)
    return "coupling", coupling


def _geometry(line: Line, rest: Parameters) -> None:
    sites, block = rest.pop("sites", None), rest.pop("block", None)
    name = None if sites is None else line.table("block.csv", sites)
    line.option("block", name or _shape(block))
    _plain(line, rest, "buffer", "environment", "metric")


def _train_theta(line: Line, rest: Parameters, inputs: Inputs) -> None:
    line.words += inputs.but_rules(rest)
    _geometry(line, rest)
    persistent = rest.pop("persistent")
    line.words.append("--persistent" if persistent else "--no-persistent")
    _plain(line, rest, "windows", "hidden", "cd_steps", "epochs", "learning_rate", "seed")


def _train_lambda(line: Line, rest: Parameters, inputs: Inputs) -> None:
    theta = inputs.made_by("train-theta") if inputs.known else []
    line.words += [name for name in inputs.but_rules(rest) if name not in theta]
    for name in theta:
        line.option("theta", name)
    _geometry(line, rest)
    several = rest.get("hidden_states") is not None
    bias = rest.pop("bias", None)
    line.option("bias", bias if several or bias == "free" else None)
    if rest.get("objective") == "canonical":
        rest.pop("restarts", None)
    _plain(line, rest, *_OF_RULES)


def _rules(line: Line, rest: Parameters, inputs: Inputs) -> None:
    """``--rule``, ``--block``, ``--hard`` and ``--bias``."""
    rules = [rest.pop("rule")] if "rule" in rest else rest.pop("rules")
    for number, rule in enumerate(rules, 1):
        line.option("rule", _rule(line, rule, number, inputs))
    line.option("block", _shape(rules[0]["block"]))
    own = [rule for rule in rules if "digest" in rule or rule["name"] == "filter"]
    line.option("hard", any(rule["hard"] for rule in own))
    if len({rule["hard"] for rule in own}) > 1:
        line.remarks.append("Some rules are hard and some are soft, which no option says.")
    biases = [rule["bias"] for rule in own if any(rule.get("bias", ()))]
    line.option("bias", ",".join(map(number_text, biases[0])) if biases else None)


def _rule(line: Line, rule: Mapping[str, Any], number: int, inputs: Inputs) -> str:
    if "digest" in rule:
        return inputs.name(rule["digest"])
    if rule["name"] == "filter":
        return line.table(f"filter-{number}.csv", rule["filters"])
    return rule["name"]


def _coarse_grain(line: Line, rest: Parameters, inputs: Inputs) -> None:
    line.words += inputs.but_rules(rest)
    _rules(line, rest, inputs)
    _plain(line, rest, "steps", "seed")


def _flow(line: Line, rest: Parameters, inputs: Inputs) -> None:
    sampled = rest.pop("sampled", None)
    if sampled:
        name = line.own_file(MODEL_FILE)
        line.sampling(sampling_words.of_ensembles(sampled, rest.get("seed"), name))
    else:
        line.words += inputs.but_rules(rest)
    _rules(line, rest, inputs)
    _plain(line, rest, "steps", "seed")


def _exponent(line: Line, rest: Parameters, inputs: Inputs) -> None:
    line.words += inputs.made_by("flow")
    _plain(line, rest, "critical_temperature", "step")


def _crossing(line: Line, rest: Parameters, inputs: Inputs) -> None:
    line.words += inputs.but_rules(rest)


def _spectrum(line: Line, rest: Parameters, inputs: Inputs) -> None:
    sampled = rest.pop("sampled", None)
    if sampled:
        name = line.own_file(MODEL_FILE)
        line.sampling(sampling_words.of_sizes(sampled, rest.get("seed"), name))
    else:
        line.words += inputs.but_rules(rest)
    functions = rest.pop("functions")
    options = [
        (one.get("sector", "function"), _rule(line, one, number, inputs))
        for number, one in enumerate(functions, 1)
    ]
    for option, name in dict.fromkeys(options):
        line.option(option, name)
    for name in ("block", "readout"):
        values = {number_text(one[name]) for one in functions if name in one}
        if len(values) > 1:
            line.remarks.append(f"The functions differ in {name}, which no option says.")
        one = next((one[name] for one in functions if name in one), None)
        line.option(name, _shape(one) if name == "block" else one)
    _plain(line, rest, "modes", "omega", "correlation", "seed")


def _shape(shape: Any) -> str | None:
    return None if shape is None else shape_text(tuple(shape))


# What fills the command line of each command that makes files from others or from nothing.
WORDS: dict[str, Callable[[Line, Parameters, Inputs], None]] = {
    "sample": _sample,
    "import": _import,
    "train-theta": _train_theta,
    "train-lambda": _train_lambda,
    "coarse-grain": _coarse_grain,
    "flow": _flow,
    "exponent": _exponent,
    "crossing": _crossing,
    "spectrum": _spectrum,
}
