"""The options of sampling, from checked parameters.

The options of a model are data, and so is the state point. Options are proposed, and those are
taken that lead to the same parameters again; so a model's parameters need no second description.
"""

from __future__ import annotations

import itertools
import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rsmi import models
from rsmi.errors import RsmiError
from rsmi.lattice.geometry import shape_text
from rsmi.models.base import Model, Option
from rsmi.reports.option_words import option_words
from rsmi.samples.attributes import stored_attributes
from rsmi.stages.chains import parameters_of, simulation_of
from rsmi.stages.spectrum.allocation import samples_of

_SCHEDULE = ("thermalization", "interval")


@dataclass(frozen=True)
class Words:
    """The options of sampling, and the text of the model file that they name, if they name one."""

    options: list[str]
    model_file: list[str] | None = None


def of_sample(parameters: Mapping[str, Any], model_file: str) -> Words:
    """The options of ``rsmi sample`` with such parameters; ``model_file`` is the name of the model
    file if there must be one.

    Raises
    ------
    ValueError
        If no options lead to these parameters.
    """
    request = _request(parameters, model_file)
    return _words(request, request, parameters)


def of_ladder(parameters: Mapping[str, Any], model_file: str) -> tuple[Words, str]:
    """The options of ``rsmi sample --temper`` that make such samples with all other temperatures of
    their ladder, and the temperature as it is written there."""
    request = _request(parameters, model_file)
    texts = [repr(1 / coupling) for coupling in parameters["ladder"]]
    if [1 / float(text) for text in texts] != parameters["ladder"]:
        raise ValueError("temperatures and couplings differ in the last digit")
    words = _words(request | {"temperature": None, "coupling": None}, request, parameters)
    place = parameters["ladder"].index(parameters["coupling"])
    return Words([*words.options, "--temper", ",".join(texts)], words.model_file), texts[place]


def of_ensembles(sampled: Sequence[Mapping[str, Any]], seed: Any, model_file: str) -> Words:
    """The options of ``rsmi flow`` that sample so: ensembles that differ in their state point."""
    requests = [_request({**one, "seed": seed}, model_file) for one in sampled]
    points = [(one.pop("temperature"), one.pop("coupling")) for one in requests]
    if any(one != requests[0] for one in requests):
        raise ValueError("ensembles differ in more than their temperature")
    words = _words(_without(requests[0], "seed"), requests[0], sampled[0])
    for temperature, coupling in points:
        words.options.extend(option_words("temperature", temperature))
        words.options.extend(option_words("coupling", coupling))
    return words


def of_sizes(sampled: Sequence[Mapping[str, Any]], seed: Any, model_file: str) -> Words:
    """The options of ``rsmi spectrum`` that sample so: ensembles that differ in their size, and by
    that in the number of samples and of chains."""
    requests = [_request({**one, "seed": seed}, model_file) for one in sampled]
    shapes = [one.pop("shape") for one in requests]
    sizes, dimension = [shape[0] for shape in shapes], len(shapes[0])
    most = requests[-1]["samples"]
    counts = [samples_of(size, sizes, most, dimension) for size in sizes]
    if [one["samples"] for one in requests] != counts or any(len({*one}) > 1 for one in shapes):
        raise ValueError("no option gives these lattices or numbers of samples")
    for one, shape, parameters in zip(requests, shapes, sampled):
        one["samples"] = most
        default = parameters_of(**one | {"shape": shape, "chains": None})["chains"]
        one["chains"] = None if default == parameters["chains"] else parameters["chains"]
    if any(one != requests[0] for one in requests):
        raise ValueError("ensembles differ in more than their size")
    lattices = {"dimension": dimension, "sizes": ",".join(map(str, sizes))}
    return _words(_without(requests[0], "seed") | lattices, requests[0], sampled[0])


def _without(request: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in request.items() if name not in names}


def sampled_attributes(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of the samples file that checked parameters make, as far as they say its
    lattice and its state point.

    Raises
    ------
    ValueError
        If no options of a named model lead to these parameters: a simulation of what is not
        checked could take any time and memory.
    """
    if models.is_file(_request(parameters, models.SUFFIX)["model"]):
        raise ValueError("the model has no name")
    attributes = simulation_of(parameters).attributes()
    return {**stored_attributes(attributes), "shape": tuple(parameters["shape"])}


# ---- requests ------------------------------------------------------------------------------------


def _request(parameters: Mapping[str, Any], model_file: str) -> dict[str, Any]:
    """The request that leads to checked parameters, see `rsmi.stages.chains.parameters_of`; the
    model is ``model_file`` if the parameters describe one that has no name."""
    wanted = {name: value for name, value in parameters.items() if name != "ladder"}
    fixed = {
        "algorithm": parameters["algorithm"],
        "boundary": parameters.get("boundary", "periodic"),
        "samples": parameters["samples"],
        "chains": parameters["chains"],
        "seed": parameters["seed"],
        "shape": tuple(parameters["shape"]),
        **{name: None if parameters[name] == "auto" else parameters[name] for name in _SCHEDULE},
    }
    for name, own, point in _proposals(parameters):
        request = {"model": name, **fixed, **own, **point}
        try:
            if parameters_of(**request) == wanted:
                return request
        except RsmiError:
            continue
    if "definition" in parameters:
        point = {"temperature": None, "coupling": parameters.get("coupling")}
        return {"model": model_file, **fixed, **point}
    raise ValueError("no options lead to these parameters")


def _proposals(
    parameters: Mapping[str, Any],
) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Models, values of their own options, and state points."""
    for name in _names(parameters):
        model = models.get(name)
        for own in _own_options(model, parameters):
            for temperature, coupling in _state_points(parameters):
                yield name, own, {"temperature": temperature, "coupling": coupling}


def _names(parameters: Mapping[str, Any]) -> list[str]:
    """The model that the parameters name; of one that a definition describes, all named ones."""
    return [*models.presets()] if "definition" in parameters else [parameters["model"]]


def _own_options(model: Model, parameters: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Values of the options of a model: each as it is found, or left out."""
    found = {option.name: _found(option, parameters) for option in model.options}
    values = [
        list(dict.fromkeys([_value(option, found[option.name]), _absent(option)]))
        for option in model.options
    ]
    names = [option.name.replace("-", "_") for option in model.options]
    for chosen in itertools.product(*values):
        yield dict(zip(names, chosen))


def _absent(option: Option) -> Any:
    """The value of an option that is not given."""
    return False if option.type == "flag" else () if option.multiple else option.default


def _value(option: Option, found: Any) -> Any:
    if option.type == "flag":
        return True
    if option.multiple:
        pairs = found.items() if isinstance(found, dict) else ()
        return tuple(f"{name}={value!r}" for name, value in pairs)
    return _absent(option) if found is None else str(found) if option.type == "text" else found


def _found(option: Option, parameters: Mapping[str, Any]) -> Any:
    """The value of an option among parameters, or in a table of them."""
    tables = [parameters, *(one for one in parameters.values() if isinstance(one, dict))]
    name = "couplings" if option.multiple else option.name
    for key in (name, name.replace("-", "_")):
        for table in tables:
            if key in table:
                return table[key]
    return None


def _state_points(parameters: Mapping[str, Any]) -> Iterator[tuple[str | None, float | None]]:
    """Temperature and coupling, one of them or neither."""
    coupling = parameters.get("coupling")
    if coupling:
        yield None, coupling
        strength = abs(parameters.get("interaction", 1.0))
        yield repr(strength / abs(coupling)), None
    yield None, None
    if coupling is not None:
        yield None, coupling


# ---- words ---------------------------------------------------------------------------------------


def _words(
    shown: Mapping[str, Any], request: Mapping[str, Any], parameters: Mapping[str, Any]
) -> Words:
    """The options of what is shown of a request, the model first."""
    options = ["--model", request["model"]]
    if "shape" in shown:
        options += ["--dimension", str(len(shown["shape"])), "--size", shape_text(shown["shape"])]
    for name, value in _without(shown, "model", "shape").items():
        for one in value if isinstance(value, tuple) else [value]:
            options += option_words(name, one)
    if not models.is_file(request["model"]):
        return Words(options)
    return Words(options, toml_lines(parameters["definition"]))


def toml_lines(table: Mapping[str, Any]) -> list[str]:
    """The lines of a TOML file with such JSON values; null is left out.

    Raises
    ------
    ValueError
        If they have no such form.
    """
    present = {name: value for name, value in table.items() if value is not None}
    lines = [f"{json.dumps(name)} = {_toml(value)}" for name, value in present.items()]
    if tomllib.loads("\n".join(lines)) != present:
        raise ValueError("these values have no form in TOML")
    return lines


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(key)} = {_toml(one)}' for key, one in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value)
