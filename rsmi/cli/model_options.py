"""Commands whose options depend on ``--model``: each model brings its own as data."""

from __future__ import annotations

import contextlib
import functools
import os
import tomllib
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from rsmi import models
from rsmi.errors import RsmiError, UsageError
from rsmi.models.base import Model, Option

_TYPES = {"number": float, "integer": int, "text": str}


class ModelCommand(click.Command):
    """A command with the options of the model that its arguments name.

    Without ``--model`` the options are those of ``default``; None stands for no model.
    """

    default: str | None = models.DEFAULT

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[__name__] = _named(ctx, args) or self.default
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            owners = [name for name in models.names() if _has(models.get(name), error.option_name)]
            if not owners:
                raise
            raise UsageError(
                f"{error.option_name}: for --model {' or '.join(owners)} only"
            ) from error

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The command's own parameters and, after them, those of the model."""
        model = _model_of(ctx)
        own = [click_option(option) for option in model.options] if model else []
        parameters = super().get_params(ctx)
        place = next(i for i, one in enumerate(parameters) if one.name == "algorithm")
        return [*parameters[:place], *own, *parameters[place:]]

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_help_text(ctx, formatter)
        model = _model_of(ctx)
        if model is None or not model.help:
            return
        for paragraph in model.help.split("\n\n"):
            formatter.write_paragraph()
            with formatter.indentation():
                formatter.write_text(paragraph)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options, and in sections of their own those of the models that are not chosen."""
        super().format_options(ctx, formatter)
        chosen = _model_of(ctx)
        for name in models.names():
            model = _loadable(name)
            if model is not None and model is not chosen and model.options:
                records = (click_option(option).get_help_record(ctx) for option in model.options)
                with formatter.section(f"Options of --model {name}, {model.title}"):
                    formatter.write_dl([record for record in records if record])


class OptionalModelCommand(ModelCommand):
    """As `ModelCommand`, for a command that may do without a model."""

    default = None


class Algorithm(click.ParamType):
    """The name of an algorithm of the chosen model; the model refuses others."""

    name = "algorithm"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return "[" + "|".join(_algorithms(ctx)) + "]"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        return [CompletionItem(name) for name in _algorithms(ctx) if name.startswith(incomplete)]


class ModelName(click.ParamType):
    """The name of a model, of those that are installed when the command line is read."""

    name = "choice"

    def convert(self, value, param, ctx):
        return click.Choice(models.names()).convert(value, param, ctx)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return "[" + "|".join(models.names()) + "]"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        return [CompletionItem(name) for name in models.names() if name.startswith(incomplete)]


def model_option(required: bool = True):
    """Add ``--model``; where it is not ``required`` there is no default."""
    titles = "; ".join(f"{name}: {models.get(name).title}" for name in models.built_in())
    return click.option(
        "--model",
        type=ModelName(),
        default=models.DEFAULT if required else None,
        help=f"What is sampled. {titles}.",
    )


@functools.cache
def click_option(option: Option) -> click.Option:
    """An option of a model as click has it."""
    kind = click.Choice(option.choices) if option.choices else _TYPES[option.type]
    return click.Option(
        [f"--{option.name}"],
        type=kind,
        metavar=option.metavar,
        default=option.default,
        show_default=option.shown_default or option.default is not None,
        help=option.help,
    )


def _model_of(ctx: click.Context) -> Model | None:
    name = ctx.meta.get(__name__, getattr(ctx.command, "default", None))
    return _loadable(name) if name in models.names() else None


def _loadable(name: str) -> Model | None:
    """A model, None where the package that brings it cannot be imported: help goes on without."""
    with contextlib.suppress(RsmiError):
        return models.get(name)
    return None


def _has(model: Model, option_name: str) -> bool:
    return any(option_name == f"--{option.name}" for option in model.options)


def _algorithms(ctx: click.Context) -> tuple[str, ...]:
    model = _model_of(ctx) or models.get(models.DEFAULT)
    return "auto", *model.algorithms


# ---- the model that a command line names ---------------------------------------------------------


def _named(ctx: click.Context, args: list[str]) -> str | None:
    """What ``--model`` says on the command line, in the environment or in the configuration."""
    return (
        _value(args, "--model")
        or os.environ.get(f"{ctx.auto_envvar_prefix}_MODEL")
        or _configured(ctx, _value(args, "--config"))
    )


def _value(args: list[str], option: str) -> str | None:
    """The last value of an option among the arguments, which are not parsed yet."""
    values = [after for word, after in zip(args, args[1:]) if word == option]
    values += [word.partition("=")[2] for word in args if word.startswith(f"{option}=")]
    return values[-1] if values else None


def _configured(ctx: click.Context, path: str | None) -> str | None:
    """The model that a configuration file names; what is wrong with it is said when it is read."""
    path = path or os.environ.get(f"{ctx.auto_envvar_prefix}_CONFIG")
    with contextlib.suppress(OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        section = tomllib.loads(Path(path).read_text()).get(ctx.info_name, {}) if path else {}
        name = section.get("model") if isinstance(section, dict) else None
        return name if isinstance(name, str) else None
    return None
