"""The whole of it: one topic of posts, one model, all contenders in rounds. Knows no library."""

import itertools
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nifos_stream.bench.filling import fill
from nifos_stream.bench.place import Place
from nifos_stream.bench.posts import posts as records
from nifos_stream.bench.report import Report
from nifos_stream.model import load_model
from nifos_stream.model.calibrate import Choice
from nifos_stream.settings import ModelSettings
from tests.peers import environments
from tests.peers.contenders import Contender, Peer, contenders
from tests.peers.drive import Outcome, drive
from tests.peers.rounds import report, run_rounds
from tests.peers.workload import workload

PARTITIONS = 3
_SLOWEST_POSTS_PER_SECOND = 2.0
_START_SECONDS = 180.0


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says. dtypes: the first is everyone's; nifos-stream runs in the others, too."""

    posts: int = 512
    rounds: int = 3
    shape: str = "bundled"
    vocabulary: Path | None = None
    texts: Path | None = None
    repeats: float = 0.0
    dtypes: Sequence[str] = ("fp32",)
    only: Sequence[str] = ()


def benchmark(options: Options, place: Place, say: Callable[[str], None]) -> Report:
    """Run it. UserError where a file or a name is wrong; what fails later stands in the report."""
    contenders(options.dtypes, options.only)
    say("writing the model, choosing the texts")
    load = workload(
        place.folder,
        options.shape,
        options.posts,
        vocabulary=options.vocabulary,
        texts=options.texts,
        repeats=options.repeats,
    )
    place.settings = place.settings.model_copy(
        update={"topics": place.settings.topics.model_copy(update={"partitions": PARTITIONS})}
    )
    topic = place.fresh().topics.posts
    fill(place.settings, topic, records(load.texts))
    say("measuring the chunk size")
    chosen = [_measured(load.model, dtype) for dtype in options.dtypes]
    sizes = {each.dtype: each.chunk_tokens for each in chosen}
    taking_part = contenders([each.dtype for each in chosen], options.only)
    taking_part, left_out = _with_environments(taking_part, say)
    numbers = itertools.count()

    def run(contender: Contender) -> Outcome:
        folder = place.folder / f"run-{next(numbers)}"
        folder.mkdir()
        return drive(
            contender,
            _python(contender.peer),
            place.fresh(posts=topic),
            load.model,
            folder,
            chunk_tokens=sizes.get(contender.dtype, 0),
            posts=options.posts,
            patience=_START_SECONDS + options.posts / _SLOWEST_POSTS_PER_SECOND,
        )

    found = run_rounds(taking_part, options.rounds, options.posts, run, say)
    found.problems += left_out
    facts = {
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "shape": options.shape,
        "posts": options.posts,
        "repeats": options.repeats,
        "rounds": options.rounds,
        "chunk_tokens": sizes,
    }
    return report(found, _title(options), facts)


def _measured(model: Path, dtype: str) -> Choice:
    """What our classifier takes here. It is fixed for all rounds: what differs between them is code alone."""
    classifier = load_model(model, settings=ModelSettings(dtype=dtype))
    return Choice(classifier.dtype, classifier.chunk_tokens)


def _with_environments(
    taking_part: Sequence[Contender], say: Callable[[str], None]
) -> tuple[list[Contender], list[str]]:
    """Those whose libraries can be had, and why others are left out."""
    left_out: dict[Peer, str] = {}
    for peer in dict.fromkeys(contender.peer for contender in taking_part if contender.peer):
        say(f"environment of {peer.name}")
        try:
            _python(peer)
        except environments.Unavailable as error:
            left_out[peer] = f"{peer.name} is left out: {error}"
    return [each for each in taking_part if each.peer not in left_out], list(left_out.values())


def _python(peer: Peer | None) -> Path:
    if peer is None or peer.requirement is None:
        return environments.OWN
    return environments.python_with(peer.requirement)


def _title(options: Options) -> str:
    repeated = f", {options.repeats:.0%} of them repeated" if options.repeats else ""
    return (
        f"{options.posts:,} posts{repeated}, {options.shape}, median of {options.rounds} rounds; posts/s "
        "from the first post in hand to the last label that a read_committed reader sees"
    )
