"""The same measures for every rule of one system: as JSON on stdout.

    python measures.py [--exact EXACT.json] [--learned] SAMPLES.h5 LAMBDA.h5...

The rules are those learned, LAMBDA.h5 of one block and one number of units, and unless --learned is
given those with names in ``rsmi exact``; of dimers also their electric field. All are hard: what
counts is the sign of each filter. EXACT.json, of ``rsmi exact --json`` on the same rules, adds what
is known exactly. Information in nats, held out: decoders and marginals are fitted to some
configurations and evaluated on others.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import NamedTuple

sys.path.append(str(Path(__file__).parents[1]))
import numpy as np
from common import exact_information, held_out_bound, stream_key

from rsmi.information.channel import state_probabilities
from rsmi.information.total_correlation import (
    SMOOTHING,
    pointwise_explained,
    rule_marginals,
    total_correlation,
)
from rsmi.models.dimers.filters import electric_templates, embed_links, filter_shape, on_links
from rsmi.models.dimers.stars import without_stars
from rsmi.renormalization.rules import NAMED
from rsmi.samples.files import open_file
from rsmi.samples.windows import WindowSet, stored_geometry
from rsmi.statistics.binning import grouped_mean

WINDOWS = 100_000
COUNTED = 9  # sites of a block whose states are counted
STATES = 1 << 23  # windows times states of H at most
OBJECTIVES = {
    "decoder": "mutual information",
    "total-correlation": "total correlation",
    "likelihood": "likelihood",
}


class Candidate(NamedTuple):
    """A rule, and what ``rsmi exact`` calls it."""

    filters: np.ndarray  # (units, variables of V)
    bias: np.ndarray  # (units,)
    name: str


# ---- the rules -----------------------------------------------------------------------------------


def learned(paths: list[str]) -> dict[str, Candidate]:
    """The rules of files, by objective."""
    found = {}
    for path in paths:
        with open_file(path, "lambda") as file:
            found[OBJECTIVES[file.attributes["objective"]]] = Candidate(
                file.read("/filters"), file.read("/bias"), path
            )
    return found


def by_name(block: tuple[int, ...]) -> dict[str, Candidate]:
    """The rules that have names."""
    rules = {name: make(block) for name, make in NAMED.items()}
    return {name: Candidate(rule.filters, rule.bias, name) for name, rule in rules.items()}


def on_dimers(block: tuple[int, int]) -> dict[str, Candidate]:
    """The same on the picture of 2x2 variables to a cell, as one who does not know which of them
    are links, about the exact mean of V; and the electric field, as one who knows the answer."""
    mean = np.where(on_links(block, 4), -0.5, 0.0)  # every fourth link holds a dimer
    found = {}
    for name, make in NAMED.items():
        rule = make(tuple(2 * extent for extent in block))
        picture = rule.filters.reshape(2 * block[0], 2 * block[1])
        row = np.stack([picture[x::2, y::2] for x, y in ((0, 0), (1, 0), (0, 1), (1, 1))]).reshape(
            1, -1
        )  # vertex, x-link, y-link, face
        found[name] = Candidate(row, rule.bias - row @ mean, name)
    fields = embed_links(electric_templates(block), 4)
    return found | {"E_x and E_y": Candidate(fields, -fields @ mean, "")}


# ---- the measures --------------------------------------------------------------------------------


def knowledge(windows: WindowSet, rule: Candidate) -> dict:
    """I(H:E) by the decoder bound, the control with the environments of other configurations, H(H)
    and TC(V:H)."""
    key = stream_key(0, "alternatives", {"digest": windows.source.digest}, 0)
    found = held_out_bound(windows, rule.filters, rule.bias, key)
    control = held_out_bound(windows, rule.filters, rule.bias, key, shuffled=True)
    explained = held_out_total_correlation(windows, rule)
    return {
        "information": found.value,
        "information_error": found.error,
        "control": control.value,
        "entropy": found.entropy,
        "total_correlation": explained[0],
        "total_correlation_error": explained[1],
    }


def held_out_total_correlation(windows: WindowSet, rule: Candidate) -> tuple[float, float]:
    """TC(V:H) = sum_i I(v_i:H) - I(V:H) of the hard rule, and its error."""
    training, held_out = (
        part.thinned(STATES >> len(rule.filters)) for part in (windows.training, windows.held_out)
    )
    fit, value = (
        state_probabilities(rule.filters, rule.bias, part.blocks, hard=True)
        for part in (training, held_out)
    )
    mean, error = grouped_mean(
        pointwise_explained(
            rule_marginals(fit, training.blocks, smoothing=SMOOTHING), value, held_out.blocks
        ),
        held_out.runs,
    )[:2]
    return float(mean), float(error)


def spin_patterns(filters: np.ndarray, block: tuple[int, ...]) -> dict:
    """Cosines of the first filter with patterns of spins, signs apart."""
    weights = filters[0] / np.linalg.norm(filters[0])
    site = np.indices(block).reshape(len(block), -1).T
    border = ((site == 0) | (site == np.array(block) - 1)).any(axis=1)
    patterns = {
        "uniform": np.ones(len(site)),
        "boundary": border.astype(float),
        "staggered": 1.0 - 2.0 * (site.sum(axis=1) % 2),
    }
    cosines = {
        name: abs(float(weights @ pattern)) / np.linalg.norm(pattern)
        for name, pattern in patterns.items()
    }
    return {f"cosine_{name}": float(cosine) for name, cosine in cosines.items()} | {
        "cosine_spin": float(np.abs(weights).max())
    }


def dimer_patterns(filters: np.ndarray, block: tuple[int, int]) -> dict:
    """How much of the filters is electric field, how much noise; stars taken out."""
    shape = filter_shape(filters, block, 4)
    electric, noise = np.nan_to_num(shape.electric), np.nan_to_num(shape.noise)
    return {
        "electric": electric.tolist(),
        "noise": noise.tolist(),
        "capture": np.nan_to_num(shape.capture).tolist(),
    }


def measure(
    samples: str, paths: list[str], exactly: dict | None = None, only_learned: bool = False
) -> dict:
    """The system, and the measures of every rule on it."""
    with open_file(samples, "samples") as source, open_file(paths[0], "lambda") as first:
        windows = WindowSet(source, stored_geometry(first.attributes), WINDOWS, 0)
        windows.check()
        block = windows.geometry.block
        named = {} if only_learned else on_dimers(block) if of_dimers(windows) else by_name(block)
        return {
            "model": source.attributes["model"],
            "block": [int(extent) for extent in block],
            "whole": exactly and exactly["mutual_information_block"],
            "whole_error": exactly and exactly["mutual_information_block_error"],
            "total_correlation": (
                float(total_correlation(windows.all.blocks))
                if windows.geometry.n_block <= COUNTED
                else None
            ),
            "rules": {
                title: measures_of(windows, rule) | exact_values(exactly, rule.name)
                for title, rule in {**learned(paths), **named}.items()
            },
        }


def of_dimers(windows: WindowSet) -> bool:
    """Whether the windows are of dimer coverings; else they are of the Ising model."""
    return windows.model.name == "dimers"


def measures_of(windows: WindowSet, rule: Candidate) -> dict:
    """All that is estimated, and what the filters look like."""
    block = windows.geometry.block
    dimers = of_dimers(windows)
    drawn = without_stars(rule.filters, rule.bias, block, 4)[0] if dimers else rule.filters
    patterns = dimer_patterns if dimers else spin_patterns
    return {"filters": drawn.tolist(), **knowledge(windows, rule), **patterns(rule.filters, block)}


def exact_values(exactly: dict | None, name: str) -> dict:
    """I(H:E) and the loss I(V:E|H) = I(V:E) - I(H:E); empty where they are not known."""
    if exactly is None:
        return {}
    (row,) = (row for row in exactly["rules"] if Path(row["rule"]).name == Path(name).name)
    known, error = exact_information(row)
    return {
        "exact": known,
        "exact_error": error,
        "loss": exactly["mutual_information_block"] - known,
    }


def main(*words: str) -> None:
    """Print the measures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("samples")
    parser.add_argument("rules", nargs="+")
    parser.add_argument("--exact", type=Path)
    parser.add_argument("--learned", action="store_true")
    given = parser.parse_args(words)
    json.dump(
        measure(
            given.samples,
            given.rules,
            given.exact and json.loads(given.exact.read_text()),
            given.learned,
        ),
        sys.stdout,
        indent=1,
    )
    print()


if __name__ == "__main__":
    main(*sys.argv[1:])
