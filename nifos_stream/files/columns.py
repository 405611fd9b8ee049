"""Which column of a file is which field of a post. Knows no file."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from nifos_stream.errors import UserError

ALIASES: dict[str, tuple[str, ...]] = {
    "id": ("id", "post id", "게시글번호", "게시물번호", "글번호", "번호"),
    "text": (
        *("text", "본문", "내용", "content", "contents", "body", "텍스트", "본문내용", "게시글내용", "원문"),
        *("문장", "sentence", "리뷰", "리뷰내용", "review", "댓글", "comment", "document", "message"),
    ),
    "title": ("title", "제목", "subject"),
    "created_at": (
        *("created at", "created", "작성일", "작성일시", "작성일자", "작성시간", "날짜", "일자", "일시"),
        *("등록일", "등록일시", "게시일", "게시일시", "date", "datetime", "published at", "pubdate"),
    ),
    "author": ("author", "작성자", "글쓴이", "닉네임", "writer", "nickname", "username"),
    "source": ("source", "출처", "매체", "플랫폼", "platform"),
    "channel": ("channel", "채널"),
    "url": ("url", "링크", "주소", "link", "permalink"),
    "keywords": ("keywords", "keyword", "키워드", "검색어", "검색키워드"),
    "rating": ("rating", "평점", "별점", "stars"),
}
"""Names under which people write the fields of a post, the likeliest first."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of the columns of a file: {field: its column}, and those that pass through as they are."""

    fields: Mapping[str, str]
    passed: tuple[str, ...]


class Columns:
    """Finds the fields of a post among the names of columns or members.

    mapping: {field: name of its column}, as `--column text=본문` says; it wins over what the names suggest.
    aliases: {field: its usual names}; also what fields there are. UserError for a field that there is not.
    """

    def __init__(
        self,
        mapping: Mapping[str, str] | None = None,
        aliases: Mapping[str, Sequence[str]] = ALIASES,
    ) -> None:
        self._mapping = dict(mapping or {})
        self._fields = tuple(aliases)
        self._usual = {_plain(name): field for field, names in aliases.items() for name in names}
        self._rank = {_plain(name): rank for names in aliases.values() for rank, name in enumerate(names)}
        self._resolve = lru_cache(maxsize=1024)(self._find)
        for field in self._mapping:
            if field not in aliases:
                raise UserError(f"There is no field {field}; the fields are {', '.join(aliases)}.")

    @property
    def mapping(self) -> Mapping[str, str]:
        """What was said explicitly: {field: name of its column}."""
        return self._mapping

    def resolve(self, names: Iterable[str]) -> Mapping[str, str]:
        """{name: field} for those of `names` that are a field of a post; no field twice."""
        return self._resolve(tuple(names))

    def taken(self, names: Iterable[str]) -> Taken:
        """What becomes of the columns `names`; the fields in their own order."""
        names = tuple(names)
        columns = {field: name for name, field in self.resolve(names).items()}
        fields = {field: columns[field] for field in self._fields if field in columns}
        return Taken(fields, tuple(name for name in names if name not in columns.values()))

    def missing(self, names: Iterable[str]) -> list[str]:
        """Columns that were named explicitly and are not among `names`."""
        there = {_plain(name) for name in names}
        return [column for column in self._mapping.values() if _plain(column) not in there]

    def _find(self, names: tuple[str, ...]) -> Mapping[str, str]:
        explicit = {_plain(column): field for field, column in self._mapping.items()}
        found: dict[str, str] = {}
        for name in names:
            field = explicit.get(_plain(name))
            if field is not None and field not in found.values():
                found[name] = field
        taken = set(self._mapping)
        likeliest_first = sorted(names, key=lambda name: self._rank.get(_plain(name), 0))
        for name in likeliest_first:
            field = self._usual.get(_plain(name))
            if name not in found and field is not None and field not in taken:
                found[name] = field
                taken.add(field)
        return found


def parse_mapping(
    pairs: Iterable[str], option: str = "--column", example: str = "text=본문"
) -> dict[str, str]:
    """{"text": "본문"} from ["text=본문"]. UserError when a pair has no `=`, or a field comes twice."""
    mapping: dict[str, str] = {}
    for pair in pairs:
        field, equals, column = (part.strip() for part in pair.partition("="))
        if not (field and equals and column):
            raise UserError(f"{option} {pair!r} is not NAME=VALUE, such as {example}.")
        if field in mapping:
            raise UserError(f"{option} says twice what {field} is.")
        mapping[field] = column
    return mapping


def unique_names(header: Sequence[str]) -> list[str]:
    """The names of a header, trimmed; an empty one becomes `column_3`, a repeated one `name_2`."""
    names: list[str] = []
    for number, written in enumerate(header, 1):
        # Names are shown to people; a terminal obeys what is not printable.
        printable = "".join(character for character in written if character.isprintable())
        name = unicodedata.normalize("NFC", printable).strip() or f"column_{number}"
        names.append(free_name(name, names))
    return names


def free_name(name: str, taken: Iterable[str]) -> str:
    """`name`, or `name_2`, `name_3`, … when it is taken."""
    used = set(taken)
    free, number = name, 1
    while free in used:
        number += 1
        free = f"{name}_{number}"
    return free


def _plain(name: str) -> str:
    """A name without what people write differently: case, spaces, underscores, decomposed Hangul."""
    folded = unicodedata.normalize("NFKC", name).casefold().removeprefix("\ufeff")
    return "".join(character for character in folded if character not in " _-\t\n\u3000")
