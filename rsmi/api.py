"""The steps of the pipeline as functions on arrays, for notebooks and scripts.

Every function does what the command of the same name does, with its options as keywords, on files
in a temporary folder: the same random streams, checks, warnings (logger ``rsmi``) and numbers. Long
work, work that must survive an interruption, and work on a cluster belong to the commands. What is
public here is listed in ``rsmi.__all__``; it changes with a version only as CHANGELOG.md says.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsmi.engine.request import RunOptions
from rsmi.lattice.geometry import shape_text
from rsmi.lattice.packed import unpack_spins
from rsmi.samples.views import RuleFile, SamplesFile
from rsmi.store import File, open_file

# Options of commands that say how they run, and what they read and write.
_OF_EVERY_RUN = frozenset(
    "files samples theta output force threads time_limit dry_run json quiet verbose debug config"
    " scheduler shard canonical".split()
)

__all__ = ["Rule", "Samples", "coarse_grain", "flow", "learn", "spectrum"]


class Samples:
    """Configurations of a lattice and what they are samples of.

    Parameters
    ----------
    spins : array_like, (n, \\*lattice) or (n, components, \\*lattice)
        Configurations of two values, +-1 or 0 and 1. Row i belongs to chain i mod ``chains``.
    components : int, optional
        The number of variables at a site, if it is more than one.
    **options
        The options of ``rsmi import``: ``model``, ``temperature`` (a number in J/k_B),
        ``coupling``, ``chains``, ``symmetric="flip"``, ``boundary``, ``discard``, ``trust`` and so
        on. Without ``model`` nothing is assumed about the system.

    Raises
    ------
    rsmi.errors.UsageError, rsmi.errors.DataError
        If the array is not what the options say.

    Examples
    --------
    >>> import numpy as np
    >>> from rsmi import Samples
    >>> noise = np.random.default_rng(0).choice([-1, 1], size=(2000, 8, 8))
    >>> samples = Samples(noise, chains=2000, symmetric="flip")
    >>> samples.spins.shape
    (2000, 8, 8)
    """

    def __init__(self, spins: ArrayLike, *, components: int | None = None, **options: Any) -> None:
        from rsmi.cli.import_ import command
        from rsmi.stages import import_
        from rsmi.stages.import_request import prepare

        folder, array = _Folder(), np.asarray(spins)
        source = folder.path / "spins.npy"
        np.save(source, array)
        settings = _settings(command, {"model": "none", **_axes(array, components), **options})
        in_turns = settings.pop("chain_order") == "turns"
        if settings["temperature"] is not None:
            settings["temperature"] = str(settings["temperature"])
        self.path = folder.path / "samples.h5"
        self._folder: _Folder | None = folder
        with prepare([source], one_after_another=not in_turns, **settings) as work:
            import_.run(work, self.path, _quiet())
        source.unlink()

    @classmethod
    def of_file(cls, path: str | Path) -> Samples:
        """Return the samples of a samples file."""
        return cls._in(None, Path(path))

    @classmethod
    def _in(cls, folder: _Folder | None, path: Path) -> Samples:
        samples = cls.__new__(cls)
        samples._folder, samples.path = folder, path
        return samples

    @property
    def spins(self) -> NDArray[np.int8]:
        """The configurations, +-1, in the shape in which they came."""
        with open_file(self.path, "samples") as file:
            view = SamplesFile(file)
            shape = (view.components, *view.shape) if view.components > 1 else view.shape
            return unpack_spins(file.read("/spins"), shape)


@dataclass(frozen=True)
class Rule:
    """A learned coarse-graining rule and what it keeps.

    Attributes
    ----------
    filters : ndarray of float64, (hidden, \\*block) or (hidden, components, \\*block)
    bias : ndarray of float64, (hidden,)
    information, information_error : float
        I(H:E) of the soft rule in nats, a lower bound on held-out configurations, and its standard
        error.
    control : float
        The same bound with the environments of other configurations; about zero if all is well.
    numbers : dict
        Everything that ``rsmi train-lambda --json`` prints.
    """

    filters: NDArray[np.float64]
    bias: NDArray[np.float64]
    information: float
    information_error: float
    control: float
    numbers: dict[str, Any] = field(repr=False)
    _folder: _Folder = field(repr=False)

    @property
    def path(self) -> Path:
        """The lambda file, which exists as long as the rule does."""
        return self._folder.path / "rule.h5"

    def save(self, path: str | Path) -> None:
        """Copy the lambda file, for the commands."""
        shutil.copyfile(self.path, path)


def learn(
    spins: ArrayLike | Samples,
    block: Sequence[int] = (2, 2),
    buffer: int = 1,
    environment: int = 1,
    hidden: int = 1,
    **options: Any,
) -> Rule:
    """Learn the coarse variables of a block that know most about the distant environment.

    Parameters
    ----------
    spins : array_like or Samples
        An array stands for samples of an unknown model, see `Samples`.
    block : sequence of int
        Sites of the block along every axis.
    buffer, environment : int
        The widths of the ignored frame around the block, and of the environment around it.
    hidden : int
        The number of coarse variables, +-1 each.
    **options
        The options of ``rsmi train-lambda``: ``windows``, ``seed``, ``objective``, ``sector``,
        ``restarts`` and so on.

    Returns
    -------
    Rule

    Raises
    ------
    rsmi.errors.UsageError, rsmi.errors.DataError
        If the options do not fit the samples or one another.

    Examples
    --------
    Each row of the lattice has a sign of its own, which nine of ten of its spins have. A block
    knows a part of that sign, which has ln 2:

    >>> import numpy as np
    >>> import rsmi
    >>> random = np.random.default_rng(0)
    >>> signs = random.choice([-1, 1], size=(4000, 8, 1))
    >>> spins = signs * random.choice([-1, 1], p=[0.1, 0.9], size=(4000, 8, 8))
    >>> samples = rsmi.Samples(spins, chains=4000, symmetric="flip")
    >>> rule = rsmi.learn(samples, block=(1, 2), buffer=0, windows=20000)
    >>> bool(0.2 < rule.information < np.log(2)), bool(abs(rule.control) < 0.01)
    (True, True)
    """
    from rsmi.cli.train_lambda import command
    from rsmi.stages.training import rule_numbers, rules
    from rsmi.stages.training.request import prepare

    given = {"buffer": buffer, "environment": environment, "hidden": hidden, **options}
    settings = _settings(command, {"block": shape_text(block), **given})
    folder = _Folder()
    with prepare(_samples(spins).path, None, **settings) as work:
        rules.run(work, folder.path / "rule.h5", _quiet())
    with open_file(folder.path / "rule.h5", "lambda") as file:
        numbers, view = rule_numbers.summary(file), RuleFile(file)
        return Rule(
            np.array(numbers["filters"]),
            view.bias,
            numbers["mutual_information_soft"],
            numbers["mutual_information_soft_error"],
            numbers["mutual_information_shuffled_soft"],
            numbers,
            folder,
        )


def coarse_grain(
    spins: ArrayLike | Samples,
    rule: Rule | str,
    *,
    hard: bool = True,
    steps: int = 1,
    seed: int = 0,
) -> Samples:
    """Replace every block by its coarse variables.

    Parameters
    ----------
    spins : array_like or Samples
    rule : Rule or str
        A learned rule, or the name of one: ``majority``, ``decimation``, ``staggered``.
    hard : bool
        Whether the likelier value is taken instead of a drawn one.
    steps : int
    seed : int

    Returns
    -------
    Samples
        ``Samples.spins`` are the coarse configurations.
    """
    from rsmi.stages import coarse_grain as stage

    folder = _Folder()
    result = Samples._in(folder, folder.path / "samples.h5")
    hard = hard and isinstance(rule, Rule)
    arguments = ((_rule_name(rule),), None, hard, None, steps, seed)
    with stage.prepare(_samples(spins).path, *arguments) as work:
        stage.run(work, result.path, _quiet())
    return result


def flow(
    spins: Samples | Sequence[Samples],
    rule: Rule | str,
    *,
    steps: int = 1,
    hard: bool = True,
    seed: int = 0,
) -> dict[str, Any]:
    """Measure operators along repeated coarse-graining, and the exponents that follow.

    Parameters
    ----------
    spins : Samples or sequence of Samples
        Samples at one temperature or at several.
    rule : Rule or str
    steps : int
    hard : bool
    seed : int

    Returns
    -------
    dict
        What ``rsmi flow --json`` prints, and under ``exponents`` what ``rsmi exponent --json``
        prints of it.
    """
    from rsmi.stages import exponent
    from rsmi.stages.flow import from_files, run, summary

    several, folder = [spins] if isinstance(spins, Samples) else list(spins), _Folder()
    output, analysis = folder.path / "flow.h5", folder.path / "exponent.h5"
    hard = hard and isinstance(rule, Rule)
    arguments = ((_rule_name(rule),), None, hard, None, steps, seed)
    with from_files.prepare([one.path for one in several], *arguments) as work:
        run.run(work, output, _quiet())
    with open_file(output, "flow") as file:
        exponent.run(file, None, None, analysis, _quiet())
        return summary.summary(file) | {"exponents": _numbers(analysis, exponent.summary)}


def spectrum(spins: Sequence[Samples], *functions: Rule | str, **options: Any) -> dict[str, Any]:
    """Measure scaling dimensions from samples of several lattice sizes at the critical point.

    Parameters
    ----------
    spins : sequence of Samples
        One for each size.
    *functions : Rule or str
        Learned rules, named rules or operators, beside the magnetization and the energy.
    **options
        The options of ``rsmi spectrum``: ``readout``, ``omega``, ``modes``, ``correlation``.

    Returns
    -------
    dict
        What ``rsmi spectrum --json`` prints.
    """
    from rsmi.stages.spectrum import correlation, from_files, run, summary
    from rsmi.stages.spectrum.request import Choices

    choices = Choices(function=tuple(map(_rule_name, functions)), **options)
    folder = _Folder()
    output = folder.path / "spectrum.h5"
    with from_files.prepare([one.path for one in spins], choices) as work:
        run.run(work, output, _quiet())
    return _numbers(output, (correlation if choices.correlation else summary).summary)


# ---- files ---------------------------------------------------------------------------------------


class _Folder:
    """A temporary folder that exists as long as somebody has it."""

    def __init__(self) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="rsmi-")
        self.path = Path(self._temporary.name)


def _axes(array: NDArray[Any], components: int | None) -> dict[str, Any]:
    """Return the options that say what the axes of an array are: an array is never guessed at."""
    if components is not None:
        return {"components": components}
    return {"axes": ",".join(["n", *"zyx"[4 - array.ndim :]])} if 2 <= array.ndim <= 4 else {}


def _samples(spins: ArrayLike | Samples) -> Samples:
    return spins if isinstance(spins, Samples) else Samples(spins)


def _rule_name(rule: Rule | str) -> str:
    """Return the value of ``--rule``."""
    return str(rule.path) if isinstance(rule, Rule) else rule


def _quiet() -> RunOptions:
    return RunOptions(quiet=True)


def _settings(command: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a click command without those of every run: those that are given, else
    the defaults of the command.

    Raises
    ------
    TypeError
        For an option that the command does not have.
    """
    context = command.make_context(command.name, [], resilient_parsing=True)
    known = {name: value for name, value in context.params.items() if name not in _OF_EVERY_RUN}
    if unknown := given.keys() - known.keys():
        raise TypeError(f"rsmi {command.name} has no option {', '.join(sorted(unknown))}")
    return known | {name: value for name, value in given.items() if value is not None}


def _numbers(path: Path, summary: Callable[[File], dict[str, Any]]) -> dict[str, Any]:
    with open_file(path) as file:
        return summary(file)
