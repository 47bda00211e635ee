"""Microseconds per configuration of scaling dimensions in flight: the sampler alone, with the sums
of two functions (spin and bond energy) over the lattice, and with their structure factors at small
wave vectors, at T_c. The baseline is the same by numpy: unpacked spins, their products and Fourier
transforms."""

from statistics import median
from time import process_time

import numpy as np

from rsmi.information.channel import spin_states
from rsmi.lattice.packed import pack_mask, unpack_spins
from rsmi.models.ising import bitsliced
from rsmi.renormalization.product_terms import terms_of_table
from rsmi.renormalization.spectrum.functions import bond_energy, function_of_terms, magnetization
from rsmi.renormalization.spectrum.group_sums import GroupSums
from rsmi.renormalization.spectrum.readings import measure

REPEATS, STEPS, COUPLING = 7, 8, np.log(1 + 2**0.5) / 2
SWEEPS = {8: 6, 16: 22, 32: 30, 64: 128}  # between configurations, as `rsmi spectrum` takes them
FUNCTIONS = (magnetization(2), bond_energy(2))
ALL_EQUAL = np.where(np.abs(spin_states(4).sum(axis=1)) == 4, 1.0, -1.0)  # of a 2x2 block
UNIT = function_of_terms("all equal", terms_of_table(ALL_EQUAL), (2, 2))


class Sampler:
    """512 lattices of one size."""

    def __init__(self, length: int) -> None:
        self.shape, replicas = (length, length), bitsliced.REPLICAS
        up = pack_mask(np.ones(length**2, bool)) * np.ones((replicas, 1), np.uint8)
        self.spins = bitsliced.unpack(up, self.shape, "replicas")
        self.generators = bitsliced.seed(np.arange(1, 5, dtype=np.uint64), 1)
        self.rows = np.zeros((STEPS * replicas, (length**2 + 7) // 8), np.uint8)
        self.series = np.zeros((2, len(self.rows)), np.int64)
        self.groups = np.tile(np.arange(replicas) // 8, STEPS)

    def sample(self) -> None:
        """Fill the rows."""
        system = (self.shape, COUPLING, "metropolis", "replicas", SWEEPS[self.shape[0]])
        bitsliced.sample_chain(self.spins, self.generators, *system, self.rows, *self.series)

    def measure(self, functions: tuple, modes: bool) -> None:
        """Add the rows to sums over groups."""
        names = [function.name for function in functions]
        sums = GroupSums.empty(64, names[1:], names[:1], self.shape, 5 if modes else 0)
        values, factors = measure(self.rows, self.shape, functions, modes)
        sums.add(values[:, 1:], values[:, :1], self.groups, factors[:, 1:], factors[:, :1])


def by_numpy(sampler: Sampler) -> None:
    """The structure factors of both functions."""
    spins = unpack_spins(sampler.rows[:512], sampler.shape)
    bonds = spins * (np.roll(spins, 1, 1) + np.roll(spins, 1, 2)) / 2
    for field in (spins, bonds):
        np.abs(np.fft.rfft2(field)) ** 2


def microseconds(work, samples: int) -> float:
    """Median CPU time per configuration."""
    times = []
    for _ in range(REPEATS):
        start = process_time()
        work()
        times.append(process_time() - start)
    return median(times) / samples * 1e6


def run() -> list[tuple[str, float, str]]:
    """(name, value, unit) of every measurement."""
    rows = []
    for length in SWEEPS:
        sampler = Sampler(length)
        n, size = len(sampler.rows), f"{length} x {length}"
        alone = microseconds(sampler.sample, n)
        rows.append((f"{size}: sampler, {SWEEPS[length]} sweeps", alone, "us/configuration"))
        for name, functions, modes in (
            ("lattice sums", FUNCTIONS, False),
            ("low modes", FUNCTIONS, True),
            ("lattice sums with a 2x2 unit", (*FUNCTIONS, UNIT), False),
        ):
            own = microseconds(lambda: sampler.measure(functions, modes), n)
            rows.append((f"{size}: {name}", own, "us/configuration"))
            share = (alone + own) / alone
            rows.append((f"{size}: with {name}, of the sampler alone", share, "times"))
        numpy_time = microseconds(lambda: by_numpy(sampler), 512)
        rows.append((f"baseline: {size}, by numpy", numpy_time, "us/configuration"))
    return rows


if __name__ == "__main__":
    for name, value, unit in run():
        print(f"{name:50s} {value:8.3f} {unit}")
