"""The contract of exact values: configurations appear with their probabilities, and energies are
those of the configurations."""

from __future__ import annotations

import numpy as np
from cases import (
    chi_squared_score,
    configurations_of,
    positions,
    score,
    sublattices,
    up_given_the_others,
)
from contract_base import Registration

from rsmi.lattice.symbols import choose_relabellings


class ProbabilityContract(Registration):
    """Tests of each case of a model."""

    def test_probabilities(self, case):
        """Every configuration of the smallest lattice appears as often as its exact probability
        says (chi-squared, |z| < 4), and none that is not enumerated.

        It catches a coupling that is wrong by 10 % and whatever else `wrong` lists: the same counts
        have z > 4 against these. It catches a configuration that cannot be reached: one that is
        expected 25 times is missed by chance with a probability of 1e-11.
        """
        if case.conditional:
            return self.check_conditional(case)
        attributes, configurations, _ = self.statistics(case)
        states, weights = self.states(attributes)
        visited = positions(configurations, states)
        assert visited.min() >= 0, "a configuration that is none of the model"
        counts = np.bincount(visited, minlength=len(states))
        expected = len(visited) * weights / weights.sum()
        assert (counts[expected > 25] > 0).all(), "a configuration that is never visited"
        assert abs(chi_squared_score(counts, expected)) < 4
        for other in self.wrong(attributes):
            weights = self.states(other)[1]
            assert chi_squared_score(counts, len(visited) * weights / weights.sum()) > 4, other

    def check_conditional(self, case):
        """Each spin given all others has its exact probability: those of one sublattice are then
        independent, and spins of equal probability are counted in one cell."""
        attributes, configurations, _ = self.statistics(case)
        for sublattice in sublattices(attributes["shape"]):
            assert abs(self.conditional_score(attributes, configurations, sublattice)) < 4
            for other in self.wrong(attributes):
                assert self.conditional_score(other, configurations, sublattice) > 4

    def conditional_score(self, attributes, configurations, sublattice):
        def energies(flipped):
            return self.answers.energies(flipped, attributes)

        arguments = (energies, attributes["coupling"], sublattice)
        probabilities = np.array(
            [up_given_the_others(one, *arguments) for one in configurations]
        ).ravel()
        up = configurations[:, 0, sublattice].ravel() > 0
        cells = np.unique(probabilities.round(9), return_inverse=True)[1]
        expected, seen, trials = (
            np.bincount(cells, values) for values in (probabilities, up, np.ones(len(up)))
        )
        binomial = (seen - expected) ** 2 / (expected * (1 - expected / trials))
        return score(binomial.sum(), len(binomial))

    def statistics(self, case):
        schedule = f"--thermalization {20 * case.interval} --interval {case.interval}"
        return configurations_of(self.made(case.line(self.model, case.samples, schedule)))

    def test_energies(self, case):
        """The stored energies are those that the model measures on the stored configurations; it
        catches energies of another sample, of the wrong sign or of doubled bonds."""
        attributes, configurations, energies = configurations_of(
            self.made(case.line(self.model, case.few))
        )
        measured = self.answers.energies(configurations, attributes)
        assert measured is not None and measured.dtype == energies.dtype
        assert energies.dtype == self.answers.energy_type
        np.testing.assert_array_equal(energies, measured)

    def test_global_flip(self, case):
        """Where the model says that a global flip is a symmetry, it leaves the energies
        alone; it catches windows that are flipped although a field tells them apart."""
        attributes, configurations, energies = configurations_of(
            self.made(case.line(self.model, case.few))
        )
        if self.answers.symmetric(attributes):
            flipped = self.answers.energies(-configurations, attributes)
            np.testing.assert_array_equal(flipped, energies)

    def test_relabellings(self, case):
        """Where the model says that relabelling more than two states is a symmetry, it leaves the
        energies alone, for the elements that windows are relabelled by."""
        attributes, configurations, energies = configurations_of(
            self.made(case.line(self.model, case.few))
        )
        symmetry, states = self.answers.symmetry(attributes), attributes.get("states", 2)
        if states > 2 and symmetry is not None:
            for element in choose_relabellings(symmetry, states, 10, [1, 2]):
                relabelled = self.answers.energies(element[configurations], attributes)
                np.testing.assert_array_equal(relabelled, energies)
