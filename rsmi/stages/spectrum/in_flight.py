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
from rsmi.renormalization.spectrum.group_sums import GroupSums
from rsmi.samples.attributes import stored_attributes
from rsmi.stages import chains as sampling
from rsmi.stages.flow import sampling as chain_sampling
from rsmi.stages.flow.ensembles import ChainTask, Ensemble, ensemble_of, record_of
from rsmi.stages.flow.source import record_table
from rsmi.stages.joined import Contents, JoinedSession
from rsmi.stages.spectrum import allocation
from rsmi.stages.spectrum.request import (
    Choices,
    ChosenFunctions,
    choose_functions,
    parameters_of,
    require_modes,
    require_sizes,
)
from rsmi.stages.spectrum.storage import contents, from_state
from rsmi.stages.spectrum.sums import Accumulator, Grouping, energy_is_of_neighbours, joined
from rsmi.store import File

Names = tuple[Sequence[str], Sequence[str]]  # of the even and of the odd functions


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
            **parameters_of(self.choices, self.functions),
            "seed": self.seed,
            "sampled": [ensemble.parameters for ensemble in self.ensembles],
        }
        return Request("spectrum", "spectrum", parameters, self.functions.inputs)

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
        schedules = chain_sampling.planned_schedules(self.ensembles, self._taus)
        return {
            **self.request.parameters,
            "sizes": [ensemble.simulation.shape[0] for ensemble in self.ensembles],
            "samples": [ensemble.parameters["samples"] for ensemble in self.ensembles],
            "samples_of_size": allocation.FORMULA,
            "algorithms": [ensemble.simulation.algorithm for ensemble in self.ensembles],
            "thermalization": [schedule.thermalization for schedule in schedules],
            "interval": [schedule.interval for schedule in schedules],
        }

    @property
    def _taus(self) -> list[float]:
        """The automatic interval of every size."""
        shapes = [ensemble.simulation.shape for ensemble in self.ensembles]
        return [allocation.taus_of(shape[0], len(shape)) for shape in shapes]

    def measure(self, session: Session) -> list[ChainTask]:
        """Run the pilots, thermalize, then run the tasks of the session's shard, one for every
        group of chains, and return them."""

        def make_sums(number: int, group: Group) -> Accumulator:
            return self._accumulators[number]

        return chain_sampling.measure(session, self.ensembles, self._taus, make_sums)

    @cached_property
    def _accumulators(self) -> list[Accumulator]:
        return [
            Accumulator(
                _grouping(ensemble),
                ensemble.simulation.shape,
                self.functions,
                self.choices.modes,
                energy_is_of_neighbours(ensemble.model, ensemble.parameters),
            )
            for ensemble in self.ensembles
        ]

    def shared(self) -> Rows:
        """The datasets that do not depend on the samples: none."""
        return {}

    def collect(self, session: Session, tasks: Sequence[Named]) -> tuple[list[GroupSums], Rows]:
        """The sums of all sizes, and ``/files/*``."""
        names = self.functions.names("even"), self.functions.names("odd")
        return _collect(session, self.ensembles, tasks, names)


def _grouping(ensemble: Ensemble) -> Grouping:
    return Grouping(ensemble.parameters["samples"], ensemble.parameters["chains"])


def join(session: JoinedSession, shard: File) -> Contents:
    """What stores the sums of all streams of the session; ``shard`` is one of its shards."""
    ensembles = tuple(map(ensemble_of, shard.parameters["sampled"]))
    names = shard.attributes["even_functions"], shard.attributes["odd_functions"]
    return contents(*_collect(session, ensembles, session.streams, names))


def _collect(
    session: Session, ensembles: tuple[Ensemble, ...], tasks: Sequence[Named], names: Names
) -> tuple[list[GroupSums], Rows]:
    """The sums of all sizes and ``/files/*``, from the states of their groups of chains."""
    states = chain_sampling.states_of(session, ensembles, tasks)
    sums = [
        joined([from_state(state, names, ensemble.simulation.shape) for state in of_groups])
        for ensemble, of_groups in zip(ensembles, states)
    ]
    records = [
        dataclasses.replace(
            record_of(ensemble, of_groups), whole_chains=_grouping(ensemble).whole_chains
        )
        for ensemble, of_groups in zip(ensembles, states)
    ]
    return sums, record_table(records)


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
    common = {name: value for name, value in request.items() if name not in ("sizes", "dimension")}
    sizes, dimension = request["sizes"], request["dimension"]
    ensembles = tuple(
        ensemble_of(
            sampling.parameters_of(
                **common
                | {
                    "shape": (size,) * dimension,
                    "samples": allocation.samples_of(size, sizes, request["samples"]),
                }
            )
        )
        for size in sizes
    )
    _require_symmetry(ensembles[0])
    shapes = [ensemble.simulation.shape for ensemble in ensembles]
    require_sizes(shapes, choices)
    require_modes(shapes, choices)
    with contextlib.ExitStack() as stack:
        functions = choose_functions(stack, choices, dimension, shapes[0])
        yield SampledSpectrum(ensembles, choices, functions, request["seed"])


def _require_symmetry(ensemble: Ensemble) -> None:
    attributes, name = ensemble.simulation.attributes(), ensemble.parameters["model"]
    if attributes["components"] != 1:
        raise UsageError(
            f"--model {name}: has {attributes['components']} components per site; functions are of"
            " one"
        )
    if not ensemble.model.symmetric(attributes):
        raise UsageError(
            f"--model {name}: is not symmetric under a flip of all spins, which divides functions"
            " into odd and even ones"
        )
