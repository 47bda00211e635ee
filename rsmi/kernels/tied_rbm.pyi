import numpy as np
from numpy.typing import NDArray

def train_epoch(
    state: dict[str, np.ndarray],
    features: NDArray[np.float64],
    visible: NDArray[np.int8],
    *,
    batch_size: int,
    n_gibbs: int,
    learning_rate: float,
    momentum: float,
    first_batch: int,
    total_batches: int,
) -> float: ...
