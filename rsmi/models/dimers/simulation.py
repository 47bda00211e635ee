"""The dimer model as ``rsmi sample`` simulates it, and dimer samples as every stage reads them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rsmi.engine.keys import stream_key
from rsmi.engine.tasks import Rows, State
from rsmi.errors import UsageError
from rsmi.lattice.packed import unpack_bits
from rsmi.models.dimers import coverings as model
from rsmi.models.dimers import loop as dimers_loop
from rsmi.models.dimers import worm as kernel
from rsmi.models.simulation import pilot_sweeps
from rsmi.store import File

ALGORITHMS = ("worm", "loop")
_CHAINS = 32
# chains that one task advances: the worms of one wait for memory while those of the others step
_TOGETHER = 4
_WORMS = 1024  # of the pilot that measures how long they are
_BYTES_AT_ONCE = 1 << 26  # of unpacked links


# ---- the parameters ------------------------------------------------------------------------------


def parameters(
    *,
    shape: tuple[int, ...],
    temperature: str | None,
    coupling: float | None,
    interaction: float | None,
    algorithm: str,
    boundary: str,
    noise_probability: float | None,
    noise_pairing: str | None,
) -> dict:
    """Checked parameters of the physics.

    Raises
    ------
    UsageError
        For a lattice without coverings, a temperature or a noise that cannot be.
    """
    model.check_shape(shape)
    coupling, interaction = resolve_coupling(temperature, coupling, interaction)
    if coupling and algorithm == "worm":
        raise UsageError(
            "--algorithm worm: samples free dimers only; take loop, or leave out --temperature and"
            " --coupling"
        )
    if coupling < (least := dimers_loop.least_coupling(shape, boundary)):
        raise UsageError(
            f"coupling {coupling:g}: repels too much, loops would hardly close; {least:g} is the"
            " least on this lattice"
        )
    noise = _noise(noise_probability, noise_pairing)
    return {
        "model": "dimers",
        "shape": list(shape),
        "boundary": boundary,
        "coupling": coupling,
        "algorithm": algorithm,
        **interaction,
        **noise,
    }


def resolve_coupling(
    temperature: str | None, coupling: float | None, interaction: float | None
) -> tuple[float, dict]:
    """K = -v/(k_B T), and {"interaction": v}, empty for free dimers.

    v is the energy of two parallel dimers on a plaquette: aligning for v < 0 (K > 0). Without a
    temperature the dimers are free; ``--coupling`` alone stands for v = -1 or 1, whichever gives
    its sign.

    Raises
    ------
    UsageError
        For contradicting options, or values that are not finite.
    """
    if temperature is not None and coupling is not None:
        raise UsageError(
            "give --temperature or --coupling K = -v/(k_B T), not both; neither for free dimers"
        )
    if coupling is not None:
        if interaction is not None or not math.isfinite(coupling):
            raise UsageError(
                f"--coupling {coupling}: must be finite and says all: leave out --interaction"
            )
        return (coupling, {"interaction": -math.copysign(1.0, coupling)}) if coupling else (0.0, {})
    if temperature is None:
        if interaction:
            raise UsageError("--interaction: needs a --temperature")
        return 0.0, {}
    interaction = -1.0 if interaction is None else interaction
    try:
        value = float(temperature)
    except ValueError:
        raise UsageError(
            f"--temperature {temperature!r}: write a number, in the units of the interaction"
            " over k_B"
        ) from None
    if not value > 0 or not math.isfinite(interaction):
        raise UsageError(
            f"--temperature {temperature} with --interaction {interaction}: must be positive, and"
            " finite"
        )
    return (
        (-interaction / value, {"interaction": interaction})
        if interaction and math.isfinite(value)
        else (0.0, {})
    )


def _noise(probability: float | None, pairing: str | None) -> dict:
    if probability is None:
        if pairing is not None:
            raise UsageError("--noise-pairing: there is noise only with a --noise-probability")
        return {}
    if not 0 <= probability <= 1:
        raise UsageError(f"--noise-probability {probability}: a probability lies between 0 and 1")
    return {"noise_probability": probability, "noise_pairing": pairing or "cell"}


def default_chains(parameters: dict) -> int:
    """Four to a thread, eight threads."""
    return _CHAINS


def choose_algorithm(coupling: float) -> str:
    """The worm is faster, and knows no interactions."""
    return "loop" if coupling else "worm"


# ---- the simulation ------------------------------------------------------------------------------


@dataclass(frozen=True)
class DimerSimulation:
    """What is simulated. A `rsmi.models.simulation.Simulation`; the streams' keys depend on
    everything but the noise."""

    shape: tuple[int, int]
    boundary: str
    coupling: float
    algorithm: str
    seed: int
    interaction: float | None = None
    noise_probability: float | None = None
    noise_pairing: str | None = None
    together = _TOGETHER
    in_step = False
    needs_pilot = True  # the number of worms in a sweep

    @classmethod
    def of(cls, parameters: dict) -> DimerSimulation:
        """The simulation a request means."""
        optional = {
            name: parameters.get(name)
            for name in ("interaction", "noise_probability", "noise_pairing")
        }
        coupling, algorithm = parameters["coupling"], parameters["algorithm"]
        chosen = choose_algorithm(coupling) if algorithm == "auto" else algorithm
        return cls(
            tuple(parameters["shape"]),
            parameters["boundary"],
            coupling,
            chosen,
            parameters["seed"],
            **optional,
        )

    def as_in(self, file: File) -> DimerSimulation:
        return self

    @property
    def sites(self) -> int:
        return math.prod(self.shape)

    @property
    def cut_at_rows(self) -> bool:
        """The worm drops what is left of a random number's digits at the end of a row."""
        return self.algorithm == "worm"

    @property
    def pilot_sweeps(self) -> tuple[int, int]:
        return pilot_sweeps(self.sites)

    @property
    def components(self) -> int:
        return 2 if self.noise_probability is None else 4

    @property
    def row_bytes(self) -> int:
        return (self.components * self.sites + 7) // 8

    def key(self, number: int | str) -> np.ndarray:
        """Stream ``number`` of this simulation."""
        physics = {
            "model": "dimers",
            "shape": list(self.shape),
            "boundary": self.boundary,
            "coupling": self.coupling,
            "algorithm": self.algorithm,
        }
        return stream_key(self.seed, "sample", physics, number)

    def start(self, *numbers: int | str) -> State:
        """Chains before their first sweep: columns of dimers, their streams, and the keys of their
        noise.

        Aligning dimers at low temperature hardly leave the columnar state they start in: chains
        begin in all of them in turn.
        """
        states = [
            number if self.coupling > 0 and isinstance(number, int) else 0 for number in numbers
        ]
        return {
            "partners": np.stack(
                [model.columns(self.shape, state, self.boundary) for state in states]
            ),
            "rng": np.stack([self.key(number) for number in numbers]),
            "noise": np.stack([self.key(f"noise-{number}")[:2] for number in numbers]),
        }

    def advance(
        self, state: State, interval: int, first: int, count: int, clusters_per_sweep: int
    ) -> Rows:
        """``count`` rows, each ``interval`` sweeps of worms after the last one of its chain; the
        noise of a row is its own."""
        rows = self._worms(state, interval * clusters_per_sweep, first, count)
        return {
            "spins": self._with_noise(rows["links"], state["noise"], first),
            "energy": -rows["parallel_pairs"],
        }

    def _worms(self, state: State, worms: int, first: int, count: int) -> Rows:
        rows = {
            "parallel_pairs": np.empty(count, dtype=np.int64),
            "links": np.empty((count, (2 * self.sites + 7) // 8), dtype=np.uint8),
            "steps": np.empty(count, dtype=np.int64),
        }
        if self.algorithm == "loop":
            dimers_loop.sample_chains(
                state["partners"],
                self.coupling,
                state["rng"],
                self.boundary,
                worms,
                first,
                *rows.values(),
            )
        else:
            kernel.sample_chains(
                state["partners"], state["rng"], self.boundary, worms, first, *rows.values()
            )
        return rows

    def _with_noise(self, links: np.ndarray, keys: np.ndarray, first: int) -> np.ndarray:
        if self.noise_probability is None:
            return links
        spins, chains = np.empty((len(links), self.row_bytes), dtype=np.uint8), len(keys)
        for chain, key in enumerate(keys):
            row = (
                chain - first
            ) % chains  # the chain's first, its sample number (first + row) // chains
            own = np.ascontiguousarray(links[row::chains])
            spins[row::chains] = kernel.add_noise(
                own,
                self.shape,
                self.noise_probability,
                self.noise_pairing,
                key,
                (first + row) // chains,
            )
        return spins

    def clusters_per_sweep(self) -> int:
        """Worms that make about N/2 steps: each step lays one dimer."""
        state = self.start("worms")
        self._worms(state, 1, 0, _WORMS // 4)
        steps = self._worms(state, 1, 0, _WORMS)["steps"]
        return max(1, round(self.sites / 2 / float(np.mean(steps))))

    def series(self, state: State, sweeps: int, clusters_per_sweep: int) -> list[np.ndarray]:
        """Energy, winding, field and columnar order (see `coverings.observables`)."""
        packed = self._worms(state, clusters_per_sweep, 0, sweeps)["links"]
        return list(
            _observables(
                (links for _, links in _unpacked(packed, self.shape, 2)), self.boundary
            ).values()
        )

    def attributes(self) -> dict:
        return {
            "model": "dimers",
            "boundary": self.boundary,
            "components": self.components,
            "coupling": self.coupling,
            "temperature": -self.interaction / self.coupling if self.coupling else None,
            "interaction": self.interaction,
            "noise_probability": self.noise_probability,
            "noise_pairing": self.noise_pairing,
        }


# ---- dimer samples as they are read --------------------------------------------------------------


def _unpacked(packed, shape: tuple[int, int], components: int):
    """(first row, arrays (rows, components, Lx, Ly) of 0 and 1) of packed rows, an array or a
    reader of rows, a few at a time."""
    bits = components * math.prod(shape)
    step = max(1, _BYTES_AT_ONCE // bits)
    for first in range(0, len(packed), step):
        yield (
            first,
            unpack_bits(packed[first : first + step], (components, *shape)),
        )


class _Rows:
    """The packed rows of a file, read as they are asked for."""

    def __init__(self, file: File):
        self._file = file

    def __len__(self) -> int:
        return self._file.shape("/spins")[0]

    def __getitem__(self, rows: slice) -> np.ndarray:
        return self._file.read("/spins", rows.start, rows.stop)


def read_coverings(file: File):
    """(first sample, arrays (samples, components, Lx, Ly) of 0 and 1) of a dimer samples file, a
    few thousand at a time.

    Raises
    ------
    DataError
        Where the links of a sample are no covering: naming the sample and the vertex.
    """
    attributes = file.attributes
    for first, spins in _unpacked(_Rows(file), attributes["shape"], attributes["components"]):
        model.check_coverings(model.links_of(spins), attributes["boundary"], file.path, first)
        yield first, spins


def check_coverings(file: File) -> None:
    """Raise DataError unless every sample of a dimer samples file is a covering; other models
    pass."""
    if file.attributes["model"] == "dimers":
        for _ in read_coverings(file):
            pass


def _observables(chunks, boundary: str) -> dict[str, np.ndarray]:
    found = [model.observables(links, boundary) for links in chunks]
    return {name: np.concatenate([part[name] for part in found]) for name in found[0]}


def observables(file: File) -> dict[str, np.ndarray]:
    """`coverings.observables` of every sample of a file, and ``noise_agreement``, the
    fraction of faces whose spin is that of the vertex they are paired with; the coverings are
    checked."""
    pairing, found = file.attributes.get("noise_pairing"), []
    for _, spins in read_coverings(file):
        part = model.observables(model.links_of(spins), file.attributes["boundary"])
        found.append(
            part | ({"noise_agreement": model.noise_agreement(spins, pairing)} if pairing else {})
        )
    return {name: np.concatenate([part[name] for part in found]) for name in found[0]}
