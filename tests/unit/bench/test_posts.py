import datetime as dt

from nifos_stream.bench.posts import events, posts
from nifos_stream.counters.event import decode as decode_event
from nifos_stream.stream.codec import Record, decode


def test_posts_are_posts_numbered_from_the_first():
    made = list(posts(["좋아요", "별로"], first=7))
    assert [key for key, _ in made] == [b"7", b"8"]
    received = [decode(Record(key, value, (), "t", 0, 0, -1), timezone=dt.UTC) for key, value in made]
    assert [(each.post.id, each.post.text) for each in received] == [("7", "좋아요"), ("8", "별로")]
    assert all(each.post.source and each.post.keywords for each in received)
    written = [each.post.created_at for each in received]
    assert written[1] - written[0] == dt.timedelta(milliseconds=1)
    assert dt.timedelta(0) < dt.datetime.now(dt.UTC) - written[1] < dt.timedelta(minutes=1)


def test_events_are_what_the_counter_view_reads():
    made = [decode_event(value, dt.UTC, 600) for _, value in events(["좋아요"] * 50, "t")]
    assert {event.signature.label for event in made} == {0, 1, 2}
    assert all(event.believed and event.signature.source for event in made)
