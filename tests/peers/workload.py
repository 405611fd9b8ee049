"""The model directory that all read, and the texts that all label. Knows no contender."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from nifos_stream.bench.texts import different, read_texts, with_repeats
from nifos_stream.errors import UserError
from nifos_stream.model import directory, load_model, made, place
from nifos_stream.model.cleaning import Cleaning
from nifos_stream.settings import ModelSettings
from nifos_stream.training import exported
from tests.models import make_model_dir

SHAPES = ("koelectra-base", "bundled", "tiny")
# Of the texts made, those are left out that a model does not read whole, reads like another, or leaves open.
_SPARE = 2.5
_READ_AT_ONCE = 128
# Random weights have next to no opinion of many a text, and half precision then turns it over.
_UNDECIDED = 4e-3


@dataclass(frozen=True, slots=True)
class Workload:
    """model: a directory that transformers reads, too. texts: one for each post."""

    model: Path
    texts: Sequence[str]


def workload(
    folder: Path, shape: str, posts: int, *, vocabulary: Path | None, texts: Path | None, repeats: float
) -> Workload:
    """Write the model of a shape, and choose texts for it.

    vocabulary: WordPiece entries for the random weights of koelectra-base. texts: a file; without it the
    bundled sample's, mixed so that all differ. repeats: share of posts whose text was there before.
    """
    model = folder / "model"
    exported.plain(_source(folder, shape, vocabulary), model)
    candidates = readable(model, different(read_texts(texts), int(posts * _SPARE)))
    found = list(islice(decided(model, candidates) if shape == "koelectra-base" else candidates, posts))
    if len(found) < posts:
        raise UserError(f"Only {len(found):,} of {posts:,} texts are left that this model reads whole.")
    return Workload(model, with_repeats(found, repeats))


def readable(model: Path, texts: Sequence[str]) -> list[str]:
    """Those that fit, cleaned as the model wants it, each sequence of tokens once.

    Cleaning a clean text changes nothing: so a program that does not clean sees what one sees that does.
    """
    manifest = directory.read_manifest(model)
    cleaning = Cleaning(manifest.cleaning, manifest.kept)
    cleaned = [text for text in map(cleaning, texts) if text]
    tokenizer = directory.read_tokenizer(model)
    kept: dict[tuple[int, ...], str] = {}
    for text, found in zip(cleaned, tokenizer.encode_batch(cleaned), strict=True):
        if len(found.ids) <= manifest.max_length:
            kept.setdefault(tuple(found.ids), text)
    return list(kept.values())


def decided(model: Path, texts: Sequence[str]) -> Iterator[str]:
    """Those of which the model has an opinion that half precision does not turn over."""
    classifier = load_model(model, settings=ModelSettings(dtype="fp32"))
    for begin in range(0, len(texts), _READ_AT_ONCE):
        some = texts[begin : begin + _READ_AT_ONCE]
        for text, reading in zip(some, classifier.classify(some), strict=True):
            _least, second, first = sorted(reading.probabilities)
            if first - second >= _UNDECIDED:
                yield text


def _source(folder: Path, shape: str, vocabulary: Path | None) -> str:
    if shape == "bundled":
        return place.BUNDLED
    raw = folder / "raw"
    if shape == "tiny":
        make_model_dir(raw, layers=2, hidden=32)
    else:
        made.write_random(raw, shape, vocabulary)
    return str(raw)
