"""What train-lambda learns on arrows: the field and the staggered polarization, by their share of
the variance of the units."""

import json

import numpy as np
import pytest
from conftest import run_here

from rsmi.information.canonical import explained_shares, rotation_to_modes, sample_moments
from rsmi.lattice.geometry import Geometry
from rsmi.models import get

SEEDS = range(1, 11)
FREE_FERMIONS = "1.4142135623730951"
BRIEF = "--restarts 1 --updates 500"


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """A function that samples at a weight with a seed and trains; the numbers of the rule."""
    folder = tmp_path_factory.mktemp("arrows")

    def learn(
        weight, hidden, seed, size=16, samples=102_400, windows=200_000, buffer=2, options=""
    ):
        source = folder / f"{weight}-{seed}-{size}-{samples}.h5"
        if not source.exists():
            line = f"sample --model six-vertex --weight {weight} --size {size} --samples {samples}"
            assert run_here(*f"{line} --seed {seed} -q".split(), "-o", source).code == 0
        line = f"--block 4x4 --buffer {buffer} --hidden {hidden} --windows {windows} {options}"
        output = folder / "rule.h5"
        output.unlink(missing_ok=True)
        line += f" --seed {seed} -q --json"
        result = run_here("train-lambda", source, *line.split(), "-o", output)
        assert result.code == 0, result.err
        return json.loads(result.out)

    return learn


def test_field_of_ice(learned):
    """Square ice, few samples: two units span the field at right angles."""
    numbers = learned("1", 2, 1, size=12, samples=6000, windows=12_000, options=BRIEF)
    found = numbers["measured"]
    assert all(unit["field"] > 0.8 for unit in found["units"])
    assert all(mode["field"] > 0.8 and mode["staggered"] < 0.1 for mode in found["modes"])
    assert abs(found["angles"][0][1] - 90) < 15


def test_rotation_names_mixtures():
    """Two functions that are mixtures of an environment's two variables are found again, the one
    that is predicted better first."""
    generator = np.random.default_rng(3)
    outside = np.sign(generator.normal(size=(20_000, 2)))
    agree = generator.random((20_000, 2)) < (0.9, 0.7)
    inside = np.where(agree, outside, -outside)
    moments = sample_moments(inside, outside)
    mixed = np.array([[1.0, 1.0], [1.0, -1.0]])
    correlations, rotation = rotation_to_modes(mixed, moments)
    assert correlations == pytest.approx([0.8, 0.4], abs=0.03)
    shares = explained_shares(rotation @ mixed, np.eye(2)[:1], moments.block)
    assert shares == pytest.approx([1, 0], abs=0.02)


def test_templates_obey_symmetry():
    """The templates are orthogonal; a shift by one site turns the staggered polarization round."""
    templates = get("six-vertex").templates(Geometry((4, 4), 2, 1, 2), {"rg_step": 0})
    every = np.concatenate(list(templates.values()))
    assert (every @ every.T == 32 * np.diag([0.5, 0.5, 1])).all()
    staggered = templates["staggered"].reshape(2, 4, 4)
    np.testing.assert_array_equal(staggered[:, 1:], -staggered[:, :-1])


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("weight", "one", "two"), [("1", 0.121, 0.242), (FREE_FERMIONS, 0.110, 0.219)]
)
def test_field(learned, weight, one, two, seed):
    """One unit is the field, two units are its two components."""
    for hidden, information in ((1, one), (2, two)):
        numbers = learned(weight, hidden, seed)
        assert all(unit["field"] >= 0.85 for unit in numbers["measured"]["units"])
        assert abs(numbers["mutual_information_soft"] - information) <= 0.01
        if hidden == 2:
            assert abs(numbers["measured"]["angles"][0][1] - 90) <= 10


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_three_units(learned, seed):
    """At c = 1.7 two units are mostly field; of three, after rotation, two are the field and one is
    the staggered polarization."""
    two = learned("1.7", 2, seed)["measured"]
    assert all(unit["field"] >= 0.80 for unit in two["units"])
    modes = learned("1.7", 3, seed)["measured"]["modes"]
    assert sum(mode["field"] >= 0.85 for mode in modes) == 2
    assert sum(mode["staggered"] >= 0.55 for mode in modes) == 1


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("weight", "share", "information"), [("1.95", 0.62, 0.138), ("2", 0.75, 0.170)]
)
def test_staggered_polarization(learned, weight, share, information, seed):
    numbers = learned(weight, 1, seed)
    assert numbers["measured"]["units"][0]["staggered"] >= share
    assert numbers["mutual_information_hard"] >= information


def test_heights_of_the_environment(learned, tmp_path):
    """At c = 1.9 the mean height of the environment tells more of the block than its arrows alone;
    coarse-grained samples and other models have no heights."""
    few = {"size": 12, "samples": 6000, "windows": 12_000}
    without = learned("1.9", 1, 1, options=BRIEF, **few)["mutual_information_soft"]
    heights = learned("1.9", 1, 1, options=f"{BRIEF} --environment-features heights", **few)
    assert heights["environment_features"] == "heights"
    assert heights["mutual_information_soft"] > without
    assert heights["measured"]["units"][0]["staggered"] > 0.5
    line = "sample --model dimers --size 8 --samples 400 --noise-probability 0.9 -q -o"
    assert run_here(*line.split(), tmp_path / "d.h5").code == 0
    for name, code in (("heights", 0), ("depths", 2)):
        line = f"--block 2x2 --windows 2000 {BRIEF} --environment-features {name} -q -o"
        result = run_here("train-lambda", tmp_path / "d.h5", *line.split(), tmp_path / "r.h5")
        assert result.code == code, result.err
    assert "the model dimers has heights" in result.err


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 5))
def test_heights_exchange_the_rank(learned, seed):
    """At c = 1.7 and a buffer of 6 the best unit is mostly the field for decoders of arrows. For
    those that know the mean height it has more information, and more of the staggered
    polarization than of the field: the best single bit is a mixture."""
    settings = {"size": 32, "samples": 51_200, "windows": 200_000, "buffer": 6}
    without = learned("1.7", 1, seed, **settings)
    numbers = learned("1.7", 1, seed, options="--environment-features heights", **settings)
    assert numbers["mutual_information_soft"] > without["mutual_information_soft"] + 0.003
    for one, larger, smaller in ((without, "field", "staggered"), (numbers, "staggered", "field")):
        shares = one["measured"]["units"][0]
        assert shares[larger] > shares[smaller]
