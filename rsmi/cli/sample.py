"""``rsmi sample``."""

from __future__ import annotations

from rsmi.cli import common, sampling
from rsmi.cli.model_options import ModelCommand, model_option

_HELP = """Sample configurations of a lattice model.

Each of the --chains independent chains makes --thermalization sweeps to forget its start, and then
stores a configuration after every --interval sweeps. A sweep attempts one update per site; an
algorithm that updates one cluster or worm at a time makes as many of them as change about one
variable per site, which a pilot run finds. With auto, a pilot run measures the autocorrelation time
and chooses both numbers such that stored samples are practically independent.

The same command resumes a run that was interrupted, and with more --samples it extends the file.

What follows describes the chosen model.
"""


@common.command("sample", cls=ModelCommand, help=_HELP)
@model_option()
@sampling.options()
@common.stage_command(shards=True, remote=True)
def command(dimension, size, output, run, dry_run, as_json, **rest):
    from rsmi.stages import merge, sample

    asked = sample.request(shape=sampling.parse_size(size, dimension), **rest)
    if dry_run:
        return common.print_plan(sample.plan(asked), as_json)
    sample.run(asked, output, run)
    common.answer(output, as_json, (merge if run.shard else sample).summary)
