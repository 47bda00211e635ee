"""``rsmi import``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rsmi.cli import common
from rsmi.cli.model_options import ModelName
from rsmi.models.base import Model

if TYPE_CHECKING:
    from rsmi.engine.request import RunOptions

_HELP = """Import configurations that another program made.

FILE is NPY, NPZ, CSV (one configuration on each line), HDF5, or packed bits. The first axis counts
configurations, the others are the lattice: (n, L), (n, Ly, Lx) or (n, Lz, Ly, Lx). Spins are +-1,
0/1 or bool, of any numeric type; 1 is up, and the other value is down, which must be the same one
in the whole file. Files may be larger than the memory.

For the nearest-neighbour Ising ferromagnet without a field, give --model ising, and --temperature
or --coupling if they are known. With --model none, nothing is assumed: neither the symmetry under a
flip of all spins nor a coupling; a command that needs one of them says so. Files of mcising
describe themselves, and --temperature selects one of their temperatures.

The samples are examined: their energy is compared with the exact one at the stated temperature, and
drift and autocorrelation of the chains, copies, edges and the order of sites are measured. If they
contradict what they are said to be by more than five standard errors, the import stops, unless you
give --trust; every file made from such samples then carries the contradiction.

A --mask says which sites of a periodic lattice carry data; the values of FILE at other sites are
ignored. The block of a rule must be a period of the mask: filters are then learned on the sites
with data, and coarse-graining gives a full lattice, which 'rsmi flow' can read.

\b
Example: an array of shape (n, 64, 64) made at T = 2.3 by 4 chains that took turns
  rsmi import spins.npy --model ising --temperature 2.3 --chains 4 -o samples.h5
Examples: one lattice of 32x32 on each line; a dataset of an HDF5 file; packed bits
  rsmi import spins.csv --shape 32x32 -o samples.h5
  rsmi import run.h5 --dataset /spins -o samples.h5
  rsmi import brick-wall.npy --mask cell.npy -o samples.h5
  rsmi import spins.bits --shape 32x32x32 --bit-order big -o samples.h5
"""


@common.command("import", help=_HELP)
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option(
    "--format",
    type=click.Choice(["npy", "npz", "csv", "hdf5", "bits"]),
    default=None,
    show_default="as FILE begins, or is named",
    help="Format of FILE.",
)
@click.option(
    "--dataset",
    metavar="NAME",
    default=None,
    show_default="the only one",
    help="The array of an NPZ or HDF5 file.",
)
@click.option(
    "--shape",
    metavar="SHAPE",
    default=None,
    show_default="as in FILE",
    help="Lattice, such as 64x64, if FILE holds flat configurations.",
)
@click.option(
    "--values",
    type=click.Choice(["auto", "+-1", "0/1"]),
    default="auto",
    help="Values of the spins; auto takes those that FILE holds.",
)
@click.option(
    "--bit-order",
    type=click.Choice(["little", "big"]),
    default="little",
    help="Order of packed bits: the first site of a byte is its lowest bit, or its highest.",
)
@click.option(
    "--model",
    type=ModelName((Model.name,), importable=True),
    default=None,
    show_default="none, or as FILE says",
    help="Model that was sampled.",
)
@click.option(
    "--symmetric",
    type=click.Choice(["flip"]),
    default=None,
    show_default="as the model says",
    help="A symmetry of the system: flip, of all spins at once. Windows, biases and odd operators"
    " then use it, also without a model.",
)
@click.option(
    "--temperature",
    default=None,
    show_default="unknown",
    help="Temperature in J/k_B; Tc or a multiple such as 0.98Tc (infinite lattice).",
)
@click.option(
    "--coupling",
    type=float,
    default=None,
    show_default="unknown",
    help="K = J/(k_B T), instead of --temperature.",
)
@click.option(
    "--boundary",
    type=click.Choice(["periodic", "open"]),
    default="periodic",
    help="With open boundaries, windows stay inside the lattice; flow and exact refuse them.",
)
@click.option(
    "--mask",
    metavar="MASK.npy",
    type=click.Path(path_type=Path),
    default=None,
    show_default="all do",
    help="Sites that carry data: bool, of the shape of the lattice or of a cell that tiles it."
    " Blocks then begin at multiples of the cell.",
)
@click.option(
    "--chains",
    type=click.IntRange(1, 9999),
    metavar="N",
    default=1,
    help="Number of independent chains in FILE.",
)
@click.option(
    "--chain-order",
    type=click.Choice(["turns", "sequential"]),
    default="turns",
    help="turns: configuration i belongs to chain i mod N; sequential: chains follow each other.",
)
@click.option(
    "--discard",
    metavar="N|auto",
    default="0",
    help="Leave out the first N steps of every chain; auto: so that most effective samples are"
    " left.",
)
@click.option(
    "--trust",
    is_flag=True,
    help="Import samples that contradict what they are said to be.",
)
@common.stage_command(seed=False)
def command(
    file: Path,
    chain_order: str,
    output: Path,
    run: RunOptions,
    dry_run: bool,
    as_json: bool,
    **settings: Any,
) -> None:
    from rsmi.stages import import_ as imports
    from rsmi.stages.import_request import prepare

    with prepare(file, one_after_another=chain_order == "sequential", **settings) as work:
        if dry_run:
            return common.print_plan(imports.plan(work), as_json)
        imports.run(work, output, run)
    common.answer(output, as_json, imports.summary)
