"""A thousand long posts made of real reviews: what is read of each, and what the event says of it."""

import datetime as dt
import json
import random
import unicodedata

import numpy as np
import pytest

from nifos_stream.local.sample import sample_posts
from nifos_stream.messages import SEOUL, ModelRef
from nifos_stream.model import directory, load_model
from nifos_stream.settings import ModelSettings
from nifos_stream.stream.codec import Record, decode, encode
from tests.models import make_model_like

POSTS = 1000
SOME = 200
NOW = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)
WITHIN = 1e-6
# More than any of the posts has.
ALL_SENTENCES = 1_000_000


def long_posts():
    """Joined by line breaks, by spaces alone, by emoji, in NFD, with 500 × ㅋ, and with all of it at once."""
    rng = random.Random(20260501)
    reviews = [post["text"] for post in sample_posts(NOW)]
    for number in range(POSTS):
        chosen = rng.choices(reviews, k=rng.randint(5, 60))
        kind = number % 6
        between = ["\n", " ", "👍🏻", "\r\n\r\n", " ", rng.choice(["\n", "  ", "😀😀", "❤\ufe0f", "\u3000"])][
            kind
        ]
        if kind in (1, 3):
            # Nothing but spaces tells where one ends and the next begins.
            chosen = ["".join(c for c in text if c.isalnum() or c.isspace()) for text in chosen]
        if kind in (4, 5):
            chosen.insert(rng.randrange(len(chosen)), "ㅋ" * 500)
        post = between.join(chosen)
        yield unicodedata.normalize("NFD", post) if kind in (3, 5) else post


@pytest.fixture(scope="module")
def posts():
    made = list(long_posts())
    assert len(made) == POSTS
    return made


@pytest.fixture(scope="module")
def like_bundled(tmp_path_factory):
    """The bundled model's tokenizer, cleaning and length, with small weights: nothing here hangs on them."""
    return make_model_like("bundled", tmp_path_factory.mktemp("long") / "model")


def load(path, **settings):
    return load_model(path, settings=ModelSettings(dtype="fp32", device="cpu", **settings))


@pytest.fixture(scope="module")
def read(like_bundled, posts):
    """What a pass over all posts read, by token ids, what it was to read, and what it said."""
    classifier = load(like_bundled, max_sentences=ALL_SENTENCES)
    ran, run = set(), classifier.run

    def noted(ids, lengths):
        ends = np.cumsum(lengths)
        ran.update(ids[end - length : end].tobytes() for end, length in zip(ends, lengths, strict=True))
        return run(ids, lengths)

    classifier.run = noted
    prepared = classifier.prepare(posts)
    return ran, prepared.texts, classifier.forward(prepared)


def events(posts, readings):
    for number, (post, reading) in enumerate(zip(posts, readings, strict=True)):
        value = json.dumps({"id": str(number), "text": post}).encode()
        received = decode(Record(None, value, (), "posts", 0, number, 0), timezone=SEOUL)
        made = encode(received, reading, model=ModelRef(name="m", revision="r"), labelled_at=NOW)
        yield json.loads(made)


def test_the_span_of_each_sentence_cleans_to_the_very_ids_that_the_model_read(like_bundled, posts, read):
    ran, texts, readings = read
    loaded = directory.load(like_bundled)
    split = 0
    for post, pieces, reading in zip(posts, texts, readings, strict=True):
        spans = [(one.start, one.end) for one in reading.sentences] or [(0, len(post))]
        assert spans == [(piece.start, piece.end) for piece in pieces.pieces]
        cleaned = [loaded.cleaning(post[start:end]) for start, end in spans]
        ids = [np.array(found.ids, np.int32) for found in loaded.tokenizer.encode_batch(cleaned)]
        assert [each.tobytes() for each in ids] == [piece.ids for piece in pieces.pieces]
        assert ran.issuperset(each.tobytes() for each in ids)
        assert all(len(each) <= loaded.max_length for each in ids)
        split += bool(reading.sentences)
    assert split > 0.95 * POSTS


def test_the_spans_of_an_event_cover_its_post_in_order_and_disjoint(posts, read):
    for post, event in zip(posts, events(posts, read[2]), strict=True):
        assert event["text"] == post
        assert not event["truncated"]
        sentences = event["sentiment"].get("sentences", [{"from": 0, "to": len(post)}])
        last, covered = 0, set()
        for sentence in sentences:
            assert last <= sentence["from"] < sentence["to"] <= len(post)
            covered.update(range(sentence["from"], sentence["to"]))
            last = sentence["to"]
        assert all(place in covered or post[place].isspace() for place in range(len(post)))


def test_the_probabilities_of_an_event_are_the_mean_of_its_sentences_by_tokens(posts, read):
    for event in events(posts, read[2]):
        said = event["sentiment"]
        if "sentences" not in said:
            continue
        tokens = [sentence["tokens"] for sentence in said["sentences"]]
        for label, probability in said["probabilities"].items():
            shares = [sentence["probabilities"][label] for sentence in said["sentences"]]
            assert probability == pytest.approx(np.average(shares, weights=tokens), abs=WITHIN)
        assert sum(said["probabilities"].values()) == pytest.approx(1, abs=1e-9)


def test_with_the_usual_limit_the_beginning_is_covered_and_the_rest_is_said_to_be_cut(
    like_bundled, posts, read
):
    limited = load(like_bundled).splitter.split(posts[:SOME])
    for post, few, everything in zip(posts, limited, read[1], strict=False):
        assert few.truncated == (len(everything.pieces) > ModelSettings().max_sentences)
        assert few.pieces[:-1] == everything.pieces[: len(few.pieces) - 1]
        assert few.truncated or not post[few.pieces[-1].end :].strip()
    assert {few.truncated for few in limited} == {True, False}
