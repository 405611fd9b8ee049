"""Live answers: read once for everybody, bounded, and nobody waits for the slow."""

import asyncio
import json
from functools import partial

import pytest
from structlog.testing import capture_logs

from nifos_stream.counters.reader import RedisAway
from nifos_stream.errors import Refusal, UserError
from nifos_stream.watch.api.hub import MOST_WAITING, Hub, TooManyQuestions, Viewer
from nifos_stream.watch.api.question import Question
from nifos_stream.watch.api.stream import EventStream

HOUR = Question("1h")
TICK = 0.02


class Source:
    """Answers with the number of the read."""

    def __init__(self):
        self.reads = []
        self.raises = None

    async def __call__(self, question):
        self.reads.append(question)
        if self.raises is not None:
            raise self.raises
        return b"%d" % len(self.reads)


def run(test):
    """A test in an event loop, with a source and a hub on it."""
    source = Source()

    async def inside():
        hub = Hub(source, every_seconds=TICK)
        try:
            async with asyncio.timeout(10):
                await test(hub, source)
        finally:
            hub.close()
            await asyncio.sleep(0)

    asyncio.run(inside())


def test_all_viewers_of_a_question_get_the_same_event_of_one_read():
    async def test(hub, source):
        viewers = [hub.join(Question("1h")) for _ in range(50)]
        for number in (1, 2, 3):
            events = {await anext(viewer) for viewer in viewers}
            assert events == {b"data: %d\n\n" % number}
        assert len(source.reads) <= 4

    run(test)


def test_who_comes_later_gets_the_last_event_at_once():
    async def test(hub, source):
        first = await anext(hub.join(HOUR))
        assert await anext(hub.join(HOUR)) == first
        assert len(source.reads) == 1

    run(test)


def test_different_questions_are_read_apart_and_bounded():
    async def test(hub, source):
        for number in range(64):
            hub.join(Question(f"{number + 1}m"))
        with pytest.raises(TooManyQuestions, match="64 different questions"):
            hub.join(HOUR)
        assert await anext(hub.join(Question("7m")))
        assert len(set(source.reads)) == 64

    run(test)


def test_a_question_that_nobody_looks_at_makes_room():
    async def test(hub, source):
        viewers = {number: hub.join(Question(f"{number + 1}m")) for number in range(64)}
        await asyncio.sleep(TICK / 4)
        hub.leave(Question("1m"), viewers[0])
        hub.leave(Question("1m"), viewers[0])
        await asyncio.sleep(3 * TICK)
        hub.join(HOUR)
        read = source.reads.count(Question("1m"))
        await asyncio.sleep(3 * TICK)
        assert source.reads.count(Question("1m")) == read == 1

    run(test)


def test_coming_and_going_costs_no_more_than_a_read_each_tick():
    async def test(hub, source):
        for _ in range(100):
            viewer = hub.join(HOUR)
            await anext(viewer)
            hub.leave(HOUR, viewer)
        assert len(source.reads) == 1

    run(test)


def test_a_viewer_who_takes_nothing_is_dropped_and_the_others_go_on():
    async def test(hub, _source):
        slow, quick = hub.join(HOUR), hub.join(HOUR)
        for _ in range(MOST_WAITING + 3):
            await anext(quick)
        with pytest.raises(StopAsyncIteration):
            await anext(slow)

    run(test)


def test_redis_away_is_an_event_and_the_numbers_come_back():
    async def test(hub, source):
        viewer = hub.join(HOUR)
        await anext(viewer)
        source.raises = RedisAway("Redis did not answer.", Refusal.REDIS_AWAY, address="redis://localhost")
        name, data, *_ = (await anext(viewer)).decode().split("\n")
        assert name == "event: problem"
        assert json.loads(data.removeprefix("data: ")) == {
            "status": 503,
            "title": "Service Unavailable",
            "detail": "Redis did not answer.",
            "code": "redis_away",
            "values": {"address": "redis://localhost"},
        }
        source.raises = None
        while not (await anext(viewer)).startswith(b"data: "):
            pass

    run(test)


def test_what_breaks_is_an_event_without_details():
    async def test(hub, source):
        source.raises = RuntimeError("secret")
        with capture_logs():
            event = await anext(hub.join(HOUR))
        assert b'"status":500' in event
        assert b"secret" not in event

    run(test)


def test_a_question_that_cannot_be_answered_ends():
    async def test(hub, source):
        source.raises = UserError("There is no such dimension.")
        viewer = hub.join(HOUR)
        with pytest.raises(UserError, match="no such dimension"):
            await anext(viewer)
        source.raises = None
        await asyncio.sleep(2 * TICK)
        assert await anext(hub.join(HOUR))

    run(test)


def test_closing_ends_every_stream():
    async def test(hub, _source):
        viewer = hub.join(HOUR)
        await anext(viewer)
        hub.close()
        with pytest.raises(StopAsyncIteration):
            await anext(viewer)

    run(test)


def streamed(viewer, send, slow_seconds=10.0):
    """Send a stream until it ends; whether the viewer was given back."""
    left = []

    async def inside():
        scope = {"type": "http", "asgi": {"spec_version": "2.3"}}
        stream = EventStream(b"data: 1\n\n", viewer, partial(left.append, True), slow_seconds=slow_seconds)
        await asyncio.wait_for(stream(scope, asyncio.Event().wait, send), 10)

    asyncio.run(inside())
    return left == [True]


def test_a_stream_ends_when_its_viewer_does():
    sent = []

    async def send(message):
        sent.append(message.get("body"))

    viewer = Viewer()
    viewer.end(UserError("Gone."))
    assert streamed(viewer, send)
    assert sent[1] == b"retry: 2000\n\ndata: 1\n\n"
    assert sent[2].startswith(b"event: problem\n")
    assert sent[3:] == [b""]


def test_a_stream_that_cannot_send_gives_its_viewer_back():
    async def send(message):
        if "body" in message:
            await asyncio.Event().wait()

    assert streamed(Viewer(), send, slow_seconds=0.01)
