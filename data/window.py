"""Draw the picture of the repository's README, data/figures/window.svg: a configuration of the
Ising model with a block V, its buffer, its environment E, and the hidden unit H.

    python data/window.py data/figures/window.svg
"""

from __future__ import annotations

import math
import random
import sys
from pathlib import Path

COLUMNS, ROWS, CELL, MARGIN = 12, 8, 36, 12
CORNER = (3, 5)  # row and column of the first site of the block
COUPLING = math.log(1 + math.sqrt(2)) / 2  # critical
SWEEPS, SEED = 200, 39
BLOCK, BUFFER, ENVIRONMENT, INK = "#f4b183", "#e7e6e6", "#9dc3e6", "#222222"
HIDDEN = (544, 156)  # centre of the drawn hidden unit


def configuration() -> list[list[bool]]:
    """Heat-bath sweeps of a small periodic lattice; true is spin up."""
    generator = random.Random(SEED)
    spins = [[generator.random() < 0.5 for _ in range(COLUMNS)] for _ in range(ROWS)]
    for _ in range(SWEEPS):
        for y in range(ROWS):
            for x in range(COLUMNS):
                neighbours = (
                    spins[y - 1][x],
                    spins[(y + 1) % ROWS][x],
                    spins[y][x - 1],
                    spins[y][(x + 1) % COLUMNS],
                )
                field = 2 * sum(neighbours) - 4
                spins[y][x] = generator.random() < 1 / (1 + math.exp(-2 * COUPLING * field))
    return spins


def square(distance: int, colour: str) -> str:
    """The sites within a distance of the block, as a filled square."""
    side = (2 + 2 * distance) * CELL
    x, y = (MARGIN + (corner - distance) * CELL for corner in reversed(CORNER))
    return f'<rect x="{x}" y="{y}" width="{side}" height="{side}" rx="6" fill="{colour}"/>'


def spin(x: int, y: int, up: bool) -> str:
    """A site: a full circle is spin up."""
    centre = (MARGIN + (x + 0.5) * CELL, MARGIN + (y + 0.5) * CELL)
    fill = INK if up else "white"
    return (
        f'<circle cx="{centre[0]:g}" cy="{centre[1]:g}" r="9" fill="{fill}" stroke="{INK}"'
        ' stroke-width="1.5"/>'
    )


def text(x: float, y: float, words: str, size: int = 15) -> str:
    """Words that begin at a point."""
    return f'<text x="{x:g}" y="{y:g}" font-size="{size}" fill="{INK}">{words}</text>'


def arrow() -> list[str]:
    """From the block to the hidden unit, between two rows of sites."""
    begin, end, y = MARGIN + (CORNER[1] + 2) * CELL, HIDDEN[0] - 26, HIDDEN[1]
    return [
        f'<line x1="{begin}" y1="{y}" x2="{end - 8}" y2="{y}" stroke="{INK}" stroke-width="2"/>',
        f'<path d="M {end} {y} l -12 -6 v 12 z" fill="{INK}"/>',
    ]


def legend() -> list[str]:
    """What the three colours mean, and what is asked of H."""
    entries = (
        (BLOCK, "block V"),
        (BUFFER, "buffer, ignored"),
        (ENVIRONMENT, "environment E"),
    )
    lines = []
    for k, (colour, words) in enumerate(entries):
        y = 216 + 28 * k
        lines.append(f'<rect x="500" y="{y}" width="20" height="20" rx="3" fill="{colour}"/>')
        lines.append(text(530, y + 16, words))
    return lines


def picture() -> str:
    """The SVG."""
    spins = configuration()
    width, height = 800, 2 * MARGIN + ROWS * CELL
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
        f' height="{height}" font-family="sans-serif">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        square(2, ENVIRONMENT),
        square(1, BUFFER),
        square(0, BLOCK),
        *(spin(x, y, spins[y][x]) for y in range(ROWS) for x in range(COLUMNS)),
        *arrow(),
        f'<circle cx="{HIDDEN[0]}" cy="{HIDDEN[1]}" r="24" fill="{BLOCK}" stroke="{INK}"'
        ' stroke-width="1.5"/>',
        text(HIDDEN[0] - 7, HIDDEN[1] + 6, "H", 20),
        text(500, 40, "H = +1 with probability"),
        text(500, 62, "1/(1 + exp(-x)),"),
        text(500, 84, "x = sum of filter times spins in V"),
        text(500, 112, "Find the filter with the largest I(H:E)."),
        *legend(),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(picture())
