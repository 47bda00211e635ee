import numpy as np
from numpy.typing import NDArray

def coarse_grain(
    rows: NDArray[np.uint8],
    shape: NDArray[np.int64],
    block: NDArray[np.int64],
    filters: NDArray[np.float64],
    bias: NDArray[np.float64],
    hard: bool,
    key: NDArray[np.uint64],
    samples: NDArray[np.uint64],
    products: NDArray[np.uint64] | None = None,
    components: int = 1,
) -> NDArray[np.uint8]: ...
