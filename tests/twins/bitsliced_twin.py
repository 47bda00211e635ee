"""A slow Python twin of the bit-sliced Ising sampler (csrc/models/ising/bitsliced), on the same
random stream."""

import math

import numpy as np
from random_twin import WORD, keyed_bits, probability_threshold, twin_of_lanes


class BitslicedIsing:
    """The bit-sliced sampler on spins (512, *shape) or, as a strip, (1, *shape); axes of size 1
    left out.

    A word is a row of 512 places in the flattened spins, a random word a row of 512 bits. A spin
    tosses its coin until the first tail; if that is toss T, digit T of its probability decides.
    """

    def __init__(self, spins, coupling, algorithm, rng, blocks=1, private_draws=8, total_draws=16):
        self.spins, self.metropolis, self.sign = (
            spins,
            algorithm == "metropolis",
            -1 if coupling < 0 else 1,
        )
        self.private_draws, self.total_draws = private_draws, total_draws
        axes, strength = spins.shape[1:], 4 * abs(coupling)
        self.hesitates = len(axes) == 1 or min(axes) <= 4 or coupling == 0
        self.probabilities = [0]
        for i in (1, 2, 3):
            against, along = math.exp(-strength * i), -math.expm1(-strength * i)
            self.probabilities.append(
                probability_threshold(against, along)
                if self.metropolis
                else probability_threshold(1 / (1 + math.exp(strength * i)), 1 / (1 + against))
            )
        self.digits = np.array(
            [[p >> (63 - j) & 1 for j in range(total_draws)] for p in self.probabilities],
            dtype=bool,
        )
        self.state = [
            [int(keyed_bits(rng[:2], block, i) ^ keyed_bits(rng[2:], block, i)) for i in range(130)]
            + [0]
            for block in range(blocks)
        ]
        self.streams = [
            np.array(state[:128], dtype=np.uint64).reshape(4, 4, 8) for state in self.state
        ]

    def pairs(self, sublattice):
        """The words of a sublattice two by two, first the one whose row starts with an even
        site."""
        axes, sites = self.spins.shape[1:], np.arange(self.spins.size)
        slabs = 8 if len(self.spins) == 1 else 512
        rows = sites.reshape(slabs, -1, axes[-1]).transpose(
            1, 0, 2
        )  # the same row of every slab or replica
        layer = axes[1] if len(axes) == 3 else 1
        words, width = [], 512 // slabs
        for r, row in enumerate(rows):
            starts_odd = (r // layer + r % layer + sublattice) % 2
            members = row[:, starts_odd::2]
            words.append(
                [members[:, x : x + width].ravel() for x in range(0, members.shape[1], width)]
            )
        if len(rows) == 1:
            return [words[0][x : x + 2] for x in range(0, len(words[0]), 2)]
        starts_even = [(r // layer + r % layer + sublattice) % 2 == 0 for r in range(len(rows))]
        both = [
            words[r : r + 2] if starts_even[r] else words[r : r + 2][::-1]
            for r in range(0, len(rows), 2)
        ]
        return [pair for even, odd in both for pair in zip(even, odd, strict=True)]

    def fields(self):
        axes = range(1, self.spins.ndim)
        return sum(
            np.roll(self.spins, step, axis).astype(int) for axis in axes for step in (1, -1)
        ).ravel()

    def draw(self, block, k, count):
        """The next random words (count, 512) of stream k."""
        words = twin_of_lanes(self.streams[block][k], count).astype("<u8")
        return np.unpackbits(words.view(np.uint8), axis=1, bitorder="little").astype(bool)

    def exception(self, block, word, place, kind, draws):
        """What decides after that many heads: the rest of the number against the rest of the
        probability."""
        rest = self.probabilities[kind] << draws & WORD
        return keyed_bits(self.state[block][128:130], self.state[block][130] + word, place) < rest

    def update_batch(self, block, spins, fields):
        """New spins of eight words, both arguments (8, 512)."""
        kind, free, preferred = (
            abs(fields) // 2,
            fields == 0,
            np.where(fields * self.sign > 0, 1, -1),
        )
        tossing = ~free & (spins == preferred) if self.metropolis else ~free
        against = np.zeros((8, 512), dtype=bool)  # whether a spin goes against its neighbours
        heads = np.empty((8, self.private_draws, 512), dtype=bool)
        for k in range(8):
            heads[k] = self.draw(block, k % 4, self.private_draws)
        for j in range(self.private_draws):
            against |= tossing & ~heads[:, j] & self.digits[kind, j]
            tossing &= heads[:, j]
        clash = tossing & (tossing.sum(axis=0) > 1)
        tossing &= ~clash
        for j in range(self.private_draws, self.total_draws):
            (shared,) = self.draw(block, j % 4, 1)
            against |= tossing & ~shared & self.digits[kind, j]
            tossing &= shared
        for undecided, draws in ((clash, self.private_draws), (tossing, self.total_draws)):
            for k, place in np.argwhere(undecided):
                against[k, place] = self.exception(block, int(k), int(place), kind[k, place], draws)
        coins = np.where(heads[:, 0], self.sign, -self.sign)
        if self.metropolis:
            coins = -spins * np.where(heads[:, 0], -1, 1) if self.hesitates else -spins
        return np.where(free, coins, np.where(against, -preferred, preferred))

    def sweep(self, sweeps):
        """Both sublattices, block by block, eight words at a time; a batch that is not full is
        filled with words of spins -1 that have the neighbours of its first pair."""
        flat, blocks = self.spins.reshape(-1), len(self.state)
        for sublattice in (0, 1) * sweeps:
            pairs, fields = self.pairs(sublattice), self.fields()
            for block in range(blocks):
                share = pairs[len(pairs) * block // blocks : len(pairs) * (block + 1) // blocks]
                for first in range(0, len(share), 4):
                    words = [word for pair in share[first : first + 4] for word in pair]
                    padded = words + [
                        words[n % 2 if len(words) > 1 else 0] for n in range(len(words), 8)
                    ]
                    spins = np.array(
                        [flat[word] for word in words]
                        + [-np.ones(512, dtype=int)] * (8 - len(words))
                    )
                    new = self.update_batch(block, spins, fields[np.array(padded)])
                    flat[np.array(words)] = new[: len(words)]
                    self.state[block][130] += 8

    def generators(self):
        """The random state as the kernel keeps it, (blocks, 17, 8)."""
        last = [[*state[128:], 0, 0, 0, 0, 0] for state in self.state]
        return np.array(
            [
                [*streams.reshape(16, 8), row]
                for streams, row in zip(self.streams, last, strict=True)
            ],
            dtype=np.uint64,
        )
