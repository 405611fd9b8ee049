import datetime as dt
import json

import pytest

from nifos_stream.errors import Reason
from nifos_stream.messages import SEOUL, LabelledPost, ModelRef
from nifos_stream.model.reading import Unread
from nifos_stream.stream.codec import parse_letter
from nifos_stream.stream.outbox import Destination, Outbox
from tests.unit.stream.fakes import bad_row, batch, read, row

NOW = dt.datetime(2026, 5, 1, 9, 30, tzinfo=SEOUL)


@pytest.fixture
def outbox():
    return Outbox(
        events=Destination("sentiment", 3),
        letters=Destination("letters", 2),
        model=ModelRef(name="fake", revision="0123456789ab"),
        version="0.1.0",
        matched_keywords=lambda post: ("숲",) if "숲" in post.text else (),
        utcnow=lambda: NOW,
    )


def test_a_post_becomes_an_event_with_its_key_headers_and_partition(outbox):
    (event,) = outbox.address(batch(row(7, partition=5, text="숲이 좋아요")), [read("좋")])
    assert (event.topic, event.partition) == ("sentiment", 5 % 3)
    assert event.record.key == b"k"
    assert event.headers == [("h", b"1")]
    assert (event.label, event.reason) == ("positive", None)
    post = LabelledPost.model_validate(json.loads(event.value))
    assert post.origin.offset == 7
    assert post.matched_keywords == ("숲",)
    assert post.labelled_at == NOW


def test_a_bad_row_becomes_a_dead_letter_byte_for_byte(outbox):
    (letter,) = outbox.address(batch(bad_row(7, partition=5)), [])
    assert (letter.topic, letter.partition) == ("letters", 5 % 2)
    assert letter.value == b"{"
    assert (letter.label, letter.reason) == (None, Reason.NOT_JSON)
    said = parse_letter(letter.headers)
    assert said.headers == (("h", b"1"),)
    assert (said.reason, said.origin.partition, said.origin.offset) == ("not_json", 5, 7)


def test_readings_belong_to_the_rows_that_hold_posts(outbox):
    rows = [row(0), bad_row(1), row(2, text="별로"), bad_row(3), row(4)]
    readings = [read("좋"), read("별로"), Unread(Reason.MODEL_NAN, "The model gave no number.")]
    messages = outbox.address(batch(*rows), readings)
    assert [message.record.offset for message in messages] == [0, 1, 2, 3, 4]
    assert [message.label for message in messages] == ["positive", None, "negative", None, None]
    assert [message.reason for message in messages] == [
        None,
        Reason.NOT_JSON,
        None,
        Reason.NOT_JSON,
        Reason.MODEL_NAN,
    ]


def test_an_event_that_is_too_large_becomes_the_dead_letter_of_its_post(outbox):
    post = row(7)
    (event,) = outbox.address(batch(post), [read("좋")])
    letter = outbox.too_large(event)
    assert letter.topic == "letters"
    assert letter.value == post.record.value
    assert letter.reason is Reason.EVENT_TOO_LARGE
