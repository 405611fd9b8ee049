"""Which labelled posts somebody wants to see. Knows no topic and no Redis."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from nifos_stream.counters.posts import KeptPost
from nifos_stream.errors import Refusal, UserError
from nifos_stream.messages import LABELS_KO, Label


@dataclass(frozen=True, slots=True)
class Filter:
    """Which posts are shown: of each kind, one of the values, if any are given."""

    labels: frozenset[Label] = frozenset()
    sources: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    keywords: frozenset[str] = frozenset()
    text: str = ""

    @classmethod
    def of(
        cls,
        labels: Sequence[str] = (),
        sources: Sequence[str] = (),
        channels: Sequence[str] = (),
        keywords: Sequence[str] = (),
        text: str | None = None,
    ) -> Self:
        """A filter from what a person typed. UserError for a label that there is not."""
        return cls(
            frozenset(read_label(label) for label in labels),
            frozenset(map(_composed, sources)),
            frozenset(map(_composed, channels)),
            frozenset(map(_composed, keywords)),
            _composed(text or "").casefold(),
        )

    @classmethod
    def where(cls, where: Mapping[str, str], label: str | None = None, text: str | None = None) -> Self:
        """A filter by dimension, as `read_where` reads it. UserError for one that posts are not kept by."""
        if unknown := [name for name in where if name not in KEPT_BY]:
            said = f"Posts are kept by {', '.join(KEPT_BY)}, not by {_shown(unknown[0])}."
            raise UserError(said, Refusal.NOT_KEPT_BY, dimension=unknown[0], dimensions=KEPT_BY)
        source, channel, keyword = ([where[name]] if name in where else [] for name in KEPT_BY)
        return cls.of([label] if label else (), source, channel, keyword, text)

    def __bool__(self) -> bool:
        return self != Filter()

    def accepts(
        self, label: Label, source: str | None, channel: str | None, keywords: Iterable[str], text: str
    ) -> bool:
        """The post has one of the values of each kind, and what is looked for stands in its text.

        keywords: its own and those found in it. text: its title, too.
        """
        return (
            (not self.labels or label in self.labels)
            and (not self.sources or _composed(source or "") in self.sources)
            and (not self.channels or _composed(channel or "") in self.channels)
            and (not self.keywords or not self.keywords.isdisjoint(map(_composed, keywords)))
            and (not self.text or self.text in _composed(text).casefold())
        )

    def accepts_kept(self, post: KeptPost) -> bool:
        """The same of a post that is kept beside the counts; of its text only what is kept is looked at."""
        keywords = (*post.keywords, *post.matched_keywords)
        return self.accepts(
            post.label, post.source, post.channel, keywords, f"{post.title or ''}\n{post.text}"
        )


EVERY = Filter()
KEPT_BY = ("source", "channel", "keyword")


def read_where(written: Iterable[str]) -> dict[str, str]:
    """{"keyword": "산불"} from ["keyword=산불"], as a person typed it or a URL has it. UserError."""
    pairs: dict[str, str] = {}
    for each in written:
        name, equals, value = (part.strip() for part in each.partition("="))
        if not (name and equals and value):
            said = f"`where` is DIMENSION=VALUE, such as keyword=산불, not {_shown(each)}."
            raise UserError(said, Refusal.WHERE_UNREADABLE, where=each)
        if pairs.setdefault(name, value) != value:
            said = f"`where` asks for two values of {_shown(name, quoted=False)} at once."
            raise UserError(said, Refusal.WHERE_TWICE, dimension=(name,))
    return pairs


def read_label(written: str) -> Label:
    """A label by its English or Korean name. UserError when it is none."""
    names = {label.value: label for label in Label} | {name: label for label, name in LABELS_KO.items()}
    label = names.get(_composed(written.strip()).lower())
    if label is None:
        said = f"A label is one of {', '.join(names)}, not {_shown(written)}."
        raise UserError(said, Refusal.LABEL_UNKNOWN, label=written, labels=tuple(Label))
    return label


def _shown(written: str, *, quoted: bool = True) -> str:
    """Without what a terminal would obey."""
    shown = "".join(character for character in written if character.isprintable())
    return repr(shown) if quoted else shown


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)
