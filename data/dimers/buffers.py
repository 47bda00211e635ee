"""What fixed readouts of a block of dimers know of links far away, against the width of the buffer.

    python buffers.py SAMPLES.h5 FIGURE.png        (prints the table; about a CPU minute)

Every readout is the sign of a linear function of the 4x4 block. I(H:E) is the held-out decoder
bound, in nats; beside it, rho is the exact correlation of the function with the linear function of
E that predicts it best, and "if Gaussian" what the sign of a Gaussian variable with this rho knows.
The control has the environments of other configurations: it is zero but for what fitting the
decoder costs, which the other rows have paid as well.
"""

import math
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
import numpy as np
from common import save
from matplotlib.figure import Figure
from readouts import information

from rsmi.information.canonical import readout_correlations
from rsmi.information.decoder import DecoderBound
from rsmi.lattice.geometry import Geometry
from rsmi.models.dimers.filters import (
    columnar_templates,
    electric_templates,
    embed_links,
    on_links,
    window_moments,
)
from rsmi.models.dimers.kasteleyn import link_covariance
from rsmi.samples.files import open_file
from rsmi.samples.windows import WindowSet
from rsmi.statistics.notation import table, with_error

BLOCK = (4, 4)
BUFFERS = (1, 2, 3, 4, 6, 8)  # measured; the exact curves go on to the largest that fits
WINDOWS = 400_000
CONTROL = "control"
READOUTS = {
    "E": electric_templates(BLOCK)[:1],
    "columnar": columnar_templates(BLOCK)[:1],
    "noise": None,
}
LABELS = {
    "E": "electric field $E_x$",
    "columnar": "columnar order, along x",
    "noise": "noise, all spins",
}


def filter_of(readout: str) -> np.ndarray:
    """(1, 64): along x on the links, or the same on all noise spins."""
    links = READOUTS[readout]
    return 1.0 - on_links(BLOCK, 4)[None] if links is None else embed_links(links, 4)


def sign_information(rho: float) -> float:
    """I(sign x : y) of Gaussian variables with correlation rho: ln 2 less the mean entropy of sign
    x given y, by quadrature."""
    y, step = np.linspace(-9, 9, 4001, retstep=True)
    up = np.array(
        [0.5 * math.erfc(-rho * value / math.sqrt(2 * (1 - rho**2))) for value in y]
    ).clip(1e-300, 1)
    weight = np.exp(-(y**2) / 2) / math.sqrt(2 * math.pi) * step
    return math.log(2) + float(
        2 * (weight * up * np.log(up)).sum()
    )  # the two signs contribute alike


def exact(covariance: np.ndarray, agreement: float, buffer: int) -> dict[str, float]:
    """rho^2 of every readout."""
    moments = window_moments(covariance, Geometry(BLOCK, buffer, 1), 4, agreement)
    return {
        readout: float(readout_correlations(filter_of(readout), *moments)[0] ** 2)
        for readout in READOUTS
    }


def scan(path: str):
    """Bounds by readout and buffer, the exact rho^2 of every buffer that fits, and the lattice
    size."""
    with open_file(path, "samples") as source:
        size = source.attributes["shape"][0]
        covariance = link_covariance(source.attributes["shape"])
        agreement = 2 * source.attributes["noise_probability"] - 1
        known = {
            buffer: exact(covariance, agreement, buffer) for buffer in range((size - BLOCK[0]) // 2)
        }
        found = {readout: [] for readout in (*READOUTS, CONTROL)}
        for buffer in BUFFERS:
            windows = WindowSet(source, Geometry(BLOCK, buffer, 1), WINDOWS, 0)
            windows.check()
            for readout in READOUTS:
                found[readout].append(information(windows, filter_of(readout)))
            found[CONTROL].append(information(windows, filter_of("E"), shuffled=True))
    return found, known, size


def report(found: dict, known: dict, size: int) -> None:
    """The table."""
    print(
        f"Readouts of a 4x4 block of free dimers with noise, {size}x{size}, environment of width 1:"
        " I(H:E) in nats, against the buffer\n"
    )
    rows = [["", "buffer", "I(H:E), held out", "less control", "if Gaussian", "exact rho^2"]]
    for readout, bounds in found.items():
        for buffer, bound, control in zip(BUFFERS, bounds, found[CONTROL]):
            square = known[buffer].get(readout)
            more = (
                ["-"] * 3
                if square is None
                else [
                    difference(bound, control),
                    f"{sign_information(math.sqrt(square)):z.4f}",
                    f"{square:.4f}",
                ]
            )
            rows.append([readout, str(buffer), with_error(bound.value, bound.error), *more])
    print("\n".join(table(rows)))
    print(
        f"\nBuffer 0, exact rho^2: E {known[0]['E']:.4f}, columnar {known[0]['columnar']:.4f}:"
        " block and environment share vertices there, whose one dimer"
    )
    print(
        "each is of one of the two; some functions of V are then known exactly, and the largest rho"
        " is 1."
    )
    for readout in ("E", "columnar"):
        last = max(known)
        print(
            f"{readout}: exact rho^2 from buffer 2 to {last} falls like (buffer +"
            f" 2)^{slope(known, readout, 2, last):.2f}"
        )


def difference(bound: DecoderBound, control: DecoderBound) -> str:
    """What is left of a bound when the cost of the fit is given back."""
    return with_error(bound.value - control.value, math.hypot(bound.error, control.error))


def slope(known: dict, readout: str, first: int, last: int) -> float:
    """Mean power of buffer + 2, the distance of the block's middle from the environment, between
    two buffers."""
    return math.log(known[last][readout] / known[first][readout]) / math.log(
        (last + 2) / (first + 2)
    )


def draw(found: dict, known: dict, size: int) -> Figure:
    """Information against the buffer: linear, with the noise, and in logarithms."""
    figure = Figure(figsize=(7.6, 3.9), layout="constrained")
    linear, logarithmic = figure.subplots(1, 2, width_ratios=(1, 1.3))
    buffers = [buffer for buffer in known if buffer]
    control, control_errors = np.array([bound[:2] for bound in found[CONTROL]]).T
    for number, readout in enumerate(READOUTS):
        values, errors = np.array([bound[:2] for bound in found[readout]]).T
        curve = [sign_information(math.sqrt(known[buffer][readout])) for buffer in buffers]
        for axes in (linear, logarithmic):
            if axes is linear or readout != "noise":
                axes.errorbar(
                    BUFFERS,
                    values - control,
                    np.hypot(errors, control_errors),
                    marker="osD"[number],
                    linestyle="none",
                    color=f"C{number}",
                    label=LABELS[readout],
                )
                axes.plot(buffers, curve, color=f"C{number}", linewidth=1, zorder=1)
    linear.set(
        xlabel="buffer (cells)",
        ylabel="$I(H:E)$ of the sign (nats)",
        ylim=(-0.004, 0.04),
        xlim=(0.5, 8.5),
    )
    logarithmic.set(xscale="log", yscale="log", xlabel="buffer (cells)")
    figure.suptitle(
        f"free dimers, {size}x{size}; points: held out, less the control; lines: Gaussian variables"
        " of the exact $\\rho$",
        fontsize=9,
    )
    logarithmic.set_xticks(ticks := [1, 2, 3, 4, 6, 8, 12], ticks)
    logarithmic.minorticks_off()
    figure.legend(*linear.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def main(samples: str, output: str) -> None:
    """Print the table and draw the figure."""
    result = scan(samples)
    report(*result)
    save(lambda: draw(*result), output)


if __name__ == "__main__":
    main(*sys.argv[1:])
