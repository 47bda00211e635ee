"""The contract of the dimer model."""

import numpy as np
from cases import Case, changed, every_spin
from contract import ModelContract
from exact import dimer_coverings

from rsmi.models.dimers.coverings import LINKS


class TestDimers(ModelContract):
    model = "dimers"
    cases = (
        Case("worm", "--size 4", chains=12, slow=True),
        Case("loop", "--size 4 --temperature 2", chains=12),
        Case("worm with noise", "--size 2 --noise-probability 0.8", chains=12),
        Case("repulsion", "--size 4x2 --temperature 2 --interaction 1", chains=12, slow=True),
        Case("open worm", "--size 4 --boundary open", chains=12, slow=True),
        Case("open loop", "--size 4 --boundary open --coupling 0.5", chains=12, slow=True),
        Case(
            "straddling noise",
            "--size 2 --noise-probability 0.8 --noise-pairing straddling",
            chains=12,
            slow=True,
        ),
    )
    settings = ("--size 8 --chains 8", "--size 8 --chains 8 --noise-probability 0.9")
    block = "4x4"

    def states(self, attributes):
        """All coverings, each with all states of the noise: two spins of a pair are equal with the
        noise probability."""
        links = coverings(attributes["shape"], attributes["boundary"])
        weights = np.exp(-attributes["coupling"] * self.answers.energies(links, attributes))
        probability = attributes.get("noise_probability")
        if probability is None:
            return links, weights
        return with_noise(links, weights, probability, attributes["noise_pairing"])

    def wrong(self, attributes):
        """Free dimers have no coupling: 0.1 stands for 10 % of it; other noise."""
        nearby = [changed(attributes, coupling=attributes["coupling"] * 1.1 or 0.1)]
        if "noise_probability" in attributes:
            nearby.append(changed(attributes, noise_probability=0.77))
        return nearby

    def corrupted(self, configuration):
        """One link more or less; the noise is free."""
        components = LINKS if len(configuration) == 4 else slice(None)
        configuration[components][0, 0, 0] *= -1
        return configuration


def coverings(shape, boundary):
    """All coverings as links (n, 2, Lx, Ly) of +-1."""
    partners = dimer_coverings(shape, boundary)
    return np.stack([np.where(partners == axis, 1, -1) for axis in (0, 1)], axis=1).astype(np.int8)


def with_noise(links, weights, probability, pairing):
    """Configurations (n, 4, Lx, Ly): vertex spin, two links, face spin; and their weights."""
    shape = links.shape[2:]
    noise = every_spin((2, *shape))[:, 0]
    vertex, face = noise[:, 0], noise[:, 1]
    partner = np.roll(vertex, (-1, -1), axis=(1, 2)) if pairing == "straddling" else vertex
    factors = np.where(face == partner, probability, 1 - probability).prod(axis=(1, 2))
    states = np.empty((len(links), len(noise), 4, *shape), dtype=np.int8)
    states[:, :, 1:3] = links[:, np.newaxis]
    states[:, :, 0], states[:, :, 3] = vertex, face
    return states.reshape(-1, 4, *shape), np.outer(weights, factors).ravel()
