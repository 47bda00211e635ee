"""``rsmi flow --model``: the flow of configurations that are sampled, measured and forgotten."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rsmi import models
from rsmi.engine.request import Request
from rsmi.engine.session import Session
from rsmi.engine.tasks import Named, Rows
from rsmi.errors import UsageError
from rsmi.models.chains import Group
from rsmi.samples.attributes import stored_attributes
from rsmi.stages import chains as sampling
from rsmi.stages.cost import Cost, timed
from rsmi.stages.flow import sampling as chain_sampling
from rsmi.stages.flow.ensembles import ChainTask, Ensemble, ensemble_of, record_of
from rsmi.stages.flow.from_files import choose_for_flow, require_alike
from rsmi.stages.flow.source import record_table
from rsmi.stages.flow.storage import contents
from rsmi.stages.flow.sums import Accumulator, Sums, joined
from rsmi.stages.joined import Contents, JoinedSession
from rsmi.stages.rule_option import blocking_keys, coarse_shapes
from rsmi.stages.rule_sequence import RuleSequence
from rsmi.store import File

# The automatic interval between measured samples, in autocorrelation times. What y_t is made of
# has a shorter memory than |m| and E, and more samples help as long as measuring is cheap. On
# 64 x 64 at T_c (majority, four steps, 10 operators) 120 s of a core give errors of y_t at step 3
# of 3.5e-4, 2.8e-4, 2.4e-4, 2.3e-4 and 2.2e-4 with 0.55, 0.28, 0.14, 0.07 and 0.03 tau_int; at
# 0.2 tau_int measuring takes less than a quarter of the run.
TAUS_BETWEEN_MEASURED = 0.25
# Steps of the chains from one measurement of local energies to the next: they cost more than
# everything else together.
NEIGHBOURHOODS_EVERY = 32


@dataclass(frozen=True)
class SampledFlow:
    """The flow of samples that are made on the way: a checked request and all it needs.

    The members are those of `rsmi.stages.flow.source.FlowSource`.
    """

    ensembles: tuple[Ensemble, ...]
    chosen: RuleSequence
    seed: int

    @property
    def request(self) -> Request:
        """The file that the flow makes."""
        parameters = {
            **self.chosen.identity,
            "steps": self.chosen.steps,
            "seed": self.seed,
            "sampled": [ensemble.parameters for ensemble in self.ensembles],
        }
        return Request("flow", "flow", parameters, self.chosen.inputs)

    @property
    def dimension(self) -> int:
        """The number of axes of the lattices."""
        return len(self.ensembles[0].simulation.shape)

    @property
    def system(self) -> Mapping[str, Any]:
        """The attributes of the samples that are the same for all ensembles."""
        return stored_attributes(self.ensembles[0].simulation.attributes())

    @property
    def contradictions(self) -> Sequence[str]:
        """None: the samples are of the model."""
        return ()

    @property
    def doubts(self) -> Sequence[str]:
        """None: the samples are thermalized at the stated temperature."""
        return ()

    @property
    def names(self) -> list[str]:
        """The temperatures."""
        return [ensemble.name for ensemble in self.ensembles]

    def plan(self) -> dict:
        """What a run would do; runs the pilots."""
        schedules, of_pilots = timed(
            lambda: chain_sampling.planned_schedules(self.ensembles, self._taus)
        )
        cost = chain_sampling.cost(self.ensembles, schedules, self._sums)
        return {
            **self.request.parameters,
            "algorithms": [ensemble.simulation.algorithm for ensemble in self.ensembles],
            "thermalization": [schedule.thermalization for schedule in schedules],
            "interval": [schedule.interval for schedule in schedules],
            "samples": sum(ensemble.parameters["samples"] for ensemble in self.ensembles),
            "blocks": sum(ensemble.division.blocks for ensemble in self.ensembles),
            **(Cost(of_pilots, 0) + cost).plan,
        }

    def measure(self, session: Session) -> list[ChainTask]:
        """Run the pilots, thermalize, then run the tasks of the session's shard, one for every
        group of chains."""
        return chain_sampling.measure(session, self.ensembles, self._taus, self._sums)

    def _sums(self, number: int, group: Group) -> Accumulator:
        ensemble = self.ensembles[number]
        keys = blocking_keys(self.seed, ensemble.origin, 0, self.chosen.steps)
        return self._accumulator(ensemble, group, keys)

    @property
    def _taus(self) -> list[float]:
        """The automatic interval of every ensemble."""
        return [TAUS_BETWEEN_MEASURED] * len(self.ensembles)

    def _accumulator(self, ensemble: Ensemble, group: Group, keys: np.ndarray) -> Accumulator:
        division = ensemble.division
        chains = np.array(group.numbers)
        blocks = division.spanned(chains) if division.by_chains else (0, division.blocks)
        shape, rules = ensemble.simulation.shape, self.chosen.rules
        return Accumulator(division, shape, rules, keys, *blocks, NEIGHBOURHOODS_EVERY)

    def shared(self) -> Rows:
        """The datasets that do not depend on the samples: none."""
        return {}

    def collect(self, session: Session, tasks: Sequence[Named]) -> tuple[Sums, Rows]:
        """The sums of all ensembles, and ``/files/*``."""
        return _collect(session, self.ensembles, tasks)


# ---- sums ----------------------------------------------------------------------------------------


def join(session: JoinedSession, shard: File) -> Contents:
    """What stores the sums of all streams of the session; ``shard`` is one of its shards."""
    ensembles = tuple(map(ensemble_of, shard.parameters["sampled"]))
    sums, records = _collect(session, ensembles, session.streams)
    return contents(sums, records, len(ensembles[0].simulation.shape))


def _collect(
    session: Session, ensembles: tuple[Ensemble, ...], tasks: Sequence[Named]
) -> tuple[Sums, Rows]:
    """The sums of all ensembles and ``/files/*``, from the states of their groups of chains."""
    states = chain_sampling.states_of(session, ensembles, tasks)
    return joined(states), record_table(list(map(record_of, ensembles, states)))


# ---- the request ---------------------------------------------------------------------------------


@contextlib.contextmanager
def prepare(
    requests: Sequence[Mapping[str, Any]],
    rules: Sequence[str],
    block: str | None,
    hard: bool,
    bias: str | None,
    steps: int,
    seed: int,
) -> Iterator[SampledFlow]:
    """Check what is to be sampled, and the rules.

    Parameters
    ----------
    requests : sequence of mapping
        The arguments of `rsmi.stages.chains.parameters_of`, for each temperature.

    Raises
    ------
    UsageError
        For what cannot be sampled or blocked, or if a temperature is given twice.
    """
    ensembles = tuple(ensemble_of(sampling.parameters_of(**request)) for request in requests)
    _refuse_equal_temperatures(ensembles)
    with contextlib.ExitStack() as stack:
        first = ensembles[0]
        shape, states = first.simulation.shape, first.simulation.states
        require_alike(f"--model {first.parameters['model']}", states, first.symmetry)
        system = first.simulation.attributes()
        separate = models.of(system).component_flips
        chosen = choose_for_flow(
            stack,
            rules,
            block,
            hard,
            len(shape),
            bias,
            steps,
            system["components"],
            states,
            separate,
        )
        coarse_shapes(shape, chosen.block, steps)
        yield SampledFlow(ensembles, chosen, seed)


def _refuse_equal_temperatures(ensembles: Sequence[Ensemble]) -> None:
    seen: set[str] = set()
    for ensemble in ensembles:
        if ensemble.name in seen:
            raise UsageError(f"{ensemble.name}: given twice")
        seen.add(ensemble.name)
