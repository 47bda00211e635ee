"""What a flow file holds, ensemble by ensemble: sums in blocks long enough for the jackknife."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from rsmi.models.base import Known
from rsmi.renormalization import couplings, level_sums, thermometer
from rsmi.samples.files import known_of
from rsmi.statistics.binning import merged_blocks
from rsmi.store import File

# times tau_int: the blocks of `measured` are at least as long, so that errors are 3 % too small at
# most
SUMS = tuple(level_sums.empty_sums(0, 0))
LONG_BLOCK = 16
FEWEST_BLOCKS = 8  # per file: with fewer the error itself is not known to 25 %


@dataclass(frozen=True)
class Measured:
    """The sums of all files at one temperature: jackknife blocks of one ensemble, none too short
    where that is possible."""

    coupling: float | None
    shapes: list[tuple[int, ...]]
    rg_step: int
    has_energy: bool
    sums: dict[str, np.ndarray]
    short: tuple[
        str, ...
    ] = ()  # what to know of files whose blocks are short in spite of being merged
    files: tuple[int, ...] = ()  # numbers of the input files
    known: Known = field(default_factory=Known)  # of the model that the flow names

    @property
    def dimension(self) -> int:
        return len(self.shapes[0])

    @property
    def temperature(self) -> float | None:
        return None if self.coupling is None else 1 / self.coupling

    def effective(self) -> thermometer.EffectiveCouplings:
        """Effective couplings and their slopes at every level."""
        return thermometer.effective_couplings(self.sums, self.shapes, self.known.thermometer)


def measured(file: File) -> list[Measured]:
    """The ensembles of a flow file, files at one temperature (to ten digits: 1/T and K may round
    differently) and size merged, hottest first; unknown temperatures last."""
    block, steps = file.attributes["block"], file.attributes["steps"]
    table = {
        name: file.read(f"/files/{name}")
        for name in ("coupling", "shape", "original_shape", "rg_step", "has_energy")
    }
    groups: dict[tuple, list[int]] = {}
    for number, coupling in enumerate(table["coupling"]):
        unknown = math.isnan(coupling)
        lattice = tuple(int(x) for name in ("original_shape", "shape") for x in table[name][number])
        key = (
            math.inf if unknown else float(f"{coupling:.10g}"),
            lattice,
            int(table["rg_step"][number]),
            number if unknown else -1,
        )
        groups.setdefault(key, []).append(number)
    of_files = blocks_of_files(file, len(table["coupling"]))
    known = known_of(file)
    found = []
    for key, numbers in sorted(groups.items()):
        shapes = [tuple(int(x) for x in table["shape"][numbers[0]])]
        for _ in range(steps):
            shapes.append(tuple(size // sites for size, sites in zip(shapes[-1], block)))
        coupling = None if math.isinf(key[0]) else float(table["coupling"][numbers[0]])
        has_energy = bool(table["has_energy"][numbers].all())
        sums = {
            name: np.concatenate([of_files[number][0][name] for number in numbers]) for name in SUMS
        }
        short = tuple(of_files[number][1] for number in numbers if of_files[number][1])
        found.append(
            Measured(
                coupling,
                shapes,
                int(table["rg_step"][numbers[0]]),
                has_energy,
                sums,
                short,
                tuple(numbers),
                known,
            )
        )
    return found


def blocks_of_files(file: File, n_files: int) -> list[tuple[dict[str, np.ndarray], str | None]]:
    """The sums of every input file in blocks of whole chains or of at least `LONG_BLOCK` tau_int
    (as stored where files before format 1.1 do not tell it), and a sentence where they do not allow
    that."""
    return _in_long_blocks(
        file,
        n_files,
        file.read("/blocks/file"),
        {name: file.read(f"/blocks/{name}") for name in SUMS},
    )


def _in_long_blocks(
    file: File, n_files: int, owner: np.ndarray, sums: dict[str, np.ndarray]
) -> list[tuple[dict[str, np.ndarray], str | None]]:
    found = []
    for number in range(n_files):
        own = {name: array[owner == number] for name, array in sums.items()}
        if "/files/tau_int" not in file or (
            "/files/whole_chains" in file and file.read("/files/whole_chains")[number]
        ):
            found.append((own, None))
        else:
            found.append(
                _long_blocks(
                    own,
                    *(
                        float(file.read(f"/files/{name}")[number])
                        for name in ("chains", "tau_int", "tau_int_error")
                    ),
                )
            )
    return found


def _long_blocks(
    sums: dict[str, np.ndarray], chains: float, tau: float, error: float
) -> tuple[dict[str, np.ndarray], str | None]:
    if not tau - error > 0.5:  # independent within the error, or constant
        return sums, None
    count, needed = len(sums["counts"]), LONG_BLOCK * tau * chains
    label = merged_blocks(count, sums["counts"].min(), needed, FEWEST_BLOCKS)
    if label[-1] + 1 == count:
        merged = sums
    else:
        merged = {
            name: _merge(array, label, np.float64) for name, array in sums.items()
        }  # beyond int64
    steps = merged["counts"].min() / chains
    short = (
        f"tau_int = {tau:.1f} stored intervals, and a block of the jackknife has {steps:.1f}: the"
        " errors are too small; sample more, or with a longer --interval"
    )
    return merged, short if merged["counts"].min() < needed and tau - error > 1 else None


def interactions(file: File, ensembles: list[Measured]) -> list[list[dict] | None]:
    """The couplings of every ensemble of a file (`couplings.interaction_rows`), None in files
    before format 1.1."""
    if "/neighbourhoods/counts" not in file:
        return [None] * len(ensembles)
    owner, energies = file.read("/neighbourhoods/file"), file.read("/neighbourhoods/energies")
    arrays = {
        "counts": _samples_spanned(file, owner),
        "histograms": file.read("/neighbourhoods/counts"),
    }
    of_files = _in_long_blocks(file, file.shape("/files/coupling")[0], owner, arrays)
    histograms = (
        [of_files[number][0]["histograms"] for number in ensemble.files] for ensemble in ensembles
    )
    return [
        couplings.interaction_rows(np.concatenate(parts), energies, ensemble.shapes)
        for parts, ensemble in zip(histograms, ensembles)
    ]


def _samples_spanned(file: File, owner: np.ndarray) -> np.ndarray:
    """Samples from the first to the last of each group; their histograms may be those of some steps
    of the chains only."""
    counted, blocks = file.read("/neighbourhoods/samples"), file.read("/blocks/file")
    return (
        counted
        * (np.bincount(blocks, file.read("/blocks/counts")) / np.bincount(owner, counted))[owner]
    )


def _merge(array: np.ndarray, label: np.ndarray, dtype=None) -> np.ndarray:
    """Sums over the successive rows with labels 0, 1, ..."""
    return np.add.reduceat(
        array, np.searchsorted(label, np.arange(label[-1] + 1)), axis=0, dtype=dtype
    )
