"""Pilot runs whose series never change, and Metropolis where it flips nearly all spins in every
sweep."""

import json
import logging
import math

import numpy as np
import pytest

from rsmi.models.ising.simulation import parameters, simulation_of
from rsmi.models.schedule import pilot, schedule_from
from rsmi.statistics.summary import average_summary

AUTO = {"thermalization": "auto", "interval": "auto"}
FIRST = 32  # sweeps


class Recorded:
    """A simulation whose series are given by a function of the number of sweeps."""

    pilot_sweeps = (FIRST, 1 << 30)

    def __init__(self, series):
        self._series, self.lengths = series, []

    def clusters_per_sweep(self):
        return 1

    def start(self, *_):
        return {}

    def advance(self, *_):
        pass

    def series(self, state, sweeps, clusters):
        self.lengths.append(sweeps)
        return self._series(sweeps)


def noise(sweeps):
    return np.random.default_rng(sweeps).normal(size=(4, sweeps))


def test_constant_series_have_an_unknown_time(caplog):
    """The run is made longer, within a bound; then a warning says that nothing changed."""
    simulation = Recorded(lambda sweeps: [np.full((4, sweeps), -7.0), np.ones((4, sweeps))])
    with caplog.at_level(logging.WARNING, "rsmi"):
        measured = pilot(simulation)
    assert math.isnan(measured["tau"])
    assert simulation.lengths == [FIRST << doubling for doubling in range(7)]
    assert f"ever changed in a pilot of {FIRST << 6} sweeps" in caplog.text
    assert schedule_from(AUTO, measured).thermalization == 100


def test_series_that_begin_to_change_are_measured(caplog):
    """A chain that leaves its start after 300 sweeps is not taken for an independent one."""

    def series(sweeps):
        return [np.where(np.arange(sweeps) < 300, 0.0, noise(sweeps))]

    measured = pilot(Recorded(series))
    assert measured["sweeps"] > 300 and measured["tau"] > 0
    assert "ever changed" not in caplog.text


def test_one_constant_series_beside_another_is_no_reason_to_doubt(caplog):
    measured = pilot(Recorded(lambda sweeps: [noise(sweeps), np.ones((4, sweeps))]))
    assert measured["tau"] == pytest.approx(0.5, abs=0.1)
    assert not caplog.text


@pytest.mark.parametrize(
    "words",
    [
        "sample --size 8x8x8 --dimension 3 --coupling 2e-5",
        "sample --size 6 --dimension 1 --temperature 1001",
        "flow --model ising --size 16 --temperature 1e6 --rule majority --steps 1",
    ],
)
def test_metropolis_at_infinite_temperature_is_refused(words, workplace, here):
    line = [*words.split(), "--samples", 64, "-o", "out.h5"]
    result = here(*line, "--algorithm", "metropolis")
    assert result.code == 2
    assert "below K = 0.001 take --algorithm heat-bath, or auto" in result.sentence
    assert here(*line, "--algorithm", "heat-bath").code == 0


@pytest.mark.parametrize("layout", ["plain", "replicas"])
def test_metropolis_at_high_temperature(layout):
    """At K = 0.002 the energy per site is -2 tanh K + O(K^3). The pilot must find tau near 50
    sweeps; a frozen chain from the cold start would have -2, and chains of the automatic schedule
    of independent samples would be 60 errors off."""
    chains = {"plain": 8, "replicas": 512}[layout]
    request = parameters((10, 10), 0.002, "metropolis") | {"seed": 3, "chains": chains}
    simulation = simulation_of(request)
    assert simulation.layout == layout
    schedule = schedule_from(AUTO, pilot(simulation))
    assert 60 < schedule.interval < 200
    state, count = simulation.start(*range(simulation.chains_per_task)), 1024
    simulation.advance(state, schedule.thermalization, 0, simulation.chains_per_task)
    energy = simulation.advance(state, schedule.updates, 0, count)["energy"] / 100
    error = math.sqrt(2 / 100 / count) * 1.3  # the autocorrelation time is up to 0.66 intervals
    assert abs(energy.mean() + 2 * math.tanh(0.002)) < 4 * error


def test_times_of_constant_samples_are_unknown(workplace, here):
    """They are no numbers in JSON."""
    line = "sample --size 6 --temperature 0.2 --thermalization 0 --interval 1 --samples 32"
    assert here(*line.split(), "-o", "cold.h5").code == 0
    numbers = json.loads(here("info", "cold.h5", "--json").out)
    assert numbers["tau_int"] is None and numbers["tau_int_magnetization"] is None
    assert numbers["energy"] == -2 and numbers["energy_error"] == 0
    summary = average_summary({"a": np.ones(20), "b": np.arange(20.0)}, 2)
    assert summary["tau_int_a"] is None and summary["tau_int_b"] > 0.5
