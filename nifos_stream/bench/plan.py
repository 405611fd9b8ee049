"""`bench plan`: from measured figures to workers, GPUs, partitions and Redis memory, arithmetic shown."""

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nifos_stream.bench.report import Report
from nifos_stream.counters.samples import MOST_SAMPLES
from nifos_stream.errors import UserError
from nifos_stream.settings import GRAINS, Settings

HEADROOM = 0.7
"""Share of what was measured that is planned with: the rest is for catching up, and for restarts."""
STREAM_SHARE = 0.95
"""Of the forward pass, where only that was measured."""
_RATE = re.compile(r"([0-9][0-9,_]*(?:\.[0-9]+)?)\s*(?:/\s*(s|m|min|h|d))?")
_UNIT_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class Measured:
    """What is planned with.

    bucket_bytes: of one bucket of counts in Redis. posts_bytes: of the posts that a partition keeps there.
    """

    posts_per_s: float
    device: str
    dtype: str
    shape: str
    source: str
    events_per_s: float
    bucket_bytes: float
    posts_bytes: float

    @property
    def on_gpu(self) -> bool:
        """Whether a worker had a GPU."""
        return self.device.startswith("cuda")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a rate needs. workers: that label, each with a GPU if it was measured with one."""

    workers: int
    counting_workers: int
    gpus: int
    partitions: int
    buckets: int
    redis_bytes: int


def parse_rate(text: str) -> float:
    """Posts a second of `50000/s`, `3,000,000/d` or a bare number of posts a second. UserError."""
    found = _RATE.fullmatch(text.strip())
    rate = float(re.sub("[,_]", "", found[1])) / _UNIT_SECONDS[found[2] or "s"] if found else 0.0
    if rate <= 0:
        raise UserError(f"{text!r} is no rate; say 50000/s, or a number per m, h or d.")
    return rate


def read_lines(files: Sequence[Path]) -> list[dict[str, Any]]:
    """The JSON lines of earlier measurements, whatever else stands in the files. UserError without one."""
    found = [line for file in files for line in _lines(file)]
    if not found:
        raise UserError("No JSON line of a measurement is in these files.")
    return found


def measured(lines: Sequence[dict[str, Any]]) -> Measured:
    """What the newest lines say. UserError when one that is needed is missing."""
    latest = {line["bench"]: line for line in lines}
    missing = [f"`bench {name}`" for name in ("counters",) if name not in latest]
    if not latest.keys() & {"pipeline", "forward"}:
        missing.insert(0, "`bench pipeline` or `bench forward`")
    if missing:
        raise UserError(f"A plan needs the JSON line of {' and of '.join(missing)}.")
    counters = latest["counters"]
    line = latest.get("pipeline") or latest["forward"]
    whole = line["bench"] == "pipeline"
    return Measured(
        posts_per_s=line["posts_per_s"] if whole else STREAM_SHARE * line["texts_per_s"],
        device=line["device"],
        dtype=line["dtype"],
        shape=line["shape"],
        source="pipeline" if whole else f"{STREAM_SHARE:.0%} of the forward pass",
        events_per_s=counters["events_per_s"],
        bucket_bytes=counters["bucket_bytes"],
        posts_bytes=MOST_SAMPLES * counters.get("sample_bytes", 0) + counters.get("latest_bytes", 0),
    )


def plan(rate: float, figures: Measured, settings: Settings) -> Plan:
    """What `rate` posts a second need."""
    workers = math.ceil(rate / (HEADROOM * figures.posts_per_s))
    counting = math.ceil(rate / (HEADROOM * figures.events_per_s))
    most = max(workers, counting)
    # A multiple gives each worker as many, and twice as many let the group double.
    partitions = 2 * most if most > 1 else settings.topics.partitions
    buckets = sum(kept_buckets(settings).values()) + 1
    return Plan(
        workers,
        counting,
        workers if figures.on_gpu else 0,
        partitions,
        buckets,
        math.ceil(partitions * (buckets * figures.bucket_bytes + figures.posts_bytes)),
    )


def kept_buckets(settings: Settings) -> dict[str, int]:
    """How many buckets of each grain one partition keeps at most."""
    kept = settings.counters.retention.seconds()
    return {grain: math.ceil(kept[grain] / seconds) for grain, seconds in GRAINS.items()}


def run_plan(settings: Settings, rate: float, lines: Sequence[dict[str, Any]]) -> Report:
    """Plan for `rate` posts a second with what was measured."""
    figures = measured(lines)
    wanted = plan(rate, figures, settings)
    facts = {
        "bench": "plan",
        "rate_per_s": rate,
        "workers": wanted.workers,
        "counting_workers": wanted.counting_workers,
        "gpus": wanted.gpus,
        "partitions": wanted.partitions,
        "redis_bytes": wanted.redis_bytes,
        "device": figures.device,
        "shape": figures.shape,
        "posts_per_s": round(figures.posts_per_s, 2),
        "events_per_s": round(figures.events_per_s, 2),
    }
    return Report(
        f"Plan: {rate:,.1f} posts/s, by what was measured with {figures.shape} on {figures.device}"
        f" in {figures.dtype}",
        ("", "number", "arithmetic"),
        list(_rows(rate, figures, wanted, settings)),
        facts,
        notes=_notes(figures),
        words=(0, 2),
    )


def _rows(rate: float, figures: Measured, wanted: Plan, settings: Settings) -> Iterator[tuple[str, str, str]]:
    yield (
        "workers that label",
        f"{wanted.workers:,}",
        f"{rate:,.1f} / ({HEADROOM} x {figures.posts_per_s:,.1f} posts/s of one: {figures.source})",
    )
    gpus = "one for each of these workers" if figures.on_gpu else f"measured on {figures.device}, without one"
    yield "GPUs", f"{wanted.gpus:,}", gpus
    yield (
        "workers that count",
        f"{wanted.counting_workers:,}",
        f"{rate:,.1f} / ({HEADROOM} x {figures.events_per_s:,.1f} events/s of one)",
    )
    most = max(wanted.workers, wanted.counting_workers)
    reason = f"2 x {most:,} workers, so that the group can double" if most > 1 else "the setting"
    yield "partitions", f"{wanted.partitions:,}", reason
    grains = " + ".join(f"{count:,} x {grain}" for grain, count in kept_buckets(settings).items())
    buckets = f"{wanted.buckets:,} buckets x {figures.bucket_bytes:,.0f} bytes"
    each = f"{buckets} + {figures.posts_bytes:,.0f} of posts"
    yield (
        "Redis memory",
        f"{wanted.redis_bytes / 1e9:,.2f} GB",
        f"{wanted.partitions:,} partitions x ({each})",
    )
    yield "buckets", f"{wanted.buckets:,}", f"{grains} + 1 total"


def _notes(figures: Measured) -> tuple[str, ...]:
    notes = [
        f"{HEADROOM:.0%} of what was measured is planned with; the rest catches up after restarts and peaks.",
        "Redis memory is that of full retention, each bucket as full as those measured.",
    ]
    if not figures.on_gpu:
        notes.append("For GPUs, run `bench pipeline` where there is one, and plan with its line.")
    return tuple(notes)


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}.") from None
    for line in text.splitlines():
        if line.startswith("{"):
            try:
                found = json.loads(line)
            except ValueError:
                continue
            if isinstance(found, dict) and "bench" in found:
                yield found
