"""Every model that can be sampled passes the contract."""

import inspect
from pathlib import Path

import pytest
from conftest import module_of

from rsmi import models

HERE = Path(__file__).parent


def check_registration(model: str) -> None:
    """A model has a class of the contract in a file of its name; those that a model file defines
    are together."""
    name = "lattice" if model in models.presets() else model
    path = HERE / f"test_{name.replace('-', '_')}.py"
    assert path.exists(), (
        f"--model {model} is registered, but no contract holds it: write tests/models/{path.name}"
        " with a class that derives from ModelContract (CONTRIBUTING.md, 'Add a model')"
    )
    classes = [value for value in vars(module_of(path)).values() if inspect.isclass(value)]
    assert model in {getattr(one, "model", None) for one in classes}, (
        f"tests/models/{path.name} has no class with model = {model!r}"
    )


@pytest.mark.parametrize("model", models.names())
def test_every_model_is_registered(model):
    check_registration(model)


def test_a_model_without_a_registration_is_named():
    """Without this the test above could pass by looking at nothing."""
    with pytest.raises(AssertionError, match=r"--model heisenberg is registered, but no contract"):
        check_registration("heisenberg")
