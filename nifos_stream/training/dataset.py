"""Labelled rows of a file: read, counted, and split in two. Knows nothing of models."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nifos_stream.errors import UserError
from nifos_stream.files.columns import ALIASES, Columns
from nifos_stream.files.rows import Reject, Row
from nifos_stream.files.table import Table
from nifos_stream.messages import LABELS, LABELS_KO, Label
from nifos_stream.training import corpus

FIELDS: Mapping[str, Sequence[str]] = {
    "text": ("sentence", *ALIASES["text"]),
    "label": ("sentiment", "label", "labels", "감성", "감정", "라벨", "긍부정", "class", "target"),
    "source": ALIASES["source"],
}
"""Names of the columns of labelled files, the likeliest first."""
WORDS: dict[str, Label] = {
    **{word: label for label in LABELS for word in (label.value, label.value[:3], LABELS_KO[label])},
    "부정적": Label.NEGATIVE,
    "중립적": Label.NEUTRAL,
    "긍정적": Label.POSITIVE,
}
"""Labels as people write them, in small letters."""
NUMBERS: dict[str, Label] = {str(number): label for number, label in enumerate(LABELS)}
EXAMPLES = 3
# An empty cell as spreadsheets and data frames write it; "none" may be what a person wrote as text.
_NO_TEXT = {"", "nan"}
_NO_LABEL = {*_NO_TEXT, "none", "null", "<na>", "n/a"}
NO_SOURCE = "all"


@dataclass(frozen=True, slots=True)
class Taken:
    """What one written label was taken for, in how many rows, with the first texts that carry it."""

    written: str
    label: Label
    rows: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Contradiction:
    """One text that carries two or more labels in one file."""

    text: str
    labels: tuple[Label, ...]


@dataclass(frozen=True, slots=True)
class Dataset:
    """The rows of a labelled file that are worth something, and what became of the others.

    missing: rows without text or label. duplicates: rows that repeat the text and label of an earlier one.
    unreadable: rows of the file that could not be read. sha256: of the file as it lies on disk.
    """

    name: str
    sha256: str
    rows: tuple[corpus.Row, ...]
    taken: tuple[Taken, ...]
    missing: int
    duplicates: int
    unreadable: tuple[Reject, ...]
    contradictions: tuple[Contradiction, ...]

    def by_source(self) -> dict[str, dict[str, int]]:
        """{source: {label: rows}}."""
        return count(self.rows)


def read(
    path: Path,
    *,
    columns: Mapping[str, str] | None = None,
    numbers: Mapping[str, Label] = NUMBERS,
    repeated: bool = False,
) -> Dataset:
    """Read a labelled file of any format that posts are read from.

    columns: {"text" | "label" | "source": name of its column}, where the names do not say it themselves.
    numbers: what each number stands for. repeated: keep rows that repeat another, as a test set counts them.
    UserError names the line of a label that means nothing.
    """
    reading = _Reading(numbers, repeated)
    found = Columns(columns, FIELDS)
    with Table(path, found) as table:
        if table.columns is not None and "label" not in found.resolve(table.columns).values():
            raise UserError(
                f"{path} has no column for the label; its columns are {', '.join(table.columns)}."
                " Say which it is with --column label=NAME."
            )
        for row in table:
            reading.add(row, found, f"{path}, {table.unit}")
    if not reading.rows:
        raise UserError(f"{path} has no row with both a text and a label.")
    return Dataset(
        name=path.name,
        sha256=corpus.fingerprint(path),
        rows=tuple(reading.rows),
        taken=tuple(reading.taken()),
        missing=reading.missing,
        duplicates=reading.duplicates,
        unreadable=tuple(reading.unreadable),
        contradictions=tuple(reading.contradictions()),
    )


def parse_labels(said: str) -> dict[str, Label]:
    """What numbers stand for, from `부정,긍정,중립` (counted from 0) or `1=부정,2=중립,3=긍정`.

    UserError when it is not each of the three labels once.
    """
    parts = [part.strip() for part in said.split(",")]
    pairs = [part.split("=", 1) if "=" in part else [str(place), part] for place, part in enumerate(parts)]
    meant = {number.strip(): WORDS.get(word.strip().lower()) for number, word in pairs}
    labels = {number: label for number, label in meant.items() if label is not None}
    if len(parts) != len(LABELS) or set(labels.values()) != set(LABELS):
        raise UserError(
            f"Labels {said!r} are not 부정, 중립 and 긍정, each once, in the order of their numbers."
        )
    return labels


def split(
    rows: Sequence[corpus.Row], *, share: float = 0.2, seed: int = 42
) -> tuple[list[corpus.Row], list[corpus.Row]]:
    """Split in training and validation rows, so that each label has its `share` of validation rows.

    A text that stands there twice, with two labels, is on one side. Both sides keep the order of `rows`.
    """
    texts: defaultdict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        texts[plain(row.text)].append(place)
    by_label: defaultdict[int, list[list[int]]] = defaultdict(list)
    for places in texts.values():
        by_label[rows[places[0]].label].append(places)
    random = np.random.default_rng(seed)
    chosen: set[int] = set()
    for _, groups in sorted(by_label.items()):
        for group in random.permutation(len(groups))[: round(len(groups) * share)].tolist():
            chosen.update(groups[group])
    train = [row for place, row in enumerate(rows) if place not in chosen]
    return train, [row for place, row in enumerate(rows) if place in chosen]


def without(rows: Sequence[corpus.Row], others: Sequence[corpus.Row]) -> list[corpus.Row]:
    """Return the rows whose text is not among those of `others`."""
    known = {plain(row.text) for row in others}
    return [row for row in rows if plain(row.text) not in known]


def count(rows: Sequence[corpus.Row]) -> dict[str, dict[str, int]]:
    """Return {source: {label: rows}}, sources by name, labels in order."""
    counts: dict[str, dict[str, int]] = {}
    for source in sorted({row.source for row in rows}):
        counts[source] = dict.fromkeys((label.value for label in LABELS), 0)
    for row in rows:
        counts[row.source][LABELS[row.label].value] += 1
    return counts


def plain(text: str) -> str:
    """Return the text without what is written differently and read alike: Unicode form and spaces."""
    return " ".join(unicodedata.normalize("NFC", text).split())


@dataclass(slots=True)
class _Reading:
    """Takes row after row."""

    numbers: Mapping[str, Label]
    repeated: bool
    rows: list[corpus.Row] = field(default_factory=list)
    missing: int = 0
    duplicates: int = 0
    unreadable: list[Reject] = field(default_factory=list)
    _seen: dict[str, dict[int, None]] = field(default_factory=dict)
    _written: dict[str, list[int]] = field(default_factory=dict)

    def add(self, row: Row | Reject, columns: Columns, where: str) -> None:
        if isinstance(row, Reject):
            self.unreadable.append(row)
            return
        fields = {name: row.values[column] for column, name in columns.resolve(row.values).items()}
        text, written = _text(fields.get("text")), _label(fields.get("label"))
        if text is None or written is None:
            self.missing += 1
            return
        label = WORDS.get(written, self.numbers.get(written))
        if label is None:
            raise UserError(
                f"{where} {row.line}: the label {written!r} is none of {', '.join(self.numbers)}, "
                "부정, 중립, 긍정, negative, neutral, positive; --labels says what other numbers stand for."
            )
        number = LABELS.index(label)
        labels = self._seen.setdefault(plain(text), {})
        if number in labels and not self.repeated:
            self.duplicates += 1
            return
        labels[number] = None
        self._written.setdefault(written, []).append(len(self.rows))
        self.rows.append(corpus.Row(text, number, _text(fields.get("source")) or NO_SOURCE))

    def taken(self) -> Iterator[Taken]:
        for written, places in sorted(self._written.items()):
            rows = [self.rows[place] for place in places]
            examples = tuple(row.text for row in rows[:EXAMPLES])
            yield Taken(written, LABELS[rows[0].label], len(rows), examples)

    def contradictions(self) -> Iterator[Contradiction]:
        for text, labels in self._seen.items():
            if len(labels) > 1:
                yield Contradiction(text, tuple(LABELS[label] for label in sorted(labels)))


def _text(value: Any) -> str | None:
    return None if value is None or str(value).strip().lower() in _NO_TEXT else str(value)


def _label(value: Any) -> str | None:
    """A label as it was written, in small letters; 1.0 is what spreadsheets make of 1."""
    written = "" if value is None else unicodedata.normalize("NFC", str(value)).strip().lower()
    return None if written in _NO_LABEL else written.removesuffix(".0")
