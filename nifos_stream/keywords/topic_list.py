"""Read and change the watch list in its topic. Each word is a record of its own, so changes never collide."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from nifos_stream import kafka
from nifos_stream.errors import BrokerUnavailable, UserError
from nifos_stream.keywords.word import Word, decode, key_of, spelled, value_of
from nifos_stream.messages import folded
from nifos_stream.settings import Settings
from nifos_stream.topic import TopicReader

MOST_WORDS = 10_000

Words = dict[str, Word]
"""The list, by spelling."""


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one word. was_there: before, under this spelling or one that differs in case alone."""

    word: Word
    was_there: bool


def note(words: Words, key: bytes | None, value: bytes | None) -> bool:
    """Take one record into `words`; false when it is no word, or more than a list may hold.

    A record without a value, or with an empty one, takes its word off.
    """
    try:
        word = decode(key, value or b"")
    except ValueError:
        return False
    words.pop(word.spelling, None)
    if value and len(words) >= MOST_WORDS:
        return False
    if value:
        words[word.spelling] = word
    return True


def read(settings: Settings) -> Words:
    """The list as it is now. UserError when it cannot be read, BrokerUnavailable when Kafka goes silent."""
    words: Words = {}
    with TopicReader(settings.kafka, settings.topics.keywords, patience_seconds=10.0) as reader:
        for message in reader.all():
            note(words, message.key(), message.value())
    return words


def add(
    settings: Settings, written: Iterable[str], *, compounds: bool, utcnow: Callable[[], dt.datetime]
) -> list[Change]:
    """Put words on the list. One that is there keeps its spelling and its date.

    UserError for what can be no word, for a list that would be too long, and for a topic that forgets.
    """
    spellings = _spelled(written)
    refuse_forgetful(settings)
    there = read(settings)
    by_fold = {folded(spelling): word for spelling, word in there.items()}
    changes = []
    for spelling in spellings:
        old = by_fold.get(folded(spelling))
        new = Word(old.spelling if old else spelling, compounds, old.added_at if old else utcnow())
        changes.append(Change(new, old is not None))
        by_fold[folded(spelling)] = new
    if len(by_fold) > MOST_WORDS:
        raise UserError(f"The watch list holds at most {MOST_WORDS:,} words.")
    _write(
        settings,
        [
            (key_of(each.word), value_of(each.word))
            for each in changes
            if each.word != there.get(each.word.spelling)
        ],
    )
    return changes


def remove(settings: Settings, written: Iterable[str]) -> list[Change]:
    """Take words off the list, whatever their case. UserError for what can be no word."""
    spellings = _spelled(written)
    there: dict[str, list[Word]] = {}
    for word in read(settings).values():
        there.setdefault(folded(word.spelling), []).append(word)
    changes = []
    for spelling in spellings:
        words = there.pop(folded(spelling), None)
        changes += [Change(word, True) for word in words or ()] or [Change(Word(spelling), False)]
    _write(settings, [(key_of(each.word), None) for each in changes if each.was_there])
    return changes


def _spelled(written: Iterable[str]) -> list[str]:
    spellings: dict[str, None] = {}
    for each in written:
        try:
            spellings[spelled(each)] = None
        except ValueError as error:
            raise UserError(f"{each!r} cannot be watched: it {error}.") from None
    return list(spellings)


def refuse_forgetful(settings: Settings) -> None:
    """UserError when the topic drops words as they grow old."""
    topic = settings.topics.keywords
    facts = kafka.topic_facts(kafka.connect(settings.kafka), [topic])
    if topic in facts and not facts[topic].compacted:
        raise UserError(f"Topic {topic} forgets: it needs cleanup.policy=compact to keep a watch list.")


def _write(settings: Settings, records: Sequence[tuple[bytes, bytes | None]]) -> None:
    """Write records and wait until Kafka has them. UserError, BrokerUnavailable when it takes them not."""
    refused: list[KafkaError] = []

    def delivered(error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            refused.append(error)

    topic = settings.topics.keywords
    patience_ms = int(settings.kafka.startup_timeout_seconds * 1000)
    producer = Producer(kafka.producer_config(settings.kafka, {"message.timeout.ms": patience_ms}))
    try:
        for key, value in records:
            producer.produce(topic, value, key, on_delivery=delivered)
    except KafkaException as error:
        refused.append(error.args[0])
    producer.flush()
    if refused:
        said = refused[0].str().rstrip(".")
        if refused[0].code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
            raise UserError(f"Writing to topic {topic} is not permitted.")
        raise BrokerUnavailable(f"Kafka did not take every word: {said}.")
