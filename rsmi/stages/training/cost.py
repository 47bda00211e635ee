"""What ``rsmi train-lambda`` would cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rsmi.stages.cost import Cost, file_cost, seconds_of_alike, seconds_of_size, timed
from rsmi.stages.training import measures

if TYPE_CHECKING:
    from rsmi.stages.training.rules import LambdaTraining

_FITS = (5, 50)  # steps of a decoder from which the time of its fit is estimated
_WINDOWS = (100, 400)  # from which the time of exact values is estimated
_BOUNDS = 2  # beside those of the restarts: of the hard rule, and the control


def cost(work: LambdaTraining) -> Cost:
    """The restarts, the fits of their decoders, and the exact values."""
    tasks, seconds = timed(work.tasks)
    seconds += seconds_of_alike(tasks)
    filters, bias = work.without_constraints(*tasks[0].rule(tasks[0].begin()[1]))
    seconds += (work.restarts + _BOUNDS) * _seconds_of_bound(work, filters, bias)
    seconds += timed(lambda: measures.explained(work.windows, filters, bias))[1]
    if work.windows.oracle is not None:
        seconds += seconds_of_size(
            lambda most: measures.exact_attributes(work.windows, filters, bias, most),
            len(work.windows.exact_windows()),
            _WINDOWS,
        )
    variables, of_row = work.windows.all.blocks.shape[1], filters.size + 2 * len(filters)
    rows = work.restarts * (tasks[0].total + 2)
    data = 8 * (rows * of_row + variables**2 + work.windows.split.held_out.size)
    return file_cost(seconds, data)


def _seconds_of_bound(
    work: LambdaTraining, filters: NDArray[np.float64], bias: NDArray[np.float64]
) -> float:
    """The seconds of the fit of a decoder and of its bound."""

    def bound(steps: int) -> None:
        measures.bound(
            work.windows,
            filters,
            bias,
            work.key("bound-trial", 0),
            hard=False,
            n_units=work.method.decoder_units,
            steps=steps,
        )

    return seconds_of_size(bound, measures.FIT_STEPS, _FITS)
