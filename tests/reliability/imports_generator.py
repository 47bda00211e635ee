"""Random imports: good ones, and ones that are labelled wrongly or malformed.

The configurations come from a small pool of independent Ising lattices; in a field and with open
edges a heat bath of numpy makes them. Every wrong import is made so that the contradiction is worth
8 standard errors or more, or, where no error belongs to it, is of the size that its function
states.
"""

import functools
import math
from dataclasses import dataclass

import numpy as np

from rsmi.models.ising import chain, facts

TC = facts.critical_temperature(2)
SHAPES = ((16, 16), (12, 12), (8, 32), (16, 40))
WORTH = 8.0  # standard errors


@dataclass(frozen=True)
class Case:
    """What is written to a file, and the options of its import.

    Attributes
    ----------
    kind : str
    array : ndarray
        Written as .npy, or as it is (bytes) to a file of packed bits.
    options : str
    bits : bool
    """

    kind: str
    array: np.ndarray
    options: str = ""
    bits: bool = False


def heat_bath(spins, rng, temperature, sweeps, field=0.0, periodic=True):
    """Sweep all lattices (n, *shape) and return them; even sites first, then odd ones."""
    parity = np.indices(spins.shape[1:]).sum(axis=0) % 2
    for _ in range(sweeps):
        for turn in (0, 1):
            local = neighbours(spins, periodic) + np.float32(field)
            up = rng.random(spins.shape, np.float32) < 1 / (1 + np.exp(-2 / temperature * local))
            spins = np.where(parity == turn, 2 * up.astype(np.int8) - 1, spins)
    return spins


def neighbours(spins, periodic):
    """The sum of the neighbours of every site, float32."""
    total = np.zeros(spins.shape, np.float32)
    for axis in range(1, spins.ndim):
        for step in (1, -1):
            shifted = np.roll(spins, step, axis).astype(np.float32)
            if not periodic:
                edge = [slice(None)] * spins.ndim
                edge[axis] = 0 if step == 1 else -1
                shifted[tuple(edge)] = 0
            total += shifted
    return total


def cluster_chain(rng, shape, temperature, count):
    """Configurations (count, *shape) of a chain of Swendsen and Wang, of which the next has
    forgotten the last: they are 12 sweeps apart, and tau_int is at most 5."""
    spins, key = np.ones(shape, np.int8), rng.integers(1 << 62, size=4, dtype=np.uint64)
    chain.sweep(spins, 1 / temperature, key, "swendsen-wang", 200, 1)
    packed = np.empty((count, (spins.size + 7) // 8), np.uint8)
    series = np.empty((2, count), np.int64)
    chain.sample_chain(spins, 1 / temperature, key, "swendsen-wang", 12, count, 1, packed, *series)
    bits = np.unpackbits(packed, axis=1, count=spins.size, bitorder="little")
    return (2 * bits.astype(np.int8) - 1).reshape(count, *shape)


@functools.cache
def pool(shape, relative, field=0.0, periodic=True, count=1024):
    """Independent configurations (count, *shape) at so many critical temperatures."""
    rng = np.random.default_rng([*shape, int(1000 * relative), int(1000 * field), periodic])
    if not field and periodic:
        return cluster_chain(rng, shape, relative * TC, count)
    start = rng.choice(np.array([-1, 1], np.int8), (count, *shape))
    return heat_bath(start, rng, relative * TC, 100, field, periodic)


def some(rng, spins, least=400):
    """A random choice of independent configurations."""
    count = int(rng.integers(least, len(spins) + 1))
    return spins[rng.permutation(len(spins))[:count]]


def state_point(rng):
    """A shape and a temperature in units of the critical one."""
    return SHAPES[rng.integers(len(SHAPES))], float(rng.choice([1.0, 1.1, 1.3]))


def label(relative):
    """The options of a nearest-neighbour ferromagnet at this temperature."""
    return f"--model ising --temperature {float(relative) * TC!r}"


# ---- wrong imports -------------------------------------------------------------------------------


def wrong_temperature(rng):
    """A temperature at which the exact energy is 8 errors or more from that of the samples."""
    shape, relative = state_point(rng)
    spins = some(rng, pool(shape, relative))
    energies = -(spins * neighbours(spins, True)).reshape(len(spins), -1).mean(axis=1) / 2
    error = energies.std() / math.sqrt(len(spins))
    sign, factor = rng.choice([-1, 1]), 0.01
    while (
        abs(
            facts.exact_energy(shape, 1 / TC / (relative * (1 + sign * factor)))
            - (facts.exact_energy(shape, 1 / TC / relative))
        )
        < (WORTH + 2) * error
    ):
        factor *= 1.2
    return Case("temperature", spins, label(relative * (1 + sign * factor)))


def wrong_sign(rng):
    """An antiferromagnet that is called a ferromagnet."""
    shape, relative = state_point(rng)
    checkerboard = 1 - 2 * (np.indices(shape).sum(axis=0) % 2).astype(np.int8)
    return Case("sign", some(rng, pool(shape, relative)) * checkerboard, label(relative))


def with_field(rng):
    """A field of 0.1 J that is not mentioned."""
    shape = SHAPES[rng.integers(2)]
    return Case("field", some(rng, pool(shape, 1.3, field=0.1)), label(1.3))


def open_edges(rng):
    """Open edges that are called periodic, of a known or an unknown model."""
    shape = SHAPES[rng.integers(2)]
    spins = some(rng, pool(shape, 1.1, periodic=False))
    return Case("edges", spins, str(rng.choice(["", label(1.1)])))


def swapped_sides(rng):
    """A lattice of 8x32 said to be 32x8, in a flat file."""
    spins = some(rng, pool((8, 32), 1.1))
    options = str(rng.choice(["", label(1.1)]))
    return Case("sides", spins.reshape(len(spins), -1), f"--shape 32x8 {options}")


def order_of_axes(rng):
    """Configurations along the last axis instead of the first."""
    spins = some(rng, pool(SHAPES[rng.integers(2)], 1.1))
    return Case("axes", np.moveaxis(spins, 0, -1), "--axes n,y,x")


def order_of_bits(rng):
    """The highest bit of a byte first, read as the lowest first.

    A row of 16 sites would not do: the wrong order is a reflection of the ring.
    """
    shape, relative = SHAPES[rng.choice([2, 3])], float(rng.choice([1.0, 1.1]))
    spins = some(rng, pool(shape, relative))
    packed = np.packbits(spins.reshape(len(spins), -1) > 0, axis=1)
    how = f"--shape {shape[0]}x{shape[1]} --bit-order little"
    return Case("bits", packed, f"{how} {rng.choice(['', label(relative)])}", bits=True)


def one_byte_each(rng):
    """Bytes 0 and 1, or 1 and 255, read as packed bits."""
    shape, relative = state_point(rng)
    spins = some(rng, pool(shape, relative))
    spins = rng.choice([spins, (spins + 1) // 2])
    how = f"--shape {shape[0]}x{shape[1]} --format bits --bit-order"
    options = f"{rng.choice(['little', 'big'])} {rng.choice(['', label(relative)])}"
    return Case("bytes", spins.view(np.uint8), f"{how} {options}", bits=True)


def copies(rng):
    """At least a tenth of the configurations are there twice: in a row, flipped or shifted."""
    shape, relative = state_point(rng)
    spins = some(rng, pool(shape, relative))
    again = spins[: int(len(spins) * rng.uniform(0.1, 1))]
    how = rng.integers(4)
    if how == 1:
        again = -again
    if how == 2:
        again = np.roll(again, (3, 5), (1, 2))
    together = np.concatenate([spins, again])
    if how == 3:
        together = together[rng.permutation(len(together))]
    return Case("copies", together, str(rng.choice(["", label(relative)])))


def sorted_temperatures(rng):
    """Two or more temperatures one after the other."""
    shape = SHAPES[rng.integers(2)]
    several = (1.0, 1.1, 1.3)[int(rng.integers(2)) :]
    spins = [some(rng, pool(shape, relative)) for relative in several]
    return Case("sorted", np.concatenate(spins), str(rng.choice(["", "--model ising"])))


def one_chain(rng, relative=1.05, steps=400):
    """A chain whose autocorrelation time is about a tenth of its length, after equilibration."""
    start = pool((12, 12), 1.1)[int(rng.integers(1024))][None]
    found, spins = [], heat_bath(start, rng, relative * TC, 50)
    for _ in range(steps):
        spins = heat_bath(spins, rng, relative * TC, 1)
        found.append(spins[0])
    return np.array(found)


def short_chain(rng):
    """A chain of a few autocorrelation times."""
    return Case("short", one_chain(rng, 1.0, 100), str(rng.choice(["", label(1.0)])))


def one_chain_for_many(rng):
    """One chain that is said to be many."""
    return Case("chains", one_chain(rng, 1.05, 1600), "--chains 100")


WRONG = (
    wrong_temperature,
    wrong_sign,
    with_field,
    open_edges,
    swapped_sides,
    order_of_axes,
    order_of_bits,
    one_byte_each,
    copies,
    sorted_temperatures,
    short_chain,
    one_chain_for_many,
)


def wrong_import(number):
    """Wrong import number so-and-so; the kinds take turns."""
    return WRONG[number % len(WRONG)](np.random.default_rng([1, number]))


# ---- good imports --------------------------------------------------------------------------------


def good_import(number):
    """A good import: any shape and temperature, in any writing, of chains that take turns or
    follow each other, with or without its label."""
    rng = np.random.default_rng([2, number])
    shape, relative = state_point(rng)
    spins = some(rng, pool(shape, relative))
    chains = int(rng.choice([1, 4, 10]))
    spins = spins[: len(spins) // chains * chains]
    options = [str(rng.choice(["", label(relative), "--model ising"]))]
    if chains > 1:
        options.append(f"--chains {chains} --chain-order {rng.choice(['turns', 'sequential'])}")
    if rng.random() < 0.3:
        options.append(f"--shape {shape[0]}x{shape[1]} --bit-order big")
        packed = np.packbits(spins.reshape(len(spins), -1) > 0, axis=1)
        return Case("good", packed, " ".join(options), bits=True)
    writing = rng.integers(3)
    array = spins if writing == 0 else (spins + 1) // 2 if writing == 1 else spins > 0
    return Case("good", array, " ".join(options))
