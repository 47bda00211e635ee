"""The command line that makes a file again, from the parameters that the file keeps.

Every parameter becomes an option, also where it is the default of this version. What has no option,
and what was read from a file whose name is not recorded, is said in a remark.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rsmi.foreign_text import printable
from rsmi.lattice.geometry import shape_text
from rsmi.reports import sampling_words
from rsmi.reports.option_words import number_text, option_words

Parameters = dict[str, Any]
_FORMATS = ("npy", "npz", "csv", "hdf5", "bits", "bytes")  # that `rsmi import --format` knows


@dataclass(frozen=True)
class Inputs:
    """What a command read.

    Attributes
    ----------
    names : mapping
        The names of all files by digest.
    commands : mapping
        The commands that made the inputs, by digest, in order.
    known : bool
        Whether the inputs are known.
    """

    names: Mapping[str, str]
    commands: Mapping[str, str]
    known: bool = True

    def made_by(self, *commands: str) -> list[str]:
        """The names of the inputs that such commands made."""
        return [self.name(one) for one, command in self.commands.items() if command in commands]

    def but_rules(self, parameters: Mapping[str, Any]) -> list[str]:
        """The names of the inputs that are no rules; a word that stands for them if they are not
        known."""
        rules = set(rule_digests(parameters))
        names = [self.name(one) for one in self.commands if one not in rules]
        return names if self.known else ["SAMPLES.h5"]

    def name(self, digest: str) -> str:
        """A name that no shell and no option parser takes for an option."""
        name = self.names.get(digest) or f"{digest[:8]}.h5"
        return f"./{name}" if name.startswith("-") else name


@dataclass
class Line:
    """A command line: the lines that prepare it, its words, and what is not known."""

    before: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def lines(self) -> tuple[str, ...]:
        """All lines of the shell."""
        return *self.before, shlex.join(self.words)

    def option(self, name: str, value: Any) -> None:
        """Add an option, unless it has no value."""
        self.words += option_words(name, value)

    def file(self, name: str, rows: Sequence[Sequence[Any]]) -> str:
        """Prepare a CSV file with such rows; return its name."""
        lines = [",".join(map(number_text, row)) for row in rows]
        self.before.append(f"printf '%s\\n' {shlex.join(lines)} > {shlex.quote(name)}")
        return name


def rule_digests(parameters: Mapping[str, Any]) -> list[str]:
    """The digests of learned rules among parameters, each once."""
    entries = [parameters.get("rule"), *_list(parameters, "rules"), *_list(parameters, "functions")]
    found = [one["digest"] for one in entries if isinstance(one, dict) and "digest" in one]
    return list(dict.fromkeys(found))


def _list(parameters: Mapping[str, Any], name: str) -> list[Any]:
    value = parameters.get(name)
    return value if isinstance(value, list) else []


# ---- one command ---------------------------------------------------------------------------------


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
    line, rest = Line(words=["rsmi", command]), dict(parameters)
    if command not in _WORDS:
        line.remarks.append(f"This version has no command 'rsmi {printable(command)}'.")
        return line
    try:
        _WORDS[command](line, rest, inputs)
        for name, value in _left(rest):
            line.remarks.append(f"No option gives the parameter {name} = {number_text(value)}.")
    except Exception:  # of what a stranger wrote, any type and value may be wrong
        line.words = ["rsmi", command]
        text = number_text(dict(parameters))
        line.remarks.append(f"These parameters have no command line of this version: {text}.")
    if shard is not None:
        line.option("shard", "/".join(map(str, shard)))
    line.words += ["-o", f"./{output}" if output.startswith("-") else output]
    return line


def _left(rest: Parameters) -> Iterator[tuple[str, Any]]:
    """The parameters that no option has taken; what is off needs none."""
    return ((printable(name), one) for name, one in rest.items() if one not in (None, False))


def _plain(line: Line, rest: Parameters, *names: str) -> None:
    """Options that have the names of parameters."""
    for name in names:
        line.option(name, rest.pop(name, None))


def _sample(line: Line, rest: Parameters, inputs: Inputs) -> None:
    ladder = rest.pop("ladder", None)
    line.words += sampling_words.of_sample(rest)
    rest.clear()
    if ladder is not None:
        temperatures = ", ".join(f"{1 / coupling:.6g}" for coupling in ladder)
        line.remarks.append(
            "This is one temperature of a ladder, which 'rsmi sample --temper' makes as a whole:"
            f" give --temper with T = {temperatures} J/k_B in place of --coupling."
        )


def _import(line: Line, rest: Parameters, inputs: Inputs) -> None:
    line.words += inputs.made_by("source")
    if rest.pop("mask", None) is not None:
        line.option("mask", "MASK.npy")
        line.remarks.append("The file of the mask is not recorded: MASK.npy stands for it.")
    form = rest.pop("format")
    line.option("format", form if form in _FORMATS else None)
    one_after_another = rest.pop("one_after_another", False)
    line.option("chain_order", "sequential" if one_after_another else "turns")
    line.option("shape", _shape(rest.pop("shape")))
    for name in ("dataset", "select"):
        value = rest.pop(name, None)
        for one in value if isinstance(value, list) else [value]:
            line.option(name, one)
    rest.pop("files", None)
    cell = rest.pop("cell", None)
    if cell is not None:
        line.remarks.append(f"The mask has a cell of {_shape(cell)} sites.")
    line.option(*_state_point(rest.pop("coupling", None)))
    _plain(line, rest, "model", *list(rest))
    line.remarks.append(
        "The names of imported files are not recorded: names that begin with FILE stand for them."
    )


def _state_point(coupling: float | None) -> tuple[str, Any]:
    """The temperature if it gives the same digits: files that say their own refuse a coupling."""
    if coupling and 1 / (1 / coupling) == coupling:
        return "temperature", repr(1 / coupling)
    return "coupling", coupling


def _geometry(line: Line, rest: Parameters) -> None:
    sites, block = rest.pop("sites", None), rest.pop("block", None)
    name = None if sites is None else line.file("block.csv", sites)
    line.option("block", name or _shape(block))
    _plain(line, rest, "buffer", "environment", "metric")


def _train_theta(line: Line, rest: Parameters, inputs: Inputs) -> None:
    line.words += inputs.but_rules(rest)
    _geometry(line, rest)
    persistent = rest.pop("persistent")
    line.words.append("--persistent" if persistent else "--no-persistent")
    _plain(line, rest, "windows", "hidden", "cd_steps", "epochs", "learning_rate", "seed")


def _train_lambda(line: Line, rest: Parameters, inputs: Inputs) -> None:
    theta = inputs.made_by("train-theta")
    line.words += [name for name in inputs.but_rules(rest) if name not in theta]
    for name in theta:
        line.option("theta", name)
    _geometry(line, rest)
    several = rest.get("hidden_states") is not None
    bias = rest.pop("bias", None)
    line.option("bias", bias if several or bias == "free" else None)
    if rest.get("objective") == "canonical":
        rest.pop("restarts", None)
    _plain(line, rest, *list(rest))


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
        return line.file(f"filter-{number}.csv", rule["filters"])
    return rule["name"]


def _coarse_grain(line: Line, rest: Parameters, inputs: Inputs) -> None:
    line.words += inputs.but_rules(rest)
    _rules(line, rest, inputs)
    _plain(line, rest, "steps", "seed")


def _flow(line: Line, rest: Parameters, inputs: Inputs) -> None:
    sampled = rest.pop("sampled", None)
    line.words += [] if sampled else inputs.but_rules(rest)
    line.words += sampling_words.of_ensembles(sampled, rest.get("seed")) if sampled else []
    _rules(line, rest, inputs)
    _plain(line, rest, "steps", "seed")


def _exponent(line: Line, rest: Parameters, inputs: Inputs) -> None:
    line.words += inputs.made_by("flow")
    _plain(line, rest, "critical_temperature", "step")


def _crossing(line: Line, rest: Parameters, inputs: Inputs) -> None:
    line.words += inputs.but_rules(rest)


def _spectrum(line: Line, rest: Parameters, inputs: Inputs) -> None:
    sampled = rest.pop("sampled", None)
    line.words += [] if sampled else inputs.but_rules(rest)
    if sampled:
        line.words += sampling_words.of_sizes(sampled, rest.get("seed"))
    functions = rest.pop("functions")
    names = [_function(line, one, number, inputs) for number, one in enumerate(functions, 1)]
    for name in dict.fromkeys(names):
        line.option("function", name)
    for name in ("block", "readout"):
        values = {number_text(one[name]) for one in functions if name in one}
        if len(values) > 1:
            line.remarks.append(f"The functions differ in {name}, which no option says.")
        one = next((one[name] for one in functions if name in one), None)
        line.option(name, _shape(one) if name == "block" else one)
    _plain(line, rest, "modes", "omega", "correlation", "seed")


def _function(line: Line, function: Mapping[str, Any], number: int, inputs: Inputs) -> str:
    return _rule(line, function, number, inputs)


def _shape(shape: Any) -> str | None:
    return None if shape is None else shape_text(tuple(shape))


_WORDS: dict[str, Callable[[Line, Parameters, Inputs], None]] = {
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
