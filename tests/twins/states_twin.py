"""Slow Python twins of the kernels for variables with several states in csrc/blocking."""

import itertools

import numpy as np
from random_twin import keyed_bits


def coarse_codes(codes, rule, key, sample):
    """The coarse codes of one configuration of codes, by the cumulative probabilities of each
    block."""
    coarse = tuple(extent // sites for extent, sites in zip(codes.shape, rule.block))
    table = rule.channel()
    found = np.zeros(coarse, np.int64)
    for number, place in enumerate(itertools.product(*map(range, coarse))):
        corner = tuple(slice(x * b, (x + 1) * b) for x, b in zip(place, rule.block))
        state = sum(int(v) * rule.states**i for i, v in enumerate(codes[corner].ravel()))
        bits = keyed_bits(key, sample, number)
        total, code = 0.0, 0
        for probability in table[state, :-1]:
            total += probability
            threshold = round(total * 2**40) << 24
            code += bits >= threshold
        found[place] = code
    return found


def operator_sums(codes, operators, images, states):
    """The even sums (n_even,) and the vectors q O^a - sum_b O^b (q, n_odd) of one configuration, by
    rolling it."""
    sums = {"even": [], "odd": []}
    for operator in operators:
        total = 0
        for groups, colour in images(operator):
            holds = np.ones(codes.shape, bool)
            for first, *others in groups:
                for other in others:
                    holds &= rolled(codes, first) == rolled(codes, other)
            if colour is None:
                total += holds.sum()
            else:
                own = rolled(codes, colour)
                total = total + np.array([(holds & (own == a)).sum() for a in range(states)])
        sums[operator.sector].append(
            total if operator.coloured is None else states * total - total.sum()
        )
    return np.array(sums["even"]), np.array(sums["odd"]).T


def rolled(codes, point):
    """The variables at a point beside every site."""
    return np.roll(codes, (-point[0], -point[1]), (0, 1))
