import datetime as dt

import pytest
from pydantic import ValidationError

from nifos_stream.messages import LABELS, LABELS_KO, SEOUL, Label, Post, Sentence


def post(**fields) -> Post:
    return Post.model_validate({"id": "1", "text": "숲길", **fields}, context={"timezone": dt.UTC})


def test_labels_stand_in_the_order_of_the_models_classes():
    assert LABELS == (Label.NEGATIVE, Label.NEUTRAL, Label.POSITIVE)
    assert [LABELS_KO[label] for label in LABELS] == ["부정", "중립", "긍정"]


def test_a_whole_number_is_an_identifier_too():
    assert post(id=9_007_199_254_740_993).id == "9007199254740993"


@pytest.mark.parametrize("identifier", [True, 1.5, "", None, ["1"]])
def test_anything_else_is_no_identifier(identifier):
    with pytest.raises(ValidationError):
        post(id=identifier)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-05-01", dt.datetime(2026, 5, 1, tzinfo=dt.UTC)),
        ("2026-05-01T09:30:00", dt.datetime(2026, 5, 1, 9, 30, tzinfo=dt.UTC)),
        ("2026-05-01 09:30", dt.datetime(2026, 5, 1, 9, 30, tzinfo=dt.UTC)),
        ("2026-05-01T09:30:00+09:00", dt.datetime(2026, 5, 1, 9, 30, tzinfo=SEOUL)),
        ("2026-05-01T00:30:00Z", dt.datetime(2026, 5, 1, 9, 30, tzinfo=SEOUL)),
    ],
)
def test_a_time_without_zone_is_read_in_the_zone_of_the_context(written, meant):
    assert post(created_at=written).created_at == meant


def test_without_a_context_the_zone_is_seoul():
    read = Post.model_validate({"id": "1", "text": "a", "created_at": "2026-05-01"})
    assert read.created_at == dt.datetime(2026, 5, 1, tzinfo=SEOUL)


def test_one_keyword_may_stand_alone():
    assert post(keywords="산불").keywords == ("산불",)
    assert post(keywords=["산불", "숲길"]).keywords == ("산불", "숲길")


def test_a_rating_may_be_written_as_a_string():
    assert post(rating="4.5").rating == 4.5


@pytest.mark.parametrize("rating", [True, "many", float("inf"), float("nan"), [4]])
def test_what_is_no_finite_number_is_no_rating(rating):
    with pytest.raises(ValidationError):
        post(rating=rating)


def test_a_post_cannot_be_changed():
    with pytest.raises(ValidationError):
        post().text = "other"


def test_a_sentence_is_written_with_from_and_to():
    sentence = Sentence.model_validate(
        {"from": 0, "to": 4, "tokens": 0, "label": None, "score": None, "probabilities": None}
    )
    assert sentence.model_dump(by_alias=True)["from"] == 0
