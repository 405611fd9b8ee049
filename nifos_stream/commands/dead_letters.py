"""`dead-letters`: list what could not be labelled, and send it in again, each letter once."""

import datetime as dt
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from rich.table import Table
from rich.text import Text

from nifos_stream.commands import tables
from nifos_stream.commands.letters import Kept, LetterTopic, Place
from nifos_stream.commands.mended import MendedFile, exact, shown
from nifos_stream.commands.resending import Resender, Resent, TooLarge
from nifos_stream.errors import Reason, UserError
from nifos_stream.kafka import connect, topic_facts
from nifos_stream.messages import DeadLetter
from nifos_stream.settings import Settings

BATCH_BYTES = 4_000_000
SHOWN_CHARACTERS = 60


def list_letters(
    settings: Settings, *, reason: str | None = None, only_waiting: bool = False
) -> Iterator[DeadLetter]:
    """The dead letters that are there now, by partition in the order in which they were written.

    reason: only those with this reason. only_waiting: without those that were sent in again.
    UserError when Kafka or the topic cannot be had, or there is no such reason.
    """
    wanted = _reason(reason)
    with closing(LetterTopic(settings)) as topic:
        ends = topic.ends(with_open_transactions=False)
        marked = topic.marked(ends)
        for kept in topic.letters(ends):
            redriven = kept.place in marked
            if wanted in (None, kept.letter.reason) and not (only_waiting and redriven):
                yield _described(kept, redriven=redriven)


def _reason(name: str | None) -> str | None:
    if name is not None and name not in set(Reason):
        raise UserError(f"There is no reason {name!r}; the reasons are {', '.join(sorted(Reason))}.")
    return name


def _described(kept: Kept, *, redriven: bool) -> DeadLetter:
    letter = kept.letter
    return DeadLetter(
        partition=kept.place[0],
        offset=kept.place[1],
        reason=letter.reason,
        detail=letter.detail,
        origin=letter.origin,
        failed_at=letter.failed_at,
        version=letter.version,
        redriven=redriven,
        key=shown(kept.key),
        value=shown(kept.value),
        key_base64=exact(kept.key),
        value_base64=exact(kept.value),
    )


def table(letters: Iterable[DeadLetter], zone: dt.tzinfo) -> Table:
    """Letters for a terminal, times in `zone`; of the message only the beginning, without control characters.

    What is needed to choose letters is never cut; what explains them is folded.
    """
    told_in = "why, where from, and what"
    rows = tables.table("place", "failed at", "again", "reason", told_in, folded=told_in)
    for letter in letters:
        origin = letter.origin
        told = Text(_harmless(letter.detail))
        told.append(f"\n{_harmless(origin.topic)} {origin.partition}:{origin.offset}  ", style="dim")
        told.append("(none)" if letter.value is None else _beginning(letter.value))
        rows.add_row(
            f"{letter.partition}:{letter.offset}",
            f"{letter.failed_at.astimezone(zone):%Y-%m-%d %H:%M}",
            "yes" if letter.redriven else "no",
            Text(_harmless(letter.reason)),
            told,
        )
    return rows


def _beginning(text: str) -> str:
    start = _harmless(text[:SHOWN_CHARACTERS])
    return start + ("…" if len(text) > SHOWN_CHARACTERS else "")


def _harmless(text: str) -> str:
    """What a stranger wrote must not steer the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


@dataclass(frozen=True, slots=True)
class RedriveResult:
    """How many letters a redrive dealt with, and how."""

    sent: int = 0
    mended: int = 0
    """Of those sent, the ones that the file changed."""
    skipped: int = 0
    """Chosen, but sent in again before."""
    unknown: int = 0
    """In the file, but not in the topic (any more)."""
    elsewhere: int = 0
    """Chosen, but from another input topic."""
    too_large: int = 0
    """Chosen, but larger than the input topic takes."""

    @property
    def left(self) -> int:
        """Letters asked for that were not sent, now or before."""
        return self.unknown + self.elsewhere + self.too_large

    def to_json(self) -> str:
        """The result for a program, on one line."""
        return json.dumps(asdict(self))

    def sentence(self) -> str:
        """The result for a person."""
        parts = [
            f"Sent {self.sent} dead letter{'s' * (self.sent != 1)} in again"
            + (f", {self.mended} of them mended" * bool(self.mended))
        ]
        notes = {
            "skipped, because they had been sent before": self.skipped,
            "not found in the dead-letter topic": self.unknown,
            "left, because they came from another topic": self.elsewhere,
            "left, because they are larger than the input topic takes": self.too_large,
        }
        return "; ".join(parts + [f"{count} {note}" for note, count in notes.items() if count]) + "."


def redrive(
    settings: Settings,
    *,
    file: Path | None = None,
    reason: str | None = None,
    everything: bool = False,
    report: Callable[[RedriveResult], None] = lambda _: None,
) -> RedriveResult:
    """Send dead letters to the input topic, each once, and mark them as sent in the same transaction.

    Exactly one of: file, as `dead-letters list --json` writes it, perhaps mended (see MendedFile); reason,
    for all letters with it; everything. A letter goes to the partition that it came from, with its own key
    and headers. report: told how far it is after every transaction. Letters that fail again while this runs
    are left for the next time. UserError, BrokerUnavailable: what was sent until then is marked.
    """
    if [file is not None, reason is not None, everything].count(True) != 1:
        raise UserError("Say in one way which letters to send in again: a file, --reason, or --all.")
    wanted = _reason(reason)
    with ExitStack() as stack:
        mended = None if file is None else MendedFile(file)
        if mended is not None:
            stack.callback(mended.close)
        topic = stack.enter_context(closing(LetterTopic(settings)))
        resender = Resender(settings, partitions=_input_partitions(settings))
        # After the resender has ended any other: whatever that one sent is marked before these ends.
        ends = topic.ends(with_open_transactions=True)
        chosen = (kept for kept in topic.letters(ends) if wanted in (None, kept.letter.reason))
        return _Redrive(settings.topics.posts, resender, report).run(chosen, topic.marked(ends), mended)


def _input_partitions(settings: Settings) -> int:
    name = settings.topics.posts
    facts = topic_facts(connect(settings.kafka), [name])
    if name not in facts:
        raise UserError(f"Topic {name} does not exist; `nifos-stream topics create` makes it.")
    return facts[name].partitions


class _Redrive:
    """One run: goes through the letters, and gathers what to send into batches."""

    def __init__(self, input_topic: str, resender: Resender, report: Callable[[RedriveResult], None]) -> None:
        self._input_topic = input_topic
        self._resender = resender
        self._report = report
        self._result = RedriveResult()

    def run(self, chosen: Iterable[Kept], marked: set[Place], mended: MendedFile | None) -> RedriveResult:
        missing = set() if mended is None else mended.places()
        batch: list[Resent] = []
        size = 0
        for kept in chosen:
            if mended is not None and (kept.place not in missing or not mended.same(kept)):
                continue
            missing.discard(kept.place)
            if kept.letter.origin.topic != self._input_topic:
                self._count(elsewhere=1)
            elif kept.place in marked:
                self._count(skipped=1)
            else:
                key, value = (kept.key, kept.value) if mended is None else mended.content(kept)
                batch.append(Resent(kept, key, value))
                size += batch[-1].size
            if len(batch) >= self._resender.batch_letters or size >= BATCH_BYTES:
                self._send(batch)
                batch, size = [], 0
        self._send(batch)
        self._count(unknown=len(missing))
        return self._result

    def _send(self, batch: Sequence[Resent]) -> None:
        """Send a batch; where a message in it is too large, by halves, until that one is left alone."""
        if not batch:
            return
        try:
            self._resender.send(batch)
        except TooLarge:
            if len(batch) == 1:
                self._count(too_large=1)
                return
            self._send(batch[: len(batch) // 2])
            self._send(batch[len(batch) // 2 :])
            return
        changed = sum((item.key, item.value) != (item.kept.key, item.kept.value) for item in batch)
        self._count(sent=len(batch), mended=changed)
        self._report(self._result)

    def _count(self, **more: int) -> None:
        now = {name: getattr(self._result, name) + count for name, count in more.items()}
        self._result = replace(self._result, **now)
