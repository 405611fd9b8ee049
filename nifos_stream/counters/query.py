"""What to read of a bucket for a question such as "by source, where keyword is 산불". Knows no Redis."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from nifos_stream.counters import fields
from nifos_stream.counters.rules import PAIRS, SINGLE
from nifos_stream.errors import Refusal, UserError


@dataclass(frozen=True, slots=True)
class Query:
    """Prefixes and dimensions as `read.lua` takes them; empty where there is nothing to read."""

    posts: str
    sentences: str
    other: str
    group: str
    first: str
    second: str

    def to_plain(self, trends: Collection[str] = ()) -> dict[str, object]:
        """As JSON has it. trends: the values of the group that are wanted point by point."""
        plain: dict[str, object] = {
            "posts": self.posts,
            "sentences": self.sentences,
            "other": self.other,
            "group": self.group,
            "first": self.first,
            "second": self.second,
        }
        return {**plain, "trends": {fields.written(value): True for value in trends}} if trends else plain


def query(counted: Collection[str], by: str | None, where: Mapping[str, str]) -> Query:
    """How to read posts by `by` among those with the values of `where`.

    counted: the dimensions and pairs that are. UserError when the question needs one that is not.
    """
    for name in (*where, *([by] if by else [])):
        if name not in SINGLE:
            said = f"Posts are counted by {', '.join(SINGLE)}, not by {name!r}."
            raise UserError(said, Refusal.DIMENSION_UNKNOWN, dimension=name, dimensions=SINGLE)
    if empty := next((name for name, value in where.items() if not value), None):
        said = f"Posts without {empty} are not counted apart; the filter needs a value."
        raise UserError(said, Refusal.WHERE_WITHOUT_VALUE, dimension=(empty,))
    filtered = _dimension(counted, tuple(where)) if where else ""
    posts, sentences = "all:", "sentences:"
    if where:
        order = PAIRS.get(filtered, (filtered,))
        value = "*".join(fields.written(where[name]) for name in order)
        posts = f"{filtered}:{value}:"
        sentences = f"sentences.{filtered}:{value}:" if filtered == "source" else ""
    if by is None:
        return Query(posts, sentences, filtered, "", "", "")
    group = _dimension(counted, (by, *where))
    first = second = ""
    if where:
        (name, value) = next(iter(where.items()))
        if PAIRS[group][0] == name:
            first = fields.written(value)
        else:
            second = fields.written(value)
    return Query(posts, sentences, group, group, first, second)


def _dimension(counted: Collection[str], names: tuple[str, ...]) -> str:
    wanted = next((pair for pair, parts in PAIRS.items() if set(parts) == set(names)), names[0])
    if len(set(names)) != len(names) or len(names) > 2 or (len(names) == 2 and wanted not in PAIRS):
        said = f"Posts are not counted by {' and '.join(names)} together{_but(PAIRS, counted)}"
        raise UserError(said, Refusal.NOT_COUNTED_TOGETHER, dimensions=names)
    if wanted not in counted:
        said = f"Posts are not counted by {wanted.replace('*', ' and ')}"
        raise UserError(
            said + _but(PAIRS if wanted in PAIRS else SINGLE, counted),
            Refusal.NOT_COUNTED_TOGETHER if wanted in PAIRS else Refusal.NOT_COUNTED,
            dimensions=names,
        )
    return wanted


def _but(some: Iterable[str], counted: Collection[str]) -> str:
    """The end of a sentence: which of some are counted, and where that is set."""
    are = [name.replace("*", " and ") for name in some if name in counted]
    return f"{', but by ' + '; by '.join(are) if are else ''} (NIFOS_COUNTERS__DIMENSIONS)."
