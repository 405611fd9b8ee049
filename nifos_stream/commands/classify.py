"""`classify`: label texts given on the command line, or the rows of a file."""

import json
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from nifos_stream.commands import labelled_rows, row_writer
from nifos_stream.commands.labelled_rows import PROBLEM
from nifos_stream.errors import UserError
from nifos_stream.files import Columns, Format, Reject, Row, Table, parse_mapping
from nifos_stream.messages import LABELS, Label
from nifos_stream.model.reading import Reading, Unread
from nifos_stream.settings import ModelSettings
from nifos_stream.watch.look import label_text, plain

if TYPE_CHECKING:
    from nifos_stream.model import Classifier

ROWS_PER_CALL = 512
# Rows of JSON have no header; the columns of a table made of them are those of so many first rows.
ROWS_FOR_COLUMNS = 1000
# A post of a blog has hundreds of sentences, and whoever asks for sentences wants them all.
ALL_SENTENCES = 1_000_000
SHOWN_PROBLEMS = 5
UNLABELLED_EXIT_CODE = 1


@dataclass(frozen=True, slots=True)
class ClassifyOptions:
    """file: `-` is standard input. out: where its rows go; without it, or `-`, JSONL on standard output.

    columns: FIELD=NAME, such as text=본문. sentences: one row for each sentence, with the number of its row.
    """

    model: ModelSettings = field(default_factory=ModelSettings)
    file: str | None = None
    out: str | None = None
    columns: Sequence[str] = ()
    format: Format = Format.AUTO
    sentences: bool = False
    as_json: bool = False


def run_classify(
    texts: Sequence[str],
    options: ClassifyOptions,
    *,
    stdin: BinaryIO | None = None,
    stdout: TextIO | None = None,
    console: Console | None = None,
    err: Console | None = None,
) -> int:
    """Label `texts`, or the rows of `options.file`; the exit code, 1 when some have no label.

    UserError when it is not one of the two, or when file, model or output do not hold.
    """
    if texts and (options.file is not None or options.out is not None):
        raise UserError("Give texts, or --file (with --out), not both.")
    if texts:
        return _answer(texts, options, console or Console(soft_wrap=True, highlight=False))
    if options.file is None:
        raise UserError("Give texts, or --file FILE (- is standard input).")
    err = err or Console(stderr=True, soft_wrap=True, highlight=False)
    return _Labelling(options, err).run(options.file, options.out or row_writer.STDOUT, stdin, stdout)


def _classifier(options: ClassifyOptions) -> "Classifier":
    from nifos_stream.model import load_model

    settings = options.model
    if options.sentences:
        settings = settings.model_copy(update={"sentences": "always", "max_sentences": ALL_SENTENCES})
    return load_model(settings.path, settings=settings)


def _answer(texts: Sequence[str], options: ClassifyOptions, console: Console) -> int:
    """Label texts of the command line, one line each (or one for each sentence)."""
    layout = labelled_rows.layout(("text",), sentences=options.sentences)
    shown = "sentence" if options.sentences else "text"
    code = 0
    for number, (text, reading) in enumerate(
        zip(texts, _classifier(options).classify(texts), strict=True), 1
    ):
        for row in layout.rows(number, {"text": text}, "text", reading):
            if PROBLEM in row:
                code = UNLABELLED_EXIT_CODE
            console.print(Text(json.dumps(row, ensure_ascii=False)) if options.as_json else _line(row, shown))
    return code


def _line(row: dict[str, Any], shown: str) -> Text:
    if PROBLEM in row:
        return Text(f"{plain(row['text'])!r}: {row[PROBLEM]}")
    shares = "  ".join(f"{label.value} {row[label.value]:.3f}" for label in LABELS)
    return Text("  ").join([label_text(Label(row["label"])), Text(shares), Text(plain(row[shown]))])


class _Labelling:
    """One call of `classify --file`."""

    def __init__(self, options: ClassifyOptions, err: Console) -> None:
        self._options = options
        self._columns = Columns(parse_mapping(options.columns))
        self._err = err
        self._rows = 0
        self._problems: list[str] = []
        self._problem_count = 0

    def run(self, file: str, out: str, stdin: BinaryIO | None, stdout: TextIO | None) -> int:
        """1. See that the output can be written. 2. Read, label and write. 3. Say how it went."""
        if out != row_writer.STDOUT:
            row_writer.kind_of(Path(out))
            if file != "-" and Path(out).exists() and Path(file).exists() and Path(out).samefile(file):
                raise UserError(f"--out would overwrite {file}, which is to be read.")
        with ExitStack() as stack:
            table = stack.enter_context(Table(file, self._columns, format=self._options.format, stdin=stdin))
            if table.note is not None:
                self._err.print(Text(table.note))
            classifier = _classifier(self._options)
            rows = self._usable(table)
            first = list(islice(rows, ROWS_FOR_COLUMNS))
            layout = self._layout(table, first)
            write = stack.enter_context(row_writer.open_rows(out, layout.columns, stdout))
            progress = stack.enter_context(_progress(self._err))
            task = progress.add_task(Path(table.name).name, total=table.total_bytes, rows="")
            for row, reading in self._read(chain(first, rows), classifier):
                self._rows += 1
                if isinstance(reading, Unread):
                    self._problem(f"{table.name}, {table.unit} {row.line}: {reading.detail}")
                for found in layout.rows(self._rows, row.values, self._text_column(row.values), reading):
                    write(found)
                progress.update(task, completed=table.taken_bytes, rows=f"{self._rows:,} rows", refresh=False)
        return self._summarise(out)

    def _layout(self, table: Table, first: Sequence[Row]) -> labelled_rows.Layout:
        names = table.columns or tuple(dict.fromkeys(name for row in first for name in row.values))
        return labelled_rows.layout(names, sentences=self._options.sentences)

    def _usable(self, table: Table) -> Iterator[Row]:
        for row in table:
            if isinstance(row, Reject):
                self._problem(f"{table.name}, {table.unit} {row.line}: {row.reason} (left out)")
            else:
                yield row

    def _read(self, rows: Iterator[Row], classifier: "Classifier") -> Iterator[tuple[Row, Reading | Unread]]:
        """Yield each row with its reading; the next rows are read and tokenized during a forward pass."""

        def prepare() -> tuple[list[Row], Any]:
            some = list(islice(rows, ROWS_PER_CALL))
            return some, classifier.prepare([self._text(row) for row in some])

        with ThreadPoolExecutor(1) as ahead:
            coming = ahead.submit(prepare)
            while (found := coming.result())[0]:
                coming = ahead.submit(prepare)
                yield from zip(found[0], classifier.forward(found[1]), strict=True)

    def _text_column(self, names: Iterable[str]) -> str | None:
        found = self._columns.resolve(tuple(names))
        return next((column for column, name in found.items() if name == "text"), None)

    def _text(self, row: Row) -> str:
        column = self._text_column(tuple(row.values))
        value = None if column is None else row.values[column]
        return "" if value is None else str(value)

    def _problem(self, sentence: str) -> None:
        self._problem_count += 1
        if len(self._problems) < SHOWN_PROBLEMS:
            self._problems.append(plain(sentence))

    def _summarise(self, out: str) -> int:
        self._err.print(Text(f"{self._rows:,} {_rows(self._rows)} written to {_place(out)}."))
        if not self._problem_count:
            return 0
        self._err.print(Text(f"{self._problem_count:,} {_rows(self._problem_count)} got no label:"))
        for sentence in self._problems:
            self._err.print(Text(f"  {sentence}"))
        if (more := self._problem_count - len(self._problems)) > 0:
            self._err.print(Text(f"  and {more:,} more"))
        return UNLABELLED_EXIT_CODE


def _place(out: str) -> str:
    return "standard output" if out == row_writer.STDOUT else out


def _rows(count: int) -> str:
    return "row" if count == 1 else "rows"


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]}"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )
