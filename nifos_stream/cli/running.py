"""Commands that run the stream or look after it: worker, up, demo, check, topics, counters, schema."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from nifos_stream import __version__
from nifos_stream.cli.app import app, panel, settings_with
from nifos_stream.commands.worker import Role
from nifos_stream.errors import UserError

command = panel("The stream")
topics_app = typer.Typer(help="The topics of the stream.", no_args_is_help=True)
counters_app = typer.Typer(help="The counts in Redis.", no_args_is_help=True)
shadow_app = typer.Typer(help="A second model, compared on a share of the posts.", no_args_is_help=True)
app.add_typer(topics_app, name="topics", rich_help_panel="The stream")
app.add_typer(counters_app, name="counters", rich_help_panel="The stream")
app.add_typer(shadow_app, name="shadow", rich_help_panel="The stream")

Port = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=65_535,
        help="0 takes a free one; without it the last one of this directory, the usual one, or a free one.",
    ),
]
DataDir = Annotated[
    Path | None,
    typer.Option(help="Where Kafka and Redis keep their data; ~/.local/share/nifos-stream without it."),
]


@command(epilog="Example: nifos-stream demo --serve")
def demo(
    model: Annotated[str | None, typer.Option(help="`bundled`, a directory, or a hub name.")] = None,
    serve: Annotated[bool, typer.Option("--serve", help="Stay up afterwards, until Ctrl-C.")] = False,
) -> None:
    """Label 2,400 real reviews on a Kafka and Redis of its own, and show the counts."""
    from nifos_stream.local.demo import run_demo

    run_demo(settings_with(model={"path": model}), serve=serve)


@command(epilog="Example: nifos-stream up --data-dir ./data --json")
def up(
    data_dir: DataDir = None,
    kafka_port: Port = None,
    redis_port: Port = None,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON once both answer.")] = False,
) -> None:
    """Start real Kafka and Redis on this machine, with the topics, until Ctrl-C."""
    from nifos_stream.local.up import run_up

    run_up(settings_with(), data_dir=data_dir, kafka_port=kafka_port, redis_port=redis_port, as_json=as_json)


@command(epilog="Example: nifos-stream worker --role classify --model ./my-model --http 127.0.0.1:9100")
def worker(
    role: Annotated[Role, typer.Option(help="Label, count, watch the counts, or all of it.")] = Role.ALL,
    model: Annotated[str | None, typer.Option(help="`bundled`, a directory, or a hub name.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N.")] = None,
    dtype: Annotated[str | None, typer.Option(help="auto, fp32, bf16, fp16 or int8.")] = None,
    shadow: Annotated[
        str | None, typer.Option(metavar="DIR", help="Compare a second model on a share of the posts.")
    ] = None,
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
    """Label posts, count them, and raise alerts, until told to stop."""
    from nifos_stream.commands.worker import run_worker

    settings = settings_with(
        model={"path": model, "device": device, "dtype": dtype},
        shadow={"path": shadow},
        http={"listen": http},
        stream={"accept_bad": accept_bad},
    )
    run_worker(settings, role, until_idle)


@command(epilog="Example: NIFOS_KAFKA__BOOTSTRAP_SERVERS=broker:9092 nifos-stream check")
def check(
    all_settings: Annotated[
        bool, typer.Option("--all-settings", help="Show every setting, not only those that differ.")
    ] = False,
) -> None:
    """Connect to everything, load the model, and show the settings that are not the defaults.

    Secrets are left out.
    """
    from nifos_stream.commands.check import findings, settings_in_use

    settings = settings_with()
    typer.echo(settings_in_use(settings, everything=all_settings))
    wrong = 0
    for finding in findings(settings):
        mark = typer.style("ok   " if finding.ok else "WRONG", fg="green" if finding.ok else "red")
        typer.echo(f"{mark} {finding.name}: {finding.facts}")
        wrong += not finding.ok
    if wrong:
        raise typer.Exit(UserError.exit_code)


@topics_app.command("create", epilog="Example: nifos-stream topics create --partitions 12")
def topics_create(
    partitions: Annotated[int | None, typer.Option(min=1, help="Partitions of each topic.")] = None,
    replication_factor: Annotated[int | None, typer.Option(min=1, help="Copies of each partition.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Create the topics that are missing, and state how long each keeps its messages."""
    import json

    from nifos_stream import kafka

    settings = settings_with(topics={"partitions": partitions, "replication_factor": replication_factor})
    created = kafka.create_topics(kafka.connect(settings.kafka), settings)
    days = kafka.retention_days(settings)
    if as_json:
        facts = {name: {"created": new, "retention_days": days.get(name)} for name, new in created.items()}
        typer.echo(json.dumps(facts, ensure_ascii=False))
        return
    for name, is_new in created.items():
        kept = f"{days[name]:g} days" if name in days else "the newest of each key, for ever"
        typer.echo(f"{name}: {'created' if is_new else 'was there'}, keeps {kept}")


@counters_app.command("rebuild", epilog="Example: nifos-stream counters rebuild")
def counters_rebuild(
    force: Annotated[
        bool, typer.Option("--force", help="Even when the topic no longer reaches as far back as the counts.")
    ] = False,
) -> None:
    """Count the labelled topic anew, while the present counts go on being read."""
    from rich.progress import Progress

    from nifos_stream.counters.rebuild import rebuild

    settings = settings_with()
    with Progress(transient=True) as progress:
        task = progress.add_task("counting", total=1.0)
        done = rebuild(settings, force, lambda part: progress.update(task, completed=part))
    typer.echo(f"Counted {done.events:,} events of {done.partitions} partitions in {done.seconds:.1f} s.")


@shadow_app.command("report", epilog="Example: nifos-stream shadow report --json")
def shadow_report(
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Say how a second model (worker --shadow) compares: labels, probabilities, cost. Of all workers."""
    from nifos_stream.commands.shadow import report

    report(settings_with(), as_json=as_json)


@command(epilog="Example: nifos-stream schema --format asyncapi > asyncapi.json")
def schema(
    schema_format: Annotated[
        Literal["json-schema", "asyncapi"],
        typer.Option("--format", help="JSON Schema of the messages, or AsyncAPI of the topics."),
    ] = "json-schema",
    message: Annotated[
        Literal["post", "labelled-post", "dead-letter", "alert"] | None,
        typer.Option(help="JSON Schema of this message alone."),
    ] = None,
) -> None:
    """Print what the messages look like."""
    from nifos_stream.commands.schema import Format, render

    typer.echo(render(settings_with(), Format(schema_format), message))


@command("settings")
def settings_table() -> None:
    """List every setting: its environment variable, default and meaning."""
    from nifos_stream.commands.settings import table

    typer.echo(table(), nl=False)


@command()
def version() -> None:
    """Say which version this is."""
    typer.echo(f"nifos-stream {__version__}")
