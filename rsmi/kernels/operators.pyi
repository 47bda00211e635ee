import numpy as np
from numpy.typing import NDArray

def operator_sums(
    rows: NDArray[np.uint8],
    shape: NDArray[np.int64],
    terms: NDArray[np.int32],
    term_operator: NDArray[np.int32],
    n_operators: int,
) -> NDArray[np.int64]: ...
def level_sums(
    rows: NDArray[np.uint8],
    shape: NDArray[np.int64],
    block: NDArray[np.int64],
    filters: NDArray[np.float64],
    bias: NDArray[np.float64],
    hard: bool,
    keys: NDArray[np.uint64],
    samples: NDArray[np.uint64],
    terms: NDArray[np.int32],
    term_operator: NDArray[np.int32],
    n_operators: int,
    products: NDArray[np.uint64] | None = None,
) -> NDArray[np.int64] | None: ...
def accumulate_levels(
    sums: NDArray[np.int64],
    energies: NDArray[np.int64],
    blocks: NDArray[np.int64],
    even: NDArray[np.int64],
    odd: NDArray[np.int64],
) -> None: ...
