import numpy as np
from numpy.typing import NDArray

ALGORITHMS: tuple[str, ...]

class Bonds:
    def __init__(
        self,
        start: NDArray[np.int64],
        neighbours: NDArray[np.int32],
        groups: NDArray[np.int32],
        thresholds: NDArray[np.uint64],
        unlike: NDArray[np.uint8],
        field: float,
    ) -> None: ...

def sample_clusters(
    bonds: Bonds,
    spins: NDArray[np.uint8],
    rng: NDArray[np.uint64],
    algorithm: str,
    updates: int,
    rows_out: NDArray[np.uint8],
) -> int: ...
