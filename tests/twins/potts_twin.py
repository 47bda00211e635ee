"""Slow Python twins of the samplers of q states (csrc/models/potts), on the same random stream."""

import math

import numpy as np
from ising_twin import ising_forward, ising_neighbours, toss_together
from random_twin import probability_threshold, xoshiro_next


def alias_of(weights):
    """Walker's table of one distribution: a threshold on 60 bits and an alias for every state, as
    the kernel builds it (the last of the small and of the large ones are paired)."""
    q, total = len(weights), 0.0
    for weight in weights:
        total += weight
    scaled = [weight / total * q for weight in weights]
    small = [state for state in range(q) if scaled[state] < 1]
    large = [state for state in range(q) if not scaled[state] < 1]
    table = [(0, state) for state in range(q)]
    while small and large:
        state, alias = small.pop(), large[-1]
        table[state] = (int(scaled[state] * 2.0**64) >> 4, alias)
        scaled[alias] -= 1 - scaled[state]
        if scaled[alias] < 1:
            small.append(large.pop())
    return table


def potts_heat_bath(states, weights, with_table, rng, sweeps):
    """One site after the other, the even ones first; a state is drawn by aliases, or by a level in
    the sums of the weights."""
    shape, flat, q = states.shape, states.reshape(-1), len(weights)
    colour = np.indices(shape).sum(axis=0).ravel() % 2
    neighbours = [[row[i ^ 1] for i in range(len(row))] for row in ising_neighbours(shape)]
    for _ in range(sweeps):
        for parity in (0, 1):
            for site in np.flatnonzero(colour == parity):
                beside = [int(flat[other]) for other in neighbours[site]]
                product = [1.0] * q
                for other in reversed(beside) if with_table else beside:
                    product = [p * weights[other][s] for s, p in enumerate(product)]
                bits = xoshiro_next(rng)
                if with_table:
                    state, rest = bits * q >> 64, bits * q % 2**64
                    threshold, alias = alias_of(product)[state]
                    flat[site] = state if rest >> 4 < threshold else alias
                else:
                    sums = np.cumsum(product)
                    level = (bits >> 11) * 2.0**-53 * sums[-1]
                    flat[site] = np.count_nonzero(sums[:-1] <= level)


def potts_wolff(states, moves, choices, bonds, rng, clusters):
    """Clusters one at a time, breadth first; returns the sum of their sizes."""
    neighbours, flat, moved = ising_neighbours(states.shape), states.reshape(-1), 0
    for _ in range(clusters):
        seed = xoshiro_next(rng) * flat.size >> 64
        choice = xoshiro_next(rng) * choices.shape[1] >> 64
        number = choices[flat[seed], choice]
        before, queue, joined = flat.copy(), [seed], {seed}
        for site in queue:
            for other in neighbours[site]:
                bits = xoshiro_next(rng)
                if other not in joined and bits < bonds[number, before[site], before[other]]:
                    joined.add(other)
                    queue.append(other)
        flat[queue] = moves[number][before[queue]]
        moved += len(queue)
    return moved


def states_of_runs(count, q, rng):
    """The states that so many runs draw: bytes of a word, or four digits of it."""
    drawn = []
    while len(drawn) < count:
        word = xoshiro_next(rng)
        if q & (q - 1) == 0:
            drawn += [word >> 8 * k & q - 1 for k in range(8)]
        else:
            for _ in range(4):
                drawn.append(word * q >> 64)
                word = word * q % 2**64
    return drawn


def potts_swendsen_wang(states, q, coupling, rng, sweeps):
    """Bonds drawn word by word, clusters found by flooding; a cluster takes the state that its
    first run of sites draws."""
    flat, width = states.reshape(-1), states.shape[-1]
    threshold = probability_threshold(-math.expm1(-coupling), math.exp(-coupling))
    forward = ising_forward(states.shape)
    for _ in range(sweeps):
        joined = [set() for _ in range(flat.size)]
        along = set()
        for axis in forward:
            for row in range(0, flat.size, width):
                for first in range(row, row + width, 64):
                    sites = range(first, min(first + 64, row + width))
                    equal = [k for k, site in enumerate(sites) if flat[site] == flat[axis[site]]]
                    for k in toss_together(equal, threshold, rng):
                        joined[sites[k]].add(axis[sites[k]])
                        joined[axis[sites[k]]].add(sites[k])
                        if axis is forward[0]:
                            along.add(sites[k])
        starts = [site % width == 0 or site - 1 not in along for site in range(flat.size)]
        run = np.cumsum(starts) - 1
        drawn, seen = states_of_runs(int(run[-1]) + 1, q, rng), set()
        for root in range(flat.size):
            if root in seen:
                continue
            cluster = [root]
            seen.add(root)
            for site in cluster:
                fresh = joined[site] - seen
                seen |= fresh
                cluster += fresh
            flat[cluster] = drawn[run[root]]
