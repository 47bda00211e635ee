import numpy as np
from numpy.typing import NDArray

def parameter_count(
    n_environment: int,
    n_units: int,
    n_hidden: int,
    states: int = 0,
    tied: bool = False,
    features: NDArray[np.float64] | None = None,
) -> int: ...
def log_probabilities(
    parameters: NDArray[np.float64],
    environments: NDArray[np.int8],
    n_units: int,
    n_hidden: int,
    states: int = 0,
    tied: bool = False,
    features: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]: ...
def fit(
    parameters: NDArray[np.float64],
    environments: NDArray[np.int8],
    targets: NDArray[np.float64],
    n_units: int,
    steps: int,
    batch: int,
    learning_rate: float,
    rng: NDArray[np.uint64],
    environment_mean: NDArray[np.float64] | None = None,
    states: int = 0,
    tied: bool = False,
    features: NDArray[np.float64] | None = None,
) -> None: ...
