"""Stiffness g of attracting dimers against temperature and size, and where columns order: g = 4.

    python stiffness.py [SAMPLES]        (prints the tables; about two CPU minutes with 20000
    samples)

T in |v|/k_B. F. Alet et al., Phys. Rev. Lett. 94, 235702 (2005): P(W) ~ exp(-pi g (W_x^2 + W_y^2)),
g = 1/2 for free dimers, columnar order from g = 4 on, T_BKT = .65(1).
"""

import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
import numpy as np
from common import rsmi

SIZES = (8, 16, 24, 32)
TEMPERATURES = (np.inf, 2.0, 1.0, 0.8, 0.7, 0.67, 0.66, 0.65, 0.64, 0.63, 0.62, 0.6, 0.5)


def measured(size: int, temperature: float, samples: int) -> dict:
    """What ``rsmi info`` says of samples of the torus."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "samples.h5"
        heat = [] if np.isinf(temperature) else ["--temperature", str(temperature)]
        size_and_samples = ("--size", size, "--samples", samples, "--seed", 1)
        return rsmi("sample", "--model", "dimers", *size_and_samples, *heat, "-o", path)


def crossing(stiffness: list[float]) -> float:
    """T at which the stiffness is 4, between the temperatures around it, on a line in 1/g."""
    inverse, temperatures = 1 / np.array(stiffness), np.array(TEMPERATURES)
    return float(np.interp(0.25, inverse[:0:-1], temperatures[:0:-1]))


def main(samples: int) -> None:
    table = {
        size: [measured(size, temperature, samples) for temperature in TEMPERATURES]
        for size in SIZES
    }
    rows = {
        "stiffness g, from the field at the smallest wave vector": "stiffness",
        "<W^2>": "winding_squared",
        "columnar order": "columnar_order",
    }
    for title, name in rows.items():
        print(f"{title}\n{'T':>6}" + "".join(f"{f'L = {size}':>20}" for size in SIZES))
        for k, temperature in enumerate(TEMPERATURES):
            values = [
                (table[size][k][name], table[size][k][f"{name}_error"] or 0.0) for size in SIZES
            ]
            print(
                f"{temperature:6g}"
                + "".join(f"{value:.5f}({error:.5f})".rjust(20) for value, error in values)
            )
        print()
    print(
        "g = 4 at T = "
        + ", ".join(
            f"{crossing([entry['stiffness'] for entry in table[size]]):.4f} (L = {size})"
            for size in SIZES
        )
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
