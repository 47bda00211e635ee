"""Every estimate of I(H:E) of one rule, from many independent sets of windows: as JSON on stdout.

    python estimates.py SAMPLES.h5 EXACT.json [--windows N]... [--sets N] [--per-configuration N]

EXACT.json, of ``rsmi exact --json``, has the rule, block and buffer, and the true value. A set is
so many windows (by default one a configuration) of configurations of its own; a fifth of them is
held out, as ``rsmi train-lambda`` does. Machines, decoders and critics are fitted to the others,
and the estimators are evaluated on both parts.
"""

import argparse
import json
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
import infonce
import numpy as np
from common import exact_information, stream_key

from rsmi.information.channel import unit_probabilities
from rsmi.information.decoder import decoder_bound, fit_decoder
from rsmi.information.gaussian import gaussian_critic
from rsmi.information.objectives import LambdaProblem, LambdaSettings, ThetaPair, evaluate_objective
from rsmi.information.rbm import initial_state, train_epochs
from rsmi.information.training import default_settings
from rsmi.lattice.geometry import Geometry, choose_windows, extract_windows
from rsmi.renormalization.rules import NAMED, Rule
from rsmi.samples.files import open_file
from rsmi.samples.windows import Windows

SETS, HELD_OUT = 10, 5  # one window in so many is held out
EPOCHS = 10  # of the training of a machine
TANH = 16  # of the larger decoder
STEEP = 100.0  # a soft rule so steep is the hard one, ties included
DENSE = 1 << 25  # pairs of windows and blocks at once
ESTIMATORS = (
    "proxy",
    "proxy, gaussian",
    "logsum",
    "enumerate",
    "decoder",
    "decoder, tanh",
    "InfoNCE",
)


# ---- windows and rules ---------------------------------------------------------------------------


def cut(
    file, geometry: Geometry, number: int, count: int, largest: int, per_configuration: int
) -> Windows:
    """The first `count` windows of set `number`; sets of any size begin where those of the largest
    size do."""
    shape, stride = file.attributes["shape"], largest // per_configuration
    if (number + 1) * stride > file.shape("/spins")[0]:
        raise SystemExit(
            f"{file.path}: {number + 1} sets of {largest} windows need {(number + 1) * stride}"
            " configurations"
        )
    rows = file.read("/spins")[number * stride : number * stride + -(-count // per_configuration)]
    chosen, *places = choose_windows(
        len(rows), shape, count, stream_key(number, "estimators", {"windows": count}, 0)
    )
    return Windows(*extract_windows(rows, shape, geometry, chosen, *places), chosen)


def parts(windows: Windows) -> tuple[Windows, Windows]:
    """For fitting and held out."""
    first = len(windows) // HELD_OUT * (HELD_OUT - 1)
    return windows.take(slice(0, first)), windows.take(slice(first, None))


def rule_of(name: str, block: tuple[int, ...], hard: bool) -> Rule:
    """A rule with a name, learned, or an array of filters."""
    if name in NAMED:
        return NAMED[name](block)
    if name.endswith(".npy"):
        filters = np.load(name)
        return Rule(filters, np.zeros(len(filters)), hard, block)
    with open_file(Path(name), "lambda") as file:
        return Rule(file.read("/filters"), file.read("/bias"), hard, block)


def soft_form(rule: Rule) -> tuple[np.ndarray, np.ndarray]:
    """Filters and bias of the same rule for the objectives, which know no hard rules."""
    return (STEEP * rule.filters, STEEP * rule.bias) if rule.hard else (rule.filters, rule.bias)


# ---- estimators: value and its own error on each part --------------------------------------------


def trained_machines(windows: Windows, key: np.ndarray) -> ThetaPair:
    """Machines of (V, E) and of V, as ``rsmi train-theta`` trains them."""
    large = windows.blocks.shape[1] > 9
    hidden, learning_rate = (32, 0.03) if large else (20, 0.05)
    found = []
    for visible in (windows.visible, np.ascontiguousarray(windows.blocks)):
        state = initial_state(visible.shape[1], hidden, key)
        train_epochs(
            state,
            visible,
            epochs_total=EPOCHS,
            count=EPOCHS,
            n_gibbs=5,
            learning_rate=learning_rate,
            momentum=0.5,
            symmetric=True,
        )
        found += [state[name].astype(float) for name in ("weights", "visible_bias", "hidden_bias")]
    return ThetaPair(*found)


def objective_value(settings: LambdaSettings, rule: Rule, windows: Windows, **knowledge) -> float:
    """An objective on all windows: at once where all blocks that occur are the samples of V|h, else
    as the mean of minibatches."""
    n = len(windows)
    pairs = not settings.distinct_blocks and settings.objective != "enumerate"
    size = min(n, settings.batch if pairs else DENSE >> windows.blocks.shape[1])
    filters, bias = soft_form(rule)
    problems = (windows.take(slice(first, first + size)) for first in range(0, n - size + 1, size))
    return float(
        np.mean(
            [
                evaluate_objective(
                    LambdaProblem(part.blocks, part.environments, **knowledge),
                    settings,
                    filters,
                    bias,
                ).value
                for part in problems
            ]
        )
    )


def by_objective(
    name: str, rule: Rule, fitted: Windows, held_out: Windows, theta: ThetaPair | None
) -> list[tuple[float, float]]:
    """proxy, logsum and enumerate; they come without errors."""
    objective, estimator = ("proxy", "gaussian") if name == "proxy, gaussian" else (name, "pairs")
    settings = default_settings(
        objective, rule.n_hidden, fitted.blocks.shape[1], estimator=estimator
    )
    knowledge = (
        {"critic": gaussian_critic(fitted.blocks, fitted.environments)}
        if estimator == "gaussian"
        else {"theta": theta}
    )
    if estimator == "gaussian":
        settings = LambdaSettings(objective, estimator, rule.n_hidden, batch=500)
    return [
        (objective_value(settings, rule, part, **knowledge), float("nan"))
        for part in (fitted, held_out)
    ]


def by_decoder(
    units: int, rule: Rule, fitted: Windows, held_out: Windows, key: np.ndarray
) -> list[tuple[float, float]]:
    """The decoder bound, with its jackknife error."""
    decoder = fit_decoder(
        rule.filters, rule.bias, rule.hard, fitted.blocks, fitted.environments, key, n_units=units
    )
    return [
        decoder_bound(
            decoder,
            rule.filters,
            rule.bias,
            rule.hard,
            part.blocks,
            part.environments,
            part.configurations,
        )[:2]
        for part in (fitted, held_out)
    ]


def by_critic(
    rule: Rule, fitted: Windows, held_out: Windows, generator: np.random.Generator
) -> list[tuple[float, float]]:
    """The InfoNCE bound; states of H are drawn once."""
    drawn = [coarse_states(rule, part, generator) for part in (fitted, held_out)]
    critic = infonce.fit(drawn[0], fitted.environments, rule.n_hidden, generator)
    return [
        infonce.bound(critic, h, part.environments) for h, part in zip(drawn, (fitted, held_out))
    ]


def coarse_states(rule: Rule, windows: Windows, generator: np.random.Generator) -> np.ndarray:
    up = unit_probabilities(rule.filters, rule.bias, windows.blocks, rule.hard) > generator.random(
        (len(windows), rule.n_hidden)
    )
    return up @ (1 << np.arange(rule.n_hidden))


def all_estimates(
    rule: Rule, windows: Windows, number: int
) -> dict[str, list[tuple[float, float]]]:
    """Of every estimator (value, error) on the windows it was fitted to and on those held out."""
    fitted, held_out = parts(windows)
    key = stream_key(number, "estimators", {"windows": len(windows)}, 1)
    theta = trained_machines(fitted, key)
    found = {name: by_objective(name, rule, fitted, held_out, theta) for name in ESTIMATORS[:4]}
    found |= {
        name: by_decoder(units, rule, fitted, held_out, key)
        for name, units in (("decoder", 0), ("decoder, tanh", TANH))
    }
    found["InfoNCE"] = by_critic(rule, fitted, held_out, np.random.default_rng(key))
    return found


# ---- all of it -----------------------------------------------------------------------------------


def estimates(
    samples: str, known: dict, counts: list[int], sets: int = SETS, per_configuration: int = 1
) -> dict:
    """What is known, and per number of windows and estimator the values of all sets."""
    geometry = Geometry(known["block"], known["buffer"], known["environment"])
    rule = rule_of(known["rule"], geometry.block, known["hard"])
    rows = []
    with open_file(Path(samples), "samples") as file:
        for count in counts:
            found = [
                all_estimates(
                    rule, cut(file, geometry, number, count, max(counts), per_configuration), number
                )
                for number in range(sets)
            ]
            for name in ESTIMATORS:
                table = np.array([one[name] for one in found])  # (sets, part, value or error)
                columns = {
                    "fitted": table[:, 0, 0],
                    "held_out": table[:, 1, 0],
                    "error": table[:, 1, 1],
                }
                listed = {
                    key: [x if np.isfinite(x) else None for x in values.tolist()]
                    for key, values in columns.items()
                }
                rows.append({"windows": count, "estimator": name, **listed})
    names = ("shape", "coupling", "block", "buffer", "rule", "hard", "mutual_information_block")
    exact, error = exact_information(known)
    return {
        **{name: known[name] for name in names},
        "mutual_information": exact,
        "mutual_information_error": error,
        "n_hidden": rule.n_hidden,
        "estimates": rows,
    }


def main(*words: str) -> None:
    """Print the estimates."""
    parser = argparse.ArgumentParser()
    parser.add_argument("samples")
    parser.add_argument("exact", type=Path)
    parser.add_argument("--windows", type=int, nargs="+", default=[30_000])
    parser.add_argument("--sets", type=int, default=SETS)
    parser.add_argument("--per-configuration", type=int, default=1)
    given = parser.parse_args(words)
    json.dump(
        estimates(
            given.samples,
            json.loads(given.exact.read_text()),
            given.windows,
            given.sets,
            given.per_configuration,
        ),
        sys.stdout,
    )
    print()


if __name__ == "__main__":
    main(*sys.argv[1:])
