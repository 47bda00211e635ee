from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LONGEST: int
BOUNDARIES: tuple[str, ...]
PAIRINGS: tuple[str, ...]

def sample_chains(
    partners: NDArray[np.int8],
    rng: NDArray[np.uint64],
    boundary: str,
    worms: int,
    first: int,
    parallel_pairs_out: NDArray[np.int64],
    links_out: NDArray[np.uint8],
    steps_out: NDArray[np.int64],
) -> None: ...
def measure(
    partners: NDArray[np.int8], boundary: str = "periodic"
) -> tuple[NDArray[np.uint8], int]: ...
def add_noise(
    links: NDArray[np.uint8],
    shape: Sequence[int],
    probability: float,
    pairing: str,
    key: NDArray[np.uint64],
    first_sample: int,
) -> NDArray[np.uint8]: ...
