"""How often the electric field is found when everything varies: samples, machines and filters of
every seed.

    python campaign.py [SEEDS [ROUTE...]]        (files go to campaign/, and are resumed; ROUTE:
    decoder, gaussian, machines)

Every row is a claim, the number of seeds that meet it, and the worst seed's number; at the end the
CPU seconds of one seed, from its samples to filters and their information.
"""

import resource
import sys
from collections import defaultdict
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
from common import made, rsmi

FOLDER = Path("campaign")
WINDOW = ("--block", "4x4", "--buffer", 2, "--environment", 1)
ROUTES = ("decoder", "gaussian", "machines")
HIDDEN = {"decoder": (1, 2, 4), "gaussian": (1, 2, 4), "machines": (1, 2)}


def samples_of(seed: int) -> Path:
    """100,000 coverings of 16x16 in noise."""
    return made(
        FOLDER / f"samples-{seed}.h5",
        "sample",
        "--model",
        "dimers",
        "--size",
        16,
        "--noise-probability",
        0.982,
        "--samples",
        100_000,
        "--seed",
        seed,
    )


def machines_of(seed: int) -> Path:
    """Boltzmann machines of (V, E) and of V, by persistent contrastive divergence."""
    return made(
        FOLDER / f"theta-{seed}.h5", "train-theta", samples_of(seed), *WINDOW, "--seed", seed
    )


def learned(seed: int, route: str, hidden: int) -> dict:
    """The rule of one seed."""
    model = (
        ("--theta", machines_of(seed))
        if route == "machines"
        else (
            *WINDOW,
            *(("--objective", "proxy", "--estimator", "gaussian") if route == "gaussian" else ()),
        )
    )
    return rsmi(
        "train-lambda",
        samples_of(seed),
        *model,
        "--hidden",
        hidden,
        "--seed",
        seed,
        "--force",
        "-o",
        FOLDER / f"lambda-{route}-{hidden}-{seed}.h5",
    )


def claims(found: dict) -> dict:
    """{claim: (met, number)} of one rule: measures by coefficients, stars taken out; nats of the
    hard rule, held out."""
    dimers, information = found["dimers"], found["mutual_information_hard"]
    least, noise = (
        min(unit["R2"] for unit in dimers["units"]),
        max(unit["noise"] for unit in dimers["units"]),
    )
    hidden = len(dimers["units"])
    title = f"{hidden} unit{'s' * (hidden > 1)}"
    needed = {1: 0.1, 2: 0.205, 4: 0.305}[hidden]
    rows = {
        f"{title}: noise <= .01": (noise <= 0.01, noise),
        f"{title}: I(H:E) >= {needed:.3f}": (information >= needed, information),
    }
    if hidden == 4:
        captured = min(dimers["capture"])
        return {f"{title}: capture of E_x, E_y >= .80": (captured >= 0.8, captured)} | rows
    if hidden == 2:
        angle = dimers["angles"][0][1]
        rows |= {
            f"{title}: least angle of 60 to 120 degrees": (
                60 <= angle <= 120,
                min(angle, 180 - angle),
            )
        }
    return {f"{title}: R2 >= .85": (least >= 0.85, least)} | rows


def report(rows: dict, routes: list[str]) -> None:
    """Successes and the worst number of every claim, one column a route."""
    print(f"{'successes and the worst number':44}" + "".join(f"{route:>20}" for route in routes))
    for claim, columns in rows.items():
        cells = []
        for route in routes:
            outcomes = columns.get(route, [])
            worst = (max if "<=" in claim else min)((number for _, number in outcomes), default=0.0)
            cells.append(
                f"{sum(met for met, _ in outcomes):5d}/{len(outcomes):<3d}{worst:9.4f}"
                if outcomes
                else "-"
            )
        print(f"{claim:44}" + "".join(f"{cell:>20}" for cell in cells))


def campaign(seeds: int, routes: list[str]) -> dict[str, dict[str, list]]:
    """Outcomes (met, number) by claim and route."""
    FOLDER.mkdir(exist_ok=True)
    rows: dict[str, dict[str, list]] = defaultdict(lambda: defaultdict(list))
    for hidden in (1, 2, 4):
        for route in (route for route in routes if hidden in HIDDEN[route]):
            for seed in range(1, seeds + 1):
                for claim, outcome in claims(learned(seed, route, hidden)).items():
                    rows[claim][route].append(outcome)
    return rows


def times(routes: list[str]) -> None:
    """CPU seconds from the samples of seed 1, start-up included."""
    print("\nCPU seconds from the samples of seed 1 to filters and their information\n")
    for route in routes:
        for hidden in HIDDEN[route]:
            for stale in (FOLDER / "theta-1.h5", FOLDER / f"lambda-{route}-{hidden}-1.h5"):
                stale.unlink(missing_ok=True)
            before = spent()
            learned(1, route, hidden)
            print(f"  {route + f', {hidden} unit' + 's' * (hidden > 1):20} {spent() - before:8.1f}")


def spent() -> float:
    """CPU seconds of all commands so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main(seeds: int = 10, *routes: str) -> None:
    """Run the campaign and print its table."""
    chosen = list(routes or ROUTES)
    report(campaign(int(seeds), chosen), chosen)
    times(chosen)


if __name__ == "__main__":
    main(*sys.argv[1:])
