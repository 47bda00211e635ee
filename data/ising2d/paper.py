"""The paper-scale reproduction, 128x128: what was measured beside what is published and what is
exactly known.

python paper.py        (RSMI in the environment may name the rsmi command)
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
from common import info
from table import T_C, boundary_and_inner, cosine_to_uniform


def line(what: str, value, error, published: str = "", exact: str = "") -> None:
    """One row: value +- error, the published and the exact value."""
    measured = (
        "undefined"
        if value is None
        else f"{value:.5f} +- {error:.5f}"
        if error is not None
        else f"{value:.5f}"
    )
    print(f"{what:52} {measured:>24}   {published:>16}   {exact}")


def filters() -> None:
    """Figs. 2 and 5: what the filters are, and what they know."""
    for name, published in (
        ("2x2-1", "uniform"),
        ("2x2-4", "single spins"),
        ("4x4-1", "boundary"),
        ("4x4-4", "four regions"),
    ):
        found = info(f"paper-lambda{name}.h5")
        block, hidden = name.split("-")
        exact = found["mutual_information_exact_hard"]
        line(
            f"{block}, {hidden} unit(s): I(H:E), hard, nats",
            found["mutual_information_hard"],
            found["mutual_information_hard_error"],
            published,
            "" if exact is None else f"{exact:.4f} (this rule)",
        )
        if name == "2x2-1":
            line("    cosine to the uniform filter", cosine_to_uniform(found), None)
        if name == "4x4-1":
            boundary, inner = boundary_and_inner(found)
            line(
                "    mean weight of the boundary, of the inner sites",
                boundary,
                None,
                "",
                f"inner {inner:.2f}",
            )


def sequences(title: str, found: dict) -> None:
    """Exponents at every step; the headline is fixed: step 2, all operators."""
    for name, exact in (("y_t", "1"), ("y_h", "1.875")):
        most = max(row["operators"] for row in found[name])
        for row in found[name]:
            if row["operators"] == most and not row["wraps"]:
                mark = "   <- headline" if row["step"] == found["headline"][name]["step"] else ""
                line(
                    f"{title}: {name}, step {row['step']}",
                    row["value"],
                    row["error"],
                    "",
                    exact + mark,
                )
    biased = found["effective_coupling"]
    for row in biased["nu_sequence"]:
        line(
            f"{title}: nu by fluctuations, step {row['step']}",
            row["value"],
            row["error"],
            "1.0 +- 0.15",
            "1",
        )
    for row in biased["nu_differences"]:
        line(
            f"{title}: nu by differences, step {row['step']}",
            row["value"],
            row["error"],
            "1.0 +- 0.15",
            "1",
        )
    for row in biased["T_c_sequence"]:
        relative = "" if row["value"] is None else f"{100 * (row['value'] / T_C - 1):+.3f} %"
        line(
            f"{title}: T_c, crossing of steps {row['step']}, {row['step'] + 1}",
            row["value"],
            row["error"],
            "to 1 %",
            f"{T_C:.5f}  {relative}",
        )


def couplings(title: str, found: dict) -> None:
    """Effective couplings at the temperature nearest to T_c, all four operators, by step."""
    flow = min(found["flows"], key=lambda entry: abs(entry["temperature"] - T_C))
    most = max(len(row["operators"]) for row in flow["interactions"])
    for row in flow["interactions"]:
        if len(row["operators"]) == most and not row["wraps"]:
            for name, value, error in zip(row["operators"], row["values"], row["errors"]):
                line(f"{title}: coupling {name}, step {row['step']}", value, error)


def main() -> None:
    """Print the table."""
    print(
        "Two-dimensional Ising model, 128x128, four steps; nats, J/k_B; published: Koch-Janusz &"
        " Ringel (2018)\n"
    )
    print(f"{'':52} {'measured':>24}   {'published':>16}   exact")
    filters()
    for title, suffix in (("learned", ""), ("majority", "-majority")):
        sequences(title, info(f"paper-exponent{suffix}.h5"))
        couplings(title, info(f"paper-flow{suffix}.h5"))


if __name__ == "__main__":
    main()
