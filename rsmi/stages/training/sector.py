"""The sector of a training: which functions of the block are learned, checked against the other
options."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from rsmi.errors import UsageError
from rsmi.information.products import Products, in_range
from rsmi.models.sectors import Sector, sector_named
from rsmi.samples.windows import WindowSet

DECODER_UNITS = 8  # tanh units of the decoder of a rule of products
MOST_PRODUCTS = 120  # the pairs of a 4x4 block; a filter of more needs more than 100,000 windows
_LARGEST_BLOCK = 64  # spins of a block


@dataclass(frozen=True)
class SectorChoice:
    """A sector, as it is stored.

    Attributes
    ----------
    sector : Sector, optional
        None for the default of the model, whose files name no sector.
    pairs_within : float, optional
        The largest distance of two factors of a product; all by default.
    decoder_units : int
        Tanh units of the decoder.
    """

    sector: Sector | None = None
    pairs_within: float | None = None
    decoder_units: int = 0

    @property
    def stored(self) -> str | None:
        """The name of the sector as an attribute of the file."""
        return None if self.sector is None else self.sector.name

    @property
    def has_products(self) -> bool:
        """Whether the field of a unit is a linear combination of products."""
        return self.sector is not None and self.sector.features is not None

    @property
    def parameters(self) -> dict[str, Any]:
        """What the file says of the sector in its parameters; nothing for the default."""
        given = {
            "sector": self.stored,
            "pairs_within": self.pairs_within,
            "decoder_units": self.decoder_units or None,
        }
        return {name: value for name, value in given.items() if value is not None}


def choose(
    windows: WindowSet,
    name: str | None,
    pairs_within: float | None,
    decoder_units: int | None,
    objective: str,
    bias: str | None,
) -> SectorChoice:
    """Check ``--sector`` and the options that depend on it.

    Raises
    ------
    UsageError
        If the model has no such sector, or if the options contradict one another.
    """
    default = windows.model.default_sector(windows.samples.attributes)
    sector = default if name is None else sector_named(name, windows.model.sectors)
    products = sector.features is not None
    if decoder_units and objective != "decoder":
        raise UsageError(
            f"--decoder-units {decoder_units}: --objective {objective} has no decoder in its"
            " training; take --objective decoder"
        )
    if products:
        _check_products(sector, decoder_units, objective, windows)
    elif pairs_within is not None:
        raise UsageError(
            f"--pairs-within {pairs_within:g}: the filters of --sector {sector.name} act on single"
            " spins; pairs are those of --sector even"
        )
    _check_bias(sector, name is not None, bias, windows)
    units = decoder_units if decoder_units is not None else DECODER_UNITS if products else 0
    chosen = None if sector == default and not products else sector
    return SectorChoice(chosen, pairs_within if products else None, units)


def _check_products(
    sector: Sector, decoder_units: int | None, objective: str, windows: WindowSet
) -> None:
    if objective != "decoder":
        raise UsageError(
            f"--objective {objective}: rules of products of spins (--sector {sector.name}) are"
            " trained by --objective decoder alone"
        )
    if decoder_units == 0 and sector.parity == "even" and windows.symmetric:
        raise UsageError(
            "--decoder-units 0: a decoder that is linear in E cannot see an even function: with the"
            " symmetry under a flip of all spins its bound of I(H:E) is exactly zero; take"
            f" --decoder-units {DECODER_UNITS}, the default"
        )
    several = next((c for c in windows.columns[0].states if c > 2), None)
    if several is not None:
        raise UsageError(
            f"--sector {sector.name}: products need variables +-1, and a site has {several} states"
        )


def _check_bias(sector: Sector, explicit: bool, bias: str | None, windows: WindowSet) -> None:
    """Check that the bias fits the parity of a sector that was named."""
    if not explicit:
        return
    if sector.parity == "odd" and not windows.symmetric:
        raise UsageError(
            f"--sector {sector.name}: {windows.samples.path} is not known to be symmetric under a"
            " flip of all spins, so that odd functions are not distinguished: take --sector any, or"
            " import the samples with --symmetric flip if the flip is a symmetry"
        )
    if sector.parity == "odd" and bias == "free":
        raise UsageError(
            "--bias free: a field with a bias is not odd: leave out --bias, or take --sector any"
        )
    if sector.parity != "odd" and bias == "zero":
        raise UsageError(
            f"--bias zero: the fields of --sector {sector.name} have a bias, which no symmetry sets"
            " to zero: leave out --bias"
        )


def with_products(windows: WindowSet, choice: SectorChoice) -> WindowSet:
    """The windows with the products of the sector as the variables of the block.

    Raises
    ------
    UsageError
        If there are no products in range, or too many.
    """
    sector = choice.sector
    if sector is None or sector.features is None:
        return windows
    columns = windows.columns[0]
    if len(columns) > _LARGEST_BLOCK:
        raise UsageError(f"--sector {sector.name}: a block of {len(columns)} spins is too large")
    products: Products = sector.products(columns) or ()
    if choice.pairs_within is not None:
        products = in_range(products, columns.offset, choice.pairs_within)
    if not products:
        raise UsageError(
            f"--sector {sector.name}: the block has no product of spins"
            + (f" within {choice.pairs_within:g} sites" if choice.pairs_within is not None else "")
        )
    if len(products) > MOST_PRODUCTS:
        raise UsageError(
            f"--sector {sector.name}: the block has {len(products)} products of its {len(columns)}"
            f" spins, too many to learn (at most {MOST_PRODUCTS}): take --pairs-within 2, or a"
            " smaller block"
        )
    return replace(windows, products=products)
