"""The options of sampling, from checked parameters.

The options of a model are data, and so is the state point. Options are proposed, and those are
taken that lead to the same parameters again; so a model's parameters need no second description.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rsmi import models
from rsmi.errors import RsmiError
from rsmi.lattice.geometry import shape_text
from rsmi.models.base import Model, Option
from rsmi.reports.option_words import option_words
from rsmi.stages.chains import parameters_of

_SCHEDULE = ("thermalization", "interval")


def of_sample(parameters: Mapping[str, Any]) -> list[str]:
    """The options of ``rsmi sample`` with such parameters.

    Raises
    ------
    ValueError
        If no options lead to these parameters.
    """
    return _words(_request(parameters))


def of_ensembles(sampled: Sequence[Mapping[str, Any]], seed: Any) -> list[str]:
    """The options of ``rsmi flow`` that sample so: ensembles that differ in their state point."""
    requests = [_request({**one, "seed": seed}) for one in sampled]
    points = [(one.pop("temperature"), one.pop("coupling")) for one in requests]
    if any(one != requests[0] for one in requests):
        raise ValueError("ensembles differ in more than their temperature")
    words = _words(requests[0], seed=False)
    for temperature, coupling in points:
        words += option_words("temperature", temperature) + option_words("coupling", coupling)
    return words


def of_sizes(sampled: Sequence[Mapping[str, Any]], seed: Any) -> list[str]:
    """The options of ``rsmi spectrum`` that sample so: ensembles that differ in their size."""
    requests = [_request({**one, "seed": seed}) for one in sampled]
    shapes = [one.pop("shape") for one in requests]
    if len({one["chains"] for one in requests}) > 1:
        for one, shape, parameters in zip(requests, shapes, sampled):
            one["chains"] = None  # the default, which depends on the size
            if parameters_of(**one, shape=shape)["chains"] != parameters["chains"]:
                raise ValueError("ensembles differ in their number of chains")
    if any(one != requests[0] for one in requests) or any(len(set(one)) > 1 for one in shapes):
        raise ValueError("ensembles differ in more than their size")
    sizes = ",".join(str(shape[0]) for shape in shapes)
    return ["--dimension", str(len(shapes[0])), "--sizes", sizes, *_words(requests[0], seed=False)]


# ---- requests ------------------------------------------------------------------------------------


def _request(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The request that leads to checked parameters, see `rsmi.stages.chains.parameters_of`."""
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


def _words(request: Mapping[str, Any], seed: bool = True) -> list[str]:
    """The options of a request, the model first."""
    words = ["--model", request["model"]]
    if "shape" in request:
        words += ["--dimension", str(len(request["shape"]))]
        words += ["--size", shape_text(request["shape"])]
    for name, value in request.items():
        if name not in ("model", "shape") and (seed or name != "seed"):
            for one in value if isinstance(value, tuple) else [value]:
                words += option_words(name, one)
    return words
