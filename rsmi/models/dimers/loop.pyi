from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

def least_coupling(shape: Sequence[int], boundary: str) -> float: ...
def sample_chains(
    partners: NDArray[np.int8],
    coupling: float,
    rng: NDArray[np.uint64],
    boundary: str,
    worms: int,
    first: int,
    parallel_pairs_out: NDArray[np.int64],
    links_out: NDArray[np.uint8],
    steps_out: NDArray[np.int64],
) -> None: ...
def scatter(parallel: Sequence[int], coupling: float) -> NDArray[np.float64]: ...
