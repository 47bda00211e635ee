"""Ising samples of the bit-sliced sampler: which lattices it takes, resumed, grown and threaded,
beside older files, exact energies."""

import contextlib
from pathlib import Path

import numpy as np
import pytest
from conftest import by_default, digest
from example_files import numbers_of

from rsmi.models.ising import bitsliced
from rsmi.models.ising import torus as kaufman
from rsmi.models.ising.bitsliced import seed
from rsmi.models.ising.facts import critical_coupling
from rsmi.models.ising.simulation import simulation_of
from rsmi.store import open_file

STRIP = (
    "sample --size 16x128 --temperature Tc --algorithm heat-bath --thermalization 4 --interval 2"
    " --chains 3 --samples 60".split()
)


@pytest.fixture
def older(monkeypatch):
    """A context that samples as before there were strips."""

    @contextlib.contextmanager
    def version():
        with monkeypatch.context() as patch:
            patch.setattr(bitsliced, "fits_strip", lambda shape: False)
            yield

    return version


def simulation(shape, algorithm="heat-bath", coupling=0.4, chains=8):
    return simulation_of(
        {
            "shape": list(shape),
            "coupling": coupling,
            "algorithm": algorithm,
            "seed": 0,
            "chains": chains,
        }
    )


# ---- who takes which lattice ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "algorithm", "strip"),
    [
        ((128, 128), "heat-bath", True),
        ((128, 128), "metropolis", True),
        ((16, 6, 128), "heat-bath", True),
        ((128, 128), "swendsen-wang", False),
        ((128, 128), "wolff", False),
        ((128,), "heat-bath", False),
        ((64, 64), "heat-bath", False),
        ((128, 96), "metropolis", False),
    ],
)
def test_strips(shape, algorithm, strip):
    """The state of a strip is a bit a spin and the generators; of all others a byte a spin and one
    stream."""
    state = simulation(shape, algorithm).start(0)
    assert state.keys() == ({"spins", "generators"} if strip else {"spins", "rng"})
    assert state["spins"].nbytes == np.prod(shape) // (8 if strip else 1)


def test_strips_have_streams_of_their_own(older):
    with older():
        key = simulation((128, 128)).start(0)["rng"]
    found = [
        simulation((128, 128), algorithm).start(number)["generators"].tobytes()
        for algorithm in ("heat-bath", "metropolis")
        for number in (0, 1, "pilot")
    ]
    assert len({seed(key, 1).tobytes(), *found}) == 7


K2, K3 = critical_coupling(2), critical_coupling(3)


@pytest.mark.parametrize(
    ("shape", "coupling", "replicas", "few"),
    [
        ((64, 64), 0.3 * K2, "heat-bath", "heat-bath"),
        ((64, 64), 0.7 * K2, "metropolis", "heat-bath"),
        ((64, 64), K2, "metropolis", "swendsen-wang"),
        ((64, 64), 2 * K2, "metropolis", "swendsen-wang"),
        ((64, 65), K2, "swendsen-wang", "swendsen-wang"),
        ((100, 100), 0.98 * K2, "metropolis", "swendsen-wang"),
        ((100, 100), K2, "swendsen-wang", "swendsen-wang"),
        ((128, 128), 0.98 * K2, "metropolis", "metropolis"),
        ((128, 128), K2, "swendsen-wang", "swendsen-wang"),
        ((16, 128), K2, "metropolis", "metropolis"),
        ((32,), 2, "metropolis", "swendsen-wang"),
        ((256,), 1.3, "metropolis", "swendsen-wang"),
        ((256,), 1.5, "swendsen-wang", "swendsen-wang"),
        ((256,), 0.1, "heat-bath", "swendsen-wang"),
        ((16, 16, 16), 0.4 * K3, "heat-bath", "heat-bath"),
        ((16, 16, 16), K3, "metropolis", "swendsen-wang"),
    ],
)
def test_auto(shape, coupling, replicas, few):
    """What is fastest depends on the lattice, the coupling and whether there are chains enough for
    replicas; nothing else."""
    found = [simulation(shape, "auto", coupling, chains).algorithm for chains in (1024, 8)]
    assert found == [replicas, few]


# ---- stopping, growing, older files --------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["heat-bath", "metropolis"])
@pytest.mark.parametrize("parts", by_default([0, 2, 9], [0, 1, 2, 9, 40]))
def test_stopped_and_continued(parts, algorithm, workplace, here, interrupt):
    """At any row, in the pilot and while thermalizing: the file of one run, bit for bit."""
    line = [*STRIP, "--algorithm", algorithm, "--thermalization", "auto", "--coupling", 0.3]
    line.remove("--temperature"), line.remove("Tc")
    interrupt([*line, "-o", "cut.h5"], parts)
    for name in ("cut.h5", "whole.h5"):
        assert here(*line, "-o", name).code == 0
    assert digest("cut.h5") == digest("whole.h5")


def test_growth_and_threads(workplace, here):
    """Grown in any steps, by any number of threads: the file of one run, of rows that differ and
    have the energies said."""
    for samples in (1, 2, 7, 33, 60):
        assert here(*STRIP, "--samples", samples, "--threads", 2, "-o", "grown.h5").code == 0
    assert here(*STRIP, "--threads", 1, "-o", "whole.h5").code == 0
    assert digest("grown.h5") == digest("whole.h5")
    with open_file(Path("whole.h5"), "samples") as file:
        packed, energy = file.read("/spins"), file.read("/energy")
    spins = (
        2 * np.unpackbits(packed, axis=1, bitorder="little").astype(int).reshape(-1, 16, 128) - 1
    )
    assert (
        energy == -sum((spins * np.roll(spins, 1, axis)).sum(axis=(1, 2)) for axis in (1, 2))
    ).all()
    assert len(np.unique(packed, axis=0)) == 60


@pytest.mark.parametrize(
    "options", ["--algorithm heat-bath", "--algorithm auto --temperature 1.1Tc"]
)
def test_older_files_grow_as_they_began(options, workplace, here, older):
    """The kernel and the algorithm of the file go on, although a new file would be sampled by
    others: chains that are there, and new ones."""
    line = [*STRIP, *options.split()]
    with older():
        for samples, name in ((2, "old.h5"), (60, "whole.h5")):
            assert here(*line, "--samples", samples, "-o", name).code == 0
    assert here(*line, "-o", "old.h5").code == 0
    assert digest("old.h5") == digest("whole.h5")
    assert here(*line, "-o", "new.h5").code == 0
    assert digest("new.h5") != digest("whole.h5")


# ---- energies ------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", by_default(["heat-bath"], ["heat-bath", "metropolis"]))
@pytest.mark.parametrize(
    ("factor", "schedule"), [(0.9, ""), (1.0, "--thermalization 60000 --interval 400"), (1.1, "")]
)
def test_energy(factor, schedule, algorithm, workplace, here):
    """128x128 at T_c and on both sides, schedule by the pilot but at T_c: the exact energy, and not
    that of a coupling 1 % off."""
    coupling = factor * critical_coupling(2)
    assert (
        here(
            *f"sample --size 128 --coupling {coupling} --algorithm {algorithm} {schedule}"
            " --samples 2000 -o s.h5".split()
        ).code
        == 0
    )
    found = numbers_of("s.h5")
    z = [
        (found["energy"] - kaufman.energy((128, 128), k)) / found["energy_error"]
        for k in (coupling, 1.01 * coupling)
    ]
    assert abs(z[0]) < 4 < 20 < abs(z[1])
