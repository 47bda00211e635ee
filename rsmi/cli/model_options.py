"""Commands whose options depend on ``--model``: each model brings its own as data."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable

import click
from click.shell_completion import CompletionItem

from rsmi import models
from rsmi.errors import RsmiError, UsageError
from rsmi.foreign_text import parse_toml, read_small_file
from rsmi.models.base import Model, Option

_TYPES = {"number": float, "integer": int, "text": str}


class ModelCommand(click.Command):
    """A command with the options of the model that its arguments name.

    Attributes
    ----------
    default : str or None
        The model if there is no ``--model``; None stands for no model.
    sections : tuple of (title, parameter names)
        The sections of the help. The model's own options follow ``model``; the section without
        names has all that the others have not.
    """

    default: str | None = models.DEFAULT
    sections: tuple[tuple[str, tuple[str, ...] | None], ...] = (
        ("Model", ("model", "dimension", "size", "temperature", "temper", "coupling", "boundary")),
        ("Sampling", ("algorithm", "samples", "chains", "thermalization", "interval")),
        ("Options", None),
    )
    shows_examples = True
    describes_model = True

    def names(self) -> tuple[str, ...]:
        """Return the names of the models that the command takes."""
        return models.names()

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[__name__] = _named(ctx, args) or self.default
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            _explain(ctx.meta[__name__], error)
            raise

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the command's own parameters, with those of the model after ``--model``."""
        parameters = super().get_params(ctx)
        place = [parameter.name for parameter in parameters].index("model") + 1
        return [*parameters[:place], *_own_options(_model_of(ctx)), *parameters[place:]]

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help of the command, that of the model, and the model's examples."""
        super().format_help_text(ctx, formatter)
        model = _model_of(ctx)
        if model is None or not self.describes_model:
            return
        examples = model.examples if self.shows_examples else ()
        lines = [f"Example: {title}\n  {line}" for title, line in examples]
        for text in (model.help, "\n".join(["\b", *lines]) if lines else ""):
            if text:
                formatter.write_paragraph()
                with formatter.indentation():
                    formatter.write_text(text)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options in sections, and which models there are."""
        records: dict[str, list[tuple[str, str]]] = {title: [] for title, _ in self.sections}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                records[self._section(parameter, ctx)].append(record)
        for title, lines in records.items():
            with formatter.section(title):
                formatter.write_dl(lines)
        with formatter.section(f"Models ('{ctx.command_path} --model NAME --help' shows more)"):
            formatter.write_dl([(name, _described(name)) for name in self.names()])

    def _section(self, option: click.Option, ctx: click.Context) -> str:
        """Return the title of the section in which an option is shown."""
        own = option in _own_options(_model_of(ctx))
        name = "model" if own else option.name
        rest = next(title for title, names in self.sections if names is None)
        return next((title for title, names in self.sections if name in (names or ())), rest)


class OptionalModelCommand(ModelCommand):
    """A command that samples only if ``--model`` is given."""

    default = None
    sections: tuple[tuple[str, tuple[str, ...] | None], ...] = (
        ("Options", None),
        (
            "Sampling in flight, if there is a --model",
            (
                "model",
                "dimension",
                "size",
                "temperature",
                "coupling",
                "boundary",
                "algorithm",
                "n_samples",
                "chains",
                "thermalization",
                "interval",
            ),
        ),
    )
    shows_examples = False


class EnumerableModelCommand(ModelCommand):
    """A command for models of which exact distributions are known."""

    sections: tuple[tuple[str, tuple[str, ...] | None], ...] = (
        ("Model", ("model", "dimension", "size", "temperature", "coupling")),
        ("Options", None),
    )
    describes_model = False

    def names(self) -> tuple[str, ...]:
        return enumerable()


@functools.cache
def enumerable() -> tuple[str, ...]:
    """Return the names of the models of which exact distributions are known."""
    loaded = {name: _loaded(name) for name in models.names()}
    return tuple(
        name
        for name, model in loaded.items()
        if model is not None and any(model.known(dimension).joint for dimension in (1, 2, 3))
    )


class ModelName(click.ParamType):
    """The name of a model. Which models there are is looked up when the command line is read.

    Parameters
    ----------
    others : tuple of str
        Names that are allowed beside those of the models.
    importable : bool
        Whether the only models are those whose samples can be imported.
    names : callable, optional
        Returns the names of the models; by default those of all.
    """

    name = "model"

    def __init__(
        self,
        others: tuple[str, ...] = (),
        importable: bool = False,
        names: Callable[[], tuple[str, ...]] = models.names,
    ) -> None:
        self.others, self.importable, self.names = others, importable, names

    def choices(self) -> tuple[str, ...]:
        """Return all allowed names."""
        names = self.names()
        if self.importable:
            names = tuple(name for name in names if getattr(_loaded(name), "importable", False))
        return *names, *self.others

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if models.is_file(value) and not self.importable:
            return value
        return click.Choice(self.choices()).convert(value, param, ctx)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return _one_of(self.choices())

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        return _completions(self.choices(), incomplete)


def schema_option() -> Callable[[Callable], Callable]:
    """Add ``--model-schema``, which prints a model file with all its keys."""

    def show(ctx: click.Context, param: click.Parameter, value: bool) -> None:
        if value and not ctx.resilient_parsing:
            click.echo(models.file_schema(), nl=False)
            ctx.exit()

    return click.option(
        "--model-schema",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=show,
        help="Print a model file that explains all its keys, and exit.",
    )


class OfModel(click.ParamType):
    """A word out of those that the chosen model has. The model refuses others in its own words.

    Parameters
    ----------
    attribute : str
        The attribute of `Model` with the words.
    others : tuple of str
        Words that come before them.
    """

    name = "word"

    def __init__(self, attribute: str, others: tuple[str, ...] = ()) -> None:
        self.attribute, self.others = attribute, others

    def choices(self, ctx: click.Context) -> tuple[str, ...]:
        """Return all words of the chosen model, or of the default one if none is chosen."""
        model = _model_of(ctx) or models.get(models.DEFAULT)
        return *self.others, *getattr(model, self.attribute)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return _one_of(self.choices(ctx))

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        return _completions(self.choices(ctx), incomplete)


def model_option(required: bool = True) -> Callable[[Callable], Callable]:
    """Add ``--model``; if it is not ``required`` there is no default."""
    return click.option(
        "--model",
        type=ModelName(),
        default=models.DEFAULT if required else None,
        help="The model that is sampled, or a model file, FILE.toml; see below.",
    )


@functools.cache
def click_option(option: Option) -> click.Option:
    """Return an option of a model as click has it."""
    if option.type == "flag":
        return click.Option([f"--{option.name}"], is_flag=True, help=option.help)
    kind = click.Choice(option.choices) if option.choices else _TYPES[option.type]
    return click.Option(
        [f"--{option.name}"],
        type=kind,
        multiple=option.multiple,
        metavar=option.metavar,
        default=option.default,
        show_default=option.shown_default or option.default is not None,
        help=option.help,
    )


def _one_of(choices: tuple[str, ...]) -> str:
    return "[" + "|".join(choices) + "]"


def _completions(choices: tuple[str, ...], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in choices if name.startswith(incomplete)]


# ---- models --------------------------------------------------------------------------------------


def _model_of(ctx: click.Context) -> Model | None:
    """Return the model of a command line; None if there is none, or it cannot be imported."""
    name = ctx.meta.get(__name__, getattr(ctx.command, "default", None))
    if name is None or not (name in models.names() or models.is_file(name)):
        return None
    return _loaded(name)


def _loaded(name: str) -> Model | None:
    """Return a model; None if the package that brings it cannot be imported."""
    with contextlib.suppress(RsmiError):
        return models.get(name)
    return None


def _own_options(model: Model | None) -> list[click.Option]:
    return [click_option(option) for option in model.options] if model else []


def _described(name: str) -> str:
    """Return one line on a model: what it is, and its own options."""
    try:
        model = models.get(name)
    except RsmiError as error:
        return f"{error}."
    options = ", ".join(f"--{option.name}" for option in model.options)
    return f"{model.title}, with {options}." if options else f"{model.title}."


def _explain(named: str | None, error: click.NoSuchOption) -> None:
    """Raise an error with the reason why an option is unknown, if a model is the reason."""
    if named is not None and (named in models.names() or models.is_file(named)):
        models.get(named)  # a model that cannot be imported or read says so
    owners = [name for name in models.names() if _has(_loaded(name), error.option_name)]
    if owners:
        raise UsageError(
            f"{error.option_name} is an option for --model {' or '.join(owners)} only"
        ) from error


def _has(model: Model | None, option_name: str) -> bool:
    return any(option_name == f"--{option.name}" for option in (model.options if model else ()))


# ---- the model that a command line names ---------------------------------------------------------


def _named(ctx: click.Context, args: list[str]) -> str | None:
    """Return the value of ``--model`` on the command line, in the environment or in the
    configuration file."""
    return (
        _value(args, "--model")
        or os.environ.get(f"{ctx.auto_envvar_prefix}_MODEL")
        or _configured(ctx, _value(args, "--config"))
    )


def _value(args: list[str], option: str) -> str | None:
    """Return the last value of an option among arguments that are not parsed yet."""
    values = [after for word, after in zip(args, args[1:]) if word == option]
    values += [word.partition("=")[2] for word in args if word.startswith(f"{option}=")]
    return values[-1] if values else None


def _configured(ctx: click.Context, path: str | None) -> str | None:
    """Return the model that a configuration file names. Faults of the file are reported later,
    when it is read."""
    path = path or os.environ.get(f"{ctx.auto_envvar_prefix}_CONFIG")
    with contextlib.suppress(OSError, ValueError):
        section = parse_toml(read_small_file(path)).get(ctx.info_name or "", {}) if path else {}
        name = section.get("model") if isinstance(section, dict) else None
        return name if isinstance(name, str) else None
    return None
