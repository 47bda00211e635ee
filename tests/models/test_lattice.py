"""The contract of models on lattices that a file describes: every preset. By default one preset for
each path of the engine, the others with -m slow."""

import math

import numpy as np
import pytest
from cases import Case, changed, every_spin
from contract import ModelContract
from contract_files import FileContract
from contract_probabilities import ProbabilityContract
from contract_sampling import SamplingContract

from rsmi.models.lattice import measures, samples


class OnLattice:
    """The smallest lattices are enumerated, and forbidden configurations are left out."""

    @property
    def constrained(self):
        return bool(self.answers.definition.exclusions)

    def states(self, attributes):
        shape = (attributes["components"], *attributes["shape"])
        configurations = every_spin(shape).reshape(-1, *shape)
        point = samples.point_of(attributes, tuple(attributes["shape"]))
        allowed = ~measures.overlaps(point, configurations.reshape(len(configurations), -1) > 0)
        energies = self.answers.energies(configurations[allowed], attributes)
        coupling = attributes.get("coupling") or math.log(point.definition.fugacity)
        return configurations[allowed], np.exp(-coupling * energies)

    def wrong(self, attributes):
        """Another coupling, or another fugacity of hard cores."""
        if "coupling" in attributes:
            return super().wrong(attributes)
        own = attributes["model_parameters"]["definition"]
        other = {**own, "fugacity": 1.2 * own["fugacity"]}
        return [changed(attributes, model_parameters={"definition": other})]

    def corrupted(self, configuration):
        """Every site is occupied."""
        return np.ones_like(configuration)


def replicas(options, **others):
    return Case("replicas", options, chains=3 * 512, **others)


class TestTriangular(OnLattice, SamplingContract, ProbabilityContract):
    """512 replicas at once."""

    model = "ising-triangular"
    cases = (
        replicas("--size 3 --temperature 4 --antiferromagnetic --field 0.5"),
        Case("ferromagnet", "--size 3 --temperature 5", slow=True),
        Case(
            "Swendsen-Wang",
            "--size 3 --temperature 4 --algorithm swendsen-wang --field 0.3 --antiferromagnetic",
            slow=True,
        ),
        Case("Wolff", "--size 3 --temperature 4 --algorithm wolff --field 0.3", slow=True),
    )


class TestKagome(OnLattice, ModelContract):
    """One site at a time, and several sites in a cell."""

    model = "ising-kagome"
    cases = (
        Case("plain", "--size 2x1 --temperature 4"),
        replicas("--size 2x1 --coupling -0.4 --field 0.3", slow=True),
        Case("open", "--size 1x2 --temperature 3 --boundary open", slow=True),
    )
    settings = ("--size 8 --temperature 3 --chains 8",)


@pytest.mark.slow
class TestTriangularFiles(OnLattice, FileContract):
    model = "ising-triangular"
    settings = ("--size 8 --temperature 6 --chains 8",)


@pytest.mark.slow
class TestHardSquares(OnLattice, ModelContract):
    model = "hard-squares"
    cases = (replicas("--size 3x4 --fugacity 2"),)
    settings = ("--size 8 --fugacity 2 --chains 8",)


@pytest.mark.slow
class TestHardHexagons(OnLattice, ModelContract):
    model = "hard-hexagons"
    cases = (Case("plain", "--size 3x4 --fugacity zc"),)
    settings = ("--size 6 --fugacity 2 --chains 8",)


@pytest.mark.slow
class TestHoneycomb(OnLattice, ModelContract):
    model = "ising-honeycomb"
    cases = (replicas("--size 2 --temperature 2Tc --antiferromagnetic"),)
    settings = ("--size 8 --temperature Tc --chains 8",)


@pytest.mark.slow
class TestSquare(OnLattice, ModelContract):
    model = "ising-square"
    cases = (Case("plain", "--size 3 --temperature 4 --field -0.4"),)
    settings = ("--size 8 --temperature 3 --antiferromagnetic --chains 8",)


@pytest.mark.slow
class TestJ1J2(OnLattice, ModelContract):
    model = "ising-j1j2"
    cases = (
        replicas("--size 3 --temperature 4 --ratio J2=-0.7 --field 0.2"),
        Case("clusters", "--size 3 --temperature 4 --ratio J2=0.3 --algorithm swendsen-wang"),
    )
    settings = ("--size 8 --temperature 3 --chains 8",)


@pytest.mark.slow
class TestAnisotropic(OnLattice, ModelContract):
    model = "ising-anisotropic"
    cases = (replicas("--size 3 --temperature 3 --ratio Jy=0.3"),)
    settings = ("--size 8 --temperature 3 --chains 8",)
