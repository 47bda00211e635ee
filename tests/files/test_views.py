"""Typed views say what the files say."""

import pickle

import numpy as np
import pytest
from example_files import PAIRS, even_rule

from rsmi.errors import DataError
from rsmi.lattice.geometry import Geometry
from rsmi.samples.files import open_file
from rsmi.samples.views import (
    ResultFile,
    SamplesFile,
    open_flow,
    open_machines,
    open_rule,
    open_samples,
)


def test_samples(pipeline):
    """Each property would be caught if it read another attribute or dataset of the file."""
    with open_samples(pipeline / "samples.h5") as samples:
        a = samples.file.attributes
        assert samples.path == pipeline / "samples.h5"
        assert (samples.model_name, samples.model.name) == ("ising", "ising")
        assert samples.model_parameters is None
        assert samples.shape == samples.original_shape == a["shape"]
        assert samples.dimension == len(a["shape"])
        assert samples.coupling == pytest.approx(a["coupling"], rel=0)
        assert samples.temperature == pytest.approx(1 / a["coupling"], rel=1e-12)
        assert (samples.rg_step, samples.scale_factor) == (0, 1.0)
        assert (samples.boundary, samples.periodic) == ("periodic", True)
        assert (samples.components, samples.chains) == (1, a["chains"])
        assert (samples.count, samples.row_bytes) == samples.file.shape("/spins")
        assert (samples.has_energy, samples.energy_type) == (True, "int64")
        assert not samples.has_mask
        assert samples.mask is None
        np.testing.assert_array_equal(samples.spins(3, 7), samples.file.read("/spins", 3, 7))
        np.testing.assert_array_equal(samples.energies(3, 7), samples.file.read("/energy", 3, 7))


def test_coarse_samples_and_several_components(pipeline):
    with open_samples(pipeline / "coarse.h5") as coarse:
        assert coarse.rg_step == 1
        assert coarse.scale_factor == coarse.original_shape[0] / coarse.shape[0] == 2
    with open_samples(pipeline / "dimers.h5") as dimers:
        assert dimers.components == dimers.file.attributes["components"] > 1


def test_trained_files(pipeline):
    """A theta and a lambda file of the same windows, their machines and rules."""
    with open_machines(pipeline / "theta.h5") as machines:
        assert machines.geometry == Geometry((2, 2), 1, 1)
        assert (machines.windows, machines.hidden, machines.epochs) == (2000, 4, 4)
        assert (machines.joint_visible, machines.block_visible) == (4 + 20, 4)
        weights, visible, hidden = machines.machine("joint")
        assert (weights.shape, visible.shape, hidden.shape) == ((24, 4), (24,), (4,))
        assert weights.dtype == np.float64
        assert machines.live_sites is None
    with open_rule(pipeline / "lambda.h5") as rule:
        assert (rule.block, rule.buffer, rule.environment) == ((2, 2), 1, 1)
        assert (rule.filters.shape, rule.bias.shape) == ((1, 4), (1,))
        assert (rule.objective, rule.estimator) == ("proxy", "pairs")
        assert rule.restart in (0, 1)
        assert len(rule.held_out) == rule.file.shape("/split/held_out")[0]
        assert len(rule.explained_by_units) == 1


def test_rule_of_products(tmp_path):
    """The file needs format 1.4 and has no /filters, which readers of earlier formats require; its
    rule says "all four spins are equal"."""
    with open_rule(even_rule(tmp_path / "even.h5")) as rule:
        assert rule.attributes["format_version"] == (1, 4)
        assert "/filters" not in rule.file
        assert (rule.sector, rule.products, rule.filters.shape) == ("even", PAIRS, (1, 6))
        np.testing.assert_array_equal(rule.forms[0], 0.5 * (1 - np.eye(4)))
        channel = rule.rule(hard=True).channel()
        np.testing.assert_array_equal(np.flatnonzero(channel[:, 1]), [0, 15])
    with open_rule(even_rule(tmp_path / "more.h5", (*PAIRS[:5], (0, 1, 2, 3)))) as rule:
        assert rule.products[-1] == (0, 1, 2, 3)
        assert rule.forms is None


@pytest.mark.parametrize(
    "sites",
    [
        [[0, 4]] + [[0, 1]] * 5,
        [[0, 0], [0, 1], [0, 2], [0, 3], [1, 2], [1, 3]],
        [[0, 1], [1, 0], [0, 2], [0, 3], [1, 2], [1, 3]],
        [[-1, 1], [1, 2], [0, 2], [0, 3], [1, -1], [1, 3]],
    ],
)
def test_impossible_products_are_refused(tmp_path, sites):
    path = even_rule(tmp_path / "even.h5", **{"/products/sites": np.array(sites)})
    with pytest.raises(DataError, match="different products of the 4 spins"), open_rule(path):
        pass


def test_rule_without_filters_is_refused(tmp_path):
    path = even_rule(tmp_path / "even.h5", **{"/filters": np.ones((1, 6))})
    with pytest.raises(DataError, match="different products"), open_rule(path):
        pass


def test_flow_and_results(pipeline):
    with open_flow(pipeline / "flow.h5") as flow:
        assert (flow.block, flow.steps, flow.count) == ((2, 2), 2, 2)
        assert [rule["name"] for rule in flow.rules] == ["majority"] * 2
        assert flow.hard
        assert flow.model.name == "ising"
        assert flow.known.critical_coupling is not None
        assert flow.has_records("tau_int")
        assert not flow.has_records("tau")
        np.testing.assert_array_equal(flow.records("rg_step"), [0, 0])
        assert flow.blocks("counts").sum() == 500
        assert flow.has_neighbourhoods
        assert flow.neighbourhoods("samples").sum() == 500
    for name in ("exponent.h5", "crossing.h5"):
        with open_file(pipeline / name) as file:
            assert "T_c" in ResultFile(file).result


def test_a_view_reads_what_a_pickled_file_reads(pipeline):
    """Tasks that go to other processes hold views."""
    with open_samples(pipeline / "samples.h5") as samples:
        copy = pickle.loads(pickle.dumps(samples))
        assert isinstance(copy, SamplesFile)
        np.testing.assert_array_equal(copy.spins(0, 2), samples.spins(0, 2))
