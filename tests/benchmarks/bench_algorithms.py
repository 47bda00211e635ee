"""Independent samples per second of one core for each algorithm of `rsmi sample`, after
thermalization. The choice of `--algorithm auto` follows these rates.

A sample counts as independent after 2 tau_int sweeps, where tau_int is that of the energy or of
|m|, whichever is larger; the rate is 1 / (2 tau_int x seconds of a sweep). The autocorrelation
times come from the pilot run and are accurate to about 5 %. Thousands per second on one core with
AVX-512:

    lattice        K/Kc      Metropolis   heat bath   Swendsen-Wang
    16x16          1                 7730        2473             123
    32x32          1                  540         165              42
    64x64          0.1               2566       10710             121
                   0.3               6663        8566             114
                   0.4               7927        6538              90
                   0.8               2209         726              38
                   0.95               131          44              24
                   0.98                38        11.7            13.9
                   1                   27         8.6            11.4
                   1.02                48        18.9            15.0
                   1.05               392         110            18.1
                   1.3               4434        2970              30
    128x128        0.97               9.6         3.1             4.4
                   0.98               3.8         1.6             4.2
                   0.99               2.0         0.6             2.7
                   1                  1.5         0.7             2.5
                   1.01               3.2         0.9             2.7
                   1.02              17.8         3.4             2.8
    8x8x8          0.2              25480       73530             179
                   1                 6909        2470              22
                   1.2              28120       18390              34
    16x16x16       0.5               5689        5949              32
                   0.8               4337        2004              24
                   0.95              1009         301            13.8
    ring of 16     K = 3           130600      110300           24170
    ring of 256    K = 0.1          68280      160300            2849
                   0.3             137200      123800            2761
                   1                11070       12620            2541
                   1.5               1697        1816            2514
                   3                   30          29            2403

Metropolis and heat bath update 512 spins at a time: replicas, or a strip (128x128). Which algorithm
is best depends on the instruction set: with portable code, at an eighth of the speed,
Swendsen-Wang would win at T_c from L = 64. The choice does not depend on the machine, so that the
samples do not.
"""

from timing import Row, seconds

from rsmi.models.ising.bitsliced import fits_strip
from rsmi.models.ising.facts import critical_coupling
from rsmi.models.ising.simulation import LAYOUTS
from rsmi.models.schedule import pilot

# Lattices, and K/K_c (of a ring, K).
RATIOS = {
    (16, 16): (1,),
    (32, 32): (1,),
    (64, 64): (0.1, 0.3, 0.4, 0.8, 0.95, 0.98, 1, 1.02, 1.05, 1.3),
    (128, 128): (0.97, 0.98, 0.99, 1, 1.01, 1.02),
    (8, 8, 8): (0.2, 1, 1.2),
    (16, 16, 16): (0.5, 0.8, 0.95),
    (16,): (3,),
    (256,): (0.1, 0.3, 1, 1.5, 3),
}
ALGORITHMS = ("metropolis", "heat-bath", "swendsen-wang")


def independent_samples(shape, coupling, algorithm):
    """In a second, thermalized."""
    layout = (
        "plain" if algorithm == "swendsen-wang" else "strip" if fits_strip(shape) else "replicas"
    )
    simulation = LAYOUTS[layout](shape, coupling, algorithm, 0)
    found, state = pilot(simulation), simulation.start("benchmark")
    at_once = simulation.chains_per_task
    sweeps = max(1, (1 << (22 if layout == "plain" else 27)) // (simulation.sites * at_once))
    each = seconds(lambda: simulation.advance(state, sweeps, 0, at_once)) / (sweeps * at_once)
    return 1 / (2 * float(found["tau"]) * each)


def run() -> list[Row]:
    """Every measurement."""
    rows = []
    for shape, ratios in RATIOS.items():
        for ratio in ratios:
            coupling = ratio if len(shape) == 1 else ratio * critical_coupling(len(shape))
            own = {
                algorithm: independent_samples(shape, coupling, algorithm)
                for algorithm in ALGORITHMS
            }
            where = (
                f"{'x'.join(map(str, shape))} at"
                f" {'K=' if len(shape) == 1 else ''}{ratio}{'' if len(shape) == 1 else ' Kc'}"
            )
            for algorithm, value in own.items():
                against = (
                    {}
                    if algorithm == "swendsen-wang"
                    else {"swendsen-wang": value / own["swendsen-wang"]}
                )
                rows.append(Row(f"{algorithm} {where}", value, "samples/s", against))
    return rows
