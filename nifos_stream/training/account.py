"""What a person should know of a labelled file before anything is made of it, in lines of text."""

from collections.abc import Iterator

from nifos_stream.messages import LABELS_KO
from nifos_stream.training.dataset import EXAMPLES, Dataset

SHOWN_CHARACTERS = 60


def of(data: Dataset) -> Iterator[str]:
    """Say what each written label was taken for, what was dropped, and what contradicts itself."""
    yield f"{data.name}: {len(data.rows):,} labelled texts"
    for taken in data.taken:
        korean = LABELS_KO[taken.label]
        yield f"  {taken.written!r} is taken for {korean} ({taken.label}): {taken.rows:,} texts, such as"
        yield from (f"      {shortened(text)}" for text in taken.examples)
    if data.missing:
        yield f"  dropped: {data.missing:,} rows without text or label"
    if data.duplicates:
        yield f"  dropped: {data.duplicates:,} rows that repeat the text and label of an earlier one"
    if data.unreadable:
        yield f"  dropped: {len(data.unreadable):,} rows that cannot be read, such as"
        yield from (f"      line {row.line}: {row.reason}" for row in data.unreadable[:EXAMPLES])
    if data.contradictions:
        yield f"  {len(data.contradictions):,} texts carry two labels (they are kept), such as"
        for one in data.contradictions[:EXAMPLES]:
            yield f"      {shortened(one.text)} ({', '.join(LABELS_KO[label] for label in one.labels)})"
    if len(counts := data.by_source()) > 1:
        yield "  by source: " + ", ".join(f"{name} {sum(rows.values()):,}" for name, rows in counts.items())


def shortened(text: str) -> str:
    """Return one line of at most SHOWN_CHARACTERS."""
    # A text may hold what would command a terminal.
    line = "".join(character if character.isprintable() else " " for character in text)
    line = " ".join(line.split())
    return line if len(line) <= SHOWN_CHARACTERS else line[: SHOWN_CHARACTERS - 1] + "…"
