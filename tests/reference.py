"""Slow Python twins of the C kernels: the same algorithm and random stream, written for reading."""

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
