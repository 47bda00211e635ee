import numpy as np
from numpy.typing import NDArray

def shifted_products(
    rows: NDArray[np.uint8], slabs: int, length: int, shift: int
) -> NDArray[np.int64]: ...
