from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

ALGORITHMS: tuple[str, ...]
LAYOUTS: dict[str, int]
REPLICAS: int

def paths() -> tuple[str, ...]: ...
def fits_strip(shape: Sequence[int]) -> bool: ...
def check(shape: Sequence[int], coupling: float, algorithm: str, layout: str) -> None: ...
def aligned(shape: Sequence[int]) -> NDArray[np.uint64]: ...
def seed(rng: NDArray[np.uint64], blocks: int) -> NDArray[np.uint64]: ...
def unpack(packed: NDArray[np.uint8], shape: Sequence[int], layout: str) -> NDArray[np.uint64]: ...
def pack(
    spins: NDArray[np.uint64], shape: Sequence[int], layout: str, packed_out: NDArray[np.uint8]
) -> None: ...
def measure(
    spins: NDArray[np.uint64],
    shape: Sequence[int],
    layout: str,
    energy_out: NDArray[np.int64],
    magnetization_out: NDArray[np.int64],
) -> None: ...
def sweep(
    spins: NDArray[np.uint64],
    generators: NDArray[np.uint64],
    shape: Sequence[int],
    coupling: float,
    algorithm: str,
    layout: str,
    sweeps: int,
    path: str = "auto",
) -> None: ...
def sample_chain(
    spins: NDArray[np.uint64],
    generators: NDArray[np.uint64],
    shape: Sequence[int],
    coupling: float,
    algorithm: str,
    layout: str,
    interval: int,
    packed_out: NDArray[np.uint8],
    energy_out: NDArray[np.int64],
    magnetization_out: NDArray[np.int64],
) -> None: ...
def update(
    spins: NDArray[np.uint64],
    generators: NDArray[np.uint64],
    shape: Sequence[int],
    coupling: float,
    algorithm: str,
    layout: str,
    sublattice: int,
    block: int,
    path: str = "auto",
) -> None: ...
def renew_halo(
    spins: NDArray[np.uint64], shape: Sequence[int], layout: str, sublattice: int
) -> None: ...
