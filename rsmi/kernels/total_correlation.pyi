import numpy as np
from numpy.typing import NDArray

def explain(
    blocks: NDArray[np.uint8],
    weights: NDArray[np.float64],
    up: NDArray[np.float64],
    n_samples: float,
    symmetric: bool,
    state: dict[str, np.ndarray],
    iterations: int,
) -> None: ...
