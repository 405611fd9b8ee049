"""The watch list as a worker has it: read from its topic in the background, and asked of every post."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Protocol, Self

from confluent_kafka import KafkaException, Message

from nifos_stream import logs
from nifos_stream.errors import NifosError
from nifos_stream.keywords.matcher import Matcher
from nifos_stream.keywords.topic_list import Words, note
from nifos_stream.messages import Post
from nifos_stream.metrics import Metrics
from nifos_stream.settings import Settings
from nifos_stream.topic import Offsets, TopicReader

log = logs.get("keywords")

_SETTLE_SECONDS = 1.0
"""Longest that changes wait while more come: a matcher of 5,000 words takes a few hundredths of a second."""
_PATIENCE_SECONDS = 10.0
_LOOK_SECONDS = 10.0
"""How often it is asked whether the topic is still the one that was read."""


class Reader(Protocol):
    """What is asked of a topic; TopicReader does it."""

    def begins(self) -> dict[int, int]:
        """The first offset of each partition."""

    def ends(self) -> dict[int, int]:
        """The offset after the last record of each partition."""

    def between(self, lower: Offsets, upper: Offsets) -> Iterator[Message]:
        """Every record from here to there."""

    def follow(self, start: Offsets) -> Iterator[Message | None]:
        """Records as they come, for ever; None whenever there is none for a moment."""

    def is_gone(self) -> bool:
        """Whether the topic was deleted since, made anew or not."""

    def close(self) -> None:
        """Leave."""


class WatchList:
    """Follows the topic in a thread of its own while the block runs. Until that was read, it has no word.

    A topic that cannot be read leaves the words as they were, and is tried again every `retry_seconds`; so is
    one that was deleted. One that was deleted and made anew is read from its beginning.
    """

    def __init__(
        self,
        settings: Settings,
        metrics: Metrics,
        *,
        open_reader: Callable[[], Reader] | None = None,
        retry_seconds: float = 5.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._topic = settings.topics.keywords
        self._metrics = metrics
        self._open_reader = open_reader or (
            lambda: TopicReader(settings.kafka, self._topic, patience_seconds=_PATIENCE_SECONDS)
        )
        self._retry_seconds = retry_seconds
        self._now = now
        self._matcher = Matcher()
        self._tried = threading.Event()
        self._stop = threading.Event()
        self._complaint = ""
        # It may wait for Kafka for long, which must not keep a worker from ending.
        self._thread = threading.Thread(target=self._run, name="watch-list", daemon=True)

    def matched(self, post: Post) -> Sequence[str]:
        """Words of the list that stand in the post's title or text, spelled as in the list."""
        return self._matcher.find(post.title, post.text)

    def wait(self, timeout_seconds: float) -> None:
        """Wait until the whole list was read, or could not be; it goes on without when that takes longer."""
        if not self._tried.wait(timeout_seconds):
            log.warning("watch_list.delayed", topic=self._topic, seconds=timeout_seconds)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(_SETTLE_SECONDS)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._read()
            except (NifosError, KafkaException) as error:
                self._complain(str(error))
            self._tried.set()
            self._stop.wait(self._retry_seconds)

    def _read(self) -> None:
        reader = self._open_reader()
        try:
            ends = reader.ends()
            words: Words = {}
            for message in reader.between(reader.begins(), ends):
                self._note(words, message)
            self._use(words)
            self._complaint = ""
            self._tried.set()
            self._follow(reader, ends, words)
        finally:
            reader.close()

    def _follow(self, reader: Reader, ends: Offsets, words: Words) -> None:
        changed_at: float | None = None
        look_at = self._now() + _LOOK_SECONDS
        for message in reader.follow(ends):
            if self._stop.is_set():
                return
            if self._now() >= look_at:
                if reader.is_gone():
                    return
                look_at = self._now() + _LOOK_SECONDS
            if message is not None:
                self._note(words, message)
                changed_at = self._now() if changed_at is None else changed_at
            if changed_at is not None and (message is None or self._now() - changed_at > _SETTLE_SECONDS):
                self._use(words)
                changed_at = None

    def _note(self, words: Words, message: Message) -> None:
        if not note(words, message.key(), message.value()):
            log.warning("word.ignored", partition=message.partition(), offset=message.offset())

    def _use(self, words: Words) -> None:
        self._matcher = Matcher(words.values())
        self._metrics.watch_words.set(len(words))
        self._metrics.watch_list_up.set(1)
        log.info("watch_list.read", topic=self._topic, words=len(words))

    def _complain(self, complaint: str) -> None:
        self._metrics.watch_list_up.set(0)
        if complaint != self._complaint:  # Once, not every few seconds.
            log.warning(
                "watch_list.missed", topic=self._topic, detail=complaint, goes_on_with="the words it has"
            )
        self._complaint = complaint
