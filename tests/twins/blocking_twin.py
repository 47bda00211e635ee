"""Slow Python twins of the kernels of csrc/blocking: windows, coarse-graining, operators,
neighbourhoods and two-spin correlations."""

import collections
import itertools
import math

import numpy as np
from random_twin import keyed_bits


def choose_windows(n_configurations, shape, count, key):
    """Configuration, origin and flip of every window."""
    for w in range(count):
        site = keyed_bits(key, w, 0) * int(np.prod(shape)) >> 64
        origin = tuple(int(x) for x in np.unravel_index(site, shape))
        first, following = w * n_configurations // count, (w + 1) * n_configurations // count
        configuration = first + (keyed_bits(key, w, 2) * max(1, following - first) >> 64)
        yield configuration, origin, -1 if keyed_bits(key, w, 1) >> 63 else 1


def window_spins(configuration, block, nearest, farthest, origin):
    """Spins at Chebyshev distance nearest .. farthest from the block at origin (distance 0: the
    block), by rolling the lattice until the window's corner is its first site."""
    margin = farthest
    rolled = np.roll(configuration, [margin - x for x in origin], axis=range(configuration.ndim))
    spins = []
    for site in itertools.product(*[range(size + 2 * margin) for size in block]):
        distance = max(max(margin - x, x - margin - size + 1, 0) for x, size in zip(site, block))
        if nearest <= distance <= farthest:
            spins.append(rolled[site])
    return np.array(spins, np.int8)


def unpack(row, shape):
    """The +-1 spins of a packed row."""
    bits = np.unpackbits(row, count=math.prod(shape), bitorder="little").reshape(shape)
    return 2 * bits.astype(np.int64) - 1


def pack(spins):
    """Packed rows of (n, *shape) spins."""
    return np.packbits(spins.reshape(len(spins), -1) > 0, axis=1, bitorder="little")


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
    spins = unpack(row, (rule.components, *shape))
    coarse_shape = tuple(extent // sites for extent, sites in zip(shape, rule.block))
    coarse = np.empty((len(rule.filters), *coarse_shape), dtype=np.uint8)
    for site, corner in enumerate(np.ndindex(coarse_shape)):
        window = tuple(slice(c * sites, (c + 1) * sites) for c, sites in zip(corner, rule.block))
        for j, (filters, bias) in enumerate(zip(rule.filters, rule.bias)):
            bits = keyed_bits(key, sample, site * len(rule.filters) + j)
            block = spins[(slice(None), *window)].ravel()
            if rule.products is not None:
                block = [math.prod(block[site] for site in sites) for sites in rule.products]
            coarse[(j, *corner)] = coarse_spin(block, filters, bias, rule.hard, bits)
    return coarse


def operator_sum(spins, copies):
    """Sum over the lattice of the products of spins at the points of every copy."""
    axes = tuple(range(spins.ndim))
    return sum(
        np.prod(
            [np.roll(spins, [-offset for offset in point], axes) for point in points], axis=0
        ).sum()
        for points in copies
    )


def local_energies(spins, operators):
    """s_l times the sum of the other spins' products over the products of each operator that
    contain l: (operators, *shape). Every image of an operator under the symmetries of the lattice,
    put so that each of its points in turn lies on l.
    """
    energies = []
    for operator in operators:
        dimension, products = spins.ndim, set()
        for axes in itertools.permutations(range(dimension)):
            for signs in itertools.product((1, -1), repeat=dimension):
                image = [
                    tuple(sign * point[axis] for sign, axis in zip(signs, axes))
                    for point in operator.points
                ]
                products |= {
                    frozenset(tuple(x - y for x, y in zip(point, origin)) for point in image)
                    for origin in image
                }
        energies.append(
            sum(
                np.prod(
                    [np.roll(spins, [-x for x in point], range(dimension)) for point in product],
                    axis=0,
                )
                for product in products
            )
        )
    return np.array(energies)


def neighbourhood_histogram(spins, operators):
    """Numbers of sites by (e_1, e_2, ...) of one configuration, a Counter."""
    return collections.Counter(
        zip(*local_energies(spins, operators).reshape(len(operators), -1).tolist(), strict=True)
    )


def shifted_products(configurations, axis, distance):
    """Sum over the lattice of s(x) s(x + distance along the axis), by the definition;
    configurations (n, *shape) of +-1."""
    side = configurations.shape[axis + 1]
    shifted = np.take(configurations, (np.arange(side) + distance) % side, axis + 1)
    return (configurations.astype(np.int64) * shifted).reshape(len(configurations), -1).sum(axis=1)
