"""The words over HTTP, on made-up posts."""

import asyncio
import threading

import pytest
from starlette.testclient import TestClient

from nifos_stream.counters.reader import RedisAway
from nifos_stream.settings import Settings
from nifos_stream.watch.analyst import Analyst, Asked
from nifos_stream.watch.api import create_app
from nifos_stream.watch.api.answer import DriversAnswer
from nifos_stream.watch.api.desk import MOST_KEPT, MOST_WAITING, Desk, TooManyWait
from tests.unit.watch.test_api import Made, problem
from tests.unit.watch.test_drivers import Sampled, SplitAtSpaces, posts

DRIVERS = "/api/v1/drivers"


@pytest.fixture
def sampled():
    return Sampled(*posts())


@pytest.fixture
def api(sampled):
    app = create_app(Settings(), counts=Made(), desk=Desk(lambda: Analyst(sampled, SplitAtSpaces)))
    with TestClient(app, base_url="http://127.0.0.1:8080", raise_server_exceptions=False) as opened:
        yield opened


def test_words_come_with_their_numbers_and_the_posts_behind_them(api):
    answer = api.get(DRIVERS, params={"window": "1h", "label": "negative", "limit": 5})
    assert answer.status_code == 200
    DriversAnswer.model_validate_json(answer.content)
    said = answer.json()
    assert (said["posts"], said["posts_before"], said["posts_rest"]) == (20, 20, 20)
    assert (said["label"], said["whole"], said["unread"]) == ("negative", True, 0)
    [word] = said["words"]
    assert (word["word"], word["count"], word["count_before"]) == ("산사태", 20, 0)
    assert word["z"] == min(word["z_before"], word["z_rest"]) > 2
    assert word["posts"][0]["text"] == "산사태 길"
    schema = api.get("/openapi.json").json()["paths"][DRIVERS]["get"]
    asked = {"window", "from", "to", "label", "where", "limit"}
    assert asked == {parameter["name"] for parameter in schema["parameters"]}


def test_the_question_is_filtered_by_what_it_names(api, sampled):
    assert api.get(DRIVERS, params={"where": "source=a"}).json()["posts"] == 10
    assert api.get(DRIVERS, params={"where": "source=nobody"}).json()["words"] == []
    api.get(DRIVERS, params={"from": "2026-05-01T09:00:00+09:00", "to": "2026-05-01T09:10:00+09:00"})
    assert ("1h", "2026-05-01T09:00:00+09:00", "2026-05-01T09:10:00+09:00") in sampled.asked


@pytest.mark.parametrize(
    "query", [{"label": "bad"}, {"limit": 101}, {"window": "1h", "from": "2026-05-01"}, {"colour": "red"}]
)
def test_a_wrong_question_is_one_sentence(api, query):
    assert problem(api.get(DRIVERS, params=query))[0] == 400


class Counting(Analyst):
    """Answers with a number, and may be held up."""

    def __init__(self):
        self.answers = 0
        self.raises = None
        self.unread = 0
        self.may_go = threading.Event()
        self.may_go.set()

    def find(self, asked):  # noqa: ARG002 - the signature of Analyst
        assert self.may_go.wait(5)
        self.answers += 1
        if self.raises is not None:
            raise self.raises
        return Numbered(self.answers, self.unread)


class Numbered:
    def __init__(self, posts, unread):
        self.posts, self.unread = posts, unread


class Clock:
    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds


def run(work):
    """With a desk, its analyst and its clock."""

    async def main():
        analyst, clock = Counting(), Clock()
        desk = Desk(lambda: analyst, now=clock)
        try:
            await work(desk, analyst, clock)
        finally:
            desk.close()

    asyncio.run(main())


def test_many_viewers_share_an_answer_for_a_few_seconds():
    async def work(desk, _analyst, clock):
        found = await asyncio.gather(*(desk.find(Asked()) for _ in range(50)))
        assert {each.posts for each in found} == {1}
        clock.seconds = 4.9
        assert (await desk.find(Asked())).posts == 1
        assert (await desk.find(Asked(limit=3))).posts == 2
        clock.seconds = 5.0
        assert (await desk.find(Asked())).posts == 3

    run(work)


def test_an_answer_that_is_not_whole_is_found_anew_at_once():
    async def work(desk, analyst, _clock):
        analyst.unread = 9
        assert [(await desk.find(Asked())).posts for _ in range(3)] == [1, 2, 3]

    run(work)


def test_what_goes_wrong_is_told_to_all_who_wait_and_not_kept():
    async def work(desk, analyst, _clock):
        analyst.raises = RedisAway("Redis did not answer.")
        found = await asyncio.gather(*(desk.find(Asked()) for _ in range(3)), return_exceptions=True)
        assert found == [analyst.raises] * 3
        analyst.raises = None
        assert (await desk.find(Asked())).posts == 2

    run(work)


def test_a_viewer_who_leaves_does_not_take_the_answer_along():
    async def work(desk, analyst, _clock):
        analyst.may_go.clear()
        leaving, staying = (asyncio.create_task(desk.find(Asked())) for _ in range(2))
        await asyncio.sleep(0.01)
        leaving.cancel()
        await asyncio.sleep(0.01)
        analyst.may_go.set()
        assert (await staying).posts == 1

    run(work)


def test_waiting_questions_and_kept_answers_are_bounded():
    async def work(desk, analyst, _clock):
        for number in range(2 * MOST_KEPT):
            await desk.find(Asked(limit=number))
        assert len(desk._kept) <= MOST_KEPT + 1
        analyst.may_go.clear()
        waiting = [asyncio.create_task(desk.find(Asked(window=f"{n}m"))) for n in range(1, MOST_WAITING + 1)]
        await asyncio.sleep(0.01)
        with pytest.raises(TooManyWait):
            await desk.find(Asked(window="99m"))
        analyst.may_go.set()
        await asyncio.gather(*waiting)

    run(work)
