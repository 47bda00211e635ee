"""``rsmi spectrum --model``: scaling dimensions of configurations that are sampled, measured and
forgotten."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from rsmi.engine.request import Request
from rsmi.engine.session import Session
from rsmi.engine.tasks import Named, Rows
from rsmi.errors import UsageError
from rsmi.models.chains import Group
from rsmi.samples.attributes import stored_attributes
from rsmi.stages import chains as sampling
from rsmi.stages.cost import Cost, timed
from rsmi.stages.flow import sampling as chain_sampling
from rsmi.stages.flow.ensembles import ChainTask, Ensemble, SampleSums, ensemble_of, record_of
from rsmi.stages.flow.source import record_table
from rsmi.stages.joined import Contents, JoinedSession
from rsmi.stages.spectrum import allocation
from rsmi.stages.spectrum.chosen import ChosenFunctions
from rsmi.stages.spectrum.correlation_sums import CorrelationAccumulator
from rsmi.stages.spectrum.functions import choose_functions
from rsmi.stages.spectrum.labels import label_rows
from rsmi.stages.spectrum.layouts import Layout, layout_of, layout_of_kind
from rsmi.stages.spectrum.request import (
    Choices,
    System,
    parameters_of,
    require_consistency,
    require_modes,
    require_samples,
    require_sectors,
    require_sizes,
)
from rsmi.stages.spectrum.sums import Accumulator, Grouping, energy_is_of_neighbours
from rsmi.store import File


@dataclass(frozen=True)
class SampledSpectrum:
    """The spectrum of samples that are made on the way: a checked request and all it needs.

    The members are those of `rsmi.stages.spectrum.source.SpectrumSource`.
    """

    ensembles: tuple[Ensemble, ...]
    choices: Choices
    functions: ChosenFunctions
    seed: int

    @property
    def request(self) -> Request:
        """The file that the command makes."""
        parameters = {
            **parameters_of(self.choices, self.functions.identity),
            "seed": self.seed,
            "sampled": [ensemble.parameters for ensemble in self.ensembles],
        }
        return Request("spectrum", layout_of(self.choices).kind, parameters, self.functions.inputs)

    @property
    def system(self) -> Mapping[str, Any]:
        """The attributes of the samples that are the same for all sizes."""
        return stored_attributes(self.ensembles[0].simulation.attributes())

    @property
    def contradictions(self) -> Sequence[str]:
        """None: the samples are of the model."""
        return ()

    def plan(self) -> dict[str, Any]:
        """What a run would do; runs the pilots."""
        schedules, of_pilots = timed(
            lambda: chain_sampling.planned_schedules(self.ensembles, self._taus)
        )
        cost = chain_sampling.cost(self.ensembles, schedules, self._sums)
        return {
            **self.request.parameters,
            "sizes": [ensemble.simulation.shape[0] for ensemble in self.ensembles],
            "samples": [ensemble.parameters["samples"] for ensemble in self.ensembles],
            "samples_of_size": allocation.formula(len(self.ensembles[0].simulation.shape)),
            "algorithms": [ensemble.simulation.algorithm for ensemble in self.ensembles],
            "thermalization": [schedule.thermalization for schedule in schedules],
            "interval": [schedule.interval for schedule in schedules],
            **(Cost(of_pilots, 0) + cost).plan,
        }

    @property
    def _taus(self) -> list[float]:
        """The automatic interval of every size."""
        shapes = [ensemble.simulation.shape for ensemble in self.ensembles]
        modes = self.choices.modes or self.choices.correlation
        return [allocation.taus_of(shape[0], len(shape), modes) for shape in shapes]

    def measure(self, session: Session) -> list[ChainTask]:
        """Run the pilots, thermalize, then run the tasks of the session's shard, one for every
        group of chains, and return them."""
        return chain_sampling.measure(session, self.ensembles, self._taus, self._sums)

    def _sums(self, number: int, group: Group) -> SampleSums:
        return self._accumulators[number]

    @cached_property
    def _accumulators(self) -> list[SampleSums]:
        return list(map(self._accumulator, self.ensembles))

    def _accumulator(self, ensemble: Ensemble) -> SampleSums:
        grouping, shape = _grouping(ensemble), ensemble.simulation.shape
        if self.choices.correlation:
            components = ensemble.simulation.components
            return CorrelationAccumulator(grouping, shape, components, self.functions)
        series = self.functions.with_energies or energy_is_of_neighbours(
            ensemble.model, ensemble.parameters
        )
        return Accumulator(grouping, shape, self.functions, self.choices.modes, series)

    def shared(self) -> Rows:
        """The labels of functions."""
        return label_rows(self.functions.labels)

    def collect(self, session: Session, tasks: Sequence[Named]) -> Contents:
        """What stores the sums of all sizes, and ``/files/*``."""
        layout = layout_of(self.choices)
        return _collect(session, self.ensembles, tasks, layout, layout.attributes(self.functions))


def _grouping(ensemble: Ensemble) -> Grouping:
    return Grouping(ensemble.parameters["samples"], ensemble.parameters["chains"])


def join(session: JoinedSession, shard: File) -> Contents:
    """What stores the sums of all streams of the session; ``shard`` is one of its shards."""
    ensembles = tuple(map(ensemble_of, shard.parameters["sampled"]))
    layout = layout_of_kind(shard.kind)
    return _collect(session, ensembles, session.streams, layout, shard.attributes)


def _collect(
    session: Session,
    ensembles: tuple[Ensemble, ...],
    tasks: Sequence[Named],
    layout: Layout,
    named: Mapping[str, Any],
) -> Contents:
    """What stores the sums of all sizes and ``/files/*``, from the states of their groups of
    chains."""
    states = chain_sampling.states_of(session, ensembles, tasks)
    sums = [
        layout.joined(
            [layout.from_state(state, named, ensemble.simulation.shape) for state in of_groups]
        )
        for ensemble, of_groups in zip(ensembles, states)
    ]
    records = [
        dataclasses.replace(
            record_of(ensemble, of_groups), whole_chains=_grouping(ensemble).whole_chains
        )
        for ensemble, of_groups in zip(ensembles, states)
    ]
    return layout.contents(sums, record_table(records))


# ---- the request ---------------------------------------------------------------------------------


@contextlib.contextmanager
def prepare(request: Mapping[str, Any], choices: Choices) -> Iterator[SampledSpectrum]:
    """Check what is to be sampled, and the functions.

    Parameters
    ----------
    request : mapping
        ``sizes`` and ``dimension``, and the arguments of `rsmi.stages.chains.parameters_of`;
        ``samples`` are those of the largest lattice.
    choices : Choices

    Raises
    ------
    UsageError
        For what cannot be sampled or measured.
    """
    require_consistency(choices)
    require_samples("--samples", request["samples"])
    if request["boundary"] != "periodic":
        raise UsageError(
            "--boundary open: functions are averaged over periodic lattices, whose sites are all"
            " alike; leave the option out"
        )
    common = {name: value for name, value in request.items() if name not in ("sizes", "dimension")}
    sizes, dimension = request["sizes"], request["dimension"]
    ensembles = tuple(
        ensemble_of(
            sampling.parameters_of(
                **common
                | {
                    "shape": (size,) * dimension,
                    "samples": allocation.samples_of(size, sizes, request["samples"], dimension),
                }
            )
        )
        for size in sizes
    )
    simulation = ensembles[0].simulation
    shapes = tuple(ensemble.simulation.shape for ensemble in ensembles)
    attributes = stored_attributes(simulation.attributes())
    system = System(ensembles[0].model, attributes, shapes)
    require_sizes(shapes, choices)
    require_sectors(system, choices)
    require_modes(system, choices)
    with contextlib.ExitStack() as stack:
        functions = choose_functions(stack, choices, system)
        yield SampledSpectrum(ensembles, choices, functions, request["seed"])
