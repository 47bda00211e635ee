import numpy as np
from numpy.typing import NDArray

def coarse_grain_states(
    rows: NDArray[np.uint8],
    shape: NDArray[np.int64],
    block: NDArray[np.int64],
    states: int,
    thresholds: NDArray[np.uint64],
    key: NDArray[np.uint64],
    samples: NDArray[np.uint64],
) -> NDArray[np.uint8]: ...
def state_operator_sums(
    rows: NDArray[np.uint8],
    shape: NDArray[np.int64],
    states: int,
    pairs: NDArray[np.int32],
    points: NDArray[np.int32],
    owner: NDArray[np.int32],
    n_even: int,
    n_odd: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]: ...
