"""Rows of a file with what a model says of them: the input's columns, then ours. Knows no file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nifos_stream.files.columns import free_name
from nifos_stream.messages import LABELS
from nifos_stream.model.reading import Reading, SentenceReading, Unread

READ = ("label", "label_ko", "score", *(label.value for label in LABELS))
PROBLEM = "problem"
SENTENCE = ("row", "sentence_number", "sentence")


@dataclass(frozen=True, slots=True)
class Layout:
    """Names and order of the columns that are written.

    names: {what is added: its name}; `label` is `label_2` where the input has a column `label`.
    sentences: one row for each sentence of a text; the input's columns, the text too, are repeated in each.
    """

    columns: tuple[str, ...]
    names: Mapping[str, str]
    sentences: bool

    def rows(
        self, number: int, values: Mapping[str, Any], text_column: str | None, reading: Reading | Unread
    ) -> Iterator[dict[str, Any]]:
        """Yield what is written for row `number` of the input; counted from 1."""
        if isinstance(reading, Unread):
            told = {"row": number, PROBLEM: reading.detail} if self.sentences else {PROBLEM: reading.detail}
            yield {**values, **self._named(told)}
        elif not self.sentences:
            yield {**values, **self._named(_told(reading))}
        else:
            text = "" if text_column is None else str(values[text_column])
            for place, (sentence, said) in enumerate(_sentences(text, reading), 1):
                found = {"row": number, "sentence_number": place, "sentence": sentence} | _told(said)
                yield {**self._named(found), **values}

    def _named(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {self.names[name]: value for name, value in values.items()}


def layout(columns: Sequence[str], *, sentences: bool) -> Layout:
    """Lay out rows of an input with these columns."""
    added = (*SENTENCE, *READ, PROBLEM) if sentences else (*READ, PROBLEM)
    names = {name: free_name(name, columns) for name in added}
    if not sentences:
        return Layout((*columns, *names.values()), names, sentences=False)
    *first, problem = names.values()
    return Layout((*first, *columns, problem), names, sentences=True)


def _told(reading: Reading | SentenceReading) -> dict[str, Any]:
    shares = {label.value: share for label, share in zip(LABELS, reading.probabilities, strict=True)}
    told = {"label": reading.label.value, "label_ko": reading.label_ko, "score": reading.score}
    return told | shares


def _sentences(text: str, reading: Reading) -> Iterator[tuple[str, Reading | SentenceReading]]:
    if not reading.sentences:
        yield text.strip(), reading
    for sentence in reading.sentences:
        yield text[sentence.start : sentence.end], sentence
