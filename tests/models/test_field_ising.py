"""The contract of a model that a package of its own brings: tests/models/field_ising."""

import re
from pathlib import Path

import numpy as np
import pytest
from cases import Case, changed, configurations_of
from conftest import digest, run_here
from contract import ModelContract
from plugin import visible

from rsmi import models
from rsmi.samples.flow_ensembles import SUMS
from rsmi.store import open_file

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
        Case("no field", "--size 4x2 --temperature 4 --ratio -0.5", chains=96, slow=True),
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


def test_the_page_shows_the_package():
    """The blocks of code in CONTRIBUTING.md, 'Add a model', are the module, this registration and
    the entry point."""
    page = (PACKAGE.parents[2] / "CONTRIBUTING.md").read_text()
    section = page.split("\n## Add a model\n")[1].split("\n## ")[0]
    *module, registration = re.findall(r"```python\n(.*?)\n```", section, re.S)
    (entry_point,) = re.findall(r"```toml\n(.*?)\n```", section, re.S)
    assert "\n\n\n".join(module) + "\n" == (PACKAGE / "rsmi_field_ising.py").read_text()
    assert f"\n\n\n{registration}\n\n\n" in Path(__file__).read_text()
    assert entry_point in (PACKAGE / "pyproject.toml").read_text()


# ---- flows of energies that are no integers ------------------------------------------------------

PHYSICS = (
    "--model field-ising --size 8 --temperature 4 --ratio 0.3 --field 0.2 --chains 96"
    " --thermalization 5 --interval 2 --samples 400"
)
FLOW = f"flow {PHYSICS} --rule majority --steps 2"


def blocks_of(path):
    with open_file(path, "flow") as file:
        return {name: file.read(f"/blocks/{name}") for name in ("file", *SUMS)}


def test_flow_of_a_file_and_in_flight(workshop):
    """Both sum the same numbers, bit for bit; and the energy is that of the file."""
    samples, sampled = workshop(f"sample {PHYSICS}"), blocks_of(workshop(FLOW))
    stored = blocks_of(workshop(f"flow {samples} --rule majority --steps 2"))
    for name, array in stored.items():
        np.testing.assert_array_equal(sampled[name], array)
    energies = configurations_of(samples)[2]
    assert stored["energy_sum"].sum() == pytest.approx(energies.sum(), rel=1e-6)


def test_flow_stopped_and_resumed(workshop, tmp_path, interrupt):
    line, out = FLOW.split(), tmp_path / "flow.h5"
    interrupt([*line, "-o", out], 30)
    assert run_here(*line, "-o", out).code == 0
    assert digest(out) == digest(workshop(FLOW))


def test_flow_in_shards(workshop, tmp_path):
    names = [tmp_path / f"{number}.h5" for number in range(3)]
    for number, name in enumerate(names):
        assert run_here(*FLOW.split(), "--shard", f"{number}/3", "-o", name).code == 0
    assert run_here("merge", *names, "-o", tmp_path / "flow.h5").code == 0
    assert digest(tmp_path / "flow.h5") == digest(workshop(FLOW))
