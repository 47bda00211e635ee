"""The Ising model as ``rsmi sample`` simulates it: its parameters, its streams, its chain."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from rsmi.errors import DataError, UsageError
from rsmi.kernels import ising as kernel
from rsmi.kernels import ising_bitsliced as bitsliced
from rsmi.lattice import ising as model
from rsmi.stages.runner import Rows, State
from rsmi.stages.simulation import pilot_sweeps
from rsmi.stages.streams import stream_key
from rsmi.store import File

ALGORITHMS = kernel.ALGORITHMS
CHAINS = 8
_LOCAL = ("metropolis", "heat-bath")


# ---- the parameters -------------------------------------------------------------------------------------------------

def parameters(*, shape: tuple[int, ...], temperature: str | None, coupling: float | None, algorithm: str, boundary: str, **dimers) -> dict:
    """Checked parameters of the physics; those of ``dimers`` must be None.

    Raises
    ------
    UsageError
        For a lattice or a temperature that cannot be, or an algorithm that does not fit the lattice.
    """
    foreign = ["--" + name.replace("_", "-") for name, value in dimers.items() if value is not None] + ["--boundary open"] * (boundary == "open")
    if foreign:
        raise UsageError(f"{foreign[0]}: for --model dimers only")
    coupling = resolve_coupling(temperature, coupling, len(shape))
    if any(size < 2 for size in shape):
        raise UsageError(f"--size {'x'.join(map(str, shape))}: every side must be at least 2")
    odd = [size for size in shape if size % 2]
    if odd and algorithm in _LOCAL:
        raise UsageError(f"--size {odd[0]}: the checkerboard of {algorithm} needs even sides; take swendsen-wang or wolff")
    if math.prod(shape) >= 1 << 31:
        raise UsageError(f"--size {'x'.join(map(str, shape))}: 2^31 sites or more")
    return {"model": "ising", "shape": list(shape), "coupling": coupling, "algorithm": algorithm}


def resolve_coupling(temperature: str | None, coupling: float | None, dimension: int) -> float:
    """K = J/(k_B T) from ``--temperature`` (a number, ``Tc``, ``0.98Tc``) or ``--coupling``.

    Raises
    ------
    UsageError
        If both or neither are given, the value is not positive and finite, or Tc does not exist.
    """
    if (temperature is None) == (coupling is None):
        raise UsageError("give --temperature (in J/k_B, or Tc, or 0.98Tc) or --coupling K, one of the two")
    if coupling is not None:
        if not _positive_and_finite(coupling):
            raise UsageError(f"--coupling {coupling}: must be positive and finite (ferromagnet, K = J/(k_B T))")
        return coupling
    value = parse_temperature(temperature, dimension)
    if not _positive_and_finite(value):
        raise UsageError(f"--temperature {temperature}: must be positive and finite")
    return 1 / value


def _positive_and_finite(value: float) -> bool:
    return math.isfinite(value) and value > 0 and math.isfinite(1 / value)


def parse_temperature(text: str, dimension: int) -> float:
    """A temperature in J/k_B from a number or a multiple of Tc."""
    if text.lower().endswith("tc"):
        factor = text[:-2].rstrip("*")
        try:
            return (float(factor) if factor else 1.0) / model.critical_coupling(dimension)
        except ValueError:
            pass
    else:
        try:
            return float(text)
        except ValueError:
            pass
    raise UsageError(f"--temperature {text!r}: write a number in J/k_B, Tc, or a multiple such as 0.98Tc")


def choose_algorithm(shape: tuple[int, ...], coupling: float) -> str:
    """Heat bath inside the disordered phase, Swendsen-Wang near and below T_c, in 1D and on odd lattices.

    The border is where the cost of a sweep times the autocorrelation time is about the same: a Swendsen-Wang sweep costs two heat-bath
    sweeps of the plain kernel and, by the instructions at hand, 20 to 130 of the bit-sliced one. It is the same on every machine.
    """
    if len(shape) == 1 or any(size % 2 for size in shape):
        return "swendsen-wang"
    border = 0.95 if bitsliced.fits_strip(shape) else 0.8
    return "heat-bath" if coupling < border * model.critical_coupling(len(shape)) else "swendsen-wang"


# ---- the simulation -------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class IsingSimulation:
    """What is simulated: everything the streams' keys depend on. A `rsmi.stages.simulation.Simulation`.

    A strip is a lattice that the bit-sliced kernel updates, 512 spins at a time. Its state has the packed spins and the generators of
    that kernel, the state of the others spins of a byte each and one stream.
    """

    shape: tuple[int, ...]
    coupling: float
    algorithm: str
    seed: int
    strip: bool = False
    together = 1
    cut_at_rows = False

    @classmethod
    def of(cls, parameters: dict) -> IsingSimulation:
        """The simulation a request means, its algorithm resolved."""
        shape, coupling, algorithm = tuple(parameters["shape"]), parameters["coupling"], parameters["algorithm"]
        chosen = choose_algorithm(shape, coupling) if algorithm == "auto" else algorithm
        return cls(shape, coupling, chosen, parameters["seed"], chosen in _LOCAL and bitsliced.fits_strip(shape))

    def as_in(self, file: File) -> IsingSimulation:
        return replace(self, algorithm=file.attributes["algorithm"], strip="generators" in file.state("chain-0000"))

    @property
    def sites(self) -> int:
        return math.prod(self.shape)

    @property
    def row_bytes(self) -> int:
        return (self.sites + 7) // 8

    @property
    def needs_pilot(self) -> bool:
        return self.algorithm == "wolff"

    def start(self, *numbers: int | str) -> State:
        """A chain's state before its first sweep: all spins up."""
        (number,) = numbers
        physics = {"model": "ising", "shape": list(self.shape), "coupling": self.coupling, "algorithm": self.algorithm}
        if self.strip:
            key = stream_key(self.seed, "sample", physics | {"layout": "strip"}, number)
            return {"spins": np.full(self.row_bytes, 255, dtype=np.uint8), "generators": bitsliced.seed(key, 1)}
        return {"spins": np.ones(self.shape, dtype=np.int8), "rng": stream_key(self.seed, "sample", physics, number)}

    def advance(self, state: State, interval: int, first: int, count: int, clusters_per_sweep: int) -> Rows:
        """``count`` times: ``interval`` sweeps, then one row."""
        rows = {
            "spins": np.empty((count, self.row_bytes), dtype=np.uint8),
            "energy": np.empty(count, dtype=np.int64),
            "magnetization": np.empty(count, dtype=np.int64),
        }
        if self.strip:
            self._advance_strip(state, interval, rows)
        else:
            kernel.sample_chain(state["spins"], self.coupling, state["rng"], self.algorithm, interval, count, clusters_per_sweep, *rows.values())
        return rows

    def _advance_strip(self, state: State, interval: int, rows: Rows) -> None:
        if "generators" not in state:
            raise DataError("the unfinished work is of a version that sampled this lattice otherwise: remove the .parts folder to start again")
        spins = bitsliced.unpack(state["spins"][np.newaxis], self.shape, "strip")
        bitsliced.sample_chain(spins, state["generators"], self.shape, self.coupling, self.algorithm, "strip", interval, *rows.values())
        state["spins"][:] = rows["spins"][-1]

    def clusters_per_sweep(self) -> int:
        """Wolff: about one lattice of flipped spins, from <|C|> = N <m^2>."""
        if self.algorithm != "wolff":
            return 1
        scout = IsingSimulation(self.shape, self.coupling, "swendsen-wang", self.seed)
        state, sweeps = scout.start("wolff-clusters"), pilot_sweeps(self.sites)
        scout.advance(state, sweeps // 2, 0, 1, 1)
        magnetization = scout.advance(state, 1, 0, sweeps, 1)["magnetization"] / self.sites
        return max(1, round(1 / float(np.mean(magnetization**2))))

    def series(self, state: State, sweeps: int, clusters_per_sweep: int) -> list[np.ndarray]:
        """Energy and |m|."""
        rows = self.advance(state, 1, 0, sweeps, clusters_per_sweep)
        return [rows["energy"], np.abs(rows["magnetization"])]

    def attributes(self) -> dict:
        return {"model": "ising", "boundary": "periodic", "components": 1, "coupling": self.coupling, "temperature": 1 / self.coupling}
