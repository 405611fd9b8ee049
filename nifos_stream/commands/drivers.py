"""`drivers`: the words behind the negative or positive posts of a window, as a table or as JSON."""

import dataclasses
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from nifos_stream.commands.moments import moment
from nifos_stream.counters.posts import KeptPost
from nifos_stream.counters.wanted import KEPT_BY, Filter, read_label, read_where
from nifos_stream.errors import UserError
from nifos_stream.messages import LABELS_KO
from nifos_stream.settings import Settings
from nifos_stream.watch import freshness
from nifos_stream.watch.analyst import Analyst, Asked, Found, drivers_json
from nifos_stream.watch.drivers import Driver
from nifos_stream.watch.look import COLOURS, fitted, plain, single_bar
from nifos_stream.watch.snapshot import open_counts

_MOST_GROUPS = 8
_WORD_CELLS = 20
_BAR_CELLS = 10
_LEAST_TEXT_CELLS = 20
_MOST_CELLS = 120
_NEARLY = 0.95
"""Above this share of the posts, what they are worth is not worth a sentence."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the command line asks.

    window, start, end: as for `counts`. where: DIMENSION=VALUE. by: apart for each value of this dimension.
    """

    label: str = "negative"
    window: str | None = None
    where: Sequence[str] = ()
    by: str | None = None
    start: str | None = None
    end: str | None = None
    limit: int = 20


def drivers(
    settings: Settings, question: Question, *, as_json: bool = False, out: Console | None = None
) -> None:
    """Print the words. RedisAway when Redis does not answer; UserError for what cannot be asked."""
    out = out or Console(highlight=False)
    zone = settings.zone
    question = dataclasses.replace(
        question, start=moment(question.start, zone), end=moment(question.end, zone)
    )
    asked = read(question)
    with open_counts(settings) as counts:
        analyst = Analyst(counts)
        if question.by is None:
            answers = {"": analyst.find(asked)}
        else:
            sample = counts.sample(asked.window, wanted=asked.wanted, start=asked.start, end=asked.end)
            values = _values([post for post in sample.posts if post.label == asked.label], question.by)
            only = {value: (*question.where, f"{question.by}={value}") for value in values}
            # One window for all, whatever the time is when their turn comes.
            answers = {
                value: analyst.find(
                    dataclasses.replace(
                        read(dataclasses.replace(question, where=where)), start=sample.start, end=sample.end
                    )
                )
                for value, where in only.items()
            }
    if as_json:
        written = {value: drivers_json(found) for value, found in answers.items()}
        whole: object = written[""] if question.by is None else {"by": question.by, "groups": written}
        out.print(Text(json.dumps(whole, ensure_ascii=False)), soft_wrap=True)
        return
    if not answers:
        out.print(f"No {asked.label.value} posts with a {question.by} are kept of this window.")
    for value, found in answers.items():
        for line in shown(found, min(out.width, _MOST_CELLS), value):
            out.print(line, soft_wrap=True)
    for found in list(answers.values())[-1:]:
        out.print(Text(freshness.sentence(found.freshness), style="dim"), soft_wrap=True)


def read(question: Question) -> Asked:
    """The question that is asked of the posts. UserError when it contradicts itself."""
    if question.window and question.start:
        raise UserError("Give a window that ends at --to, or --from and --to, not both --window and --from.")
    if question.by and question.by not in KEPT_BY:
        raise UserError(f"Posts are kept by {', '.join(KEPT_BY)}, not by {plain(question.by)!r}.")
    return Asked(
        label=read_label(question.label),
        wanted=Filter.where(read_where(question.where)),
        window=question.window or "1h",
        start=question.start,
        end=question.end,
        limit=question.limit,
    )


def shown(found: Found, cells: int, value: str = "") -> list[Text]:
    """An answer as lines of a terminal `cells` wide. value: whose it is, when there are several."""
    zone = f"{found.end:%Z}"
    title = Text(f"{found.start:%Y-%m-%d %H:%M:%S} to {found.end:%Y-%m-%d %H:%M:%S} {zone}", style="bold")
    if value:
        title = Text(plain(value), style="bold reverse").append("  ").append_text(title)
    name = LABELS_KO[found.label]
    lines = [title, Text(_rests_on(found), style="dim")]
    if not found.words:
        return [*lines, Text(f"No word sets the {name} posts apart.{_why(found)}"), Text()]
    text_cells = cells - _WORD_CELLS - _BAR_CELLS - 23
    header = f"{'word':<{_WORD_CELLS}} {'':<{_BAR_CELLS}} {'z':>5} {'posts':>6} {'before':>7} "
    lines.append(Text(header + (" newest" if text_cells >= _LEAST_TEXT_CELLS else ""), style="dim"))
    most = max(driver.z for driver in found.words)
    lines += [_line(driver, most, found, text_cells) for driver in found.words]
    return [*lines, Text()]


def _line(driver: Driver, most: float, found: Found, text_cells: int) -> Text:
    line = Text(fitted(plain(driver.word), _WORD_CELLS), style="bold").append(" ")
    line.append_text(single_bar(driver.z / most, _BAR_CELLS, COLOURS[found.label]))
    line.append(f" {driver.z:>5.1f} {driver.count:>6,} {driver.count_before:>7,} ", style="not bold")
    if text_cells >= _LEAST_TEXT_CELLS and driver.posts:
        line.append(" " + fitted(plain(driver.posts[0].text), text_cells).rstrip(), style="not bold dim")
    return line


def _rests_on(found: Found) -> str:
    kept = "all there are" if found.whole else "a sample"
    said = (
        f"Rests on {_part(found.posts, found.counted)} {found.label.value} posts,"
        f" against {_part(found.posts_before, found.counted_before)} of the window before"
        f" and {_part(found.posts_rest, found.counted_rest)} others of this window: {kept}."
    )
    if found.worth < _NEARLY * found.posts:
        said += f" Busy hours are sampled thinner, so these tell as much as {found.worth:,.0f} drawn alike."
    if found.kept_since is not None:
        said += f" Posts are kept for this since {found.kept_since:%Y-%m-%d}."
    return said


def _part(posts: int, counted: int | None) -> str:
    return f"{posts:,} of the {counted:,}" if counted is not None and counted > posts else f"{posts:,}"


def _why(found: Found) -> str:
    if not found.posts:
        return ""
    return "" if found.posts_before or found.posts_rest else " There is nothing to compare them with."


def _values(posts: Sequence[KeptPost], by: str) -> list[str]:
    """The most frequent values."""
    seen = Counter(value for post in posts for value in _of(post, by))
    return [value for value, _ in seen.most_common(_MOST_GROUPS)]


def _of(post: KeptPost, by: str) -> Iterator[str]:
    if by == "keyword":
        yield from dict.fromkeys((*post.keywords, *post.matched_keywords))
    elif value := post.source if by == "source" else post.channel:
        yield value
