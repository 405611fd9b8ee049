"""`bench pipeline`: the whole stream on a preloaded topic against the bare forward pass on the same texts."""

from collections.abc import Callable, Sequence
from statistics import median

from nifos_stream.bench.draining import drain_posts
from nifos_stream.bench.figures import alternate, ratio, spread, too_short
from nifos_stream.bench.filling import fill
from nifos_stream.bench.place import Place, open_place
from nifos_stream.bench.posts import posts
from nifos_stream.bench.report import Report
from nifos_stream.bench.setup import Setup, forgetful, ids_of
from nifos_stream.bench.texts import with_repeats
from nifos_stream.model import Classifier
from nifos_stream.model.bare import Bare

PIPELINE, FORWARD, REPEATS = "pipeline", "bare forward", "pipeline with repeats"


def run_pipeline(setup: Setup, *, messages: int, rounds: int, repeats: float) -> Report:
    """Drain `messages` posts, labelled and counted exactly once, in turn with the forward pass alone.

    repeats: share of posts whose text was there before, measured in turn with none; 0 leaves that out.
    """
    texts = setup.different_texts(messages)
    with open_place(setup.settings, given=setup.given, say=setup.say) as place:
        path = setup.model_path(place.folder)
        classifier = setup.classifier(path)
        bare = Bare(classifier, path, ids_of(classifier, texts))
        contestants: dict[str, Callable[[], float]] = {
            FORWARD: lambda: messages / bare.forward_seconds(),
            PIPELINE: draining(place, classifier, texts),
        }
        if repeats:
            contestants[REPEATS] = draining(place, classifier, with_repeats(texts, repeats))
        rates = alternate(contestants, rounds, setup.say)
    return _report(setup, classifier, rates, messages, repeats)


def draining(place: Place, classifier: Classifier, texts: Sequence[str]) -> Callable[[], float]:
    """What empties one preloaded topic, each time in a group and into topics of its own."""
    filled = place.fresh().topics.posts
    fill(place.settings, filled, posts(texts))
    return lambda: drain_posts(place.fresh(filled), forgetful(classifier), len(texts))


def _report(
    setup: Setup, classifier: Classifier, rates: dict[str, list[float]], messages: int, repeats: float
) -> Report:
    middle = {name: median(found) for name, found in rates.items()}
    hint = too_short(messages / max(middle.values()), "--messages")
    facts = setup.facts("pipeline", classifier) | {
        "messages": messages,
        "posts_per_s": round(middle[PIPELINE], 2),
        "forward_texts_per_s": round(middle[FORWARD], 2),
        "ratio": ratio(middle[PIPELINE], middle[FORWARD]),
        "too_short": bool(hint),
    }
    notes = ["Every post labelled and counted exactly once; the counts in Redis equal the labelled topic."]
    if repeats:
        facts |= {"repeats": repeats, "repeats_ratio": ratio(middle[REPEATS], middle[PIPELINE])}
        notes.append(
            f"With {repeats:.0%} of the posts repeated: {facts['repeats_ratio']:.2f} times the throughput."
        )
    return Report(
        f"Pipeline: {setup.shape} in {classifier.dtype} on {classifier.device}, {messages:,} posts a round",
        ("", "posts/s", "of the forward pass", "spread"),
        [
            (name, f"{middle[name]:,.1f}", f"{middle[name] / middle[FORWARD]:.2f}", spread(found))
            for name, found in rates.items()
        ],
        facts,
        (*notes, *hint),
    )
