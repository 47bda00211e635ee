"""What a model says of itself to be tested, and the files that its tests share."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pytest
from cases import SCHEDULE, Case, changed, every_code, every_spin
from conftest import run_here

from rsmi import models
from rsmi.models.base import Model
from rsmi.stages.training import measures
from rsmi.store import open_file

MAJORITY = "--rule majority --steps 1"


class Registration:
    """A model, and how its tests sample it.

    Attributes
    ----------
    model : str
    cases : tuple of Case
    settings : tuple of str
        Options of ``rsmi sample`` with lattices that are large enough for windows, one for each
        number of components.
    block : str
        A block for rules on these lattices.
    """

    model: str
    cases: tuple[Case, ...]
    settings: tuple[str, ...]
    block: str = "2x2"

    @property
    def answers(self) -> Model:
        return models.get(self.model)

    @property
    def constrained(self) -> bool:
        """Whether one changed variable may be no configuration of the model."""
        return type(self.answers).check_configurations is not Model.check_configurations

    def states(self, attributes: dict) -> tuple[np.ndarray, np.ndarray]:
        """Every configuration of a small lattice and its weight exp(-K E); here all +-1, or all
        codes."""
        count = attributes.get("states", 2)
        configurations = every_spin(attributes["shape"])
        if count > 2:
            configurations = every_code(attributes["shape"], count)
        energies = self.answers.energies(configurations, attributes)
        return configurations, np.exp(-attributes["coupling"] * energies)

    def wrong(self, attributes: dict) -> list[dict]:
        """Attributes of state points near by, which the test of probabilities must tell apart."""
        return [changed(attributes, coupling=1.1 * attributes["coupling"])]

    def corrupted(self, configuration: np.ndarray) -> np.ndarray:
        """A configuration (components, *shape) that is none of a model with constraints."""
        configuration[(0,) * configuration.ndim] *= -1
        return configuration

    # ---- files -----------------------------------------------------------------------------------

    @pytest.fixture(autouse=True)
    def short_fits(self, monkeypatch):
        """The decoders that measure a rule are fitted in fewer steps: no test of the contract reads
        their bounds."""
        short = functools.partial(measures.fit_decoder, steps=100)
        monkeypatch.setattr(measures, "fit_decoder", short)

    @pytest.fixture(autouse=True)
    def workshop(self, workshop):
        """`made` returns what a command line makes, each made once in a session."""
        self.made = workshop

    def products(self, setting: str) -> dict[str, Path]:
        """A file of every kind that can be made of a model."""
        line = f"--model {self.model} {setting} {SCHEDULE} --samples 600"
        products = self.derived(self.made(f"sample {line}"))
        if "flow" in products:
            products["in-flight"] = self.made(f"flow {line} {MAJORITY}")
        return products

    def derived(self, samples: Path) -> dict[str, Path]:
        """Samples and a file of every kind that can be made of them; of variables with more than
        two states there are learned rules only."""
        small = f"--block {self.block} --windows 2000"
        with open_file(samples) as file:
            states = file.attributes.get("states", 2)
        if states > 2:
            learned = (
                f"train-lambda {samples} {small}0 --restarts 1 --updates 200 --hidden-states 3"
            )
            return {"samples": samples, "lambda": self.made(learned)}
        products = {
            "samples": samples,
            "theta": self.made(f"train-theta {samples} {small} --hidden 4 --epochs 2"),
            "lambda": self.made(f"train-lambda {samples} {small} --restarts 1"),
            "correlation": self.made(f"spectrum {samples} --correlation"),
        }
        with open_file(samples) as file:
            several = file.attributes["components"] > 1
            if several and not models.of(file.attributes).component_flips:
                return products
        flow = self.made(f"flow {samples} {MAJORITY}")
        rule = "majority" if several else products["lambda"]  # of one unit
        return products | {
            "coarse": self.made(f"coarse-grain {samples} --rule {rule}"),
            "flow": flow,
            "exponent": self.made(f"exponent {flow}"),
        }

    def run(self, line: str):
        """Run a command line that must succeed."""
        result = run_here(*line.split())
        assert result.code == 0, f"rsmi {line}\n{result.err}"
        return result
