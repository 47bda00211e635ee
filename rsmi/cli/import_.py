"""``rsmi import``."""

from __future__ import annotations

from pathlib import Path

import click

from rsmi.cli import common
from rsmi.cli.model_options import ModelName
from rsmi.models.base import Model

_HELP = """Import configurations that another program made.

FILE is NPY, NPZ, CSV (one configuration a line), HDF5, or packed bits. The first axis counts
configurations, the others are the lattice: (n, L), (n, Ly, Lx) or (n, Lz, Ly, Lx). Spins are +-1,
0/1 or bool of any numeric type, one writing in the whole file: 1 is up, the other value down. Files
may be larger than the memory.

Say --model ising, with --temperature or --coupling where they are known, of the nearest-neighbour
Ising ferromagnet without a field. Of --model none nothing is assumed, neither the symmetry under a
flip of all spins nor a coupling, and what needs one says so. Files of mcising say what they are;
--temperature then chooses among theirs.

A --mask says which sites of a periodic lattice carry data; what FILE has at the others is not
looked at. Blocks must be a period of it: filters are then learned on the sites with data, and
coarse-graining gives a full lattice, for flow.

\b
Example: an array of shape (n, 64, 64) made at T = 2.3 by 4 chains that took turns
  rsmi import spins.npy --model ising --temperature 2.3 --chains 4 -o samples.h5
Example: one lattice of 32x32 a line; a dataset of an HDF5 file; packed bits
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
    help="What FILE is.",
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
    help="Lattice, such as 64x64, where FILE has it flat.",
)
@click.option(
    "--values",
    type=click.Choice(["auto", "+-1", "0/1"]),
    default="auto",
    help="auto: either, by what the whole file holds.",
)
@click.option(
    "--bit-order",
    type=click.Choice(["little", "big"]),
    default="little",
    help="Of packed bits: whether a byte's first site is its lowest bit or its highest.",
)
@click.option(
    "--model",
    type=ModelName((Model.name,), importable=True),
    default=None,
    show_default="none, or as FILE says",
    help="What was sampled.",
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
    help="In J/k_B; Tc or a multiple such as 0.98Tc (infinite lattice).",
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
    help="Open: windows stay inside the lattice; flow, crossing and exact refuse it.",
)
@click.option(
    "--mask",
    metavar="MASK.npy",
    type=click.Path(path_type=Path),
    default=None,
    show_default="all do",
    help="Which sites carry data: bool, of the lattice's shape or a cell that tiles it. Blocks then"
    " begin at multiples of the cell.",
)
@click.option(
    "--chains",
    type=click.IntRange(1, 9999),
    metavar="N",
    default=1,
    help="Independent chains that the configurations are of.",
)
@click.option(
    "--chain-order",
    type=click.Choice(["turns", "sequential"]),
    default="turns",
    help="turns: configuration i is of chain i mod N; sequential: one chain after the other.",
)
@common.stage_command(seed=False)
def command(file, chain_order, output, run, dry_run, as_json, **rest):
    from rsmi.stages import import_ as imports
    from rsmi.stages.import_request import prepare

    with prepare(file, one_after_another=chain_order == "sequential", **rest) as work:
        if dry_run:
            return common.print_plan(imports.plan(work), as_json)
        imports.run(work, output, run)
    common.answer(output, as_json, imports.summary)
