"""Several rules in one figure: rsmi plot lambda-*.h5."""

import math

import numpy as np
import pytest
from conftest import run_here
from matplotlib.colors import to_hex

from rsmi.errors import UsageError
from rsmi.figures import comparison

RULE = {
    "model": "ising",
    "shape": (32, 32),
    "coupling": 0.4,
    "temperature": 2.5,
    "block": (2, 2),
    "buffer": 1,
    "environment": 1,
    "objective": "decoder",
    "mutual_information_hard": 0.2,
    "mutual_information_hard_error": 0.01,
}


class Stored:
    """A lambda file as far as the figure looks at it."""

    path = "lambda.h5"

    def __init__(self, attributes, units):
        self.attributes, self.units = attributes, units

    def __contains__(self, name):
        return False

    def shape(self, name):
        return self.units, math.prod(self.attributes["block"])

    def read(self, name):
        assert name == "/filters"
        return np.arange(1.0, 1 + math.prod(self.shape(name))).reshape(self.shape(name))


def rule(units=1, **changes):
    attributes = RULE | changes
    if changes.get("temperature") is not None:
        attributes["coupling"] = 1 / changes["temperature"]
    return Stored(attributes, units)


def drawn(*rules):
    """The axes, and the points of every series by its name."""
    figure = comparison.draw(rules)
    (axes,) = (one for one in figure.axes if one.get_label() == "information")
    series = {one.get_label(): one[0].get_xydata().tolist() for one in axes.containers}
    return axes, series, figure.get_suptitle()


def test_temperature_is_on_the_axis_and_the_buffer_tells_series_apart():
    """Points are sorted by temperature, T_c of this model is marked, the exact I(V:E) is dashed in
    the colour of its series, and the title says what all rules share."""
    rules = [
        rule(temperature=t, buffer=buffer, mutual_information_hard=1 / t + buffer, **whole)
        for t in (2.4, 2.1)
        for buffer, whole in ((1, {"mutual_information_block": 0.6}), (2, {}))
    ]
    axes, series, title = drawn(*rules)
    assert series == {
        "buffer 1": [[2.1, 1 / 2.1 + 1], [2.4, 1 / 2.4 + 1]],
        "buffer 2": [[2.1, 1 / 2.1 + 2], [2.4, 1 / 2.4 + 2]],
    }
    lines = {one.get_label(): one for one in axes.lines}
    assert lines["$T_c$"].get_xdata()[0] == pytest.approx(2.269185, abs=1e-6)
    dashed = lines["$I(V:E)$, exact, buffer 1"]
    assert list(dashed.get_ydata()) == [0.6, 0.6]
    assert to_hex(dashed.get_color()) == to_hex("C0") and dashed.get_linestyle() == "--"
    words = [one.get_text() for one in axes.get_legend().get_texts()]
    assert words == ["buffer 1", "buffer 2", "$I(V:E)$, exact", "$T_c$"]
    assert title == "ising, 1 unit, L = 32, environment 1, block 2x2"


@pytest.mark.parametrize(
    ("changes", "label"),
    [
        ({"buffer": 3}, "buffer (sites)"),
        ({"units": 2}, "hidden units"),
        ({"shape": (64, 64)}, "lattice size $L$"),
        ({"block": (4, 4)}, "sites of the block"),
        ({"temperature": None, "coupling": None, "buffer": 3}, "buffer (sites)"),
    ],
)
def test_what_varies_is_on_the_axis(changes, label):
    """A temperature that one of the rules does not have is no axis, and nothing says T_c there."""
    other = rule(**{"units": 1} | changes)
    other.attributes = {name: one for name, one in other.attributes.items() if one is not None}
    axes, _, _ = drawn(rule(), other)
    assert axes.get_xlabel() == label
    assert "$T_c$" not in axes.get_legend_handles_labels()[1]


def test_filters_of_one_series_stand_above_the_axis():
    """In the order of the axis; of several series, it would not be clear which is which."""
    figure = comparison.draw([rule(temperature=t) for t in (2.4, 2.1)])
    above = [one for one in figure.axes if one.get_label() == "filters"]
    assert [one.get_title() for one in above] == ["2.1", "2.4"]
    assert above[0].images[0].get_array().tolist() == [[1, 2], [3, 4]]
    two = [rule(temperature=t, buffer=b) for t in (2.1, 2.4) for b in (1, 2)]
    assert len(comparison.draw(two).axes) == 1


def test_rules_without_an_axis_or_of_different_systems_are_refused():
    """An exact value of one model never stands beside the rule of another."""
    with pytest.raises(UsageError, match="there is no axis"):
        comparison.draw([rule(), rule(objective="proxy")])
    potts = rule(model="potts", states=3, temperature=1.0)
    line = rule(shape=(32,), block=(2,), temperature=1.0)
    for other in (potts, line):
        with pytest.raises(UsageError, match="different systems"):
            comparison.draw([rule(), other])
    same = [rule(temperature=t) for t in (2.1, 2.2, 2.3)]
    assert comparison.groups([*same, potts]) == [same]
    assert comparison.groups([*same[:2], rule(), rule()]) != []
    assert comparison.groups([rule()] * 4) == []


def test_files_of_two_kinds_are_refused(pipeline, tmp_path):
    for names, sentence in (
        (("lambda.h5", "samples.h5"), "must be of one kind, not lambda, samples"),
        (("lambda.h5", "dimers-lambda.h5"), "of different systems (ising in 2 dimensions, dimers"),
    ):
        files = [pipeline / name for name in names]
        result = run_here("plot", *files, "-o", tmp_path / "figure.svg")
        assert result.code == 2 and sentence in result.err
