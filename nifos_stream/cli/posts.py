"""Commands about posts: produce, tail, watch, web, counts, drivers, dead-letters."""

from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Annotated, Literal

import typer

from nifos_stream.cli.app import app, panel, settings_with
from nifos_stream.commands.produce import Key, Options
from nifos_stream.errors import Reason as DeadReason
from nifos_stream.errors import UserError
from nifos_stream.files import Format

command = panel("Posts and counts")
letters_app = typer.Typer(
    help="What could not be labelled: look at it, and send it in again.", no_args_is_help=True
)
app.add_typer(letters_app, name="dead-letters", rich_help_panel="Posts and counts")

Start = Annotated[
    str | None,
    typer.Option("--from", help="Date or time of the start; 2026 and 2026-05 are their beginning."),
]
End = Annotated[str | None, typer.Option("--to", help="Date or time of the end, which is not in the window.")]
Reason = Annotated[
    str | None, typer.Option(help=f"Only letters with this reason: {', '.join(sorted(DeadReason))}.")
]


@command(
    epilog="Examples: nifos-stream produce posts.xlsx --column text=본문 --column created_at=작성일  ·  "
    "crawler | nifos-stream produce - --set source=twitter"
)
def produce(
    files: Annotated[list[str], typer.Argument(metavar="FILE…", help="Files, or - for standard input.")],
    column: Annotated[
        list[str] | None, typer.Option(metavar="FIELD=NAME", help="Which column holds a field of the post.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="A field that the file lacks.")
    ] = None,
    file_format: Annotated[
        Format, typer.Option("--format", help="What the files hold; auto looks at them.")
    ] = Format.AUTO,
    key: Annotated[Key, typer.Option(help="Field that is the key of the record.")] = Key.ID,
    rate: Annotated[float | None, typer.Option(min=0.001, help="Most posts a second.")] = None,
    rejects: Annotated[Path | None, typer.Option(help="Write every rejected row here, as JSONL.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The summary as one line of JSON.")] = False,
    dry_run: Annotated[bool, typer.Option(help="Read and check, send nothing.")] = False,
) -> None:
    """Send posts from JSONL, JSON, CSV, TSV, XLSX or plain text (also .gz and .xz) to the input topic.

    Says of each file which column became which field; other columns pass through.

    Exit code 0 when every row was accepted, 1 when some were rejected (the others are sent), 2 when a file
    cannot be used.
    """
    from nifos_stream.commands import produce as command

    options = Options(
        columns=tuple(column or ()),
        defaults=tuple(set_ or ()),
        format=file_format,
        key=key,
        per_second=rate,
        rejects=rejects,
        as_json=as_json,
        dry_run=dry_run,
    )
    raise typer.Exit(command.produce(settings_with(), files, options))


@command(epilog="Example: nifos-stream tail --label 부정 --source naver_blog")
def tail(
    label: Annotated[list[str] | None, typer.Option(help="부정, 중립, 긍정 or the English word.")] = None,
    source: Annotated[list[str] | None, typer.Option(help="Only from this source.")] = None,
    channel: Annotated[list[str] | None, typer.Option(help="Only from this channel.")] = None,
    keyword: Annotated[list[str] | None, typer.Option(help="Only with this keyword.")] = None,
    text: Annotated[str | None, typer.Option(help="Only with this in title or text.")] = None,
    last: Annotated[
        int, typer.Option("--last", "-n", min=0, help="How many of the newest to begin with.")
    ] = 10,
    from_beginning: Annotated[
        bool, typer.Option("--from-beginning", help="Begin with the oldest that is kept.")
    ] = False,
    follow: Annotated[bool, typer.Option(help="Go on with those that come.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Each event as it is on the topic.")] = False,
) -> None:
    """Show labelled posts as they come, until Ctrl-C."""
    from nifos_stream.commands import tail as command
    from nifos_stream.counters.wanted import Filter

    wanted = Filter.of(label or (), source or (), channel or (), keyword or (), text)
    # Whoever follows ends it so; whoever waits for the last one is cut short.
    with suppress(KeyboardInterrupt) if follow else nullcontext():
        command.tail(
            settings_with(), wanted, last=last, from_beginning=from_beginning, follow=follow, as_json=as_json
        )


@command(epilog="Example: nifos-stream watch --window 24h")
def watch(
    window: Annotated[str, typer.Option(help="5m, 1h, 24h, 7d or any other length.")] = "1h",
    once: Annotated[bool, typer.Option("--once", help="Print the numbers once and end.")] = False,
) -> None:
    """Watch the counts live: shares, sources, keywords, open alerts, and how current they are."""
    from nifos_stream.watch.terminal import watch as show

    with nullcontext() if once else suppress(KeyboardInterrupt):
        show(settings_with(), window=window, once=once)


@command(epilog="Examples: nifos-stream web --port 8080  ·  nifos-stream web --listen 0.0.0.0:8080")
def web(
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="For this machine alone; 0 takes a free one.")
    ] = None,
    listen: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Beyond this machine it needs NIFOS_WEB__TOKEN.")
    ] = None,
) -> None:
    """Serve the counts over HTTP, as JSON and live, until told to stop."""
    from nifos_stream.commands.web import run_web

    if port is not None:
        if listen is not None:
            raise UserError("Give --port or --listen, not both.")
        listen = f"127.0.0.1:{port}"
    run_web(settings_with(web={"listen": listen}))


@command(
    epilog="Examples: nifos-stream counts --window 24h --by source --where keyword=산불  ·  "
    "nifos-stream counts --from 2025-01-01 --to 2026-01-01 --grain month  ·  counts --total --json"
    "  ·  counts --window 7d --by source --grain 1h --out counts.xlsx"
)
def counts(
    window: Annotated[
        str | None, typer.Option(help="Length that ends now, or at --to; 1h without it.")
    ] = None,
    by: Annotated[str | None, typer.Option(help="source, channel, keyword or revision.")] = None,
    where: Annotated[
        list[str] | None, typer.Option(metavar="DIMENSION=VALUE", help="Only posts with this value.")
    ] = None,
    start: Start = None,
    end: End = None,
    grain: Annotated[
        str | None,
        typer.Option(
            help="Step of the series: 10s, 1m, 1h, 1d, month, year; none: rows of the whole window."
        ),
    ] = None,
    total: Annotated[bool, typer.Option("--total", help="All that was ever counted.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
    rows_as: Annotated[
        Literal["csv", "parquet", "json"] | None,
        typer.Option(
            "--format", help="Rows for other programs, one for each step, or group in it with posts."
        ),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Where the rows go: .csv, .xlsx, .parquet, .json, …, or -."),
    ] = None,
) -> None:
    """Show what was counted, for any time and by any dimension, or write it as rows.

    A window is rounded outward to the finest grain that is kept for all of it, or to --grain.

    A row whose group is empty is what had no place of its own (NIFOS_COUNTERS__MAX_VALUES).
    """
    from nifos_stream.commands import counts as command

    question = command.Question(window, by, tuple(where or ()), start, end, grain, total)
    if rows_as or out:
        from nifos_stream.commands.export_counts import Format as Rows
        from nifos_stream.commands.export_counts import export

        if as_json:
            raise UserError("--json is the answer in one line; with --format or --out it has no meaning.")
        written = export(settings_with(), question, Rows(rows_as) if rows_as else None, out or "-")
        if out not in (None, "-"):
            typer.echo(f"{written:,} rows are in {out}.", err=True)
        return
    command.counts(settings_with(), question, as_json=as_json)


@command(
    epilog="Examples: nifos-stream drivers --window 24h --label 긍정 --where source=naver_blog  ·  "
    "nifos-stream drivers --by source --json"
)
def drivers(
    window: Annotated[
        str | None, typer.Option(help="Length that ends now, or at --to; 1h without it.")
    ] = None,
    label: Annotated[
        str, typer.Option(help="Whose words: negative, neutral, positive, or 부정, …")
    ] = "negative",
    by: Annotated[str | None, typer.Option(help="For each source, channel or keyword apart.")] = None,
    where: Annotated[
        list[str] | None, typer.Option(metavar="DIMENSION=VALUE", help="Only posts with this value.")
    ] = None,
    start: Start = None,
    end: End = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many words.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Show the words that set the negative posts apart from those before and from the others."""
    from nifos_stream.commands import drivers as command

    question = command.Question(label, window, tuple(where or ()), by, start, end, limit)
    command.drivers(settings_with(), question, as_json=as_json)


@letters_app.command("list", epilog="Example: nifos-stream dead-letters list --json > letters.jsonl")
def letters_list(
    reason: Reason = None,
    waiting: Annotated[bool, typer.Option(help="Without those that were sent in again.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="A line of JSON for each, to mend and redrive.")
    ] = False,
) -> None:
    """Show what could not be labelled, and why."""
    from rich.console import Console

    from nifos_stream.commands.dead_letters import list_letters, table

    settings = settings_with()
    letters = list_letters(settings, reason=reason, only_waiting=waiting)
    if as_json:
        for letter in letters:
            typer.echo(letter.model_dump_json())
    else:
        rows = table(letters, settings.zone)
        nothing = (
            "There are no dead letters."
            if reason is None and not waiting
            else "There are no such dead letters."
        )
        Console().print(rows if rows.row_count else nothing)


@letters_app.command("redrive", epilog="Example: nifos-stream dead-letters redrive letters.jsonl")
def letters_redrive(
    file: Annotated[Path | None, typer.Argument(help="Lines of `dead-letters list --json`, mended.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that were not sent in again yet.")] = False,
    reason: Reason = None,
    as_json: Annotated[bool, typer.Option("--json", help="The result as one line of JSON.")] = False,
) -> None:
    """Send dead letters to the input topic again, each once.

    Exit code 0 when all were sent, now or before, 1 when some were left.
    """
    from nifos_stream.commands.dead_letters import redrive

    result = redrive(settings_with(), file=file, reason=reason, everything=everything)
    typer.echo(result.to_json() if as_json else result.sentence())
    if file is not None and result.sent and not result.mended:
        typer.echo(
            f"None of them was mended in {file} (its `value` was not changed), so they may fail again.",
            err=True,
        )
    raise typer.Exit(int(result.left > 0))
