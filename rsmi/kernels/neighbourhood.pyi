import numpy as np
from numpy.typing import NDArray

def neighbourhood_counts(
    rows: NDArray[np.uint8],
    shape: tuple[int, int, int],
    terms: NDArray[np.int32],
    term_operator: NDArray[np.int32],
    blocks: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> None: ...
