"""Five hundred people look at live counts, and Redis does not notice how many they are."""

import asyncio
import json
import re
import time
from itertools import pairwise
from urllib.parse import urlsplit

import pytest

from tests.integration.counting_proxy import CountingProxy
from tests.integration.test_watch import counted  # noqa: F401 - a fixture
from tests.integration.test_web import program

VIEWERS = 500
PARTITIONS = 3
SECONDS = 8
PAGES = ["overview?window=5m", "overview?window=1h"]
"""What the page opens, see page/app.js."""
QUESTIONS = [*PAGES, "stream?window=5m&by=source", "stream?window=1h&by=keyword"]


async def view(address, question, times):
    """Note when each event of a stream comes, for as long as the viewer looks."""
    place = urlsplit(address)
    reader, writer = await asyncio.open_connection(place.hostname, place.port, limit=1 << 20)
    writer.write(f"GET /api/v1/{question} HTTP/1.1\r\nHost: {place.netloc}\r\n\r\n".encode())
    try:
        async for line in reader:
            if line.startswith(b"data: "):
                times.append(time.monotonic())
                said = json.loads(line[6:])
                assert said.get("window", said)["total"]["total"] == 30
    finally:
        writer.close()


async def look(address):
    """When the events of every viewer came within SECONDS, and when that was."""
    times = [[] for _ in range(VIEWERS)]
    viewers = [
        asyncio.create_task(view(address, QUESTIONS[number % len(QUESTIONS)], times[number]))
        for number in range(VIEWERS)
    ]
    while not all(times):
        assert not [viewer for viewer in viewers if viewer.done()]
        await asyncio.sleep(0.1)
    begun = time.monotonic()
    await asyncio.sleep(SECONDS)
    ended = time.monotonic()
    for viewer in viewers:
        viewer.cancel()
    await asyncio.gather(*viewers, return_exceptions=True)
    return [[at for at in some if begun <= at < ended] for some in times], begun, ended


async def watched(settings):
    """What `look` saw, and the round trips that Redis had meanwhile."""
    redis = urlsplit(settings.redis.url.get_secret_value())
    proxy = CountingProxy(redis.hostname, redis.port)
    url = f"redis://127.0.0.1:{await proxy.start()}{redis.path}"
    prefix = settings.counters.prefix
    with program("--listen", "127.0.0.1:0", NIFOS_REDIS__URL=url, NIFOS_COUNTERS__PREFIX=prefix) as running:
        line = await asyncio.to_thread(running.stderr.readline)
        seen, begun, ended = await look(re.search(r'"url": "(http[^"]+)"', line)[1])
    await proxy.stop()
    return seen, [names for at, names in proxy.round_trips if begun <= at < ended], ended - begun


def test_five_hundred_viewers_get_an_update_a_second_of_one_pipelined_read_a_question(counted):  # noqa: F811
    seen, round_trips, seconds = asyncio.run(watched(counted))
    for times in seen:
        assert SECONDS - 1 <= len(times) <= SECONDS + 1
        assert max(later - earlier for earlier, later in pairwise(times)) < 2
    # Each is the number of partitions, the backlog, and of each partition its state and its counts: in one
    # call, or up to three of an overview, which looks at every value of each bucket three times.
    whole = [("HGET", "GET", *["EVALSHA"] * (1 + calls) * PARTITIONS) for calls in (1, 2, 3)]
    asked = set(map(tuple, round_trips))
    assert whole[0] in asked
    assert asked <= set(whole)
    assert len(round_trips) / seconds == pytest.approx(len(QUESTIONS), rel=0.2)
