"""Small files of every kind: samples, flow and exponent by the stages, theta and lambda with
numbers chosen here."""

import contextlib
import functools

import numpy as np
import pytest
from matplotlib import cbook, rc_context
from matplotlib.image import imread
from matplotlib.mathtext import MathTextParser
from matplotlib.style import use
from matplotlib.text import Text

from rsmi.cli.application import run
from rsmi.engine.stop import Stop
from rsmi.figures.files import figure_of
from rsmi.figures.style import STYLE
from rsmi.information.canonical import canonical_correlations
from rsmi.lattice.geometry import Geometry
from rsmi.models.dimers.filters import on_links, window_moments
from rsmi.models.dimers.kasteleyn import link_covariance
from rsmi.models.dimers.stars import star_vectors
from rsmi.reports import files as reports
from rsmi.samples.files import open_file
from rsmi.stages.training import measures
from rsmi.store import parameters_digest, publish
from rsmi.store.folder import Folder

LATTICE = {
    "model": "ising",
    "shape": (16, 16),
    "coupling": 0.44068679350977147,
    "temperature": 2.269185314213022,
    "rg_step": 0,
    "scale_factor": 1.0,
}
GEOMETRY = {"block": (2, 2), "buffer": 1, "environment": 1, "windows": 5000}
FILTERS = np.array([[2.5, 2.25, -0.125, 2.0], [-1.0, 0.5, 1.5, 0.0]])


def command(*arguments):
    """Run one command line in this process; its exit code."""
    return run([str(argument) for argument in arguments], Stop())


def numbers_of(path):
    """What ``rsmi info --json`` says of a file."""
    with open_file(path) as file:
        return reports.summary(file)


def text_of(path):
    """What ``rsmi info`` says of a file."""
    with open_file(path) as file:
        return reports.describe(file)


def figure(path):
    """The figure of a file before it is drawn, and its texts, whose formulas are parsed as when it
    is drawn."""
    with rc_context(), open_file(path) as file:
        use(STYLE)
        figure = figure_of([file])
    texts = [text.get_text() for text in figure.findobj(Text)]
    for text in filter(cbook.is_math_text, texts):
        MathTextParser("path").parse(text)
    return figure, texts


def colours(path):
    """The colours of a PNG figure, in 16 levels of red, green and blue: how many pixels there are
    of each of the 4096, of which the last is white."""
    image = (imread(path)[..., :3] * 15).round().astype(int)
    return np.bincount((image @ [256, 16, 1]).ravel(), minlength=4096)


@contextlib.contextmanager
def short_fits():
    """Decoders are fitted in few steps: what a rule knows is not what the test is about."""
    with pytest.MonkeyPatch.context() as patch:
        short = functools.partial(measures.fit_decoder, steps=100)
        patch.setattr(measures, "fit_decoder", short)
        yield


def pipeline(folder):
    """cold, critical and hot samples of 16x16, a coarse file, a flow and its exponents; the file
    names by kind."""
    samples = {name: folder / f"{name}.h5" for name in ("cold", "critical", "hot")}
    for (_name, path), temperature in zip(samples.items(), ("0.95Tc", "Tc", "1.05Tc")):
        assert (
            command(
                "sample",
                "--size",
                16,
                "--temperature",
                temperature,
                "--algorithm",
                "swendsen-wang",
                "--samples",
                800,
                "--interval",
                4,
                "--thermalization",
                50,
                "-q",
                "-o",
                path,
            )
            == 0
        )
    files = {
        **samples,
        "coarse": folder / "coarse.h5",
        "flow": folder / "flow.h5",
        "exponent": folder / "exponent.h5",
    }
    assert (
        command(
            "coarse-grain", files["critical"], "--rule", "majority", "-q", "-o", files["coarse"]
        )
        == 0
    )
    assert (
        command(
            "flow", *samples.values(), "--rule", "majority", "--steps", 3, "-q", "-o", files["flow"]
        )
        == 0
    )
    assert command("exponent", files["flow"], "-q", "-o", files["exponent"]) == 0
    small = [folder / f"small-{name}.h5" for name in ("cold", "hot")]
    for path, temperature in zip(small, ("0.92Tc", "1.08Tc")):
        assert (
            command(
                "sample",
                "--size",
                8,
                "--temperature",
                temperature,
                "--algorithm",
                "swendsen-wang",
                "--samples",
                800,
                "--interval",
                4,
                "--thermalization",
                50,
                "-q",
                "-o",
                path,
            )
            == 0
        )
    files["crossing"] = folder / "crossing.h5"
    assert command("crossing", *samples.values(), *small, "-q", "-o", files["crossing"]) == 0
    return {**files, "theta": theta(folder / "theta.h5"), "lambda": rule(folder / "lambda.h5")}


def theta(path, persistent=False, **changes):
    attributes = (
        LATTICE
        | GEOMETRY
        | {
            "symmetric": True,
            "pseudo_log_likelihood": -7.25,
            "pseudo_log_likelihood_error": 0.03,
            "kl": 0.0125,
            "kl_error": 0.0004,
        }
        | changes
    )
    epochs = np.arange(1, 11)
    return _publish(
        path,
        "theta",
        attributes,
        {
            "/joint/weights": np.zeros((24, 20), np.float32),
            "/joint/visible_bias": np.zeros(24, np.float32),
            "/joint/hidden_bias": np.zeros(20, np.float32),
            "/block/weights": np.zeros((4, 8), np.float32),
            "/block/visible_bias": np.zeros(4, np.float32),
            "/block/hidden_bias": np.zeros(8, np.float32),
            "/curve/epoch": epochs,
            "/curve/reconstruction_error": (
                np.full(10, np.nan) if persistent else 0.2 + 0.1 / epochs
            ),
            "/curve/pseudo_log_likelihood": -7.2 - 0.5 / epochs,
            "/split/held_out": np.arange(100),
        },
    )


def rule(path):
    numbers = {
        "": 0.39,
        "_error": 0.004,
        "_hard": 0.3975,
        "_hard_error": 0.0045,
        "_shuffled": -0.0003,
        "_exact": 0.3989,
        "_exact_error": 0.0003,
        "_block": 0.5246,
    }
    attributes = (
        LATTICE | GEOMETRY | {f"mutual_information{name}": value for name, value in numbers.items()}
    )
    attributes |= {
        "objective": "proxy",
        "estimator": "pairs",
        "restart": 1,
        "entropy_h": 0.6931,
        "entropy_h_hard": 0.693,
    }
    grown = np.linspace(0.1, 1, 8)[None, :, None, None] * FILTERS[None, None]
    return _publish(
        path,
        "lambda",
        attributes,
        {
            "/filters": FILTERS,
            "/bias": np.zeros(2),
            "/restarts/filters": np.stack([FILTERS, FILTERS]),
            "/restarts/bias": np.zeros((2, 2)),
            "/restarts/bound": np.array([0.38, 0.39]),
            "/curve/step": 20 * np.arange(1, 9),
            "/curve/objective": np.stack([np.linspace(0.1, 0.8, 8), np.linspace(0.2, 1.0, 8)]),
            "/curve/filters": np.concatenate([grown, grown]),
            "/split/held_out": np.arange(100),
        },
    )


PAIRS = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))


def even_rule(path, products=PAIRS, **changes):
    """A rule of products: by default "all four spins of a 2x2 block are equal"."""
    numbers = {"": 0.0151, "_error": 0.0004, "_hard": 0.0155, "_hard_error": 0.0004}
    attributes = {
        **LATTICE,
        **GEOMETRY,
        **{f"mutual_information{name}": value for name, value in numbers.items()},
        "mutual_information_shuffled": -0.0001,
        "sector": "even",
        "objective": "decoder",
        "restart": 0,
        "entropy_h": 0.55,
        "entropy_h_hard": 0.5489,
    }
    width = max(map(len, products))
    sites = np.array([[*one, *[-1] * (width - len(one))] for one in products])
    filters, bias = np.ones((1, len(products))), np.array([-3.0])
    grown = np.linspace(0.1, 1, 8)[None, :, None, None] * filters
    datasets = {
        "/products/sites": sites,
        "/products/filters": filters,
        "/bias": bias,
        "/restarts/filters": filters[None],
        "/restarts/bias": bias[None],
        "/restarts/bound": np.array([0.0151]),
        "/curve/step": 20 * np.arange(1, 9),
        "/curve/objective": np.linspace(0.001, 0.015, 8)[None],
        "/curve/filters": grown,
        "/split/held_out": np.arange(100),
    }
    return _publish(path, "lambda", attributes, datasets | changes)


def dimer_rule(path, units=2, components=4, scale=1.0, filters=None, **attributes):
    """A rule of the dimer model close to E_x and E_y: canonical modes of the exact covariance plus
    a little of everything and stars."""
    rng = np.random.default_rng(3)
    moments = window_moments(link_covariance((16, 16)), Geometry((4, 4), 2, 1), components, 0.964)
    if filters is None:
        filters = canonical_correlations(*moments).block_modes[:units]
        filters = scale * (
            filters
            + 0.02 * rng.normal(size=filters.shape)
            + rng.normal(size=(units, 9)) @ star_vectors((4, 4), components)
        )
    bias = 0.5 * filters[:, on_links((4, 4), components)].sum(axis=1)  # links are -1/2 on average
    numbers = {
        "": 0.229,
        "_error": 0.003,
        "_hard": 0.2185,
        "_hard_error": 0.0035,
        "_shuffled": -0.0002,
    }
    known = {
        "model": "dimers",
        "shape": (16, 16),
        "coupling": 0.0,
        "rg_step": 0,
        "scale_factor": 1.0,
        "block": (4, 4),
        "buffer": 2,
        "environment": 1,
        "windows": 100000,
    }
    known |= {f"mutual_information{name}": value for name, value in numbers.items()} | {
        "objective": "decoder",
        "restart": 0,
        "entropy_h": 1.386,
        "entropy_h_hard": 1.386,
    }
    known |= (
        {"components": components}
        | ({"noise_probability": 0.982, "noise_pairing": "cell"} if components == 4 else {})
        | attributes
    )
    grown = np.linspace(0.1, 1, 8)[None, :, None, None] * filters + np.linspace(1, 0, 8)[
        None, :, None, None
    ] * 0.2 * rng.normal(size=filters.shape)
    return _publish(
        path,
        "lambda",
        known,
        {
            "/filters": filters,
            "/bias": bias,
            "/restarts/filters": filters[None],
            "/restarts/bias": bias[None],
            "/restarts/bound": np.array([0.229]),
            "/curve/step": 200 * np.arange(1, 9),
            "/curve/objective": np.linspace(0.02, 0.23, 8)[None],
            "/curve/filters": grown,
            "/split/held_out": np.arange(100),
        },
    )


def _publish(path, kind, attributes, datasets):
    header = {
        "command": f"train-{kind}",
        "parameters": {"seed": 0},
        "parameters_digest": parameters_digest(f"train-{kind}", {"seed": 0}, []),
        "inputs": [],
    }

    def fill(writer):
        for name, array in datasets.items():
            writer.write(name, array)

    publish(path, Folder(path.parent), kind, header, attributes, [], {}, fill, 1 << 16)
    return path
