"""`flow` and `exponent` do not blame the rule for what the samples do."""

import numpy as np
import pytest

from rsmi.lattice.packed import unpack_spins
from rsmi.samples.views import open_samples

SAMPLE = "sample --size 32 --algorithm swendsen-wang --chains 8 --samples 2000"
BLAME = "this rule has no fixed point"
NO_BLAME = "this says nothing about the rule"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("blame")


@pytest.fixture
def flow_of(folder, here, monkeypatch):
    """What `flow --rule RULE` says on stderr about samples of one temperature in units of T_c that
    are labelled T_c."""
    monkeypatch.chdir(folder)

    def call(temperature, rule):
        name = f"{temperature}.h5"
        if not (folder / name).exists():
            line = f"{SAMPLE} --temperature {temperature}Tc -o {name}"
            assert here(*line.split()).code == 0
        if temperature != "1":
            name = relabelled(temperature)
        return here(*f"flow {name} --rule {rule} --block 2x2 --steps 3 -o f.h5 --force".split()).err

    def relabelled(temperature):
        np.save("spins.npy", spins_of(f"{temperature}.h5"))
        line = "import spins.npy --model ising --temperature Tc --chains 8 --trust --force -o t.h5"
        assert here(*line.split()).code == 0
        return "t.h5"

    return call


def spins_of(name):
    """The configurations of a samples file, +-1."""
    with open_samples(name) as source:
        return unpack_spins(source.spins(), source.shape)


def test_a_rule_without_fixed_point_is_named_on_good_samples(flow_of):
    assert BLAME in flow_of("1", "decimation")


def test_a_good_rule_is_not_blamed_for_hot_samples(flow_of):
    """Samples of 1.2 T_c that are labelled T_c flow to infinite temperature under any rule."""
    said = flow_of("1.2", "majority")
    assert BLAME not in said
    assert NO_BLAME in said


def test_a_good_rule_on_good_samples(flow_of):
    said = flow_of("1", "majority")
    assert BLAME not in said and NO_BLAME not in said


def test_exponents_of_an_unknown_temperature(workplace, here):
    rng = np.random.default_rng(1)
    np.save("spins.npy", 1 - 2 * rng.integers(0, 2, (400, 16, 16)))
    for line in (
        "import spins.npy -o s.h5",
        "flow s.h5 --rule majority --steps 2 -o f.h5",
        "exponent f.h5 -o e.h5",
    ):
        result = here(*line.split())
        assert result.code == 0, result.err
        assert "rule has" not in result.err.replace("a rule has a bias", "")
    assert "the temperature of the samples is unknown" in result.err
    assert "hold only if it is the critical temperature" in result.err
