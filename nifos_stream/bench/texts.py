"""Texts to measure with: people's own, or the bundled sample, all different. Knows no post and no model."""

import datetime as dt
import random
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from nifos_stream.errors import UserError
from nifos_stream.files import ALIASES, Columns, Reject, Table
from nifos_stream.local.sample import sample_posts

_NEIGHBOURS = 20
_SPREAD = 4
_MOST_READ = 200_000


def read_texts(file: Path | None) -> list[str]:
    """The texts of a file in any format that `produce` reads, each once; without one, the bundled sample's.

    UserError when the file has none.
    """
    found = _texts_of(file) if file else (post["text"] for post in sample_posts(dt.datetime.now(dt.UTC)))
    texts = list(dict.fromkeys(islice(found, _MOST_READ)))
    if not texts:
        raise UserError(f"{file} has no row with a text.")
    return texts


def different(texts: Sequence[str], count: int, seed: int = 0) -> list[str]:
    """`count` different texts of lengths like those of `texts`: these in a random order, then mixtures.

    The first of many are the same as the first of few.

    A mixture is the first half of the words of one text and the second half of those of another that is about
    as long. UserError where so many cannot be made.
    """
    chance = random.Random(seed)
    made = dict.fromkeys(chance.sample(texts, len(texts))[:count])
    by_length = sorted(texts, key=len)
    for _ in range(50 * count):
        if len(made) >= count:
            return list(made)
        first = chance.randrange(len(by_length))
        # The more there are, the further apart: pairs of neighbours alone would run out.
        apart = max(_NEIGHBOURS, _SPREAD * len(made) // len(texts))
        second = min(max(0, first + chance.randint(-apart, apart)), len(by_length) - 1)
        made[_mixture(by_length[first], by_length[second])] = None
    raise UserError(
        f"{len(texts):,} texts are too few to make {count:,} different ones; give more with --texts."
    )


def with_repeats(texts: Sequence[str], share: float, seed: int = 0) -> list[str]:
    """As many texts, of which about `share` were there before: people pass on what others wrote."""
    chance = random.Random(seed)
    new = iter(texts)
    given: list[str] = [next(new)]
    while len(given) < len(texts):
        given.append(chance.choice(given) if chance.random() < share else next(new))
    return given


def _mixture(first: str, second: str) -> str:
    head, tail = first.split(), second.split()
    return " ".join(head[: (len(head) + 1) // 2] + tail[(len(tail) + 1) // 2 :])


def _texts_of(file: Path) -> Iterator[str]:
    columns = Columns({}, {"text": ALIASES["text"]})
    with Table(file, columns) as table:
        for row in table:
            if isinstance(row, Reject):
                continue
            for column in columns.resolve(row.values):
                if (text := row.values[column]) and str(text).strip():
                    yield str(text)
