"""Slow Python twins of the C kernels: the same algorithm and random stream, written for reading."""

import itertools

import numpy as np

# Windows (csrc/windows.c)

_WORD = 2**64 - 1


def mix64(z):
    """The finalizer of SplitMix64 on Python integers."""
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _WORD
    return z ^ (z >> 31)


def keyed_bits(key, sample, site):
    """The 64-bit hash of (key, sample, site) of csrc/random.h."""
    golden = 0x9E3779B97F4A7C15
    inner = mix64((int(key[0]) + (sample + 1) * golden) & _WORD)
    return mix64((inner + (int(key[1]) ^ (((site + 1) * golden) & _WORD))) & _WORD)


def choose_windows(n_configurations, shape, count, key):
    """Configuration, origin and flip of every window."""
    for w in range(count):
        site = keyed_bits(key, w, 0) * int(np.prod(shape)) >> 64
        origin = tuple(int(x) for x in np.unravel_index(site, shape))
        yield w * n_configurations // count, origin, -1 if keyed_bits(key, w, 1) >> 63 else 1


def window_spins(configuration, block, nearest, farthest, origin):
    """Spins at Chebyshev distance nearest .. farthest from the block at origin (distance 0: the block), by rolling the
    lattice until the window's corner is its first site."""
    margin = farthest
    rolled = np.roll(configuration, [margin - x for x in origin], axis=range(configuration.ndim))
    spins = []
    for site in itertools.product(*[range(size + 2 * margin) for size in block]):
        distance = max(max(margin - x, x - margin - size + 1, 0) for x, size in zip(site, block))
        if nearest <= distance <= farthest:
            spins.append(rolled[site])
    return np.array(spins, np.int8)
