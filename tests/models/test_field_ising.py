"""The contract of a model that a package of its own brings: tests/models/field_ising."""

from pathlib import Path

import pytest
from cases import Case, changed
from contract import ModelContract
from plugin import visible

from rsmi import models

PACKAGE = Path(__file__).parent / "field_ising"


@pytest.fixture(autouse=True, scope="module")
def package(tmp_path_factory):
    """The package as if it were installed."""
    with visible(PACKAGE, tmp_path_factory.mktemp("site")) as paths:
        yield paths


class TestFieldIsing(ModelContract):
    model = "field-ising"
    cases = (
        Case("heat bath", "--size 4x2 --temperature 4 --ratio 0.3 --field 0.2", chains=96),
        Case(
            "no field",
            "--size 4x2 --temperature 4 --ratio -0.5",
            chains=96,
            slow=True,
        ),
    )
    settings = ("--size 8 --temperature 4 --ratio 0.3 --field 0.2",)

    def wrong(self, attributes):
        """Every coupling counts: the counts tell apart 0.1 of the ratio, and of the field."""
        couplings = attributes["model_parameters"]["couplings"]
        return super().wrong(attributes) + [
            changed(attributes, model_parameters={"couplings": {**couplings, name: value + 0.1}})
            for name, value in couplings.items()
        ]


def test_it_is_a_model_like_any_other():
    assert "field-ising" in models.names()
    assert "field-ising" not in models.built_in()


def test_the_module_is_short():
    """An example must be readable at once."""
    module = PACKAGE / "rsmi_field_ising.py"
    assert len(module.read_text().splitlines()) <= 120
