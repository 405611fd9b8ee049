"""The application that commands register with, the options before a command, and exit codes."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from nifos_stream import __version__, logs
from nifos_stream.errors import NifosError
from nifos_stream.settings import Settings, load

app = typer.Typer(
    name="nifos-stream",
    help="Label a Kafka stream of Korean posts 부정 / 중립 / 긍정, exactly once, and watch the counts live.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

Command = TypeVar("Command", bound=Callable[..., object])


@dataclass(slots=True)
class Globals:
    """Options that stand before the command."""

    config: Path | None = None
    debug: bool = False


_globals = Globals(debug=bool(os.environ.get("NIFOS_DEBUG")))


def settings_with(**sections: dict[str, Any]) -> Settings:
    """Settings with what the command line says on top; options that were not given say nothing."""
    given = {
        section: {name: value for name, value in values.items() if value is not None}
        for section, values in sections.items()
    }
    settings = load(_globals.config, {section: values for section, values in given.items() if values})
    logs.configure(settings.logs.format, "debug" if _globals.debug else settings.logs.level)
    return settings


def panel(title: str) -> Callable[..., Callable[[Command], Command]]:
    """`app.command` for the commands that the help shows under `title`."""
    return partial(app.command, rich_help_panel=title)


def _say_version(asked: bool) -> None:
    if asked:
        typer.echo(f"nifos-stream {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="TOML file of settings (or NIFOS_CONFIG).")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Tracebacks and debug logs.")] = False,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_say_version, is_eager=True, help="Say which version this is."),
    ] = False,
) -> None:
    _globals.config = config
    _globals.debug = _globals.debug or debug


def main() -> None:
    """Run the command line; errors are one sentence, and the exit code says whose they are."""
    try:
        app()
    except NifosError as error:
        if _globals.debug:
            raise
        typer.echo(f"nifos-stream: {error}", err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # Whatever nobody foresaw is a sentence too; --debug says where it arose.
        if _globals.debug:
            raise
        from nifos_stream.watch.look import plain

        said = plain(str(error))
        typer.echo(f"nifos-stream: {type(error).__name__}: {said} (--debug shows where).", err=True)
        sys.exit(NifosError.exit_code)
