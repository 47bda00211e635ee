import numpy as np
from numpy.typing import NDArray

def operator_sums(
    rows: NDArray[np.uint8],
    shape: NDArray[np.int64],
    terms: NDArray[np.int32],
    term_operator: NDArray[np.int32],
    n_operators: int,
) -> NDArray[np.int64]: ...
def accumulate_products(
    left: NDArray[np.int64], right: NDArray[np.int64], blocks: NDArray[np.int64], products: NDArray[np.int64]
) -> None: ...
