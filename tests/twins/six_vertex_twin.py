"""A slow Python twin of the loops of csrc/models/six_vertex, on the same random stream. Both ends
of a link say whether its arrow leaves the vertex there: ``out[x, y, leg]``."""

import numpy as np
from random_twin import xoshiro_next

STEPS = ((1, 0), (0, 1), (-1, 0), (0, -1))  # through the four legs of a vertex


def outward(arrows):
    """Which arrows leave their vertices, (Lx, Ly, 4), of arrows (2, Lx, Ly) of +-1."""
    entering = (np.roll(arrows[axis], 1, axis=axis) < 0 for axis in (0, 1))
    return np.stack([arrows[0] > 0, arrows[1] > 0, *entering], axis=2)


def other_end(vertex, leg, shape):
    """The vertex at the other end of a link, and its leg."""
    return tuple((v + s) % size for v, s, size in zip(vertex, STEPS[leg], shape)), (leg + 2) % 4


def loop(out, weight, rng):
    """One loop in one chain, in place; rng a list of four integers. Returns its steps."""
    shape, steps = out.shape[:2], 0
    half = xoshiro_next(rng) * out.size >> 64
    end = (divmod(half // 4, shape[1]), half % 4)
    if out[end[0]][end[1]]:  # along the arrow
        end = other_end(*end, shape)
    ends = (end, other_end(*end, shape))
    while True:
        vertex, leg = end
        way = way_out(out[vertex], leg, weight, xoshiro_next(rng) >> 16)
        out[vertex][[leg, way]] ^= True
        steps += 1
        end = other_end(vertex, way, shape)
        if end in ends:
            return steps


def way_out(leaves, leg, weight, number):
    """The leg through which a head leaves that came in through a leg; a number of 48 bits."""
    first, second = np.flatnonzero(leaves)
    if second - first == 2:  # a c vertex
        return first if number < 2**47 else second
    straight = (leg + 2) % 4
    turn = first + second - straight
    return straight if number < int((1 - weight / 2) * 2**48) else turn
