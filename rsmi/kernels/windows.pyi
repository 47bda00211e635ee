import numpy as np
from numpy.typing import NDArray

def choose_windows(
    key: NDArray[np.uint64],
    n_configurations: int,
    shape: NDArray[np.int64],
    count: int,
    symmetric: bool,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int8]]: ...
def extract_windows(
    packed: NDArray[np.uint8],
    shape: NDArray[np.int64],
    offsets: NDArray[np.int64],
    configurations: NDArray[np.int64],
    origins: NDArray[np.int64],
    flips: NDArray[np.int8],
) -> NDArray[np.int8]: ...
