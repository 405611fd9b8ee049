"""Commands about alerts: alerts list, alerts test."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from nifos_stream.cli.app import app, settings_with

alerts_app = typer.Typer(help="Alerts: try the rules, and see what they found.", no_args_is_help=True)
app.add_typer(alerts_app, name="alerts", rich_help_panel="Posts and counts")


@alerts_app.command("list", epilog="Example: nifos-stream alerts list --state all")
def alerts_list(
    state: Annotated[Literal["open", "all"], typer.Option(help="Those that are open, or all.")] = "open",
    limit: Annotated[int, typer.Option(min=1, help="The newest so many.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON for each.")] = False,
) -> None:
    """Show what the rules have found."""
    from nifos_stream.commands.alerts import show_list

    show_list(settings_with(), state, limit, as_json=as_json)


@alerts_app.command(
    "test",
    epilog="Examples: nifos-stream alerts test --from 2026-04-01  ·  "
    "nifos-stream -c nifos.toml alerts test counts.csv --json",
)
def alerts_test(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="Counts, as `counts --by source --grain 1m --out FILE` writes them: time (or start), any of"
            " source, channel, keyword, then negative, neutral, positive; CSV, TSV, XLSX or JSON."
            " The labelled topic without it."
        ),
    ] = None,
    start: Annotated[str | None, typer.Option("--from", help="Date or time of the start.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Date or time of the end.")] = None,
    rule: Annotated[list[str] | None, typer.Option(help="Only this rule.")] = None,
    column: Annotated[
        list[str] | None, typer.Option(metavar="FIELD=NAME", help="Which column holds a field, e.g. time=때.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Replay the labelled topic, or a recorded series, against the rules: what would have fired, and when.

    Nothing is published.
    """
    from nifos_stream.commands.alerts import replay_rules, show_replay

    replayed = replay_rules(
        settings_with(), file=file, start=start, end=end, names=rule or (), columns=column or ()
    )
    show_replay(replayed, as_json=as_json)
