from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

ALGORITHMS: tuple[str, ...]
CLUSTER_ALGORITHMS: tuple[str, ...]

def check(
    shape: Sequence[int], coupling: float, algorithm: str, clusters_per_sweep: int = 1
) -> None: ...
def sweep(
    spins: NDArray[np.int8],
    coupling: float,
    rng: NDArray[np.uint64],
    algorithm: str,
    sweeps: int,
    clusters_per_sweep: int = 1,
) -> None: ...
def sample_chain(
    spins: NDArray[np.int8],
    coupling: float,
    rng: NDArray[np.uint64],
    algorithm: str,
    interval: int,
    count: int,
    clusters_per_sweep: int,
    packed_out: NDArray[np.uint8],
    energy_out: NDArray[np.int64],
    magnetization_out: NDArray[np.int64],
) -> None: ...
def measure(spins: NDArray[np.int8]) -> tuple[int, int]: ...
