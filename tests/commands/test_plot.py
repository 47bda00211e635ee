"""rsmi plot: every kind of file becomes a figure that is not blank, published by rename."""

import csv
import json
import sys
from contextlib import ExitStack

import numpy as np
import pytest
from example_files import FILTERS, colours, command, figure, numbers_of, text_of, theta
from matplotlib.image import imread

from rsmi.errors import UsageError
from rsmi.figures import files as figures
from rsmi.figures import layout, numbers
from rsmi.figures.filters import filter_image
from rsmi.figures.samples import images
from rsmi.samples.files import open_file
from rsmi.store.schema import KINDS


@pytest.fixture
def files(examples):
    return examples


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (("critical",), 2),
        (("cold", "critical", "hot"), 2),
        (("critical", "coarse"), 2),
        (("theta",), 3),
        (("lambda",), 6),
        (("flow",), 5),
        (("exponent",), 5),
        (("crossing",), 4),
    ],
)
def test_figure_is_written_and_shows_something(files, tmp_path, capsys, names, shown):
    """Counts pixels that are not white and distinct colours: a blank page or a lost line would
    show."""
    output = tmp_path / "figure.png"
    assert command("plot", *(files[name] for name in names), "-o", output, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"file": str(output)}
    height, width = imread(output).shape[:2]
    assert 250 < height < 2500
    assert 250 < width < 2500
    *inked, _ = counts = colours(output)
    assert sum(inked) > 0.02 * sum(counts)
    assert sum(count > 60 for count in inked) >= shown
    assert sorted(path.name for path in tmp_path.iterdir()) == ["figure.png"]


def test_configurations_are_those_of_the_file(files):
    """Black pixels are spins up: the image of the last sample has its magnetization."""
    from rsmi.models.spins import magnetizations
    from rsmi.store import open_file

    with open_file(files["hot"]) as file:
        shown = images(file, 4)
        assert [image.shape for image in shown] == [(16, 16)] * 4
        assert int(shown[-1].sum(dtype=np.int64)) == magnetizations(file)[-1]


def test_persistent_machine_has_no_reconstruction(files, tmp_path):
    machine = theta(tmp_path / "theta.h5", persistent=True)
    (one, texts), (two, more) = figure(machine), figure(files["theta"])
    assert (len(one.axes), len(two.axes)) == (1, 2)
    assert one.get_figwidth() < 0.7 * two.get_figwidth()
    assert "reconstruction" in " ".join(more) and "reconstruction" not in " ".join(texts)
    assert "nan" not in text_of(machine)


def test_one_and_three_dimensions(tmp_path):
    """A chain is drawn sample under sample, a cube by one slice."""
    for dimension in (1, 3):
        samples = tmp_path / f"{dimension}.h5"
        assert (
            command(
                "sample",
                "--dimension",
                dimension,
                "--size",
                8,
                "--coupling",
                0.2,
                "--samples",
                64,
                "--interval",
                1,
                "--thermalization",
                10,
                "-q",
                "-o",
                samples,
            )
            == 0
        )
        assert command("plot", samples, "-o", tmp_path / f"{dimension}.png") == 0


def test_three_dimensional_filter():
    image = filter_image(np.arange(8.0), (2, 2, 2))
    assert image.shape == (2, 5)
    assert np.isnan(image[:, 2]).all()
    assert image[1, 4] == 7
    assert filter_image(np.arange(3.0), (3,)).shape == (1, 3)


@pytest.mark.parametrize(
    ("suffix", "head", "name"),
    [("png", b"\x89PNG", "critical"), ("pdf", b"%PDF", "critical"), ("svg", b"<?xml", "theta")],
)
def test_formats_and_equal_bytes(files, tmp_path, suffix, head, name):
    """The same file gives the same bytes, and an existing figure is replaced."""
    first, second = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"
    second.write_text("old")
    for output in (first, second):
        assert command("plot", files[name], "-o", output) == 0
    assert first.read_bytes().startswith(head)
    assert first.read_bytes() == second.read_bytes()


def test_a_flow_of_one_step_has_no_headline(files, tmp_path):
    """The panels say why, instead of failing."""
    flow, exponent = tmp_path / "flow.h5", tmp_path / "exponent.h5"
    assert (
        command("flow", files["critical"], "--rule", "decimation", "--steps", 1, "-q", "-o", flow)
        == 0
    )
    assert command("exponent", flow, "-q", "-o", exponent) == 0
    assert figure(exponent)
    assert command("info", exponent) == 0


def test_bad_requests(files, tmp_path, capsys):
    assert command("plot", files["flow"], "-o", tmp_path / "figure.jpeg") == 2
    assert command("plot", files["flow"], files["cold"], "-o", tmp_path / "figure.png") == 2
    assert command("plot", *[files["cold"]] * 7, "-o", tmp_path / "figure.png") == 2
    assert command("plot", tmp_path / "none.h5", "-o", tmp_path / "figure.png") == 2
    assert command("plot", files["flow"], "-o", tmp_path / "missing" / "figure.png") == 1
    assert "Traceback" not in capsys.readouterr().err
    assert not any(tmp_path.iterdir())


def test_a_failed_figure_leaves_nothing(files, tmp_path, monkeypatch):
    (tmp_path / "figure.png").write_text("old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    assert command("plot", files["theta"], "-o", tmp_path / "figure.png") == 1
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_without_matplotlib(files, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.delitem(sys.modules, "rsmi.figures.files")
    monkeypatch.delattr("rsmi.figures.files")
    assert command("plot", files["flow"], "-o", tmp_path / "figure.png") == 1
    assert "pip install 'rsmi[plot]'" in capsys.readouterr().err


def test_every_kind_of_file_but_shards_has_a_figure():
    assert figures.DRAWINGS.keys() == {name for name, kind in KINDS.items() if not kind.whole}


# ---- for a page of a journal ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ["theta", "lambda", "flow", "exponent", "crossing"])
def test_every_panel_has_a_name_and_is_drawn_alone(files, name):
    """Nothing else is visible, and the panel has the legend that it shared."""
    whole, _ = figure(files[name])
    names = layout.panels_of(whole)
    assert "" not in names and len(names) > 1
    layout.show_panel(whole, names[-1])
    shown = [axes.get_label() for axes in whole.axes if axes.get_visible()]
    assert set(shown) == {names[-1]}
    with pytest.raises(UsageError, match=f"the panels of this figure are {', '.join(names)}"):
        layout.show_panel(whole, "other")


def test_width_is_that_of_all_that_is_drawn(files, tmp_path):
    output = tmp_path / "figure.png"
    line = ("plot", files["theta"], "-o", output, "--panel", "likelihood", "--dpi", 100)
    assert command(*line, "--width", "8.6cm") == 0
    assert imread(output).shape[1] == pytest.approx(100 * 8.6 / 2.54, abs=2)


def test_widths_that_make_no_figure(files):
    for text, message in (("8.6", "a number with its unit"), ("1cm", "figures are from 2.54cm")):
        with pytest.raises(UsageError, match=message):
            layout.parse_width(text)
    assert layout.parse_width("86mm") == pytest.approx(layout.parse_width("8.6 cm"))
    with pytest.raises(UsageError, match="draw one of"):
        layout.fit_width(figure(files["theta"])[0], 1.2)


def test_table_has_the_numbers_of_the_figure(files, tmp_path):
    """Points with their errors at the abscissa to which they belong, lines from theory, and the
    weights of filters."""
    rows = numbers.rows_of(figure(files["exponent"])[0])
    of_y_h = [row for row in rows if row["panel"] == "y_h"]
    (shown,) = (row for row in of_y_h if row["series"] == "value to quote")
    assert shown["y"] == numbers_of(files["exponent"])["headline"]["y_h"]["value"]
    first = numbers_of(files["exponent"])["y_h"][0]
    own = next(row for row in of_y_h if row["series"] == "step 1")
    assert [own[name] for name in ("x", "y", "y_error")] == pytest.approx(
        [first[name] for name in ("operators", "value", "error")], rel=1e-9
    )
    assert {row["y"] for row in rows if row["series"] == "exact"} == {1.0, 1.875}
    table = tmp_path / "numbers.csv"
    line = ("-o", tmp_path / "figure.svg", "--csv", table, "--panel", "filters")
    assert command("plot", files["lambda"], *line) == 0
    weights = [float(row["value"]) for row in csv.DictReader(table.open())]
    assert weights == FILTERS.ravel().tolist()


def test_title_may_be_left_out(files):
    whole, _ = figure(files["theta"])
    assert "hidden units" in whole.get_suptitle()
    figures.arranged(whole, figures.Look(title=False))
    assert whole.get_suptitle() == ""


# ---- several files -------------------------------------------------------------------------------


def together(*paths):
    """The rows of numbers of a figure of several files, and its title."""
    with ExitStack() as stack:
        opened = [stack.enter_context(open_file(path)) for path in paths]
        whole = figures.figure_of(opened)
    return numbers.rows_of(whole), whole.get_suptitle()


def test_what_varies_is_on_the_axis(files, tmp_path):
    """Machines of two buffers: their buffers on the axis, and what they have in common in the
    title."""
    other = theta(tmp_path / "theta.h5", buffer=2, kl=0.02)
    rows, title = together(files["theta"], other)
    shown = [row for row in rows if row["panel"] == "kl"]
    assert [(row["x"], row["y"]) for row in shown] == [(1, 0.0125), (2, 0.02)]
    assert {row["x_label"] for row in shown} == {"buffer (sites)"}
    assert "ising" in title and "block 2x2" in title and "buffer" not in title


def test_flows_of_one_model_have_a_line_each(files):
    rows, _ = together(files["flow"], files["flow"])
    assert len([row for row in rows if row.get("x") == 0 and row.get("y_error")]) == 6


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("exponent", "exponent"), "the files differ neither in temperature"),
        (("flow", "theta"), "must be of one kind, not flow, theta"),
        (("lambda", "lambda"), "there is no axis to draw them on"),
    ],
)
def test_files_that_make_no_common_figure(files, tmp_path, capsys, names, message):
    paths = [files[name] for name in names]
    assert command("plot", *paths, "-o", tmp_path / "figure.png") == 2
    assert message in capsys.readouterr().err


def test_figures_name_the_model_and_what_colours_mean(files, tmp_path):
    """The title of a rule names the model; dimers have a key of their colours and of noise."""
    assert "ising" in figure(files["lambda"])[0].get_suptitle()
    samples = tmp_path / "dimers.h5"
    line = "sample --model dimers --size 8 --samples 8 --interval 1 --thermalization 1 -q".split()
    assert command(*line, "--noise-probability", 0.9, "-o", samples) == 0
    words = figure(samples)[1]
    assert {"dimer along x from even x", "dimer along y from odd y", "noise spin +1"} <= set(words)
