"""Who takes part, and how each is started. Knows no model and no result."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nifos_stream.errors import UserError
from tests.peers.apps.job import Labelling

EXACTLY = "exactly once"
AT_LEAST = "at least once"
OURS = "nifos-stream"
PLUGGED = "+ours"
_PIPELINE_DTYPES = ("fp32", "bf16", "fp16")


@dataclass(frozen=True, slots=True)
class Peer:
    """A library. requirement: what pip installs for it, None where the project has it already.

    command: what follows the interpreter; {folder} is the run's. before: the same for what must be run first.
    plugged: whether our classifier has a place in it.
    """

    name: str
    delivery: str
    command: tuple[str, ...]
    requirement: str | None = None
    before: tuple[str, ...] = ()
    plugged: bool = True


@dataclass(frozen=True, slots=True)
class Contender:
    """A row of the table. peer: None for nifos-stream itself."""

    name: str
    dtype: str
    delivery: str
    labelling: Labelling
    peer: Peer | None


PEERS = (
    Peer("confluent-kafka", EXACTLY, ("-m", "tests.peers.apps.confluent")),
    Peer("quixstreams", EXACTLY, ("-m", "tests.peers.apps.quix"), "quixstreams==3.28.1"),
    Peer(
        "infinity-emb",
        EXACTLY,
        ("-m", "tests.peers.apps.infinity"),
        "infinity-emb==0.0.78",
        # In its place stands the loop of confluent-kafka with our classifier.
        plugged=False,
    ),
    Peer(
        "bytewax",
        AT_LEAST,
        (*("-m", "bytewax.run", "tests.peers.apps.bytewax_flow"), *("-r", "{folder}", "-s", "10", "-b", "0")),
        "bytewax==0.21.1",
        before=("-m", "bytewax.recovery", "{folder}", "1"),
    ),
    Peer("sentry-arroyo", AT_LEAST, ("-m", "tests.peers.apps.arroyo_consumer"), "sentry-arroyo==2.48.0"),
)


def contenders(dtypes: Sequence[str], only: Sequence[str] = ()) -> list[Contender]:
    """nifos-stream in each of `dtypes`, then every peer, its own way and with our classifier, in the first.

    A library's own way knows no int8: it runs in fp32 then. only: names of rows, or of nifos-stream.
    UserError for a name that is none.
    """
    first = dtypes[0]
    own = first if first in _PIPELINE_DTYPES else "fp32"
    made = [Contender(OURS, dtype, EXACTLY, "ours", None) for dtype in dict.fromkeys(dtypes)]
    made += [Contender(peer.name, own, peer.delivery, "own", peer) for peer in PEERS]
    made += [
        Contender(f"{peer.name}{PLUGGED}", first, peer.delivery, "ours", peer)
        for peer in PEERS
        if peer.plugged
    ]
    known = {contender.name for contender in made}
    if unknown := [name for name in only if name not in known]:
        raise UserError(f"{unknown[0]} does not take part; those who do are {', '.join(sorted(known))}.")
    return [contender for contender in made if not only or contender.name in only]


def command(contender: Contender, python: Path, folder: Path) -> list[list[str]]:
    """What to run, one after the other, for a peer; the last is the program itself."""
    if contender.peer is None:
        return [[sys.executable, "-m", "nifos_stream", "worker"]]
    steps = [step for step in (contender.peer.before, contender.peer.command) if step]
    return [[str(python), *(part.format(folder=folder) for part in step)] for step in steps]
