"""Slow Python twins of the heat bath of any lattice (csrc/models/lattice), on the same random
streams."""

import math

import numpy as np
from random_twin import WORD, keyed_bits, probability_threshold, twin_of_lanes, xoshiro_next


class Lattice:
    """The arrays of a system as lists: the neighbours of every site in groups, and its table."""

    def __init__(self, kind_of, start, neighbours, kinds, probabilities):
        self.sites, self.kind_of = len(kind_of), kind_of
        self.neighbours = [neighbours[a:b] for a, b in zip(start, start[1:])]
        self.kinds, self.probabilities = kinds, [int(p) for p in probabilities]

    def classes(self, site, up):
        """The place (n,) of the probability of a site in configurations (n, sites) of 0 or 1."""
        exclusive, groups, _, first, *sizes = self.kinds[self.kind_of[site]]
        place, stride, near = np.full(len(up), first), 1, self.neighbours[site]
        for group, size in enumerate(sizes[:groups]):
            count, near = up[:, near[:size]].sum(axis=1, dtype=int), near[size:]
            if group < exclusive:
                count, size = np.minimum(count, 1), 1
            place += stride * count
            stride *= size + 1
        return place

    def plan(self):
        """The batches of sites, each filled to eight with -1."""
        closed, waiting = [], []
        for site in range(self.sites):
            chosen = next((batch for batch in waiting if self.admits(batch, site)), None)
            if chosen is None:
                if len(waiting) == 32:
                    closed.append(waiting.pop(0))
                waiting.append(chosen := [])
            chosen.append(site)
            if len(chosen) == 8:
                waiting = [batch for batch in waiting if batch is not chosen]
                closed.append(chosen)
        return [batch + [-1] * (8 - len(batch)) for batch in closed + waiting]

    def admits(self, batch, site):
        strangers = all(
            site not in self.neighbours[other] and other not in self.neighbours[site]
            for other in batch
        )
        return strangers and self.kind_of[batch[0]] == self.kind_of[site]


def chain_sweeps(lattice, up, rng, sweeps):
    """Sweep one configuration (sites,) of 0 or 1 in place; ``rng`` is a list of four integers."""
    for _ in range(sweeps):
        for site in range(lattice.sites):
            place = lattice.classes(site, up[np.newaxis])[0]
            up[site] = xoshiro_next(rng) < lattice.probabilities[place]


def is_open(bonds, place, site, up, rng):
    """Whether a bond is satisfied and open; ``bonds`` are the arguments of `Bonds`."""
    _, neighbours, groups, thresholds, unlike, _ = bonds
    group = groups[place]
    satisfied = up[site] ^ up[neighbours[place]] == unlike[group]
    return satisfied and xoshiro_next(rng) < int(thresholds[group])


def flips(cost):
    """The threshold of the probability 1/(1 + exp(cost))."""
    return probability_threshold(1 / (1 + math.exp(cost)), 1 / (1 + math.exp(-cost)))


def swendsen_wang(bonds, up, rng):
    """One sweep of all clusters in place; the label of a cluster is its first site."""
    start, neighbours, field = bonds[0], bonds[1], bonds[5]
    label = np.arange(len(up))
    for site in range(len(up)):
        for place in range(start[site], start[site + 1]):
            other = neighbours[place]
            if other > site and is_open(bonds, place, site, up, rng):
                label[label == max(label[site], label[other])] = min(label[site], label[other])
    magnetization = {root: (2 * up[label == root].astype(int) - 1).sum() for root in set(label)}
    for root in sorted(magnetization):
        bits = xoshiro_next(rng)
        flip = bits >> 63 if field == 0 else bits < flips(2 * field * magnetization[root])
        up[label == root] ^= flip


def wolff(bonds, up, rng):
    """One cluster in place."""
    start, neighbours, field = bonds[0], bonds[1], bonds[5]
    queue = [xoshiro_next(rng) * len(up) >> 64]
    for site in queue:
        for place in range(start[site], start[site + 1]):
            if neighbours[place] not in queue and is_open(bonds, place, site, up, rng):
                queue.append(int(neighbours[place]))
    cost = 2 * field * (2 * up[queue].astype(int) - 1).sum()
    if cost <= 0 or xoshiro_next(rng) < probability_threshold(math.exp(-cost), -math.expm1(-cost)):
        up[queue] ^= 1


class Replicas:
    """512 configurations (512, sites) of 0 or 1.

    A replica tosses its coin until the first tail; if that is toss T, digit T of its probability
    decides.
    """

    def __init__(self, lattice, up, rng, private_draws=8, total_draws=16):
        self.lattice, self.up, self.order = lattice, up, lattice.plan()
        self.private_draws, self.total_draws = private_draws, total_draws
        self.state = [
            int(keyed_bits(rng[:2], 0, i) ^ keyed_bits(rng[2:], 0, i)) for i in range(130)
        ]
        self.number = 0
        self.streams = np.array(self.state[:128], dtype=np.uint64).reshape(4, 4, 8)
        self.digits = np.array(
            [[p >> (63 - j) & 1 for j in range(total_draws)] for p in lattice.probabilities],
            dtype=bool,
        )

    def draw(self, k):
        """One random word of stream k."""
        word = twin_of_lanes(self.streams[k], 1)[0]
        return np.unpackbits(word.astype("<u8").view(np.uint8), bitorder="little").astype(bool)

    def sweep(self):
        for sites in self.order:
            places = [self.lattice.classes(sites[0] if s < 0 else s, self.up) for s in sites]
            for site, value in zip(sites, self.update_batch(np.array(places))):
                if site >= 0:
                    self.up[:, site] = value
            self.number += 8

    def update_batch(self, places):
        """New values (8, 512) of eight words with probabilities at these places."""
        value, tossing = np.zeros((8, 512), dtype=bool), np.ones((8, 512), dtype=bool)
        for k in range(8):
            for j in range(self.private_draws):
                heads = self.draw(k % 4)
                value[k] |= tossing[k] & ~heads & self.digits[places[k], j]
                tossing[k] &= heads
        clash = tossing & (tossing.sum(axis=0) > 1)
        tossing &= ~clash
        for j in range(self.private_draws, self.total_draws):
            heads = self.draw(j % 4)
            value |= tossing & ~heads & self.digits[places, j]
            tossing &= heads
        for undecided, draws in ((clash, self.private_draws), (tossing, self.total_draws)):
            for k, replica in np.argwhere(undecided):
                rest = self.lattice.probabilities[places[k, replica]] << draws & WORD
                bits = keyed_bits(self.state[128:], self.number + int(k), int(replica))
                value[k, replica] = bits < rest
        return value

    def generator(self):
        """The random state as the kernel keeps it, (17, 8)."""
        last = [*self.state[128:], self.number, 0, 0, 0, 0, 0]
        return np.array([*self.streams.reshape(16, 8), last], dtype=np.uint64)
