"""Independent samples in a second of one core by each algorithm of `rsmi sample`, thermalized: what `--algorithm auto` goes by.

A sample counts as independent after 2 tau_int, in sweeps, of the energy or of |m|, whichever is slower: 1 / (2 tau_int x seconds of a
sweep). The autocorrelation times are those of the pilot, good to about 5 %. Thousands a second, on one core of a shared Xeon with AVX-512:

    lattice        K/Kc      Metropolis   heat bath   Swendsen-Wang
    64x64          .1             2366       9890               -
                   .3             6276       7875               -
                   .4             7080       6239               -
                   .8             1993        696              39
                   .95             123         41              23
                   .98              36          -              13
                   1                26          8              11
                   1.02             43          -              14
                   1.05            390        107              18
                   1.3            4077       2803              29
    32x32          1               519        155              41
    16x16          1              7270       2388             114
    128x128        .97             8.5          -             4.6
                   .98             4.4          -             4.0
                   .99             1.7          -             2.7
                   1               1.4          -             2.4
                   1.01            2.9          -             2.7
                   1.02             16          -             3.5
    16x16x16       .5             5316       5344              32
                   .8             3945       1779              24
                   .95             925        289              13
    8x8x8          .2            23121      67047             176
                   1              6334       2306              21
                   1.2           25264      17559              33
    ring of 256    K = .1        62998     150663            2763
                   .3           129604     116117            2618
                   1             10099      11655            2553
                   1.5            1584       1718            2465
                   3                27         26            2313
    ring of 16     3            119355     101173           23220

Metropolis and heat bath of 512 spins at a time, replicas or (128x128) a strip. Where each is best moves with the instructions at hand:
with portable code (an eighth of the speed) Swendsen-Wang would win at T_c from L = 64; the choice stays the same, so that samples do.
"""

from timing import seconds

from rsmi.kernels.ising_bitsliced import fits_strip
from rsmi.lattice.ising import critical_coupling
from rsmi.stages.ising import IsingSimulation
from rsmi.stages.simulation import pilot

RATIOS = {2: (0.3, 0.8, 0.98, 1, 1.02, 1.3), 3: (0.2, 0.8, 1, 1.2)}
COUPLINGS = {
    **{(size, size): tuple(ratio * critical_coupling(2) for ratio in RATIOS[2]) for size in (16, 64)},
    (128, 128): tuple(ratio * critical_coupling(2) for ratio in (0.98, 1)),
    (8, 8, 8): tuple(ratio * critical_coupling(3) for ratio in RATIOS[3]),
    (256,): (0.1, 0.3, 1, 1.5, 2),
}
ALGORITHMS = ("metropolis", "heat-bath", "swendsen-wang")


def independent_samples(shape, coupling, algorithm):
    """In a second, thermalized."""
    layout = "plain" if algorithm == "swendsen-wang" else "strip" if fits_strip(shape) else "replicas"
    simulation = IsingSimulation(shape, coupling, algorithm, 0, layout)
    found, state = pilot(simulation), simulation.start("benchmark")
    at_once = simulation.together
    sweeps = max(1, (1 << (22 if layout == "plain" else 27)) // (simulation.sites * at_once))
    each = seconds(lambda: simulation.advance(state, sweeps, 0, at_once, 1)) / (sweeps * at_once)
    return 1 / (2 * float(found["tau"]) * each)


def run() -> list[tuple[str, float, str]]:
    """(name, value, unit) of every measurement."""
    rows = []
    for shape, couplings in COUPLINGS.items():
        for coupling in couplings:
            own = {algorithm: independent_samples(shape, coupling, algorithm) for algorithm in ALGORITHMS}
            for algorithm, value in own.items():
                against = f"samples/s ({value / own['swendsen-wang']:.2g} x swendsen-wang)" if algorithm != "swendsen-wang" else "samples/s"
                rows.append((f"{algorithm} {'x'.join(map(str, shape))} K={coupling:.4f}", value, against))
    return rows


if __name__ == "__main__":
    for name, value, unit in run():
        print(f"{name:50s} {value:12.0f} {unit}")
