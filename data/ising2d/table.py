"""The summary table of the reproduction: what was measured beside what is exactly known.

python table.py        (RSMI in the environment may name the rsmi command)
"""

import math
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
from common import info

T_C = 2 / math.log(1 + math.sqrt(2))
ENERGY_64 = -1.42393839  # per site of the 64x64 torus at T_c (Kaufman 1949)


def line(what: str, value, error, exact="", remark: str = "") -> None:
    """One row: value +- error, the exact value, a remark."""
    measured = (
        "undefined"
        if value is None
        else f"{value:10.5f} +- {error:.5f}"
        if error is not None
        else f"{value:10.5f}"
    )
    shown = f"{exact:.5f}" if isinstance(exact, float) else exact
    print(f"{what:44} {measured:24} {shown:>10}  {remark}")


def filters(found: dict) -> None:
    """The filters as small matrices."""
    for unit in found["filters"]:
        for row in unit:
            print("    " + " ".join(f"{weight:7.2f}" for weight in row))
        print()


def cosine_to_uniform(found: dict) -> float:
    """Cosine between the first filter and the uniform one."""
    weights = [weight for row in found["filters"][0] for weight in row]
    return sum(weights) / math.sqrt(len(weights) * sum(weight * weight for weight in weights))


def boundary_and_inner(found: dict) -> tuple[float, float]:
    """Mean weight of the boundary and of the inner sites of a square filter."""
    square = found["filters"][0]
    last = len(square) - 1
    sides = {True: [], False: []}
    for y, row in enumerate(square):
        for x, weight in enumerate(row):
            sides[0 in (y, x) or last in (y, x)].append(weight)
    return sum(sides[True]) / len(sides[True]), sum(sides[False]) / len(sides[False])


def rule(title: str, found: dict) -> None:
    """What a learned rule knows of its environment."""
    line(
        f"{title}: I(H:E) soft",
        found["mutual_information_soft"],
        found["mutual_information_soft_error"],
        found["mutual_information_exact_soft"],
    )
    drawn = (
        f"+- {found['mutual_information_exact_hard_error']:.5f}, environments drawn; I(V:E) ="
        f" {found['mutual_information_block']:.4f}"
    )
    line(
        f"{title}: I(H:E) hard",
        found["mutual_information_hard"],
        found["mutual_information_hard_error"],
        found["mutual_information_exact_hard"],
        drawn,
    )


def exponents(title: str, found: dict) -> None:
    """The headline exponents: step 2, all operators; nu and T_c from one effective coupling."""
    line(
        f"{title}: y_t",
        found["headline"]["y_t"]["value"],
        found["headline"]["y_t"]["error"],
        1.0,
        "step 2, 10 operators",
    )
    line(
        f"{title}: y_h",
        found["headline"]["y_h"]["value"],
        found["headline"]["y_h"]["error"],
        15 / 8,
        "step 2, 6 operators",
    )
    biased = found["effective_coupling"]
    line(f"{title}: nu", biased["nu"], biased["nu_error"], 1.0, biased["nu_remark"])
    line(
        f"{title}: T_c",
        biased["T_c"],
        biased["T_c_error"],
        T_C,
        biased["T_c_reason"] or f"steps 2, 3; {biased['T_c_remark']}",
    )


def main() -> None:
    """Print the table."""
    samples, theta, one, four, large = (
        info(f"{name}.h5") for name in ("samples-Tc", "theta", "lambda", "lambda4", "lambda4x4")
    )
    print("Two-dimensional Ising model, 64x64, information in nats, temperatures in J/k_B\n")
    print("The learned 2x2 filter, the rule of the flow below:\n")
    filters(one)
    print("The learned 4x4 filter (its boundary knows more of the environment):\n")
    filters(large)
    print(f"{'':44} {'measured':24} {'exact':>10}")
    line("energy per site at T_c", samples["energy"], samples["energy_error"], ENERGY_64)
    line("KL of the Boltzmann machine's P(V|E)", theta["kl"], theta["kl_error"], 0.0)
    line("2x2 filter: cosine to uniform", cosine_to_uniform(one), None)
    rule("2x2, 1 unit", one)
    rule("2x2, 4 units", four)
    rule("4x4, 1 unit", large)
    boundary, inner = boundary_and_inner(large)
    line("4x4 filter: mean boundary weight", boundary, None, "", f"mean inner weight {inner:.2f}")
    exponents("learned rule", info("exponent.h5"))
    exponents("majority rule", info("exponent-majority.h5"))


if __name__ == "__main__":
    main()
