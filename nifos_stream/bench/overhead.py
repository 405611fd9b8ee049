"""`bench overhead`: all but the forward pass, against a loop that only copies."""

from statistics import median

from nifos_stream.bench.figures import alternate, ratio, spread, too_short
from nifos_stream.bench.filling import fill
from nifos_stream.bench.pipeline import draining
from nifos_stream.bench.place import open_place
from nifos_stream.bench.plainly import copy
from nifos_stream.bench.posts import posts
from nifos_stream.bench.report import Report
from nifos_stream.bench.setup import Setup

PIPELINE, COPIER = "pipeline, model of one unit", "plain copier"


def run_overhead(setup: Setup, *, messages: int, rounds: int) -> Report:
    """Drain posts through a model that takes next to no time, in turn with a copier of the same posts."""
    texts = setup.different_texts(messages)
    with open_place(setup.settings, given=setup.given, say=setup.say) as place:
        classifier = setup.classifier(setup.model_path(place.folder))
        filled = place.fresh().topics.posts
        fill(place.settings, filled, posts(texts))
        rates = alternate(
            {
                COPIER: lambda: copy(place.fresh(filled), messages),
                PIPELINE: draining(place, classifier, texts),
            },
            rounds,
            setup.say,
        )
    middle = {name: median(found) for name, found in rates.items()}
    most = setup.settings.stream.batch_posts
    hint = too_short(messages / max(middle.values()), "--messages")
    facts = setup.facts("overhead", classifier) | {
        "messages": messages,
        "transaction_posts": most,
        "posts_per_s": round(middle[PIPELINE], 1),
        "copier_posts_per_s": round(middle[COPIER], 1),
        "ratio": ratio(middle[PIPELINE], middle[COPIER]),
        "too_short": bool(hint),
    }
    return Report(
        f"Overhead: decode, tokenize, publish and count {messages:,} posts a round",
        ("", "posts/s", "of the copier", "spread"),
        [
            (name, f"{middle[name]:,.0f}", f"{middle[name] / middle[COPIER]:.2f}", spread(found))
            for name, found in rates.items()
        ],
        facts,
        notes=(
            f"Both commit up to {most:,} posts at a time (stream.batch_posts); the copier does nothing else.",
            *hint,
        ),
    )
