"""Slow Python twins of the dimer samplers (csrc/models/dimers), free by worms and interacting by
loops, on the same random stream."""

import itertools
import math

import numpy as np
from random_twin import keyed_bits, probability_threshold, xoshiro_next

STEPS = {0: (1, 0), 1: (0, 1), 2: (-1, 0), 3: (0, -1)}


def base_3_digits(rng):
    """Fair digits 0, 1, 2 by threes of 64-bit words: 39 of them, lowest first, of a number below
    3^39."""
    while True:
        value = xoshiro_next(rng) >> 2
        if value < 3**39:
            for _ in range(39):
                yield value % 3
                value //= 3


def dimer_worms(partners, rng, is_open, worms):
    """Worms in one covering (Lx, Ly) of directions, in place; rng a list of four integers. Returns
    the steps."""
    shape, digits, steps = partners.shape, base_3_digits(rng), 0

    def beyond(vertex, direction):
        there = tuple(x + dx for x, dx in zip(vertex, STEPS[direction]))
        folded = tuple(x % size for x, size in zip(there, shape))
        return None if is_open and there != folded else folded

    for _ in range(worms):
        start = tuple(
            int(x) for x in np.unravel_index(xoshiro_next(rng) * partners.size >> 64, shape)
        )
        straight = int(partners[start])
        head = beyond(start, straight)
        while True:
            direction, vertex = None, None
            while vertex is None:
                direction = straight ^ (0, 1, 3)[next(digits)]
                vertex = beyond(head, direction)
            straight = int(partners[vertex])
            partners[head], partners[vertex] = direction, direction ^ 2
            steps += 1
            if vertex == start:
                break
            head = beyond(vertex, straight)
    return steps


def dimer_links(partners):
    """(2, Lx, Ly) of 0 and 1."""
    return np.stack([partners == 0, partners == 1]).astype(np.uint8)


def dimer_noise(shape, probability, straddling, key, sample):
    """Spins 0 or 1 of vertices and faces, (2, Lx, Ly)."""
    vertices = np.zeros(shape, np.uint8)
    for i, site in enumerate(np.ndindex(shape)):
        vertices[site] = keyed_bits(key, sample, 2**30 + i // 64) >> i % 64 & 1
    faces = np.zeros(shape, np.uint8)
    for i, (x, y) in enumerate(np.ndindex(shape)):
        partner = vertices[(x + straddling) % shape[0], (y + straddling) % shape[1]]
        differs = probability < 1 and keyed_bits(key, sample, i) >= int(probability * 2.0**64)
        faces[x, y] = partner ^ differs
    return np.stack([vertices, faces])


def dimer_loop_scatter(parallel, coupling):
    """Probabilities of turning a dimer from link 0 to link k; parallel[k] = 3 where there is no
    link."""
    exists = [n < 3 for n in parallel]
    best = (max if coupling > 0 else min)(n for n in parallel if n < 3)
    w = [
        max(math.exp(coupling * (n - best)), 1e-300) if there else 0.0
        for n, there in zip(parallel, exists)
    ]
    a, b, c, d = ordered = sorted(w, reverse=True)
    flow = np.zeros((4, 4))
    to_a = min(d, max(d / 3, (a - b - (c - d)) / 2))
    rest = (d - to_a) / 2
    left_b, left_c, gap = b - rest, c - rest, a - b - (to_a - rest)
    flow[0, 3], flow[1, 3], flow[2, 3] = to_a, rest, rest
    flow[0, 1] = min(left_b, left_b + (gap - left_c) / 2)
    flow[0, 2] = min(left_c, (left_c + gap) / 2)
    flow[1, 2] = max(0, (left_c - gap) / 2)
    flow += flow.T
    moves = [0.0] * 4
    for k in range(1, 4):
        alike = [
            float(flow[i, j])
            for i in range(4)
            for j in range(4)
            if i != j and (ordered[i], ordered[j]) == (w[0], w[k])
        ]
        heat_bath = w[k] / (sum(w) - min(w[0], w[k]))
        moves[k] = (1 - 1 / 32) * (sum(alike) / len(alike) / w[0]) + 1 / 32 * heat_bath
    moves[0] = max(0.0, 1 - sum(moves))
    return moves


def dimer_loop_worm(partners, coupling, state, boundary):
    """One worm of a covering (Lx, Ly) of directions, in place; -1 where a vertex has no dimer.
    Returns its steps."""
    shape = partners.shape

    def beyond(vertex, direction):
        x, y = vertex[0] + STEPS[direction][0], vertex[1] + STEPS[direction][1]
        if boundary == "open" and not (0 <= x < shape[0] and 0 <= y < shape[1]):
            return None
        return x % shape[0], y % shape[1]

    choice = xoshiro_next(state) * (partners.size // 2) >> 64
    x, y = choice // (shape[1] // 2), 2 * (choice % (shape[1] // 2))
    tail = x, y + x % 2
    came_by = int(partners[tail]) ^ 2
    head = beyond(tail, came_by ^ 2)
    partners[tail] = partners[head] = -1
    for steps in itertools.count(1):
        neighbours = [beyond(head, direction) for direction in range(4)]
        parallel = [
            (
                3
                if neighbours[k] is None
                else sum(
                    side is not None and partners[side] == k
                    for side in (neighbours[(k + 1) % 4], neighbours[(k + 3) % 4])
                )
            )
            for k in range(4)
        ]
        p = dimer_loop_scatter([parallel[(came_by + k) % 4] for k in range(4)], coupling)
        thresholds = [
            probability_threshold(p[1], p[2] + (p[3] + p[0])),
            probability_threshold(p[1] + p[2], p[3] + p[0]),
            probability_threshold(p[1] + p[2] + p[3], p[0]),
        ]
        bits = xoshiro_next(state)
        direction = (came_by + 1 + sum(bits >= threshold for threshold in thresholds)) % 4
        even = neighbours[direction]
        lifted = int(partners[even])
        partners[head], partners[even] = direction, direction ^ 2
        if lifted == -1:
            return steps
        head = beyond(even, lifted)
        partners[head] = -1
        came_by = lifted ^ 2
