"""The contract of the Ising model."""

from cases import Case
from contract import ModelContract

LOCAL = ("metropolis", "heat-bath")


def plain(algorithm: str, slow: bool) -> Case:
    """One byte a spin, one chain a task: 4x2 has bonds around both axes, doubled along one."""
    return Case(
        f"{algorithm}, plain", f"--size 4x2 --temperature 4 --algorithm {algorithm}", slow=slow
    )


def replicas(algorithm: str, slow: bool) -> Case:
    """The same site of 512 chains in one word."""
    return Case(
        f"{algorithm}, replicas",
        f"--size 4x2 --temperature 4 --algorithm {algorithm}",
        chains=3 * 512,
        slow=slow,
    )


def strip(algorithm: str, slow: bool) -> Case:
    """512 sites of one lattice in one word."""
    options = f"--size 16x128 --temperature 4 --algorithm {algorithm}"
    return Case(f"{algorithm}, strip", options, chains=8, conditional=True, samples=64, slow=slow)


class TestIsing(ModelContract):
    model = "ising"
    cases = (
        plain("metropolis", slow=True),
        plain("heat-bath", slow=False),
        plain("swendsen-wang", slow=True),
        plain("wolff", slow=True),
        replicas("metropolis", slow=False),
        replicas("heat-bath", slow=True),
        strip("metropolis", slow=False),
        strip("heat-bath", slow=True),
        Case("chain", "--dimension 1 --size 6 --temperature 2", slow=True),
        Case("cube", "--dimension 3 --size 2 --temperature 6 --algorithm heat-bath", slow=True),
    )
    settings = ("--size 8 --temperature 3 --algorithm heat-bath --chains 8",)
