"""``rsmi flow``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rsmi.cli import common, sampling
from rsmi.cli.model_options import OptionalModelCommand, model_option
from rsmi.errors import UsageError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from rsmi.engine.request import RunOptions
    from rsmi.stages.flow.source import FlowSource

_HELP = f"""Measure operators along repeated coarse-graining of samples at one or more temperatures.

At every step, the lattice sums of even and odd operators (seven and five in one dimension, ten and
six in two and three), their products with those of the step before, and their products with the
original energy are added up exactly, for each block of samples. 'rsmi exponent' reads exponents and
the critical temperature off them. The effective coupling K_eff is that of the nearest-neighbour
model with the same energy on a lattice of the coarse size. It needs the exact energy and so does
not exist in three dimensions. Files at one temperature are merged if their random streams differ.

With --model instead of files, this command samples the configurations itself and does not store
them. The options are those of 'rsmi sample', and the sums are those of its file, bit for bit. An
interval of auto is 0.25 autocorrelation times, where that of 'rsmi sample' is two: exponents depend
on what a chain forgets sooner than |m| and the energy, and the errors take account of the
correlations that are left. Local energies, for the effective couplings of all kinds, are measured
at every 32nd step of the chains.

{common.RULES} With several rules, the first one makes the first step, and so on: an
antiferromagnet becomes a ferromagnet in the first step, and needs another rule from the second step
on. Samples with several components per site need rules with one hidden unit for each component;
their operators are products within and between components.

\b
Example: the flow of five temperatures under the majority rule
  rsmi flow samples-*.h5 --rule majority --block 2x2 --steps 3 -o flow.h5
Example: an antiferromagnet, which the first rule turns into a ferromagnet
  rsmi flow imported.h5 --rule staggered --rule majority --steps 2 -o flow.h5
Example: two hidden units, coarse-grained once and relearned on the coarse samples
  rsmi coarse-grain samples.h5 --rule two.h5 --hard -o coarse.h5
  rsmi train-lambda coarse.h5 --hidden 2 -o again.h5
  rsmi flow coarse.h5 --rule again.h5 --hard --steps 2 -o flow.h5
Example: a million configurations, sampled in flight
  rsmi flow --model ising --size 64 --temperature Tc --samples 1000000 \\
      --rule majority --steps 4 -o flow.h5
"""


@common.command("flow", cls=OptionalModelCommand, help=_HELP)
@click.argument("samples", metavar="[SAMPLES.h5...|-]", type=click.Path(), nargs=-1)
@model_option(required=False)
@sampling.options(required=False, several=True, measured=True)
@common.rule_options(common.RULE_PER_STEP)
@click.option(
    "--steps", type=click.IntRange(1, 60), metavar="N", required=True, help="Coarse-graining steps."
)
@common.stage_command(shards=True, remote=True)
@click.pass_context
def command(
    ctx: click.Context,
    samples: tuple[str, ...],
    model: str | None,
    rule: tuple[str, ...],
    block: str | None,
    hard: bool,
    bias: str | None,
    steps: int,
    seed: int,
    output: Path,
    run: RunOptions,
    dry_run: bool,
    as_json: bool,
    **physics: Any,
) -> None:
    from rsmi.stages import merge
    from rsmi.stages.flow import from_files, in_flight, summary
    from rsmi.stages.flow.run import run as run_flow

    paths = sampling.files_of_samples(ctx, samples, model, physics, "--size")
    prepared: AbstractContextManager[FlowSource]
    if paths:
        prepared = from_files.prepare(paths, rule, block, hard, bias, steps, seed)
    else:
        ensembles = _ensembles(model, seed, **physics)
        prepared = in_flight.prepare(ensembles, rule, block, hard, bias, steps, seed)
    with prepared as work:
        if dry_run:
            return common.print_plan(work.plan(), as_json, run.shard)
        run_flow(work, output, run)
    common.answer(output, as_json, (merge if run.shard else summary).summary)


_STATE_POINT = ("temperature", "coupling")  # a model without a temperature has neither


def _ensembles(
    model: str | None,
    seed: int,
    dimension: int,
    size: str | None,
    temperature: Sequence[str],
    coupling: Sequence[float],
    n_samples: int | None,
    **settings: Any,
) -> list[dict[str, Any]]:
    """The options of each temperature, see `rsmi.stages.chains.parameters_of`."""
    sampling.require_with_model(size=size, samples=n_samples)
    shape = sampling.parse_size(str(size), dimension)
    if temperature and coupling:
        raise UsageError(
            "give --temperature (in J/k_B, or Tc, or 0.98Tc) or --coupling K, one of the two"
        )
    common_settings = {
        "model": model,
        "shape": shape,
        "samples": n_samples,
        "seed": seed,
        **settings,
    }
    points: list[dict[str, Any]] = [
        *({"temperature": one, "coupling": None} for one in temperature),
        *({"temperature": None, "coupling": one} for one in coupling),
    ]
    return [common_settings | point for point in points or [dict.fromkeys(_STATE_POINT)]]
