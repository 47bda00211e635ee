from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

REPLICAS: int
MOST_GROUPS: int
MOST_CLASSES: int
KIND: int

def paths() -> tuple[str, ...]: ...

class System:
    def __init__(
        self,
        kind_of: NDArray[np.int32],
        start: NDArray[np.int64],
        neighbours: NDArray[np.int32],
        kinds: NDArray[np.int64],
        probabilities: NDArray[np.uint64],
    ) -> None: ...
    @property
    def order(self) -> NDArray[np.int32]: ...
    @property
    def sites(self) -> int: ...
    @property
    def fits_replicas(self) -> bool: ...

def aligned(shape: Sequence[int]) -> NDArray[np.uint64]: ...
def seed(rng: NDArray[np.uint64]) -> NDArray[np.uint64]: ...
def sweep_replicas(
    system: System,
    spins: NDArray[np.uint64],
    generator: NDArray[np.uint64],
    sweeps: int,
    path: str = "auto",
) -> None: ...
def sample_chain(
    system: System,
    spins: NDArray[np.uint8],
    rng: NDArray[np.uint64],
    interval: int,
    rows_out: NDArray[np.uint8],
) -> None: ...
def unpack(rows: NDArray[np.uint8], sites: int) -> NDArray[np.uint64]: ...
def pack(spins: NDArray[np.uint64], rows_out: NDArray[np.uint8]) -> None: ...
def count(
    spins: NDArray[np.uint64], bonds: NDArray[np.int32], unlike: bool
) -> NDArray[np.int64]: ...
def count_up(spins: NDArray[np.uint64]) -> NDArray[np.int64]: ...
def exchange(
    one: NDArray[np.uint64], other: NDArray[np.uint64], mask: NDArray[np.bool_]
) -> None: ...
