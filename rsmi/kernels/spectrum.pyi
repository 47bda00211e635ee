from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

def low_modes(
    rows: NDArray[np.uint8],
    shape: Sequence[int],
    points: NDArray[np.int32],
    first: NDArray[np.int64],
    weights: NDArray[np.float64],
    numbers: NDArray[np.int32],
    waves: NDArray[np.float32],
    orbit: NDArray[np.int32],
    share: NDArray[np.float64],
    n_orbits: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
def add_to_groups(
    even: NDArray[np.float64],
    odd: NDArray[np.float64],
    groups: NDArray[np.int64],
    count: NDArray[np.float64],
    offset: NDArray[np.float64],
    even_sums: NDArray[np.float64],
    odd_sums: NDArray[np.float64],
    cross_sums: NDArray[np.float64],
) -> None: ...
def add_rows_to_groups(
    rows: NDArray[np.float64], groups: NDArray[np.int64], sums: NDArray[np.float64]
) -> None: ...
