"""rsmi info and rsmi plot of rules learned on dimers."""

import json

import numpy as np
import pytest
from conftest import by_default
from example_files import colours, command, dimer_rule, figure, text_of

from rsmi import models
from rsmi.models.dimers import figure as dimer_figure
from rsmi.models.dimers import rule_measures
from rsmi.models.dimers.filters import embed_links, filter_shape
from rsmi.models.dimers.stars import star_vectors
from rsmi.samples.trained import lattice_attributes
from rsmi.samples.views import SamplesFile
from rsmi.store import open_file


def shown(path, capsys):
    """``rsmi info --json`` of a file."""
    capsys.readouterr()
    assert command("info", path, "--json") == 0
    return json.loads(capsys.readouterr().out)


@pytest.fixture(scope="module")
def rules(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dimers")
    hot = {"coupling": 1.25, "temperature": 0.8, "interaction": -1.0}
    return {
        "two": dimer_rule(folder / "two.h5"),
        "one": dimer_rule(folder / "one.h5", units=1, components=2),
        "four": dimer_rule(folder / "four.h5", units=4),
        "interacting": dimer_rule(folder / "interacting.h5", **hot),
        "coarse": dimer_rule(folder / "coarse.h5", rg_step=1, scale_factor=2.0),
    }


def test_measures_of_two_units(rules, capsys):
    """Close to the canonical modes: R2 .888 and .885 less a percent of noise, rho nearly .5840 and
    .5604, 90 degrees apart."""
    found = shown(rules["two"], capsys)["dimers"]
    first, second = found["units"]
    assert (first["R2"], second["R2"]) == pytest.approx((0.88, 0.88), abs=0.01)
    assert (first["R2_canonical"], second["R2_canonical"]) == pytest.approx((0.99, 0.99), abs=0.01)
    assert 0.57 < first["correlation"] < 0.5840
    assert 0.54 < second["correlation"] < 0.5604
    assert first["information"] == pytest.approx(-0.5 * np.log(1 - first["correlation"] ** 2))
    assert 0.005 < first["noise"] < 0.02
    assert first["R2_columnar"] < 0.01
    assert found["angles"][0][1] == pytest.approx(90, abs=2)
    assert found["exact"]["angles"][0][1] == pytest.approx(90, abs=2)
    assert found["capture"] == pytest.approx([0.877, 0.877], abs=0.02)
    assert found["exact"]["information_together"] == pytest.approx(
        first["information"] + second["information"], abs=0.005
    )
    assert found["exact"]["canonical_correlations"][:3] == pytest.approx(
        [0.5840, 0.5604, 0.3152], abs=5e-5
    )


def test_filters_have_the_shape_of_cells(rules, capsys):
    for name, shape in (("two", (2, 4, 4, 4)), ("one", (1, 2, 4, 4))):
        assert np.shape(shown(rules[name], capsys)["filters"]) == shape


def test_text(rules):
    """Every number of the table, what stands in V, and the filters without stars: columns of a row
    belong to one x."""
    text = text_of(rules["two"])
    with open_file(rules["two"]) as file:
        weights, found = (
            rule_measures.fixed_filters(file)[0].reshape(2, 4, 4, 4),
            rule_measures.summary(file)["dimers"],
        )
    for row in found["units"]:
        assert all(
            f"{row[name]:.4f}" in text
            for name in (
                "R2",
                "R2_covariance",
                "R2_canonical",
                "noise",
                "correlation",
                "information",
            )
        )
        assert f"{row['direction']:.1f}" in text
    assert "4x4: 16 cells: 32 links, 32 noise spins" in text
    assert "36 cells: 72 links, 72 noise spins" in text
    assert "0.5840  0.5604  0.3152  0.2852" in text
    assert "capture of E_x" in text
    lines = [line.split() for line in text.splitlines()]
    start = lines.index(["x-links", "y-links"])
    assert lines[start + 2] == [
        f"{weight:.3f}" for weight in (*weights[0, 1, 1], *weights[0, 2, 1])
    ]
    assert "vertices" in text
    assert "vertices" not in text_of(rules["one"])
    assert "32 links\n" in text_of(rules["one"])
    assert "angle" not in text_of(rules["one"])


def test_stars_do_not_show(rules):
    """The bare filters of the example are mostly stars; text and measures are those of what is
    left."""
    with open_file(rules["two"]) as file:
        bare, (fixed, _) = file.read("/filters"), rule_measures.fixed_filters(file)
    assert (bare**2).sum() > 5 * (fixed**2).sum()
    assert np.abs(fixed @ star_vectors((4, 4), 4).T).max() < 1e-12
    assert filter_shape(fixed, (4, 4), 4).electric == pytest.approx(
        filter_shape(bare, (4, 4), 4).electric
    )


@pytest.mark.parametrize("name", ["interacting", "coarse"])
def test_no_exact_correlations_of_other_systems(rules, capsys, name):
    """The exact covariance is that of free dimers; coefficients can be measured all the same."""
    found = shown(rules[name], capsys)["dimers"]
    assert found["exact"] is None
    assert "correlation" not in found["units"][0]
    assert found["units"][0]["R2"] > 0.8
    assert "no exact correlations" in text_of(rules[name])


def test_a_filter_of_zeros(tmp_path, capsys):
    """None instead of NaN, which JSON does not know."""
    rule = dimer_rule(tmp_path / "zero.h5", scale=0.0)
    row = shown(rule, capsys)["dimers"]["units"][0]
    assert row["R2"] is None
    assert row["correlation"] is None
    assert row["noise"] is None
    assert "unit 1" in text_of(rule)
    assert figure(rule)


def test_without_buffer_the_information_is_infinite(tmp_path, capsys):
    """A filter of a link sum that the environment fixes: rho is 1, and the information is not a
    number JSON has."""
    rule = dimer_rule(tmp_path / "touching.h5", buffer=0, filters=_corner())
    row = shown(rule, capsys)["dimers"]["units"][0]
    assert row["correlation"] == pytest.approx(1, abs=1e-9)
    assert row["information"] is None
    assert "1.0000" in text_of(rule)


def _corner():
    """The two links of the block at its first vertex: their sum is known from the two links
    outside."""
    links = np.zeros((1, 32))
    links[0, [0, 16]] = 1
    return embed_links(links, 4)


@pytest.mark.parametrize(
    "name", by_default(["one", "four", "interacting"], ["one", "two", "four", "interacting"])
)
def test_figures(rules, tmp_path, name):
    output = tmp_path / "figure.png"
    assert command("plot", rules[name], "-o", output) == 0
    *inked, _ = counts = colours(output)
    assert sum(inked) > 0.04 * sum(counts)
    assert sum(count > 60 for count in inked) >= 20


def test_links_are_drawn_where_they_are():
    """One x-link and one face: a rectangle to the right of vertex (2, 1), a dot in the middle of
    cell (0, 3)."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

    weights = np.zeros((4, 4, 4))
    weights[1, 2, 1], weights[3, 0, 3] = 1.0, -1.0
    axes = Figure().subplots()
    scale = ScalarMappable(Normalize(-1, 1), "RdBu_r")
    dimer_figure.draw_unit(axes, weights.ravel(), (4, 4), 4, scale)
    x_links, faces = axes.collections[0], axes.collections[-1]
    (drawn,) = (
        path for path, weight in zip(x_links.get_paths(), x_links.get_array()) if weight == 1.0
    )
    assert drawn.vertices[:-1].mean(axis=0) == pytest.approx([2.5, 1.0])
    (place,) = (
        place for place, weight in zip(faces.get_offsets(), faces.get_array()) if weight == -1.0
    )
    assert place.tolist() == [0.5, 3.5]


def test_titles():
    a = {"model": "dimers", "shape": (8, 8)}
    assert [models.of(a).temperature_label(a | {"coupling": k}) for k in (0.0, 1.25, -2.0)] == [
        "free dimers",
        "$T$ = 0.8 $|v|/k_B$, aligning dimers",
        "$T$ = 0.5 $|v|/k_B$, repelling dimers",
    ]
    a = {"model": "ising", "shape": (8, 8), "coupling": 0.44068679350977147}
    assert models.of(a).temperature_label(a) == "$T$ = $T_c$"


def test_cells_as_an_image():
    """Row 0 is on top: the last y; vertex, x-link, y-link and face of a cell make a square of
    four."""
    image = dimer_figure.cell_image(np.arange(16.0), (2, 2), 4)
    assert image[::-1].T[:2, :2].tolist() == [[0, 8], [4, 12]]
    assert image.shape == (4, 4)
    assert image[0, 0] == 9
    assert image[3, 3] == 6
    assert np.isnan(dimer_figure.cell_image(np.arange(8.0), (2, 2), 2)).sum() == 8


@pytest.mark.parametrize("boundary", ["periodic", "open"])
def test_a_rule_remembers_noise_and_boundary(tmp_path, boundary):
    """Without them the exact correlations would be those of another system."""
    samples = tmp_path / "samples.h5"
    options = ("--noise-probability", 0.9, "--noise-pairing", "straddling", "--boundary", boundary)
    assert (
        command(
            "sample",
            "--model",
            "dimers",
            "--size",
            8,
            "--samples",
            64,
            *options,
            "-q",
            "-o",
            samples,
        )
        == 0
    )
    with open_file(samples) as file:
        remembered = {
            name: value
            for name, value in lattice_attributes(SamplesFile(file)).items()
            if value is not None
        }
    assert {
        "noise_probability": 0.9,
        "noise_pairing": "straddling",
        "coupling": 0.0,
    }.items() <= remembered.items()
    assert remembered.get("boundary", "periodic") == boundary
    with open_file(dimer_rule(tmp_path / "rule.h5", shape=(16, 16), boundary=boundary)) as file:
        assert (rule_measures.summary(file)["dimers"]["exact"] is None) == (boundary == "open")
