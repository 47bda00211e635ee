from typing import Literal, overload

import numpy as np
from numpy.typing import NDArray

MAX_BLOCK: int
MAX_WIDTH: int

def block_weights(
    rings: NDArray[np.int8], rows: int, columns: int, buffer: int, coupling: float
) -> NDArray[np.float64]: ...
@overload
def block_averages(
    rings: NDArray[np.int8],
    rows: int,
    columns: int,
    buffer: int,
    coupling: float,
    functions: NDArray[np.float64],
    with_entropy: Literal[True],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]: ...
@overload
def block_averages(
    rings: NDArray[np.int8],
    rows: int,
    columns: int,
    buffer: int,
    coupling: float,
    functions: NDArray[np.float64],
    with_entropy: Literal[False],
) -> NDArray[np.float64]: ...
