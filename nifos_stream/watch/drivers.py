"""The words that set some posts apart from others. Knows no Redis, and not how words are found.

Weighted log-odds with an informative Dirichlet prior: Monroe, Colaresi, Quinn, "Fightin' Words" (Political
Analysis 16, 2008), equations 16 to 22. A word is counted once a post, so that nobody drives by repeating it.
The prior is how often a word stands in all the posts at hand, worth `PRIOR_WORDS` words or a tenth of those
at hand: it keeps what is rare from looking like much.

Posts that were sampled unequally weigh what they stand for, scaled so that a corpus counts as the number of
posts drawn alike that would tell as much (Kish's effective sample size): no word looks surer than it is.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nifos_stream.counters.posts import KeptPost

PRIOR_WORDS = 500.0
"""The words that the prior is worth in all (alpha_0), at most."""
LEAST_Z = 1.0
"""A word that is not even one standard error apart drives nothing."""
LEAST_POSTS = 2
_MOST_COMPARED = 400
_MOST_SHOWN_POSTS = 5
# A part of a name that hardly ever stands without the rest of it says nothing beside it.
_WITHIN = 0.8


@dataclass(frozen=True, slots=True)
class Driver:
    """A word that sets the target apart.

    z: the lesser of z_before and z_rest, so that a word is new and of this label alone; each is a difference
    of log-odds in standard errors, None where there is nothing to compare with. count, count_before,
    count_rest: posts with the word, each as one. posts: the newest behind it.
    """

    word: str
    z: float
    z_before: float | None
    z_rest: float | None
    count: int
    count_before: int
    count_rest: int
    posts: tuple[KeptPost, ...]


@dataclass(frozen=True, slots=True)
class Corpus:
    """Posts and the words of each. weights: how many posts each stands for; () when all stand for as many."""

    posts: Sequence[KeptPost]
    words: Sequence[frozenset[str]]
    weights: Sequence[float] = ()

    def counts(self) -> Counter[str]:
        """In how many posts each word stands."""
        return Counter(word for words in self.words for word in words)

    def worth(self) -> float:
        """How many posts of one weight tell as much as these."""
        if not self.weights:
            return float(len(self.posts))
        return sum(self.weights) ** 2 / sum(weight * weight for weight in self.weights)

    def weighed(self) -> dict[str, float]:
        """The counts by weight, as if there were `worth` posts."""
        if not self.weights:
            return {word: float(count) for word, count in self.counts().items()}
        scale = self.worth() / sum(self.weights)
        found: dict[str, float] = {}
        for words, weight in zip(self.words, self.weights, strict=True):
            for word in words:
                found[word] = found.get(word, 0.0) + scale * weight
        return found


def drivers(target: Corpus, before: Corpus, rest: Corpus, limit: int) -> tuple[Driver, ...]:
    """The `limit` words that set `target` furthest apart from `before` and from `rest`, furthest first."""
    counts, counts_before, counts_rest = target.counts(), before.counts(), rest.counts()
    weighed, weighed_before, weighed_rest = target.weighed(), before.weighed(), rest.weighed()
    background = {
        word: weighed.get(word, 0.0) + weighed_before.get(word, 0.0) + weighed_rest.get(word, 0.0)
        for word in counts | counts_before | counts_rest
    }
    whole = sum(background.values())
    strength = min(PRIOR_WORDS, whole / 10)
    prior = {word: strength * seen / whole for word, seen in background.items()}
    z_before, z_rest = z_scores(weighed, weighed_before, prior), z_scores(weighed, weighed_rest, prior)
    found = []
    for word, seen in counts.items():
        compared = [scores[word] for scores in (z_before, z_rest) if scores]
        if seen >= LEAST_POSTS and compared and min(compared) >= LEAST_Z:
            found.append((min(compared), word))
    found.sort(key=lambda pair: (-pair[0], -len(pair[1]), pair[1]))
    chosen = _without_parts([word for _, word in found[:_MOST_COMPARED]], target)[:limit]
    return tuple(
        Driver(
            word,
            min(scores[word] for scores in (z_before, z_rest) if scores),
            z_before.get(word),
            z_rest.get(word),
            counts[word],
            counts_before[word],
            counts_rest[word],
            _behind(word, target),
        )
        for word in chosen
    )


def z_scores(
    one: Mapping[str, float], other: Mapping[str, float], prior: Mapping[str, float]
) -> dict[str, float]:
    """How far apart each word of `one` is from `other`, in standard errors.

    one, other: counts by word. prior: pseudo-counts (alpha), of every word in either. Empty when one of them
    has no word, or when there is no other word that a word could be set against.
    """
    size, other_size, strength = sum(one.values()), sum(other.values()), sum(prior.values())
    if not size or not other_size or len(prior) < 2:
        return {}
    scores = {}
    for word, seen in one.items():
        here, there = seen + prior[word], other.get(word, 0) + prior[word]
        # The difference of log-odds (16), and its variance (20); (22) is the one by the root of the other.
        odds = math.log(here / (size + strength - here)) - math.log(there / (other_size + strength - there))
        scores[word] = odds / math.sqrt(1 / here + 1 / there)
    return scores


def _without_parts(words: Sequence[str], target: Corpus) -> list[str]:
    """The words without those that stand in `target` as part of a longer one alone."""
    behind = {word: {place for place, said in enumerate(target.words) if word in said} for word in words}
    kept = []
    for word in words:
        longer = (other for other in words if len(other) > len(word) and word in other)
        if all(len(behind[word] & behind[other]) < _WITHIN * len(behind[word]) for other in longer):
            kept.append(word)
    return kept


def _behind(word: str, target: Corpus) -> tuple[KeptPost, ...]:
    having = [post for post, said in zip(target.posts, target.words, strict=True) if word in said]
    return tuple(sorted(having, key=lambda post: post.created_at, reverse=True)[:_MOST_SHOWN_POSTS])
