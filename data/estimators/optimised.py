"""The winner's curse: what is said of rules that were chosen because they looked best on the same
windows. JSON on stdout.

    python optimised.py SAMPLES.h5 EXACT.json [--windows N]... [--sets N]

EXACT.json as for estimates.py; its own rule only gives the block, and the torus must be one that
``rsmi exact`` sums over. From every set a rule is learned by every objective of ``rsmi
train-lambda`` (one start, except that the decoder's best of three is chosen by its held-out bound,
as the command does), and what is said of it is compared with its own exact I(H:E).
"""

import argparse
import json
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
import numpy as np
from common import stream_key
from estimates import SETS, cut, parts, trained_machines

from rsmi.information.channel import channel_table
from rsmi.information.decoder import decoder_bound, fit_decoder
from rsmi.information.entropy import mutual_information
from rsmi.information.objectives import LambdaProblem
from rsmi.information.training import advance, default_settings, filters_of, initial_state
from rsmi.lattice.geometry import Geometry
from rsmi.models.ising import oracle as exact
from rsmi.samples.files import open_file

OBJECTIVES = ("proxy", "logsum", "enumerate", "decoder")
RESTARTS = 3


def learned(objective: str, fitted, theta, key: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Filters, bias, and the objective's last epochs (a quarter of all) as the training curve shows
    them."""
    settings = default_settings(objective, 1, fitted.blocks.shape[1])
    problem = LambdaProblem(
        fitted.blocks, fitted.environments, theta=None if objective == "decoder" else theta
    )
    state = initial_state(fitted.blocks.shape[1], fitted.environments.shape[1], key, settings)
    curve = advance(state, problem, settings)["objective"]
    return *filters_of(state, settings, fitted.blocks.shape[1]), float(
        curve[-len(curve) // 4 :].mean()
    )


def said_of(filters: np.ndarray, bias: np.ndarray, fitted, held_out, key: np.ndarray) -> tuple:
    """The decoder bound on the windows it was fitted to, and on those held out with its error."""
    decoder = fit_decoder(filters, bias, False, fitted.blocks, fitted.environments, key)
    inside, outside = (
        decoder_bound(
            decoder, filters, bias, False, part.blocks, part.environments, part.configurations
        )
        for part in (fitted, held_out)
    )
    return inside.value, outside.value, outside.error


def outcomes(fitted, held_out, joint: np.ndarray, number: int) -> dict[str, tuple]:
    """By objective: exact I(H:E) of the learned rule, the end of its curve, and what the decoder
    says of it."""
    keys = [
        stream_key(number, "optimised", {"windows": len(fitted.blocks)}, start)
        for start in range(RESTARTS)
    ]
    theta, found = trained_machines(fitted, keys[0]), {}
    for objective in OBJECTIVES:
        tried = [
            learned(objective, fitted, theta, key)
            for key in (keys if objective == "decoder" else keys[:1])
        ]
        said = [
            said_of(filters, bias, fitted, held_out, key)
            for (filters, bias, _), key in zip(tried, keys)
        ]
        for title, chosen in [(objective, 0)] + (
            [("decoder, best of three", int(np.argmax([one[1] for one in said])))]
            if len(tried) > 1
            else []
        ):
            filters, bias, curve = tried[chosen]
            found[title] = (
                mutual_information(joint, channel_table(filters, bias)),
                curve,
                *said[chosen],
            )
    return found


def optimised(samples: str, known: dict, counts: list[int], sets: int = SETS) -> dict:
    """Per number of windows and objective the outcomes of all sets."""
    geometry = Geometry(known["block"], known["buffer"], known["environment"])
    joint, rows = (
        exact.torus_joint(known["coupling"], geometry.block, geometry.buffer, known["shape"]),
        [],
    )
    with open_file(Path(samples), "samples") as file:
        for count in counts:
            found = [
                outcomes(*parts(cut(file, geometry, number, count, max(counts), 1)), joint, number)
                for number in range(sets)
            ]
            for title in found[0]:
                columns = np.array([one[title] for one in found]).T
                rows.append(
                    {"windows": count, "objective": title}
                    | dict(zip(("exact", "curve", "fitted", "held_out", "error"), columns.tolist()))
                )
    return {name: known[name] for name in ("shape", "coupling", "block", "buffer")} | {
        "rules": rows
    }


def main(*words: str) -> None:
    """Print the outcomes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("samples")
    parser.add_argument("exact", type=Path)
    parser.add_argument("--windows", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--sets", type=int, default=SETS)
    given = parser.parse_args(words)
    json.dump(
        optimised(given.samples, json.loads(given.exact.read_text()), given.windows, given.sets),
        sys.stdout,
    )
    print()


if __name__ == "__main__":
    main(*sys.argv[1:])
