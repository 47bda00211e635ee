"""The contract of files: what is made of samples of a model, what its files say, and what they must
not say."""

from __future__ import annotations

import contextlib
import itertools
import json
import shutil

import h5py
import numpy as np
import pytest
from cases import (
    check_nothing_exact,
    check_nothing_known,
    configurations_of,
    texts_of_figures,
)
from conftest import run_here
from contract_base import MAJORITY, Registration

from rsmi.errors import DataError, UsageError
from rsmi.lattice.columns import Columns
from rsmi.lattice.geometry import Geometry, extract_windows, possible_origins
from rsmi.lattice.packed import pack_spins, pack_states
from rsmi.lattice.symbols import choose_relabellings, extract_codes
from rsmi.store import open_file


class FileContract(Registration):
    """Tests of each setting of a model."""

    # ---- windows ---------------------------------------------------------------------------------

    def test_constraints(self, setting):
        """What the model says never varies in a block has the declared value in every window of
        every sample, and nothing else is constant; it catches a missing or a wrong gauge."""
        attributes, configurations, _ = configurations_of(self.products(setting)["samples"])
        accepted = self.geometries(attributes)
        assert accepted, "the model refuses all blocks of one to four sites along a side"
        components = self.answers.components(attributes)
        for geometry in accepted:
            columns = Columns.of_components(geometry.block_offsets, components)
            blocks = columns.one_hot(self.blocks_of(attributes, configurations[:40], geometry))
            declared = self.answers.constraints(geometry, attributes)
            count = 0 if declared is None else len(declared.vectors)
            if count:
                assert np.abs(blocks @ declared.vectors.T - declared.sums).max() < 1e-12
            assert np.linalg.matrix_rank(np.cov(blocks.T), tol=1e-8) == columns.n_features - count

    def test_sectors(self, setting):
        """The sectors of the model have names of their own, and their products the parity that they
        declare; the default is among them."""
        attributes = configurations_of(self.products(setting)["samples"])[0]
        sectors = self.answers.sectors
        assert len({sector.name for sector in sectors}) == len(sectors)
        assert self.answers.default_sector(attributes) in sectors
        components = self.answers.components(attributes)
        for geometry in self.geometries(attributes):
            for sector in sectors:
                sector.products(Columns.of_components(geometry.block_offsets, components))

    def geometries(self, attributes) -> list[Geometry]:
        """Windows with the blocks of a few sizes that are blocks of this model."""
        geometries = []
        for block in itertools.product((1, 2, 3, 4), repeat=len(attributes["shape"])):
            geometry = Geometry(block, 0, 1, attributes["components"])
            with contextlib.suppress(UsageError):
                self.answers.check_geometry(geometry)
                geometries.append(geometry)
        return geometries

    def blocks_of(self, attributes, configurations, geometry):
        """The blocks (n, n_block) that begin at all allowed places of all configurations."""
        shape, periodic = attributes["shape"], attributes["boundary"] == "periodic"
        origins = self.answers.origins(shape, geometry, periodic)
        origins = possible_origins(shape, geometry, periodic) if origins is None else origins
        numbers = np.repeat(np.arange(len(configurations)), len(origins))
        places = numbers, np.tile(origins, (len(configurations), 1))
        states = attributes.get("states", 2)
        if states > 2:
            own = choose_relabellings(None, states, len(numbers), [1, 2])
            rows = pack_states(configurations, states)
            return extract_codes(rows, shape, geometry, states, *places, own)[0]
        rows, plain = pack_spins(configurations), np.ones(len(numbers), dtype=np.int8)
        return extract_windows(rows, shape, geometry, *places, plain)[0]

    def test_check_configurations(self, setting, tmp_path):
        """The model accepts its own samples and, if it claims anything, refuses one changed
        variable; it catches a check that cannot fail."""
        path = shutil.copy(self.products(setting)["samples"], tmp_path / "samples.h5")
        attributes, configurations, _ = configurations_of(path)
        with open_file(path) as file:
            self.answers.check_file(file)
            self.answers.check_configurations(file)
        if not self.constrained:
            return
        configurations[-1] = self.corrupted(configurations[-1])
        with h5py.File(path, "r+") as file:
            file["spins"][-1] = pack_spins(configurations[-1:])[0]
        with open_file(path) as file, pytest.raises(DataError):
            self.answers.check_configurations(file)

    # ---- commands --------------------------------------------------------------------------------

    def test_files_name_the_model(self, setting):
        """Samples and all files that are made of them, flows in flight included."""
        for path in self.products(setting).values():
            with open_file(path) as file:
                assert file.attributes["model"] == self.answers.name

    def test_info(self, setting):
        """`rsmi info` describes every file; the text of samples names the model."""
        for name, path in self.products(setting).items():
            text = self.run(f"info {path}").out
            assert json.loads(self.run(f"info {path} --json").out)["kind"] in text
            assert self.model in text or name != "samples"

    def test_plot(self, setting, tmp_path):
        """`rsmi plot` draws configurations and filters, the model's own way if it has one, and the
        pictures are not blank. `test_unknown_model` draws every kind of file."""
        image = pytest.importorskip("matplotlib.image")
        products = self.products(setting)
        for kind in products.keys() & {"samples", "lambda"}:
            self.run(f"plot {products[kind]} -o {tmp_path / 'figure.png'}")
            pixels = image.imread(tmp_path / "figure.png")
            assert len(np.unique(pixels.sum(axis=-1))) > 2

    def test_what_is_refused_in_one_sentence(self, setting, tmp_path):
        """Commands for one variable at a site, or for two states, say so; for models with one
        variable of two states, or several whose flips are symmetries, there is no refusal."""
        products = self.products(setting)
        with open_file(products["samples"]) as file:
            several = file.attributes["components"] > 1
            states = file.attributes.get("states", 2)
        if states == 2 and (not several or self.answers.component_flips):
            assert {"coarse", "flow", "in-flight", "exponent"} <= products.keys()
            return
        samples, out = products["samples"], tmp_path / "out.h5"
        for line in (f"coarse-grain {samples} --rule majority", f"flow {samples} {MAJORITY}"):
            result = run_here(*line.split(), "-o", out)
            assert result.code == 2
            assert result.err.count("\n") == 1
            assert ("components" if several else f"{states} states") in result.err

    # ---- what is known ---------------------------------------------------------------------------

    @pytest.mark.parametrize("dimension", [1, 2, 3])
    def test_known(self, dimension):
        """Every known value has a source; where one is missing, a sentence says why."""
        known = self.answers.known(dimension)
        values = [*known.exponents.values(), known.critical_coupling]
        for value in filter(None, values):
            assert np.isfinite(value.value) and value.text and value.source
        assert known.critical_coupling or known.no_critical_point
        assert known.thermometer or known.no_thermometer

    def test_unknown_model(self, tmp_path, monkeypatch):
        """Samples of a model that is not installed, and what is made of them, show nothing that is
        known of any model: no exact value, no T/T_c, in text, JSON or figures. It catches code
        that takes every lattice for that of the Ising model."""
        samples = shutil.copy(self.products(self.settings[0])["samples"], tmp_path / "samples.h5")
        with h5py.File(samples, "r+") as file:
            file.attrs["model"] = np.bytes_("nobody")
        drawn = texts_of_figures(monkeypatch)
        for path in self.derived(samples).values():
            self.run(f"plot {path} -o {tmp_path / 'figure.png'}")
            text = self.run(f"info {path}").out.replace(str(path), "")
            assert drawn
            check_nothing_known("\n".join([text, *drawn]))
            check_nothing_exact(json.loads(self.run(f"info {path} --json").out))
