"""The option ``--config``: defaults of options from a TOML file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from rsmi.foreign_text import parse_toml, read_small_file


def load_config(ctx: click.Context, _: click.Parameter, path: Path | None) -> None:
    """Take the defaults of a command from its table in a TOML file; a callback of click.

    Raises
    ------
    click.BadParameter
        If the file cannot be read, or names a command or an option that does not exist.
    """
    if path is None:
        return
    table = _read(path)
    _check_commands(ctx, path, table)
    name = ctx.info_name or ""
    settings = {key.replace("_", "-"): value for key, value in table.get(name, {}).items()}
    options = _options(ctx)
    unknown = sorted(set(settings) - set(options))
    if unknown:
        raise click.BadParameter(f"{path}: {name} has no option --{', --'.join(unknown)}")
    ctx.default_map = {
        **(ctx.default_map or {}),
        **{
            str(options[key].name): _as_text(value, options[key]) for key, value in settings.items()
        },
    }


def _read(path: Path) -> dict[str, Any]:
    try:
        return parse_toml(read_small_file(path))
    except OSError as error:
        raise click.BadParameter(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise click.BadParameter(f"{path}: {error}") from error


def _check_commands(ctx: click.Context, path: Path, table: dict[str, Any]) -> None:
    group = None if ctx.parent is None else ctx.parent.command
    commands = group.list_commands(ctx) if isinstance(group, click.Group) else []
    for name, section in table.items():
        if name not in commands or not isinstance(section, dict):
            raise click.BadParameter(
                f"{path}: {name} is not the [table] of a command ({', '.join(commands)})"
            )


def _options(ctx: click.Context) -> dict[str, click.Parameter]:
    """The options of the command by their names, without the dashes."""
    return {
        option.lstrip("-"): parameter
        for parameter in ctx.command.get_params(ctx)
        for option in parameter.opts
        if option.startswith("--")
    }


def _as_text(value: Any, option: click.Parameter) -> str | list[str]:
    """A setting as text, which is parsed like the command line; a list of texts for an option that
    may be repeated."""
    if not getattr(option, "multiple", False):
        return str(value)
    return [str(one) for one in (value if isinstance(value, list) else [value])]
