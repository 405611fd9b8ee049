"""`tail`: labelled posts as lines, the last ones and those that come. Commits nothing, joins no group."""

import datetime as dt
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import BinaryIO, Protocol

from pydantic import ValidationError
from rich.console import Console
from rich.text import Text

from nifos_stream.commands.labelled import Event, LabelledTopic
from nifos_stream.counters.wanted import Filter
from nifos_stream.messages import LabelledPost
from nifos_stream.settings import Settings
from nifos_stream.watch.look import COLOURS, fitted, label_text, moment, plain

_SOURCE_CELLS = 12
_NARROW_CELLS = 60
_LEAST_TEXT_CELLS = 10


def tail(
    settings: Settings,
    wanted: Filter,
    *,
    last: int = 10,
    from_beginning: bool = False,
    follow: bool = True,
    as_json: bool = False,
    console: Console | None = None,
    out: BinaryIO | None = None,
    err: Console | None = None,
) -> None:
    """Show the last `last` posts that `wanted` accepts, or all, then those that come, until Ctrl-C.

    as_json: the events' bytes as they are on the topic, one a line, to `out`. UserError for a missing topic
    or an unknown broker.
    """
    console = console or Console(soft_wrap=True, highlight=False)
    screen: _Show = _Bytes(out or sys.stdout.buffer) if as_json else _Lines(console, settings.zone)

    def accepts(event: Event) -> bool:
        return not wanted or (
            (post := parse(event.value, settings.zone)) is not None and _accepts(wanted, post)
        )

    shown = 0
    with closing(LabelledTopic(settings)) as topic:
        for event in _events(topic, accepts, last, err, from_beginning=from_beginning, follow=follow):
            if event is None:
                screen.flush()
            else:
                screen.show(event)
                shown += 1
        screen.flush()
    if not shown and not follow:
        said = "No labelled post is like this." if wanted else "There is no labelled post yet."
        (err or Console(stderr=True)).print(said)


def _events(
    topic: LabelledTopic,
    accepts: Callable[[Event], bool],
    last: int,
    err: Console | None,
    *,
    from_beginning: bool,
    follow: bool,
) -> Iterator[Event | None]:
    """Accepted events: the old ones that are wanted, then the new; None when there is none for a moment."""
    start = topic.starts if from_beginning else topic.ends
    if not from_beginning and last > 0:
        events, complete = topic.last(last, accepts)
        yield from events
        if not complete:
            (err or Console(stderr=True)).print("Older posts were not looked at.", style="dim")
        yield None
    if follow:
        yield from (event for event in topic.follow(start) if event is None or accepts(event))
    elif from_beginning:
        yield from filter(accepts, topic.between(topic.starts, topic.ends))


def _accepts(wanted: Filter, post: LabelledPost) -> bool:
    keywords = (*(post.keywords or ()), *post.matched_keywords)
    return wanted.accepts(
        post.sentiment.label, post.source, post.channel, keywords, f"{post.title or ''}\n{post.text}"
    )


def parse(value: bytes, zone: dt.tzinfo) -> LabelledPost | None:
    """The labelled post in an event; None when it is none."""
    try:
        return LabelledPost.model_validate_json(value, context={"timezone": zone})
    except ValidationError:
        return None


def line(post: LabelledPost, event: Event, now: dt.datetime, cells: int | None) -> Text:
    """One post on one line: when it was written, label, score, source and text.

    now: aware, in the time zone that times are shown in. cells: width of the terminal, which the text is cut
    to; None leaves it whole.
    """
    written = post.created_at or dt.datetime.fromtimestamp(max(0, event.timestamp_ms) / 1000, dt.UTC)
    narrow = cells is not None and cells < _NARROW_CELLS
    when = moment(written, now)
    start = Text().append(when[6:] if narrow and when[5:6] == " " else when, style="dim")
    start.append(" ").append_text(label_text(post.sentiment.label)).append(
        f" {post.sentiment.score:.2f} ", style=COLOURS[post.sentiment.label]
    )
    if not narrow:
        start.append(fitted(plain(post.source or "–"), _SOURCE_CELLS) + " ", style="cyan")
    text = plain(f"{post.title} · {post.text}" if post.title else post.text)
    if cells is not None:
        text = fitted(text, max(_LEAST_TEXT_CELLS, cells - start.cell_len)).rstrip()
    return start.append(text)


class _Show(Protocol):
    """Where events go."""

    def show(self, event: Event) -> None:
        """One more."""

    def flush(self) -> None:
        """None for a moment: what is held back goes out."""


class _Bytes:
    """Events as they are, one a line."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def show(self, event: Event) -> None:
        # In JSON a line break can only stand where a space could.
        self._out.write(event.value.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n")

    def flush(self) -> None:
        self._out.flush()


class _Lines:
    """Events for people."""

    def __init__(self, console: Console, zone: dt.tzinfo) -> None:
        self._console = console
        self._zone = zone

    def show(self, event: Event) -> None:
        post = parse(event.value, self._zone)
        cells = self._console.width if self._console.is_terminal else None
        if post is None:
            place = f"partition {event.partition}, offset {event.offset}"
            shown = Text(f"(no labelled post at {place})", style="dim")
        else:
            shown = line(post, event, dt.datetime.now(self._zone), cells)
        self._console.print(shown, soft_wrap=True)

    def flush(self) -> None:
        self._console.file.flush()
