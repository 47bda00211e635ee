"""The progress bar of a run."""

from __future__ import annotations

from typing import Any

from tqdm import tqdm


class Progress(tqdm):
    """A progress bar that also shows how many spins are updated per second.

    Parameters
    ----------
    flips_per_row : int
        The number of spin updates that one row takes; 0 where rows are no spin updates.
    **settings
        The settings of tqdm.
    """

    def __init__(self, flips_per_row: int, **settings: Any):
        self._flips_per_row = flips_per_row
        super().__init__(**settings)

    @property
    def format_dict(self) -> dict[str, Any]:
        """The fields of the bar; the rate of spin updates is the postfix."""
        fields = super().format_dict
        seconds = fields["elapsed"]
        if self._flips_per_row and seconds > 0:
            rate = (self.n - self.initial) * self._flips_per_row / seconds
            fields["postfix"] = tqdm.format_sizeof(rate) + " flips/s"
        return fields
