"""The command line: options, help and exit codes. What a command does stands in `commands` and below."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from nifos_stream import __version__, logs
from nifos_stream.commands.worker import Role
from nifos_stream.errors import NifosError, UserError
from nifos_stream.settings import Settings, load

app = typer.Typer(
    name="nifos-stream",
    help="Label a Kafka stream of Korean posts 부정 / 중립 / 긍정, exactly once, and watch the counts live.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
topics_app = typer.Typer(help="The topics of the stream.", no_args_is_help=True)
letters_app = typer.Typer(
    help="What could not be labelled: look at it, and send it in again.", no_args_is_help=True
)
counters_app = typer.Typer(help="The counts in Redis.", no_args_is_help=True)
app.add_typer(topics_app, name="topics")
app.add_typer(letters_app, name="dead-letters")
app.add_typer(counters_app, name="counters")


@dataclass(slots=True)
class Globals:
    """Options that stand before the command."""

    config: Path | None = None
    debug: bool = False


_globals = Globals(debug=bool(os.environ.get("NIFOS_DEBUG")))


def _settings(**sections: dict[str, Any]) -> Settings:
    """Settings with what the command line says on top; options that were not given say nothing."""
    given = {
        section: {name: value for name, value in values.items() if value is not None}
        for section, values in sections.items()
    }
    settings = load(_globals.config, {section: values for section, values in given.items() if values})
    logs.configure(settings.logs.format, "debug" if _globals.debug else settings.logs.level)
    return settings


@app.callback()
def _options(
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="TOML file of settings (or NIFOS_CONFIG).")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Tracebacks and debug logs.")] = False,
) -> None:
    _globals.config = config
    _globals.debug = _globals.debug or debug


@app.command()
def version() -> None:
    """Say which version this is."""
    typer.echo(f"nifos-stream {__version__}")


@app.command(epilog="Example: nifos-stream worker --role classify --model ./my-model --http 127.0.0.1:9100")
def worker(
    role: Annotated[Role, typer.Option(help="Label posts, count labelled posts, or both.")] = Role.ALL,
    model: Annotated[str | None, typer.Option(help="`bundled`, a directory, or a hub name.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N.")] = None,
    dtype: Annotated[str | None, typer.Option(help="auto, fp32, bf16, fp16 or int8.")] = None,
    until_idle: Annotated[
        float | None, typer.Option(metavar="SECONDS", min=0, help="End when nothing is left for so long.")
    ] = None,
    http: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Serve /healthz, /readyz and /metrics here.")
    ] = None,
    accept_bad: Annotated[
        bool | None, typer.Option("--accept-bad", help="Go on though nearly all messages are bad.")
    ] = None,
) -> None:
    """Label posts and count them until told to stop."""
    from nifos_stream.commands.worker import run_worker

    settings = _settings(
        model={"path": model, "device": device, "dtype": dtype},
        http={"listen": http},
        stream={"accept_bad": accept_bad},
    )
    run_worker(settings, role, until_idle)


@app.command(epilog="Example: NIFOS_KAFKA__BOOTSTRAP_SERVERS=broker:9092 nifos-stream check")
def check() -> None:
    """Connect to everything, load the model, and show the settings without secrets."""
    from nifos_stream.commands.check import findings

    settings = _settings()
    typer.echo(settings.model_dump_json(indent=2))
    wrong = 0
    for finding in findings(settings):
        mark = typer.style("ok   " if finding.ok else "WRONG", fg="green" if finding.ok else "red")
        typer.echo(f"{mark} {finding.name}: {finding.facts}")
        wrong += not finding.ok
    if wrong:
        raise typer.Exit(UserError.exit_code)


@app.command("settings")
def settings_table() -> None:
    """List every setting: its environment variable, default and meaning."""
    from nifos_stream.commands.settings import table

    typer.echo(table(), nl=False)


@topics_app.command("create", epilog="Example: nifos-stream topics create --partitions 12")
def topics_create(
    partitions: Annotated[int | None, typer.Option(min=1, help="Partitions of each topic.")] = None,
    replication_factor: Annotated[int | None, typer.Option(min=1, help="Copies of each partition.")] = None,
) -> None:
    """Create the topics that are missing, and state how long each keeps its messages."""
    from nifos_stream import kafka

    settings = _settings(topics={"partitions": partitions, "replication_factor": replication_factor})
    created = kafka.create_topics(kafka.connect(settings.kafka), settings)
    days = kafka.retention_days(settings)
    for name, is_new in created.items():
        kept = f"{days[name]:g} days" if name in days else "the newest of each key, for ever"
        typer.echo(f"{name}: {'created' if is_new else 'was there'}, keeps {kept}")


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
    except BrokenPipeError:
        # Whoever read our output has gone; there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
