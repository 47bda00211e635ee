import numpy as np
from numpy.typing import NDArray

def fits(rows: int, columns: int, buffer: int, states: int) -> bool: ...
def block_weights(
    rings: NDArray[np.int8], rows: int, columns: int, buffer: int, bond: NDArray[np.float64]
) -> NDArray[np.float64]: ...
