import numpy as np
from numpy.typing import NDArray

def neighbourhood_counts(
    rows: NDArray[np.uint8],
    shape: NDArray[np.int64],
    terms: NDArray[np.int32],
    term_operator: NDArray[np.int32],
    blocks: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> None: ...
