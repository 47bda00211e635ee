"""The progress bar of a run."""

from __future__ import annotations

from tqdm import tqdm


class Progress(tqdm):
    """A progress bar that also says how many spins are updated in a second, where a row is so many
    of them."""

    def __init__(self, flips: int, **settings):
        self._flips = flips
        super().__init__(**settings)

    @property
    def format_dict(self) -> dict:
        found = super().format_dict
        seconds = found["elapsed"]
        if self._flips and seconds > 0:
            found["postfix"] = (
                tqdm.format_sizeof((self.n - self.initial) * self._flips / seconds) + " flips/s"
            )
        return found
