"""`bench counters`: the counter view alone, against a loop that only reads and decodes the same topic."""

from statistics import median

from nifos_stream.bench.draining import drain_events
from nifos_stream.bench.figures import alternate, ratio, spread
from nifos_stream.bench.filling import fill_in_transactions
from nifos_stream.bench.place import open_place
from nifos_stream.bench.plainly import read
from nifos_stream.bench.posts import events
from nifos_stream.bench.report import Report
from nifos_stream.bench.setup import Setup
from nifos_stream.bench.texts import read_texts
from nifos_stream.counters import connect
from nifos_stream.settings import Settings

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
        buckets, bucket_bytes = _buckets(last)
    middle = {name: median(found) for name, found in rates.items()}
    facts = setup.facts("counters") | {
        "messages": messages,
        "events_per_s": round(middle[VIEW], 1),
        "reader_events_per_s": round(middle[READER], 1),
        "ratio": ratio(middle[VIEW], middle[READER]),
        "buckets": buckets,
        "bucket_bytes": bucket_bytes,
    }
    return Report(
        f"Counters: {messages:,} labelled events a round, of {place.settings.topics.partitions} partitions",
        ("", "events/s", "of the reader", "spread"),
        [
            (name, f"{middle[name]:,.0f}", f"{middle[name] / middle[READER]:.2f}", spread(found))
            for name, found in rates.items()
        ],
        facts,
        notes=(f"Redis holds {buckets:,} buckets of {bucket_bytes:,} bytes on average.",),
    )


def _buckets(settings: Settings) -> tuple[int, int]:
    """How many buckets there are, and the mean memory of one."""
    redis = settings.redis
    client = connect.client(redis.url.get_secret_value(), redis.timeout_seconds)
    pattern = f"{{{settings.counters.prefix}:*}}:*:*:*"
    sizes = [client.memory_usage(key) or 0 for key in client.scan_iter(match=pattern, count=1000)]
    client.close()
    return len(sizes), round(sum(sizes) / max(1, len(sizes)))
