"""Five hundred people look at live counts, and Redis does not notice how many they are."""

import asyncio
import json
import re
import time
from itertools import pairwise
from urllib.parse import urlsplit

import pytest

from tests.integration.test_watch import counted  # noqa: F401 - a fixture
from tests.integration.test_web import program

VIEWERS = 500
QUESTIONS = [f"window={window}&by={by}" for window in ("5m", "1h") for by in ("source", "keyword")]
SECONDS = 8


async def view(address, question, times):
    """Note when each event of a stream comes, for as long as the viewer looks."""
    place = urlsplit(address)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    request = f"GET /api/v1/stream?{question} HTTP/1.1\r\nHost: {place.netloc}\r\n\r\n"
    writer.write(request.encode())
    try:
        async for line in reader:
            if line.startswith(b"data: "):
                times.append(time.monotonic())
                assert json.loads(line[6:])["total"]["total"] == 30
    finally:
        writer.close()


async def look(address, reads):
    """When the events of every viewer came within SECONDS, and the reads of counts meanwhile."""
    times = [[] for _ in range(VIEWERS)]
    viewers = [
        asyncio.create_task(view(address, QUESTIONS[number % len(QUESTIONS)], times[number]))
        for number in range(VIEWERS)
    ]
    while not all(times):
        assert not [viewer for viewer in viewers if viewer.done()]
        await asyncio.sleep(0.1)
    begun, before = time.monotonic(), reads()
    await asyncio.sleep(SECONDS)
    ended, after = time.monotonic(), reads()
    for viewer in viewers:
        viewer.cancel()
    await asyncio.gather(*viewers, return_exceptions=True)
    return [[at for at in some if begun <= at < ended] for some in times], (after - before) / (ended - begun)


def test_five_hundred_viewers_get_an_update_a_second_of_one_read_a_question(counted, redis_client):  # noqa: F811
    def reads():
        """Every reading of counts begins with the only GET that anybody sends: of the backlog."""
        return redis_client.info("commandstats").get("cmdstat_get", {"calls": 0})["calls"]

    url, prefix = counted.redis.url.get_secret_value(), counted.counters.prefix
    with program("--listen", "127.0.0.1:0", NIFOS_REDIS__URL=url, NIFOS_COUNTERS__PREFIX=prefix) as running:
        address = re.search(r'"url": "(http[^"]+)"', running.stderr.readline())[1]
        seen, reads_a_second = asyncio.run(look(address, reads))
    for times in seen:
        assert SECONDS - 1 <= len(times) <= SECONDS + 1
        assert max(later - earlier for earlier, later in pairwise(times)) < 2
    assert reads_a_second == pytest.approx(len(QUESTIONS), rel=0.2)
