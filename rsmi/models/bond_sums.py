"""Entropies of channels under the symmetries of a model, as sums over environments.

What is known of one environment holds for all its images under a symmetry, with the states of the
block taken to their images. Instead of the environment the channel q(h|v) is taken to its image:
the names of the coarse states do not matter then, so that a rule with the symmetry of the model has
one image only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rsmi.information.entropy import ExactInformation, cross_log, entropy

Images = Sequence[tuple[NDArray[np.float64], float]]  # of a channel, with their frequencies


def images_of_channel(
    channel: NDArray[np.float64], images: NDArray[np.int64]
) -> list[tuple[NDArray[np.float64], float]]:
    """Return the different channels into which symmetries take one, up to the names of the coarse
    states, with their frequencies."""
    different: dict[bytes, list] = {}
    for image in images:
        turned = channel[image]
        key = np.round(turned, 12)
        order = np.lexsort(key[::-1])
        entry = different.setdefault(key[:, order].tobytes(), [turned[:, order], 0.0])
        entry[1] += 1 / len(images)
    return [(turned, share) for turned, share in different.values()]


def averaged(function: NDArray[np.float64], images: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return a function of the state of the block, averaged over the symmetries."""
    return function[images].mean(axis=0)


def logarithms(weights: NDArray[np.float64], symmetrised: Sequence[Images]) -> NDArray[np.float64]:
    """Return sum_v w log w and, for every channel, sum_h w_h log w_h, (n, 1 + channels)."""
    columns = [cross_log(weights, weights).sum(axis=1)]
    for variants in symmetrised:
        column = np.zeros(len(weights))
        for turned, share in variants:
            hidden = weights @ turned
            column += share * cross_log(hidden, hidden).sum(axis=1)
        columns.append(column)
    return np.stack(columns, axis=1)


def log_or_zero(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return logarithms, and 0 where a probability is 0."""
    return np.log(np.where(probabilities > 0, probabilities, 1.0))


def ring_sums(weights: NDArray[np.float64], symmetrised: Sequence[Images]) -> NDArray[np.float64]:
    """Return the sums over rings of w, of w log w, and of all columns of `logarithms`, where w is
    the weight of a ring."""
    of_rings = weights.sum(axis=1)
    sums = logarithms(weights, symmetrised).sum(axis=0)
    return np.array([of_rings.sum(), cross_log(of_rings, of_rings).sum(), *sums])


def enumerated_informations(
    total: NDArray[np.float64],
    marginal: NDArray[np.float64],
    channels: Sequence[NDArray[np.float64]],
) -> list[ExactInformation]:
    """Return the informations from the totals of `ring_sums` and the sums of the weights of all
    states of the block."""
    marginal = marginal / total[0]
    block, *hidden = (total[2:] - total[1]) / total[0]
    whole = float(entropy(marginal) + block)
    entropies = [float(entropy(marginal @ channel)) for channel in channels]
    return [
        ExactInformation(own + float(one), 0.0, whole, 0.0, own)
        for own, one in zip(entropies, hidden)
    ]
