import numpy as np
from numpy.typing import NDArray

LONGEST: int
WEIGHTS: tuple[float, float]

def sample_chains(
    vertices: NDArray[np.uint8],
    weight: float,
    rng: NDArray[np.uint64],
    loops: int,
    first: int,
    links_out: NDArray[np.uint8],
    c_vertices_out: NDArray[np.int64],
    steps_out: NDArray[np.int64],
) -> None: ...
