"""What Boltzmann machines of the block alone learn from dimers in noise: the noise, and textures of
dimers, never the electric field.

    python boltzmann.py SAMPLES.h5 FIGURE.png        (prints the table; half a CPU minute)

Machines of V with 1 to 32 hidden units are trained by contrastive divergence, briefly and until
nothing changes any more. A hidden unit's filter is its column of weights, stars taken out. The
share of a unit on E is that of its squared weights, links and noise, in the span of T_x and T_y;
beside the best unit's, that of the best of as many random filters on links.
"""

import sys
from pathlib import Path
from typing import NamedTuple

sys.path.append(str(Path(__file__).parents[1]))
import numpy as np
from common import save, stream_key
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from rsmi.information.rbm import RBM, initial_state, train_epochs
from rsmi.lattice.geometry import Geometry
from rsmi.models.dimers.figure import draw_unit
from rsmi.models.dimers.filters import embed_links, filter_shape, split_filters
from rsmi.models.dimers.stars import without_stars
from rsmi.samples.files import open_file
from rsmi.samples.windows import WindowSet
from rsmi.statistics.notation import table

BLOCK = (4, 4)
WINDOWS = 100_000
UNITS = (1, 2, 4, 8, 16, 32)
SEEDS = 5
SCHEDULES = {  # learning rate, epochs of about 80,000 windows, Gibbs steps
    "brief": (0.003, 20, 5),
    "to the end": (0.05, 20, 5),
}
RANDOM = 300  # random sets of filters
DRAWN = 16  # units of the machine in the figure


class Machine(NamedTuple):
    """Measures of one machine."""

    filters: np.ndarray  # (units, variables of V), stars taken out
    noise: float  # share of all squared weights on noise spins
    noisy_units: float  # share of the units with more than half of their own there
    electric: float  # largest share of a unit's squared weights in the span of T_x and T_y
    columnar: float  # the same of the columnar order
    likelihood: float  # pseudo-log-likelihood of held-out blocks, nats


def trained(windows: WindowSet, units: int, schedule: str, seed: int) -> Machine:
    """A machine of V, by CD."""
    blocks = np.ascontiguousarray(windows.training.blocks)
    rate, epochs, steps = SCHEDULES[schedule]
    state = initial_state(
        blocks.shape[1],
        units,
        stream_key(seed, "boltzmann", {"units": units, "schedule": schedule}, 0),
        visible_mean=blocks.mean(axis=0),
    )
    train_epochs(
        state, blocks, epochs_total=epochs, count=epochs, n_gibbs=steps, learning_rate=rate
    )
    filters, _ = without_stars(state["weights"].T.astype(float), np.zeros(units), BLOCK, 4)
    shape, noise = filter_shape(filters, BLOCK, 4), split_filters(filters, 4)[1]
    return Machine(
        filters=filters,
        noise=float((noise**2).sum() / (filters**2).sum()),
        noisy_units=float((shape.noise > 0.5).mean()),
        electric=float((shape.electric * (1 - shape.noise)).max()),
        columnar=float((shape.columnar * (1 - shape.noise)).max()),
        likelihood=float(
            RBM.from_state(state)
            .pseudo_log_likelihood(windows.held_out.thinned(5000).blocks)
            .mean()
        ),
    )


def random_electric(units: int) -> float:
    """The mean of the largest share on E among random filters on links."""
    rng = np.random.default_rng(1)
    links = rng.normal(size=(RANDOM, units, 2 * BLOCK[0] * BLOCK[1]))
    return float(
        np.mean([filter_shape(embed_links(row, 4), BLOCK, 4).electric.max() for row in links])
    )


def report(found: dict) -> None:
    """The table."""
    print(
        "Boltzmann machines of V by contrastive divergence, free dimers in noise, 4x4 cells,"
        f" {SEEDS} seeds: mean (least to most)\n"
    )
    rows = [
        [
            "",
            "units",
            "weight on noise",
            "units on noise",
            "most E of a unit",
            "random",
            "most columnar",
            "pseudo-log-likelihood",
        ]
    ]
    for (schedule, units), machines in found.items():
        columns = (
            spread([getattr(machine, name) for machine in machines])
            for name in ("noise", "noisy_units", "electric")
        )
        columnar = spread([machine.columnar for machine in machines])
        likelihood = np.mean([machine.likelihood for machine in machines])
        rows.append(
            [
                schedule,
                str(units),
                *columns,
                f"{random_electric(units):.2f}",
                columnar,
                f"{likelihood:.2f}",
            ]
        )
    print("\n".join(table(rows)))


def spread(values: list[float]) -> str:
    """Mean, least and most."""
    return f"{np.mean(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def draw(filters: np.ndarray) -> Figure:
    """Every unit of one machine, the noisiest first."""
    share = filter_shape(filters, BLOCK, 4).noise
    figure = Figure(figsize=(8.8, 1.35 * len(filters) / 8 + 0.3), layout="constrained")
    grid = figure.subplots(-(-len(filters) // 8), 8)
    scale = ScalarMappable(
        Normalize(*(np.array([-1, 1]) * np.abs(filters).max())), colormaps["RdBu_r"]
    )
    for axes, unit in zip(grid.ravel(), np.argsort(-share)):
        draw_unit(axes, filters[unit], BLOCK, 4, scale, dot=14)
        axes.set_title(f"noise {share[unit]:.2f}", fontsize=8)
        axes.set_axis_off()
    figure.colorbar(scale, ax=grid, shrink=0.7, aspect=25, label="weight, without gauge freedom")
    return figure


def main(samples: str, output: str) -> None:
    """Print the table and draw the figure."""
    with open_file(samples, "samples") as source:
        windows = WindowSet(source, Geometry(BLOCK, 2, 1), WINDOWS, 0)
        windows.check()
        found = {
            (schedule, units): [trained(windows, units, schedule, seed) for seed in range(SEEDS)]
            for schedule in SCHEDULES
            for units in UNITS
        }
    report(found)
    save(lambda: draw(found["to the end", DRAWN][0].filters), output)


if __name__ == "__main__":
    main(*sys.argv[1:])
