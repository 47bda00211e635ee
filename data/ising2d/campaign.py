"""How often the coarse variables are found when everything varies: samples, Boltzmann machines and
filters of every seed.

    python campaign.py [SEEDS]        (about 150 s of CPU a seed; files go to campaign/, and are
    resumed)

Every row of the table is a claim, the share of seeds that meet it, and the worst seed's number.
Exact values average the exact P(V|E) of the Ising model over held-out environments; gains over
another rule use the same environments.
"""

import resource
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
import numpy as np
from common import made, rsmi

from rsmi.information.channel import channel_table
from rsmi.lattice.geometry import Geometry
from rsmi.models.ising import oracle as exact
from rsmi.samples.files import open_file
from rsmi.samples.windows import WindowSet

FOLDER = Path("campaign")
OBJECTIVES = ("proxy", "logsum", "enumerate", "decoder")
WINDOWS = (3000, 10_000, 30_000, 100_000, 300_000)


def samples_of(seed: int) -> Path:
    """8000 configurations at T_c."""
    return made(
        FOLDER / f"samples-{seed}.h5",
        "sample",
        "--size",
        64,
        "--temperature",
        "Tc",
        "--samples",
        8000,
        "--seed",
        seed,
    )


def learned(seed: int, objective: str, block: str, hidden: int, *more) -> dict:
    """The rule of one seed: samples, machines where the objective needs them, filters."""
    samples = samples_of(seed)
    model = ["--block", block]
    if objective != "decoder":
        model = [
            "--theta",
            made(
                FOLDER / f"theta-{block}-{seed}.h5", "train-theta", samples, *model, "--seed", seed
            ),
        ]
    output = FOLDER / f"lambda-{objective}-{block}-{hidden}-{seed}{''.join(map(str, more))}.h5"
    return rsmi(
        "train-lambda",
        samples,
        *model,
        "--objective",
        objective,
        "--hidden",
        hidden,
        "--seed",
        seed,
        *more,
        "--force",
        "-o",
        output,
    )


def filters_of(found: dict) -> np.ndarray:
    """(hidden, sites)."""
    return np.reshape(found["filters"], (len(found["filters"]), -1))


def exact_information(
    seed: int, block: tuple[int, ...], rules: list[np.ndarray], windows: int = 1000
) -> list[float]:
    """Exact I(H:E) of several hard rules on the same held-out environments."""
    geometry = Geometry(block, 1, 1)
    with open_file(FOLDER / f"samples-{seed}.h5", "samples") as file:
        environments = (
            WindowSet(file, geometry, 100_000, seed).held_out.thinned(windows).environments
        )
        coupling = file.attributes["coupling"]
    channels = [channel_table(rule, np.zeros(len(rule)), hard=True) for rule in rules]
    return [
        found.information
        for found in exact.exact_informations(channels, geometry, coupling, environments)
    ]


def block_spin(seed: int, objective: str) -> dict:
    """2x2, one unit."""
    found = learned(seed, objective, "2x2", 1)
    weights = filters_of(found)[0]
    cosine = float(weights.sum() / np.sqrt(len(weights) * (weights**2).sum()))
    exactly = found["mutual_information_exact_hard"]
    return {
        "2x2, 1 unit: cosine to uniform > .95": (cosine > 0.95, cosine),
        "2x2, 1 unit: exact I >= .39": (exactly >= 0.39, exactly),
    } | reported("2x2, 1 unit", found)


def four_spins(seed: int, objective: str) -> dict:
    """2x2, four units."""
    found = learned(seed, objective, "2x2", 4)
    distinct = len(set(np.abs(filters_of(found)).argmax(axis=1)))
    exactly = found["mutual_information_exact_hard"]
    return {
        "2x2, 4 units: four distinct spins": (distinct == 4, distinct),
        "2x2, 4 units: exact I >= .515": (exactly >= 0.515, exactly),
    } | reported("2x2, 4 units", found)


def reported(title: str, found: dict) -> dict:
    """The reported information of the hard rule beside the exact one on the same held-out
    configurations."""
    off = abs(found["mutual_information_hard"] - found["mutual_information_exact_hard"])
    return {f"{title}: |reported - exact| <= .01": (off <= 0.01, off)}


def boundary_4x4(seed: int, objective: str) -> dict:
    """4x4, one unit."""
    rule, uniform = exact_information(
        seed, (4, 4), [filters_of(learned(seed, objective, "4x4", 1)), np.ones((1, 16))]
    )
    return {
        "4x4, 1 unit: exact gain over uniform >= .014": (rule - uniform >= 0.014, rule - uniform)
    }


def boundary_6x6(seed: int, objective: str) -> dict:
    """6x6, one unit."""
    square = np.abs(filters_of(learned(seed, objective, "6x6", 1)).reshape(6, 6))
    inner = square[1:5, 1:5].mean()
    ratio = float((square.sum() - 16 * inner) / 20 / inner)
    return {"6x6, 1 unit: boundary over inner weight > 2": (ratio > 2, ratio)}


def quarters(seed: int, objective: str) -> dict:
    """4x4, four units: at least as good as four 2x2 majorities (Koch-Janusz & Ringel, Fig. 2D)."""
    majorities = np.zeros((4, 4, 4))
    for j, (y, x) in enumerate(((0, 0), (0, 2), (2, 0), (2, 2))):
        majorities[j, y : y + 2, x : x + 2] = 1
    rule, reference = exact_information(
        seed, (4, 4), [filters_of(learned(seed, objective, "4x4", 4)), majorities.reshape(4, 16)]
    )
    return {
        "4x4, 4 units: exact gain over four 2x2 majorities >= 0": (
            rule >= reference,
            rule - reference,
        )
    }


def copied_boundary(seed: int, objective: str) -> dict:
    """3x3, eight units: as many as boundary sites."""
    found = learned(seed, objective, "3x3", 8)
    missing = found["mutual_information_block"] - found["mutual_information_exact_hard"]
    return {"3x3, 8 units: I(V:E) - I(H:E) <= .001": (missing <= 0.001, missing)}


# Every claim and the objectives it is made for: summing over the 2^16 states of a 4x4 block at
# every step is slow.
CLAIMS = {
    block_spin: OBJECTIVES,
    four_spins: OBJECTIVES,
    boundary_4x4: ("proxy", "logsum", "decoder"),
    quarters: ("proxy", "logsum", "decoder"),
    boundary_6x6: ("proxy", "logsum", "decoder"),
    copied_boundary: OBJECTIVES,
}


def report(rows: dict[str, dict[str, list]], seeds: int) -> None:
    """Successes and the worst number of every claim, one column an objective."""
    print(f"{seeds} seeds; successes and the worst seed's number\n")
    print(f"{'':56}" + "".join(f"{objective:>18}" for objective in OBJECTIVES))
    for claim, columns in rows.items():
        cells = []
        for objective in OBJECTIVES:
            met = [ok for ok, _ in columns.get(objective, [])]
            numbers = [number for _, number in columns.get(objective, [])]
            worst = (max if "<=" in claim else min)(numbers, default=float("nan"))
            cells.append(f"{sum(met):5d}/{len(met):<3d}{worst:9.4f}" if met else f"{'-':>9}{'':9}")
        print(f"{claim:56}" + "".join(f"{cell:>18}" for cell in cells).rstrip())


def sizes() -> None:
    """The reported mutual information does not depend on the number of windows: no memorisation."""
    print(
        "\n2x2 filter of seed 1 by the decoder, by number of windows: reported I(H:E) of the hard"
        " rule, and the exact one\n"
    )
    for windows in WINDOWS:
        found = learned(1, "decoder", "2x2", 1, "--windows", windows)
        print(
            f"  {windows:7d}   {found['mutual_information_hard']:.4f} +-"
            f" {found['mutual_information_hard_error']:.4f}  "
            f" {found['mutual_information_exact_hard']:.4f}"
        )


def times() -> None:
    """CPU seconds from a samples file to a filter with its information, start-up included."""
    print(
        "\nCPU seconds from the samples of seed 1 to a filter with its reported and its exact"
        " information\n"
    )
    samples, theta, rule = samples_of(1), FOLDER / "timed-theta.h5", FOLDER / "timed-lambda.h5"
    for block, machines in (("2x2", False), ("2x2", True), ("4x4", False), ("4x4", True)):
        for stale in (theta, rule):
            stale.unlink(missing_ok=True)
        before = spent()
        if machines:
            rsmi("train-theta", samples, "--block", block, "--force", "-o", theta)
        rsmi(
            "train-lambda",
            samples,
            *(["--theta", theta] if machines else ["--block", block]),
            "--force",
            "-o",
            rule,
        )
        print(
            f"  {block}, {'Boltzmann machines and proxy' if machines else 'decoder':30}"
            f" {spent() - before:5.2f}"
        )


def spent() -> float:
    """CPU seconds of all commands so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def campaign(seeds: int, claims: dict) -> dict[str, dict[str, list]]:
    """Outcomes (met, number) by claim and objective."""
    FOLDER.mkdir(exist_ok=True)
    rows: dict[str, dict[str, list]] = {}
    for claim, objectives in claims.items():
        for objective in objectives:
            for seed in range(1, seeds + 1):
                print(
                    f"\r{claim.__name__} {objective} {seed}    ",
                    end="",
                    file=sys.stderr,
                    flush=True,
                )
                for name, outcome in claim(seed, objective).items():
                    rows.setdefault(name, {}).setdefault(objective, []).append(outcome)
    print(file=sys.stderr)
    return rows


def main(seeds: int) -> None:
    """Run the campaign and print its table."""
    report(campaign(seeds, CLAIMS), seeds)
    sizes()
    times()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
