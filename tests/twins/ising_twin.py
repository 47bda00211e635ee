"""Slow Python twins of the Ising samplers that update one spin or one cluster at a time
(csrc/models/ising), on the same random stream."""

import math

import numpy as np
from random_twin import probability_threshold, xoshiro_next


def ising_forward(shape):
    """The next site along every axis that has more than one site, the last axis first, as lists
    over the flattened lattice."""
    index = np.arange(math.prod(shape)).reshape(shape)
    axes = [axis for axis in reversed(range(len(shape))) if shape[axis] > 1]
    return [np.roll(index, -1, axis).ravel().tolist() for axis in axes]


def ising_neighbours(shape):
    """Neighbours of every site in the order +x, -x, +y, -y, +z, -z (x is the last axis); one site
    twice across an axis of size 2."""
    both = []
    for forward in ising_forward(shape):
        backward = [forward.index(site) for site in range(len(forward))]
        both += [forward, backward]
    return list(zip(*both, strict=True))


def ising_local(spins, coupling, rng, algorithm, sweeps):
    """Checkerboard Metropolis or heat bath; Metropolis hesitates at moves of no cost where always
    accepting them is not ergodic."""
    neighbours, flat = ising_neighbours(spins.shape), spins.reshape(-1)
    colour = np.indices(spins.shape).sum(axis=0).ravel() % 2

    sizes = [size for size in spins.shape if size > 1]
    hesitates = len(sizes) == 1 or min(sizes) <= 4 or coupling == 0

    def stay_threshold(cost):
        if algorithm == "heat-bath" or (cost == 0 and hesitates):
            return probability_threshold(1 / (1 + math.exp(-cost)), 1 / (1 + math.exp(cost)))
        return 0 if cost <= 0 else probability_threshold(-math.expm1(-cost), math.exp(-cost))

    for _ in range(sweeps):
        for parity in (0, 1):
            for site in np.flatnonzero(colour == parity):
                product = int(flat[site]) * sum(int(flat[other]) for other in neighbours[site])
                if xoshiro_next(rng) >= stay_threshold(2 * coupling * product):
                    flat[site] *= -1


def ising_wolff(spins, coupling, rng, clusters):
    """Wolff clusters, breadth first."""
    neighbours, flat = ising_neighbours(spins.shape), spins.reshape(-1)
    threshold = probability_threshold(-math.expm1(-2 * coupling), math.exp(-2 * coupling))
    for _ in range(clusters):
        seed = xoshiro_next(rng) * flat.size >> 64
        queue, spin = [seed], flat[seed]
        flat[seed] = -spin
        for site in queue:
            for other in neighbours[site]:
                bits = xoshiro_next(rng)
                if flat[other] == spin and bits < threshold:
                    flat[other] = -spin
                    queue.append(other)


def toss_together(lanes, threshold, rng):
    """Which of the lanes (positions in a word) draw a 64-bit number below the threshold, all
    compared bit by bit from the top."""
    below, undecided = set(), set(lanes)
    for k in range(63, -1, -1):
        if not undecided or threshold & ((2 << k) - 1) == 0:
            break
        bits = xoshiro_next(rng)
        for lane in sorted(undecided):
            drawn, wanted = bits >> lane & 1, threshold >> k & 1
            if drawn != wanted:
                undecided.discard(lane)
                if drawn < wanted:
                    below.add(lane)
    return below


def ising_swendsen_wang(spins, coupling, rng, sweeps):
    """Swendsen-Wang: bonds drawn word by word, clusters found by flooding; a cluster takes the coin
    of its first run of sites."""
    flat, width = spins.reshape(-1), spins.shape[-1]
    threshold = probability_threshold(-math.expm1(-2 * coupling), math.exp(-2 * coupling))
    forward = ising_forward(spins.shape)
    for _ in range(sweeps):
        joined = [set() for _ in range(flat.size)]
        for axis in forward:
            for row in range(0, flat.size, width):
                for first in range(row, row + width, 64):
                    sites = range(first, min(first + 64, row + width))
                    equal = [
                        lane for lane, site in enumerate(sites) if flat[site] == flat[axis[site]]
                    ]
                    for lane in toss_together(equal, threshold, rng):
                        joined[sites[lane]].add((axis[sites[lane]], axis is forward[0]))
                        joined[axis[sites[lane]]].add((sites[lane], False))
        starts = [
            site % width == 0 or (site, True) not in joined[site - 1] for site in range(flat.size)
        ]
        words = [xoshiro_next(rng) for _ in range(0, sum(starts), 64)]
        seen = set()
        for root in range(flat.size):
            if root in seen:
                continue
            run = sum(starts[: root + 1]) - 1
            cluster = [root]
            seen.add(root)
            for site in cluster:
                fresh = {other for other, _ in joined[site]} - seen
                seen |= fresh
                cluster += fresh
            if words[run // 64] >> run % 64 & 1:
                flat[cluster] *= -1
