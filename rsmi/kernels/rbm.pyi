import numpy as np
from numpy.typing import NDArray

LANES: int
PATHS: tuple[str, ...]

def initialize(state: dict[str, np.ndarray], standard_deviation: float) -> None: ...
def train_epoch(
    state: dict[str, np.ndarray],
    visible: NDArray[np.int8],
    *,
    batch_size: int,
    n_gibbs: int,
    learning_rate: float,
    momentum: float,
    weight_decay: float,
    symmetric: bool,
    first_batch: int,
    total_batches: int,
    path: str = "auto",
) -> float: ...
