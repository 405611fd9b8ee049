"""`produce`: the posts of files, or of standard input, to the input topic.

A post with an `id` of its own keeps it; another gets one made from source, url and text (`files.made_id`).
The record's key is the `id`, so that posts spread evenly over the partitions and the same post comes to the
same one again.
What is sent twice is two records, and is labelled and counted twice.
"""

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from nifos_stream.commands.headers import Header, watched
from nifos_stream.commands.rejects import Refused, Tally, open_rejects
from nifos_stream.commands.sender import CountingSender, KafkaSender, OpenSender, Place, Sender
from nifos_stream.errors import BadMessage, UserError
from nifos_stream.files import Columns, Format, Found, Reject, Table, parse_mapping, posts
from nifos_stream.messages import Post
from nifos_stream.settings import Settings
from nifos_stream.stream.codec import Record, decode

INTERRUPTED_EXIT_CODE = 130
REJECTED_EXIT_CODE = 1
_SHOWN_EVERY_ROWS = 200
_LAST_FLUSH_SECONDS = 10.0


class Key(StrEnum):
    """Which field is the key of a record: posts of one key go to one partition, in order."""

    ID = "id"
    SOURCE = "source"
    AUTHOR = "author"
    URL = "url"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Options:
    """How files are read and sent; what the command line says.

    columns, defaults: FIELD=NAME and FIELD=VALUE. per_second: most posts a second, None for no limit.
    rejects: file that gets every rejected row as JSONL. dry_run: read and check, send nothing.
    """

    columns: Sequence[str] = ()
    defaults: Sequence[str] = ()
    format: Format = Format.AUTO
    key: Key = Key.ID
    per_second: float | None = None
    rejects: Path | None = None
    as_json: bool = False
    dry_run: bool = False


def produce(
    settings: Settings,
    files: Sequence[str],
    options: Options | None = None,
    *,
    stdin: BinaryIO | None = None,
    open_sender: OpenSender = KafkaSender,
    out: Console | None = None,
    err: Console | None = None,
) -> int:
    """Send the posts of `files` (`-` is standard input); the exit code.

    0 when every row was accepted, 1 when some were rejected (all others are sent), 130 after Ctrl-C.
    UserError, before anything is sent, for a file that cannot be used, a missing topic, an unknown broker;
    BrokerUnavailable when Kafka stays away later, after the summary of what was sent.
    """
    options = options or Options()
    out, err = out or Console(soft_wrap=True, highlight=False), err or Console(stderr=True)
    with ExitStack() as stack:
        run = _Run(settings, options, stdin)
        tables = run.check(files, stack)
        tally = Tally(stack.enter_context(open_rejects(options.rejects, files)) if options.rejects else None)

        def refuse(place: Place, reason: str, value: bytes) -> None:
            tally.add(Refused(place, reason, json.loads(value)))

        sender: Sender = (
            CountingSender()
            if options.dry_run
            else open_sender(settings, refuse, per_second=options.per_second)
        )
        interrupted = ended = False
        try:
            with _progress(err) as progress:
                try:
                    for table in tables:
                        run.send(table, sender, tally, progress)
                    sender.flush()
                    ended = True
                except KeyboardInterrupt:
                    interrupted = True
                    sender.flush(_LAST_FLUSH_SECONDS)
        finally:
            _summarise(out, settings, options, sender.accepted, tally, run, ended=ended)
    if interrupted:
        return INTERRUPTED_EXIT_CODE
    return REJECTED_EXIT_CODE if tally.count else 0


class _Run:
    """One call of `produce`: how its files are opened and turned into records."""

    def __init__(self, settings: Settings, options: Options, stdin: BinaryIO | None) -> None:
        self._zone: dt.tzinfo = settings.zone
        self._topic = settings.topics.posts
        self._columns = Columns(parse_mapping(options.columns))
        self._defaults = parse_mapping(options.defaults, "--set", "source=twitter")
        if unknown := set(self._defaults) - set(Post.model_fields):
            raise UserError(
                f"--set names {', '.join(sorted(unknown))}, which is no field of a post;"
                f" the fields are {', '.join(Post.model_fields)}."
            )
        self._options = options
        self._stdin = stdin
        self.at: Place | None = None
        self.headers: list[Header] = []

    def check(self, files: Sequence[str], stack: ExitStack) -> Iterator[Table]:
        """Open every file, so that one that cannot be used is found before anything is sent."""
        kept: list[Table | str] = []
        for file in files:
            table = self._open(file)
            if table.rewindable:
                table.close()
                kept.append(file)
            else:
                kept.append(stack.enter_context(table))
        return (self._open(table) if isinstance(table, str) else table for table in kept)

    def _open(self, file: str) -> Table:
        return Table(file, self._columns, format=self._options.format, stdin=self._stdin)

    def send(self, table: Table, sender: Sender, tally: Tally, progress: Progress) -> None:
        """Send the posts of one file."""
        task = progress.add_task(Path(table.name).name, total=table.total_bytes, posts="")
        if table.note is not None:
            progress.console.print(Text(table.note))
        with table:
            rows = watched(table, self._columns, partial(self._tell, progress.console))
            found = posts(rows, self._columns, self._zone, self._defaults, typed=table.typed)
            for number, row in enumerate(found, 1):
                self.at = Place(table.name, table.unit, row.line)
                if isinstance(row, Reject):
                    tally.add(Refused(self.at, row.reason, row.content))
                else:
                    self._send_one(row, self.at, sender, tally)
                if number % _SHOWN_EVERY_ROWS == 0:
                    _show(progress, task, table, sender, tally)
            _show(progress, task, table, sender, tally)

    def _tell(self, console: Console, header: Header) -> None:
        self.headers.append(header)
        for sentence in header.sentences():
            console.print(Text(sentence), soft_wrap=True)

    def _send_one(self, found: Found, place: Place, sender: Sender, tally: Tally) -> None:
        try:
            value = _encoded(found.members)
            record = Record(None, value, (), self._topic, 0, 0, -1)
            post = decode(record, timezone=self._zone).post
        except (BadMessage, ValueError) as error:
            tally.add(Refused(place, str(error).rstrip("."), found.members))
            return
        key = None if self._options.key == Key.NONE else getattr(post, self._options.key)
        sender.send(place, None if key is None else key.encode(), value)


def _encoded(members: dict[str, Any]) -> bytes:
    """A post as it goes to Kafka. ValueError when JSON in UTF-8 cannot hold it."""
    try:
        return json.dumps(members, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    except UnicodeEncodeError:
        raise ValueError("has half of a surrogate pair, which is no character") from None
    except RecursionError:
        raise ValueError("is nested too deep") from None


def _harmless(line: str) -> str:
    """JSON whose rows may hold what no terminal shall be sent: that is escaped, Korean is not."""
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in line)


def _posts(count: int) -> str:
    return "post" if count == 1 else "posts"


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[posts]}"),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    )


def _show(progress: Progress, task: TaskID, table: Table, sender: Sender, tally: Tally) -> None:
    rejected = f", {tally.count:,} rejected" if tally.count else ""
    progress.update(
        task,
        completed=table.taken_bytes,
        posts=f"{sender.accepted:,} {_posts(sender.accepted)}{rejected}",
        refresh=False,
    )


def _summarise(
    out: Console,
    settings: Settings,
    options: Options,
    accepted: int,
    tally: Tally,
    run: _Run,
    *,
    ended: bool,
) -> None:
    stopped_at = None if ended else run.at
    if options.as_json:
        first = [refused.as_json() for refused in tally.first]
        facts: dict[str, Any] = {
            "accepted": accepted,
            "rejected": tally.count,
            "stopped_at": None,
            "first_rejected": first,
            "files": [header.as_json() for header in run.headers],
        }
        if stopped_at is not None:
            facts["stopped_at"] = {"file": stopped_at.file, stopped_at.unit: stopped_at.line}
        out.print(Text(_harmless(json.dumps(facts, ensure_ascii=False, default=str))))
        return
    if stopped_at is not None:
        out.print(Text(f"Stopped at {stopped_at.file}, {stopped_at.unit} {stopped_at.line}."))
    topic = "nothing was sent (dry run)" if options.dry_run else f"sent to {settings.topics.posts}"
    out.print(Text(f"{accepted:,} {_posts(accepted)} accepted, {topic}; {tally.count:,} rejected."))
    for refused in tally.first:
        out.print(Text(f"  {refused.sentence()}"))
    if (more := tally.count - len(tally.first)) > 0:
        where = f"all are in {options.rejects}" if options.rejects else "--rejects FILE writes them all"
        out.print(Text(f"  and {more:,} more; {where}."))
