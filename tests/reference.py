"""Slow Python twins of the C kernels: the same algorithm and random stream, written for reading."""

import itertools

import numpy as np

# Windows (csrc/windows.c)

_WORD = 2**64 - 1


def mix64(z):
    """The finalizer of SplitMix64 on Python integers."""
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _WORD
import math

import numpy as np


# --- blocking and operators -------------------------------------------------------------------------------------------


def unpack(row, shape):
    """The +-1 spins of a packed row."""
    bits = np.unpackbits(row, count=math.prod(shape), bitorder="little").reshape(shape)
    return 2 * bits.astype(np.int64) - 1


def pack(spins):
    """Packed rows of (n, *shape) spins."""
    return np.packbits(spins.reshape(len(spins), -1) > 0, axis=1, bitorder="little")


def mix64(z):
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
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
    golden = 0x9E3779B97F4A7C15
    inner = mix64((int(key[0]) + (sample + 1) * golden) % 2**64)
    return mix64((inner + (int(key[1]) ^ ((site + 1) * golden % 2**64))) % 2**64)


def coarse_spin(block_spins, filters, bias, hard, bits):
    """One coarse spin (0 or 1) from 64 random bits."""
    field = bias + sum(s * f for s, f in zip(block_spins, filters))
    if hard and abs(field) <= 1e-9 * sum(abs(f) for f in filters):
        return int(bits < 2**63)
    if hard:
        return int(field > 0)
    probability = 1 / (1 + math.exp(-field)) if field > -700 else 0.0
    return 1 if probability == 1 else int(bits < int(probability * 2.0**64))


def coarse_grain(row, shape, rule, key, sample):
    """Coarse spins 0/1 (n_hidden, *coarse_shape) of one packed row."""
    spins = unpack(row, shape)
    coarse_shape = tuple(extent // sites for extent, sites in zip(shape, rule.block))
    coarse = np.empty((len(rule.filters), *coarse_shape), dtype=np.uint8)
    for site, corner in enumerate(np.ndindex(coarse_shape)):
        window = tuple(slice(c * sites, (c + 1) * sites) for c, sites in zip(corner, rule.block))
        for j, (filters, bias) in enumerate(zip(rule.filters, rule.bias)):
            bits = keyed_bits(key, sample, site * len(rule.filters) + j)
            coarse[(j, *corner)] = coarse_spin(spins[window].ravel(), filters, bias, rule.hard, bits)
    return coarse


def operator_sum(spins, copies):
    """Sum over the lattice of the products of spins at the points of every copy."""
    return sum(np.prod([np.roll(spins, (-y, -x), (0, 1)) for y, x in points], axis=0).sum() for points in copies)
