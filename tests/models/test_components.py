"""What a model describes and does not compute: its components with their constraints, and the
settings of training that it changes."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from rsmi import models
from rsmi.information.gauge import without_constraints
from rsmi.information.training import LambdaSettings
from rsmi.lattice.columns import Columns, Component
from rsmi.lattice.geometry import Geometry
from rsmi.models.base import TRAINING_SETTINGS, Model
from rsmi.samples.windows import WindowSet
from rsmi.stages.training.theta import MachineSchedule
from rsmi.store import open_file


class ColouredSpins(Model):
    """A site carries a colour of three, and a spin."""

    name = "coloured-spins"

    def components(self, attributes):
        return Component("colour", 3), Component("spin")


GEOMETRY = Geometry((2, 2), 0, 1, components=2)


def windows(columns: Columns, n: int) -> np.ndarray:
    """Values of every state of every column."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, columns.states, size=(n, len(columns)))
    return np.where(columns.states == 2, 2 * codes - 1, codes)


def test_columns_follow_from_the_description():
    """First the colours of all sites, then their spins: in this order windows are cut out."""
    columns = Columns.of_components(GEOMETRY.block_offsets, ColouredSpins().components({}))
    assert len(columns) == GEOMETRY.n_block == 8
    assert columns.states.tolist() == [3] * 4 + [2] * 4
    assert columns.component.tolist() == [0] * 4 + [1] * 4
    assert columns.n_features == 4 * 3 + 4
    np.testing.assert_array_equal(columns.offset[:4], columns.offset[4:])


def test_constraints_follow_from_the_description():
    """The features of each colour sum to zero in every window, and nothing else is fixed: without a
    constraint, or with one on a spin, the rank of the features differs."""
    columns = Columns.of_components(GEOMETRY.block_offsets, ColouredSpins().components({}))
    features = columns.one_hot(windows(columns, 500))
    constraints = ColouredSpins().constraints(GEOMETRY, {"components": 2})
    assert constraints.vectors.shape == (4, 16)
    np.testing.assert_allclose(features @ constraints.vectors.T, 0, atol=1e-12)
    rank = np.linalg.matrix_rank(np.cov(features.T), tol=1e-8)
    assert rank == columns.n_features - len(constraints.vectors)


def test_filters_without_constraints():
    """A filter and the same filter with other weights for "any colour" do the same, and have one
    form without constraints: the weights of each colour then sum to zero, those of the spins are
    unchanged."""
    columns = Columns.of_components(GEOMETRY.block_offsets, ColouredSpins().components({}))
    features = columns.one_hot(windows(columns, 100))
    constraints = ColouredSpins().constraints(GEOMETRY)
    rng = np.random.default_rng(1)
    filters, bias = rng.normal(size=(2, columns.n_features)), rng.normal(size=2)
    shifted = filters + rng.normal(size=(2, 4)) @ constraints.vectors
    fixed, fixed_bias = without_constraints(filters, bias, constraints)
    np.testing.assert_allclose(features @ fixed.T + fixed_bias, features @ filters.T + bias)
    np.testing.assert_allclose(without_constraints(shifted, bias, constraints)[0], fixed)
    np.testing.assert_allclose(fixed[:, :12].reshape(2, 4, 3).sum(axis=2), 0, atol=1e-12)
    np.testing.assert_allclose(fixed[:, 12:], filters[:, 12:])
    assert not np.allclose(fixed, filters)


@pytest.mark.parametrize("name", ["none", "ising"])
def test_binary_components_have_no_constraints(name):
    assert models.of({"model": name}).constraints(GEOMETRY) is None


@pytest.mark.parametrize(
    ("components", "names"),
    [
        (2, ("x-links", "y-links")),
        (4, ("vertices", "x-links", "y-links", "faces")),
        (1, ("component 1",)),
    ],
)
def test_components_of_dimers(components, names):
    described = models.get("dimers").components({"components": components})
    assert tuple(component.name for component in described) == names
    assert {component.states for component in described} == {2}


def test_columns_of_a_window_set(pipeline):
    with open_file(Path(pipeline / "samples.h5"), "samples") as file:
        chosen = WindowSet(file, Geometry((2, 2), 1, 1), 1600, 0)
        block, environment = chosen.columns
        assert (len(block), len(environment)) == (4, chosen.geometry.n_environment)
        np.testing.assert_array_equal(block.offset, chosen.geometry.block_offsets)
        np.testing.assert_array_equal(block.one_hot(chosen.all.blocks), chosen.all.blocks)


@pytest.mark.parametrize("states", [0, 1, 257])
def test_impossible_component(states):
    with pytest.raises(ValueError, match="colour needs 2 to 256 states"):
        Component("colour", states)


# ---- settings of training ------------------------------------------------------------------------


def test_settings_are_those_of_the_stages():
    """A name in the list that a stage does not know would be ignored."""
    schedule = {field.name for field in dataclasses.fields(MachineSchedule)}
    assert set(TRAINING_SETTINGS["train-theta"]) == schedule | {"monitored"}
    settings = {field.name for field in dataclasses.fields(LambdaSettings)}
    assert set(TRAINING_SETTINGS["train-lambda"]) <= settings


@pytest.mark.parametrize("stage", TRAINING_SETTINGS)
def test_unknown_setting_is_a_programming_error(stage):
    class Misspelt(Model):
        def training(self, *arguments):
            return {"learning_rat": 0.1}

    with pytest.raises(TypeError, match=rf"Misspelt.training: {stage} has no setting learning_rat"):
        Misspelt().checked_training(stage, GEOMETRY)


@pytest.mark.parametrize("name", models.built_in())
@pytest.mark.parametrize("objective", ["proxy", "logsum", "decoder"])
def test_settings_of_the_models(name, objective):
    for stage in TRAINING_SETTINGS:
        models.get(name).checked_training(stage, GEOMETRY, objective, "pairs")
