"""How a counted value is written in a field of a bucket. Knows no event and no Redis.

A field is `dimension:value:label`, for a pair of dimensions `source*keyword:twitter*산불:positive`. In a
value `%`, `:` and `*` are written %25, %3A and %2A, so that a field has one meaning. The value `*` alone is
what had no place of its own. A bucket also has `all:label`, `sentences:label`, `sentences.source:value:label`
and `places:dimension`: how many values have taken a place there.
"""

import functools
import hashlib

OTHER = "*"
MAX_VALUE_LENGTH = 200
"""Code points; a longer value keeps its beginning and ends in `…` and 16 hex digits of its SHA-256."""
_DIGEST_LENGTH = 16


def written(value: str) -> str:
    """`value` as a field has it: bounded, valid Unicode, escaped. Case and spaces are kept."""
    return _written(value) if len(value) <= MAX_VALUE_LENGTH else _written(_cut(value))


def read(field_value: str) -> str:
    """The value that `written` wrote."""
    return field_value.replace("%2A", "*").replace("%3A", ":").replace("%25", "%")


def pair(first: str, second: str) -> str:
    """Two written values as one."""
    return f"{first}*{second}"


@functools.lru_cache(maxsize=65_536)
def _written(value: str) -> str:
    if not value.isascii():
        value = without_lone_surrogates(value)
    return value.replace("%", "%25").replace(":", "%3A").replace("*", "%2A")


def _cut(value: str) -> str:
    value = without_lone_surrogates(value)
    digest = hashlib.sha256(value.encode()).hexdigest()[:_DIGEST_LENGTH]
    return value[: MAX_VALUE_LENGTH - _DIGEST_LENGTH - 1] + "…" + digest


def without_lone_surrogates(value: str) -> str:
    """JSON may carry half of a surrogate pair, which no UTF-8 can."""
    return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
