"""The contract of sampling: however a run is cut, stopped, killed, extended or divided, the file is
the same."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import numpy as np
import pytest
from cases import killed
from conftest import digest, run_here
from contract_base import Registration

from rsmi.models.chains import groups
from rsmi.store import open_file


class SamplingContract(Registration):
    """Tests of each case of a model."""

    def test_cut_anywhere(self, case):
        """Rows and states are the same in one call and in pieces of random length; it catches a
        sampler that draws numbers at the beginning of a call, or keeps something outside its
        state."""
        simulation, numbers = self.simulation_of(case)
        whole, pieces = simulation.start(*numbers), simulation.start(*numbers)
        count, chance = len(numbers) * 3 + 23, random.Random(case.name)
        expected = simulation.advance(whole, 3, 0, count)
        cuts = [0, *sorted(chance.sample(range(1, count), 8)), count]
        rows = [
            simulation.advance(pieces, 3, first, last - first)
            for first, last in itertools.pairwise(cuts)
        ]
        for name, values in expected.items():
            np.testing.assert_array_equal(np.concatenate([row[name] for row in rows]), values)
        for name, values in whole.items():
            np.testing.assert_array_equal(pieces[name], values)

    def simulation_of(self, case):
        """The simulation of a case and the numbers of the chains of its first task."""
        with open_file(self.made(case.line(self.model, case.few))) as file:
            simulation = self.answers.simulation(file.parameters)
        return simulation, groups(case.chains, simulation.chains_per_task, case.few)[0].numbers

    def test_stopped_and_resumed(self, case, tmp_path, interrupt):
        """``rsmi sample`` that is stopped in the thermalization, and again among the rows, ends
        with the digest of the run that was left in peace; it catches a state that does not survive
        a file, and updates that must not be interrupted."""
        line, out = self.lines(case, tmp_path)
        for parts in (7, 50):
            interrupt(line, parts)
        self.finish(line, out, case)

    def test_killed(self, case, tmp_path):
        """The same after SIGKILL, just before a row was committed."""
        line, out = self.lines(case, tmp_path)
        killed(line, 60)
        assert not out.exists()
        self.finish(line, out, case)

    def test_extended(self, case, tmp_path):
        """More ``--samples`` continue the chains of a file: the file is the one that is made at
        once. It catches rows that depend on how many are asked for."""
        expected, out = self.made(case.line(self.model, case.few)), tmp_path / "out.h5"
        for samples in (case.few // 2, case.few):
            self.run(f"{case.line(self.model, samples)} -o {out}")
        assert digest(out) == digest(expected)

    @pytest.mark.parametrize(
        "count", [3, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2))]
    )
    def test_shards(self, case, count, tmp_path):
        """The merged shards are the file of one process; it catches streams that depend on which
        chains a process has."""
        line = case.line(self.model, case.few)
        names = [tmp_path / f"{number}.h5" for number in range(count)]
        for number, name in enumerate(names):
            self.run(f"{line} --shard {number}/{count} -o {name}")
        self.run(f"merge {' '.join(map(str, names))} -o {tmp_path / 'out.h5'}")
        assert digest(tmp_path / "out.h5") == digest(self.made(line))

    def test_threads(self, case, tmp_path):
        """The digest does not depend on ``--threads``."""
        line = case.line(self.model, case.few)
        self.run(f"{line} --threads 3 -o {tmp_path / 'out.h5'}")
        assert digest(tmp_path / "out.h5") == digest(self.made(line))

    def lines(self, case, folder) -> tuple[list, Path]:
        """A command line that samples, and the file it makes."""
        out = folder / "out.h5"
        return [*case.line(self.model, case.few).split(), "-q", "-o", out], out

    def finish(self, line, out, case) -> None:
        """Give a command line again, and compare with the file of an undisturbed run."""
        assert run_here(*line).code == 0
        assert digest(out) == digest(self.made(case.line(self.model, case.few)))
