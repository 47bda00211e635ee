"""What the tests of all models share."""

import pytest
from cases import Workshop

pytest.register_assert_rewrite("contract_files", "contract_probabilities", "contract_sampling")


def pytest_generate_tests(metafunc):
    """Run a test of the contract that has an argument ``case`` or ``setting`` for each of the
    model's; settings after the first are slow."""
    if metafunc.cls is None:
        return
    if "case" in metafunc.fixturenames:
        metafunc.parametrize("case", [parameter(one, one.slow) for one in metafunc.cls.cases])
    if "setting" in metafunc.fixturenames:
        settings = enumerate(metafunc.cls.settings)
        metafunc.parametrize("setting", [parameter(one, number > 0) for number, one in settings])


def parameter(value, slow: bool):
    """A parameter of a test with a readable name."""
    return pytest.param(value, id=str(value), marks=[pytest.mark.slow] if slow else [])


@pytest.fixture(scope="session")
def workshop(tmp_path_factory):
    """A folder with the output of every command line of the contract."""
    return Workshop(tmp_path_factory.mktemp("models"))
