import numpy as np
from numpy.typing import NDArray

LONGEST: int

def sample_chains(
    bonds: NDArray[np.uint8],
    rng: NDArray[np.uint64],
    worms: int,
    first: int,
    spins_out: NDArray[np.uint8],
    steps_out: NDArray[np.int64],
) -> None: ...
def spins_of(bonds: NDArray[np.uint8], up: bool = True) -> NDArray[np.uint8] | None: ...
