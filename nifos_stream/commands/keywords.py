"""`keywords`: the watch list, changed and shown."""

import datetime as dt
import json
from collections.abc import Iterable, Sequence

from rich.table import Table

from nifos_stream.commands import tables
from nifos_stream.keywords import topic_list
from nifos_stream.keywords.topic_list import Change
from nifos_stream.keywords.word import Word
from nifos_stream.settings import Settings


def add(settings: Settings, words: Sequence[str], *, compounds: bool) -> list[str]:
    """Put words on the list; a sentence for each. UserError when one can be no word."""
    changes = topic_list.add(
        settings, words, compounds=compounds, utcnow=lambda: dt.datetime.now(dt.UTC).replace(microsecond=0)
    )
    return [_added(change) for change in changes]


def remove(settings: Settings, words: Sequence[str]) -> list[str]:
    """Take words off the list; a sentence for each. UserError when one can be no word."""
    return [
        f"{change.word.spelling}: {'removed' if change.was_there else 'was not there'}"
        for change in topic_list.remove(settings, words)
    ]


def shown(settings: Settings) -> list[Word]:
    """The list in the order of its words. UserError when it cannot be read."""
    return sorted(topic_list.read(settings).values(), key=lambda word: word.spelling)


def as_json(words: Iterable[Word]) -> str:
    """The list as one line of JSON."""
    rows = [
        {
            "word": word.spelling,
            "added_at": word.added_at and word.added_at.isoformat(),
            "compounds": word.compounds,
        }
        for word in words
    ]
    return json.dumps(rows, ensure_ascii=False)


def table(words: Sequence[Word], zone: dt.tzinfo) -> Table | str:
    """The list as a table; a sentence when it is empty."""
    if not words:
        return "The watch list is empty; `nifos-stream keywords add WORD` begins one."
    shown = tables.table("word", "found in", "added")
    for word in words:
        added = "" if word.added_at is None else f"{word.added_at.astimezone(zone):%Y-%m-%d %H:%M}"
        shown.add_row(word.spelling, _found_in(word), added)
    return shown


def _added(change: Change) -> str:
    word = change.word
    sentence = f"{word.spelling}: {'was there' if change.was_there else 'added'}, found in {_found_in(word)}"
    if len(word.spelling) == 1 and not word.compounds:
        sentence += "; so short a word is found in others, too, as 불 with the particle 만 reads like 불만"
    return sentence


def _found_in(word: Word) -> str:
    return "longer words, too" if word.compounds else "whole words"
