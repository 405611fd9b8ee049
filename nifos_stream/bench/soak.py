"""`bench soak`: whether a worker's memory grows with what it has read."""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from nifos_stream.bench.draining import counted_in_redis
from nifos_stream.bench.figures import ratio
from nifos_stream.bench.filling import Feeding, Filler
from nifos_stream.bench.patience import Patience
from nifos_stream.bench.place import Place, open_place
from nifos_stream.bench.posts import posts
from nifos_stream.bench.report import Report
from nifos_stream.bench.setup import Setup
from nifos_stream.errors import UserError
from nifos_stream.local.worker import Worker, worker_process
from nifos_stream.settings import Settings

EARLY = 50_000
_MOST_AHEAD = 20_000
_LOOK_SECONDS = 0.5
_SHOWN = 10
Sample = tuple[int, int]
"""Messages counted so far, and the worker's resident bytes then."""


def run_soak(setup: Setup, *, messages: int) -> Report:
    """Send `messages` different posts through a worker in a process of its own, and watch its memory."""
    if not Path("/proc/self/statm").exists():
        raise UserError("Memory is read from /proc, which this system does not have.")
    with open_place(setup.settings, given=setup.given, say=setup.say) as place:
        path = setup.model_path(place.folder)
        classifier = setup.classifier(path)
        facts = setup.facts("soak", classifier)
        settings = setup.for_worker(place.fresh(), path, classifier)
        del classifier
        begun_at = time.monotonic()
        samples = _watch(setup, place, settings, messages)
        seconds = time.monotonic() - begun_at
    return _report(facts, samples, messages, seconds)


def _watch(setup: Setup, place: Place, settings: Settings, messages: int) -> list[Sample]:
    samples: list[Sample] = [(0, 0)]
    setup.say(f"making {messages:,} texts")
    records = posts(setup.different_texts(messages))
    filler = Filler(settings, settings.topics.posts, linger_ms=20)
    with worker_process(settings, place.folder / "worker.log") as worker:
        feeding = Feeding(filler, records, most_ahead=_MOST_AHEAD, done=lambda: samples[-1][0])
        feeding.start()
        patience, told = Patience("counted"), 0
        try:
            while samples[-1][0] < messages:
                time.sleep(_LOOK_SECONDS)
                samples.append(_sample(worker, feeding, settings))
                patience.look(samples[-1][0])
                if samples[-1][0] >= told + messages // _SHOWN:
                    told = samples[-1][0]
                    setup.say(f"{told:,} messages, {samples[-1][1] / 1e6:,.0f} MB")
        finally:
            feeding.stop.set()
            feeding.join()
    return samples[1:]


def _sample(worker: Worker, feeding: Feeding, settings: Settings) -> Sample:
    worker.check()
    if feeding.failure is not None:
        raise feeding.failure
    return counted_in_redis(settings), resident_bytes(worker.pid)


def resident_bytes(pid: int) -> int:
    """Memory that a process holds, on Linux."""
    pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def around(samples: list[Sample], count: int) -> float:
    """The median of the resident bytes while about `count` messages were counted: 10 % more or less.

    Or else the nearest, once any were: before, the worker is not whole yet.
    """
    near = [size for done, size in samples if abs(done - count) <= count / 10]
    begun = [sample for sample in samples if sample[0] > 0]
    return median(near or [min(begun, key=lambda sample: abs(sample[0] - count))[1]])


def shown(samples: Sequence[Sample]) -> list[Sample]:
    """About ten of them, of as many messages more each time, from the first that were counted to the last."""
    step = max(1, samples[-1][0] // _SHOWN)
    found: list[Sample] = []
    for sample in samples:
        if sample[0] > 0 and (not found or sample[0] // step > found[-1][0] // step):
            found.append(sample)
    return [*found[:-1], samples[-1]]


def _report(facts: dict[str, object], samples: list[Sample], messages: int, seconds: float) -> Report:
    early = min(EARLY, messages // 2)
    # The last tenth of what `early` looks at, so that both look at as many messages.
    before, after = (
        around(samples, early),
        median(size for done, size in samples if done >= messages - early / 10),
    )
    facts = facts | {
        "messages": messages,
        "early_messages": early,
        "early_rss_mb": round(before / 1e6, 1),
        "rss_mb": round(after / 1e6, 1),
        "rss_ratio": ratio(after, before),
        "posts_per_s": round(messages / seconds, 1),
        "too_short": early < EARLY,
    }
    notes = [f"After {messages:,} messages {after / before:.3f} times the memory after {early:,}."]
    if early < EARLY:
        notes.append(
            f"Too short: until {EARLY:,} messages memory warms up. Give {2 * EARLY:,} --messages or more."
        )
    return Report(
        f"Soak: {messages:,} different posts through one worker in {seconds:,.0f} s",
        ("messages", "resident MB", "of the early"),
        [(f"{done:,}", f"{size / 1e6:,.0f}", f"{size / before:.3f}") for done, size in shown(samples)],
        facts,
        notes=notes,
    )
