"""Did all label the same posts, and alike? Knows neither models nor Kafka."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nifos_stream.messages import LABELS_KO

TIE = 1e-3
LEAST_SHARE = 0.99
_ENGLISH = {korean: label.value for label, korean in LABELS_KO.items()}


@dataclass(frozen=True, slots=True)
class Said:
    """What an event says of a post. margin: by how much the most probable label leads."""

    id: str
    label: str
    margin: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """same: share of posts with the label of the reference. problems: sentences; none where all is well."""

    same: float
    problems: tuple[str, ...]


def said(event: bytes) -> Said:
    """Read a labelled event, with English labels or Korean ones."""
    post = json.loads(event)
    sentiment = post["sentiment"]
    first, second, *_ = sorted(sentiment["probabilities"].values(), reverse=True)
    label = sentiment["label"]
    return Said(post["id"], _ENGLISH.get(label, label), first - second)


def compare(given: Sequence[Said], reference: Mapping[str, Said], *, exact: bool) -> Verdict:
    """Hold what one contender said against what the reference said.

    exact: both computed in fp32, so every label must be the same but where the reference is all but
    undecided; else 99 % must.
    """
    times = Counter(each.id for each in given)
    problems = [
        f"{len(ids):,} posts {what}, such as {ids[0]}"
        for what, ids in (
            ("were not labelled", sorted(reference.keys() - times)),
            ("were never there", sorted(times.keys() - reference)),
            ("were labelled more than once", sorted(name for name, count in times.items() if count > 1)),
        )
        if ids
    ]
    known = [each for each in given if each.id in reference]
    other = [each for each in known if each.label != reference[each.id].label]
    same = 1 - len(other) / len(known) if known else 0.0
    if exact:
        clear = [each for each in other if reference[each.id].margin >= TIE]
        if clear:
            problems.append(f"{len(clear):,} clear posts got another label, such as {clear[0].id}")
    elif same < LEAST_SHARE:
        problems.append(f"only {same:.1%} of the posts got the same label")
    return Verdict(same, tuple(problems))
