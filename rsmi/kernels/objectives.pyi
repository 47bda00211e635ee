from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Spins = NDArray[np.int8]
OBJECTIVES: dict[str, int]

class Settings(Protocol):
    method: str
    n_hidden: int
    batch: int
    total_steps: int
    steps_per_epoch: int
    n_chains: int
    n_sweeps: int
    decoder_units: int
    optimizer: str
    bias: str
    distinct_blocks: bool
    learning_rate: float
    decoder_learning_rate: float

class Windows:
    def __init__(
        self,
        blocks: Spins,
        environments: Spins,
        theta: tuple[Array, Array, Array, Array, Array, Array] | None = None,
        means: tuple[Array, Array] | None = None,
        critic: Array | None = None,
    ) -> None: ...

def parameter_count(settings: Settings, n_block: int, n_environment: int) -> int: ...
def evaluate(
    windows: Windows, settings: Settings, state: dict[str, np.ndarray]
) -> tuple[float, Array]: ...
def train(
    windows: Windows, settings: Settings, state: dict[str, np.ndarray], epochs: int
) -> tuple[Array, Array, Array]: ...
def enumerate_information(
    posterior: Array, filters: Array, bias: Array
) -> tuple[float, Array, Array]: ...
def pair_log_cosh(rows: Array, columns: Array, repeats: int = 1) -> Array: ...
