"""`bench counters`: the counter view alone, against a loop that only reads and decodes the same topic."""

from collections.abc import Sequence
from statistics import median

from nifos_stream.bench.draining import drain_events
from nifos_stream.bench.figures import alternate, ratio, spread, too_short
from nifos_stream.bench.filling import fill_in_transactions
from nifos_stream.bench.place import open_place
from nifos_stream.bench.plainly import read
from nifos_stream.bench.posts import events
from nifos_stream.bench.report import Report
from nifos_stream.bench.setup import Setup
from nifos_stream.bench.texts import read_texts
from nifos_stream.counters import connect
from nifos_stream.counters.tally import TOTAL
from nifos_stream.settings import GRAINS, Settings

VIEW, READER = "counter view", "read and decode"


def run_counters(setup: Setup, *, messages: int, rounds: int) -> Report:
    """Count a labelled topic into an empty Redis, in turn with reading it."""
    texts = read_texts(setup.texts)
    repeated = [texts[place % len(texts)] for place in range(messages)]
    with open_place(setup.settings, given=setup.given, say=setup.say) as place:
        made = place.fresh()
        filled = made.topics.sentiment
        setup.say(f"writing {messages:,} events")
        fill_in_transactions(place.settings, filled, events(repeated, made.topics.posts), filled)
        last = made

        def count() -> float:
            nonlocal last
            last = place.fresh(sentiment=filled)
            return drain_events(last, messages)

        rates = alternate(
            {READER: lambda: read(place.fresh(sentiment=filled), messages), VIEW: count}, rounds, setup.say
        )
        buckets, kept_bytes = _memory(last)
    middle = {name: median(found) for name, found in rates.items()}
    hint = too_short(messages / max(middle.values()), "--messages")
    facts = setup.facts("counters") | {
        "messages": messages,
        "events_per_s": round(middle[VIEW], 1),
        "reader_events_per_s": round(middle[READER], 1),
        "ratio": ratio(middle[VIEW], middle[READER]),
        "too_short": bool(hint),
        "buckets": buckets,
        **kept_bytes,
    }
    return Report(
        f"Counters: {messages:,} labelled events a round, of {place.settings.topics.partitions} partitions",
        ("", "events/s", "of the reader", "spread"),
        [
            (name, f"{middle[name]:,.0f}", f"{middle[name] / middle[READER]:.2f}", spread(found))
            for name, found in rates.items()
        ],
        facts,
        notes=(
            f"Redis holds {buckets:,} buckets of {kept_bytes['bucket_bytes']:,} bytes on average.",
            *hint,
        ),
    )


def _memory(settings: Settings) -> tuple[int, dict[str, int]]:
    """How many buckets there are, and the mean memory of one, of a sample and of a list of latest posts."""
    redis = settings.redis
    client = connect.client(redis.url.get_secret_value(), redis.timeout_seconds)
    sizes: dict[str, list[int]] = {"bucket": [], "sample": [], "latest": []}
    for key in client.scan_iter(match=f"{{{settings.counters.prefix}:*}}:*", count=1000):
        _, _, name = key.partition("}:")
        if kind := _kind(name.split(":")[1:]):
            sizes[kind].append(client.memory_usage(key) or 0)
    client.close()
    mean = {f"{kind}_bytes": round(sum(each) / max(1, len(each))) for kind, each in sizes.items()}
    return len(sizes["bucket"]), mean


def _kind(name: Sequence[str]) -> str | None:
    """What a key of a generation holds, by the parts of its name behind the generation."""
    if not name:
        return None
    if name[0] in (*GRAINS, TOTAL):
        return "bucket"
    return name[0] if name[0] in ("sample", "latest") else None
