"""The figures of a page: SVG inside the HTML, with a text for those who do not see it."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from rsmi.errors import UsageError
from rsmi.store import File

_SVG = "http://www.w3.org/2000/svg"
_LINK = "{http://www.w3.org/1999/xlink}href"
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
# What the figure of a kind shows. It says where the same numbers stand as text.
TEXTS = {
    "samples": "Configurations, one panel each. Averages over all of them are in the tables.",
    "theta": (
        "Held-out pseudo-log-likelihood and reconstruction error of the two Boltzmann machines"
        " against the epoch of training. Their last values are in the table."
    ),
    "lambda": (
        "The filters of the hidden units on the sites of the block, and the objective of every"
        " restart against the step of training. All weights are in the text."
    ),
    "flow": (
        "Effective couplings of the lattice after every step of coarse-graining, one line for each"
        " temperature. The same numbers are in the tables."
    ),
    "exponent": (
        "Critical exponents, and the critical temperature if there is one, with error bars, by"
        " step; dashed lines are values from theory. The same numbers are in the tables."
    ),
    "crossing": (
        "Binder cumulant and correlation ratio of every lattice size against the temperature, and"
        " where the lines cross. The crossings are in the tables."
    ),
    "spectrum": (
        "Scaling dimensions of pairs of lattice sizes with error bars, and their extrapolation, in"
        " both sectors; dashed lines are values from theory. The same numbers are in the tables."
    ),
    "correlation": (
        "Correlation functions against the distance and structure factors, on double-logarithmic"
        " axes, with the fitted power. Values at selected distances are in the tables."
    ),
}


RULES_TEXT = (
    "Held-out bounds of I(H:E) of the hard rules with error bars against what varies between them;"
    " dashed lines are the exact information of the whole block, where it is known. The numbers are"
    " in the table."
)


@dataclass(frozen=True)
class Drawing:
    """The figure of a file.

    Attributes
    ----------
    svg : str
        The element ``svg``; empty if there is no figure.
    text : str
        What it shows, or why there is none.
    """

    svg: str
    text: str


def drawing_of(file: File, prefix: str) -> Drawing:
    """The figure of a file; ``prefix`` begins all names in it, so that several fit into a page."""
    text = TEXTS.get(file.kind, "The numbers of the figure are in the tables.")
    try:
        return _drawing([file], prefix, text)
    except UsageError as error:
        return Drawing("", f"There is no figure: {error}.")


def drawings_of_rules(files: Sequence[File], prefix: str) -> list[Drawing]:
    """The information of several rules against what varies, one figure for each system."""
    from rsmi.figures.comparison import groups

    return [
        _drawing(group, f"{prefix}{number}-", RULES_TEXT)
        for number, group in enumerate(groups(files), 1)
    ]


def _drawing(files: Sequence[File], prefix: str, text: str) -> Drawing:
    from matplotlib import style

    from rsmi.figures.files import figure_of
    from rsmi.figures.style import STYLE

    stream = io.BytesIO()
    with style.context(STYLE):
        figure_of(files).savefig(
            stream, format="svg", metadata={"Date": None}, bbox_inches="tight", pad_inches=0.06
        )
    return Drawing(_inline(stream.getvalue(), prefix, text), text)


def _inline(content: bytes, prefix: str, text: str) -> str:
    """An SVG file as an element of an HTML page: without name spaces, styles of the whole page and
    names that another figure has too."""
    root = ElementTree.fromstring(content)
    for parent in list(root.iter()):
        for child in list(parent):
            if _tag(child) in ("metadata", "style"):
                parent.remove(child)
    for element in root.iter():
        element.tag = _tag(element)
        element.attrib = {
            name.rpartition("}")[2]: _renamed(name, value, prefix)
            for name, value in element.attrib.items()
        }
    size = {name: root.attrib.pop(name) for name in ("width", "height")}
    root.set("role", "img")
    root.set("aria-label", text)
    root.set("style", f"max-width: {float(size['width'].removesuffix('pt')) * 4 / 3:.0f}px")
    return ElementTree.tostring(root, encoding="unicode")


def _tag(element: ElementTree.Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _renamed(name: str, value: str, prefix: str) -> str:
    """An attribute with the prefix before every name of an element."""
    if name == "id":
        return prefix + value
    if name in ("href", _LINK) and value.startswith("#"):
        return f"#{prefix}{value[1:]}"
    return _REFERENCE.sub(rf"url(#{prefix}\1)", value)
