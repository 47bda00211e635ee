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

Spins are +-1, 0/1 or bool of any numeric type: 1 is up, and the other value, the same one in the
whole of FILE, is down; --values reads other pairs. Variables with more states are read by --states
or --values; their number is never guessed. Several FILEs, or several --dataset, are chains
of the same samples. Files may be larger than the memory. What can be read in several ways is
refused, with the options that choose.

\b
Example: an array of numpy, HDF5 or MATLAB 7.3: (n, L), (n, Ly, Lx) or a cube (n, L, L, L)
  rsmi import spins.npy -o samples.h5
  rsmi import run.h5 --dataset /spins -o samples.h5
Example: the Ising ferromagnet at T = 2.3 J/k_B, 4 chains that took turns; a file a chain
  rsmi import spins.npy --model ising --temperature 2.3 --chains 4 -o samples.h5
  rsmi import chain-*.npy --model ising --temperature 2.3 -o samples.h5
Example: axes in another order; one temperature of several; an axis of chains
  rsmi import spins.npy --axes y,x,n -o samples.h5
  rsmi import scan.npy --axes t,n,y,x --select t=3 -o samples.h5
  rsmi import spins.npy --axes chain,n,y,x -o samples.h5
Example: a text, also compressed by gzip: a row of the lattice on a line, with an empty line or a
comment between configurations; a lattice of 32x32 on each line; strings such as 0110 behind a label
  rsmi import spins.txt -o samples.h5
  rsmi import spins.csv --shape 32x32 -o samples.h5
  rsmi import spins.dat.gz --columns 1: --shape 32x32 -o samples.h5
  ./simulate | rsmi import - --shape 32x32 -o samples.h5
Example: values 0 and 255; several variables at a site, such as two links (n, Ly, Lx, 2)
  rsmi import images.npy --values 0,255 -o samples.h5
  rsmi import links.npy --components 2 --component-axis last -o samples.h5
Example: variables with three states 0, 1, 2 that are all alike; spins of a spin-1 model
  rsmi import colours.npy --states 3 --symmetric permutations -o samples.h5
  rsmi import blume-capel.npy --values=-1,0,1 -o samples.h5
Example: files without a header: one byte for every spin; bits as numpy.packbits has them
  rsmi import spins.bin --format bytes --shape 32x32 -o samples.h5
  rsmi import spins.bits --shape 32x32 --bit-order big -o samples.h5
Example: only some sites carry data
  rsmi import brick-wall.npy --mask cell.npy -o samples.h5

For the nearest-neighbour Ising ferromagnet without a field, give --model ising, and --temperature
or --coupling if they are known. With --model none, nothing is assumed: neither the symmetry under a
flip of all spins, which --symmetric adds, nor a coupling; a command that needs one of them says so.
Files of mcising describe themselves, and --temperature selects one of their temperatures.

The samples are examined: their energy is compared with the exact one at the stated temperature, and
drift and autocorrelation of the chains, copies, edges and the order of sites are measured. If they
contradict what they are said to be by more than five standard errors, the import stops, unless you
give --trust; every file made from such samples then carries the contradiction.

A --mask says which sites of a periodic lattice carry data; the values of FILE at other sites are
ignored. The block of a rule must be a period of the mask: filters are then learned on the sites
with data, and coarse-graining gives a full lattice, which 'rsmi flow' can read.
"""


@common.command("import", help=_HELP)
@click.argument(
    "files", metavar="FILE...|-", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option(
    "--format",
    type=click.Choice(["npy", "npz", "csv", "hdf5", "bits", "bytes"]),
    default=None,
    show_default="as FILE begins, or is named",
    help="Format of FILE: csv is any text; bits are packed, bytes one for every spin.",
)
@click.option(
    "--dataset",
    metavar="NAME",
    multiple=True,
    show_default="the only one",
    help="The array of an NPZ or HDF5 file; may be repeated.",
)
@click.option(
    "--axes",
    metavar="NAMES",
    default=None,
    show_default="n,y,x or the like, if nothing else is possible",
    help="Names of the axes, slowest first: n, chain, z, y, x, c (components), site (a flat"
    " lattice), 1 (length 1), and others of which --select takes one index.",
)
@click.option(
    "--select",
    metavar="AXIS=INDEX",
    multiple=True,
    show_default="all",
    help="Index of an axis, counted from 0, or a range such as n=100: or n=:500; may be repeated.",
)
@click.option(
    "--shape",
    metavar="SHAPE",
    default=None,
    show_default="as in FILE",
    help="Lattice, such as 64x64, if FILE holds flat configurations.",
)
@click.option(
    "--components",
    type=click.IntRange(1, 64),
    metavar="C",
    default=None,
    show_default="1",
    help="Number of variables at a site.",
)
@click.option(
    "--component-axis",
    type=click.Choice(["first", "last"]),
    default=None,
    show_default="the one of length C",
    help="Axis of a configuration that counts them: the slowest or the fastest.",
)
@click.option(
    "--states",
    type=click.IntRange(2, 16),
    metavar="Q",
    default=None,
    show_default="2, or as many as --values has",
    help="Number of states of every variable; FILE holds 0 to Q-1 unless --values has other"
    " numbers.",
)
@click.option(
    "--values",
    metavar="auto|+-1|0/1|A,B,...",
    default="auto",
    help="Values of the spins; auto takes +-1 or 0/1, whichever FILE holds. Two numbers are down"
    " and up, such as 0,255 (--values=-0.5,0.5 if the first is negative); more, at most 16, are"
    " the states in this order.",
)
@click.option(
    "--columns",
    metavar="A:B",
    default=None,
    show_default="all",
    help="Columns of a text that are spins, counted from 0: 1: without the first, :-1 without the"
    " last.",
)
@click.option(
    "--header",
    type=click.IntRange(0),
    metavar="N",
    default=0,
    help="Number of lines that are skipped at the beginning of a text; lines without any number are"
    " skipped there anyway.",
)
@click.option(
    "--bit-order",
    type=click.Choice(["little", "big"]),
    default=None,
    show_default="needed for packed bits",
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
    type=click.Choice(["flip", "permutations", "dihedral"]),
    default=None,
    show_default="as the model says",
    help="A symmetry of the system: flip, of all spins at once, or of more than two states all"
    " permutations, or dihedral: rotations and reflections of the states on a circle. Windows,"
    " biases and odd operators then use it, also without a model.",
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
    help="Number of independent chains in each FILE.",
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
    files: tuple[Path, ...],
    chain_order: str,
    output: Path,
    run: RunOptions,
    dry_run: bool,
    as_json: bool,
    **settings: Any,
) -> None:
    from rsmi.stages import import_ as imports
    from rsmi.stages.import_request import prepare

    with prepare(files, one_after_another=chain_order == "sequential", **settings) as work:
        if dry_run:
            return common.print_plan(imports.plan(work), as_json)
        imports.run(work, output, run)
    common.answer(output, as_json, imports.summary)
