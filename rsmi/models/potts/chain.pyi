import numpy as np
from numpy.typing import NDArray

ALGORITHMS: dict[str, int]
MOST_STATES: int

def alias_table(weights: NDArray[np.float64], dimension: int) -> NDArray[np.uint64]:
    """Make the table of heat bath."""

class Tables:
    """What a chain needs beside its lattice, as checked arrays that outlive the chain."""

    arrays: tuple[NDArray, ...]
    states: int
    n_classes: int
    def __init__(
        self,
        weights: NDArray[np.float64],
        alias: NDArray[np.uint64],
        moves: NDArray[np.uint8],
        choices: NDArray[np.int32],
        bonds: NDArray[np.uint64],
        classes: NDArray[np.uint8],
    ) -> None: ...

def sample_chain(
    spins: NDArray[np.uint8],
    tables: Tables,
    coupling: float,
    rng: NDArray[np.uint64],
    algorithm: str,
    updates: int,
    count: int,
    packed_out: NDArray[np.uint8],
    pairs_out: NDArray[np.int64],
) -> int:
    """Repeat ``count`` times: ``updates`` sweeps or clusters, then store and measure the states."""

def count_pairs(spins: NDArray[np.uint8], tables: Tables) -> NDArray[np.int64]:
    """Count the bonds of every class of pairs of states."""
