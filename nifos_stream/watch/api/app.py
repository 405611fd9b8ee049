"""The routes of the API, and what they are put together from."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from nifos_stream import __version__
from nifos_stream.alerts.shelf import Shelf, shelf_of
from nifos_stream.counters.reader import Counts
from nifos_stream.errors import Reason, Refusal
from nifos_stream.model import Unread
from nifos_stream.settings import ModelSettings, Settings
from nifos_stream.watch.api import alerts, answer, drivers, page, problem
from nifos_stream.watch.api.desk import Desk
from nifos_stream.watch.api.guard import Guard, access
from nifos_stream.watch.api.hub import EVERY_SECONDS, Hub, TooManyQuestions
from nifos_stream.watch.api.labeller import Labeller, Model, Unlabelled
from nifos_stream.watch.api.overview import OverviewQuestion, Overviews
from nifos_stream.watch.api.question import Asked, AskedPosts, Question
from nifos_stream.watch.api.stream import EventStream
from nifos_stream.watch.feed import Feed
from nifos_stream.watch.snapshot import open_counts

MAX_TEXT_CHARACTERS = 5000
_READERS = 8
"""Threads that read counts; a question more waits for its turn."""
_Asked = Annotated[Asked, Query()]
_AskedPosts = Annotated[AskedPosts, Query()]
_PROBLEM: dict[str, Any] = {"model": problem.Problem, "content": {problem.MEDIA_TYPE: {}}}
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    "4XX": {**_PROBLEM, "description": "The question is not one, or may not be asked."},
    503: {
        **_PROBLEM,
        "description": "Something is away; ask again after Retry-After seconds, if it says so.",
    },
}


class Sentence(BaseModel):
    """A sentence to try."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=MAX_TEXT_CHARACTERS, examples=["숲길이 정말 좋았어요"])


def create_app(
    settings: Settings,
    *,
    counts: Counts | None = None,
    load: Callable[[], Model] | None = None,
    shelf: Shelf | None = None,
    desk: Desk | None = None,
    every_seconds: float = EVERY_SECONDS,
) -> FastAPI:
    """The API on the counts and the model that the settings name, or on those that are given.

    load: called once, in a thread, when the first sentence is tried. every_seconds: between the events of a
    stream. `app.state.hub` is the Hub, to be closed before the server waits for its connections to end.
    UserError when the settings would let strangers in.
    """
    counts = counts or open_counts(settings)
    reading = _Reading(counts)
    desk = desk or drivers.desk_of(counts)
    shelf = shelf or shelf_of(settings)
    hub = Hub(reading.answer, every_seconds=every_seconds)
    labeller = Labeller(load or partial(_load, settings.model))

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        hub.close()
        labeller.close()
        desk.close()
        reading.close()
        shelf.close()

    app = FastAPI(
        title="nifos-stream",
        summary="Sentiment of Korean posts, live.",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,  # These pages load scripts from another host.
        redoc_url=None,
    )
    app.state.hub = hub
    app.include_router(_health())
    app.include_router(page.routes())
    app.include_router(_sentiment(reading, hub), prefix="/api/v1", tags=["counts"], responses=_PROBLEMS)
    app.include_router(drivers.routes(desk, _PROBLEMS))
    app.include_router(alerts.routes(shelf, _PROBLEMS))
    app.include_router(_classify(labeller), prefix="/api/v1", tags=["model"], responses=_PROBLEMS)
    problem.install(app)
    app.add_middleware(Guard, access=access(settings.web))
    return app


class _Reading:
    """Questions to the counts, asked in threads."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._feed = Feed(counts)
        self._overviews = Overviews(counts)
        self._threads = ThreadPoolExecutor(_READERS, "counts")

    async def answer(self, question: Question) -> bytes:
        """The answer as JSON. RedisAway; UserError."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, question)

    async def latest(self, asked: AskedPosts) -> bytes:
        """The latest posts as JSON. RedisAway; UserError."""
        wanted = asked.filter()
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, self._feed.latest, wanted, asked.limit)
        return answer.latest_written(found)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._counts.close()

    def _read(self, question: Question) -> bytes:
        if isinstance(question, OverviewQuestion):
            return self._overviews.written(question)
        return answer.written(question.ask(self._counts))


def _health() -> APIRouter:
    router = APIRouter()

    @router.get("/healthz", response_model=answer.Health)
    async def healthz() -> answer.Health:
        """The program answers; whether Redis does, the counts say."""
        return answer.Health(ok=True)

    return router


def _sentiment(reading: _Reading, hub: Hub) -> APIRouter:
    router = APIRouter()

    @router.get("/sentiment", response_model=answer.SentimentAnswer)
    async def sentiment(asked: _Asked) -> Response:
        """The counts of a window, in total, by a dimension and over time."""
        return Response(await reading.answer(asked.question()), media_type="application/json")

    @router.get("/posts", response_model=answer.PostsAnswer)
    async def posts(asked: _AskedPosts) -> Response:
        """The latest labelled posts that fit, newest first."""
        return Response(await reading.latest(asked), media_type="application/json")

    @router.get("/stream", response_class=EventStream, status_code=200)
    async def stream(asked: _Asked) -> Response:
        """The same, as server-sent events, once a second until the caller goes.

        A message is the answer of /sentiment. An event `problem` says why there is no newer one now.
        """
        return await _followed(hub, asked.question())

    @router.get("/overview", response_class=EventStream, status_code=200)
    async def overview(asked: _Asked) -> Response:
        """What the page shows of a window, as server-sent events: all of it, once a second.

        A message has the `window`, as /sentiment answers it, and how many `seconds` of it have passed; the
        window `before`, posts `per_minute` in the last one and of all time, and groups `by` source, keyword
        and channel with their trends. `by` and `grain` of the question are not used.
        """
        question = asked.question()
        return await _followed(
            hub,
            OverviewQuestion(question.window, where=question.where, start=question.start, end=question.end),
        )

    return router


async def _followed(hub: Hub, question: Question) -> EventStream:
    """A stream of the answers to a question, which it is known to have."""
    try:
        viewer = hub.join(question)
    except TooManyQuestions as error:
        raise problem.Refused(429, str(error), Refusal.TOO_MANY_QUESTIONS, again=True) from None
    leave = partial(hub.leave, question, viewer)
    try:
        first = await anext(viewer)
    except StopAsyncIteration:
        raise problem.Refused(503, "The server is going down.", Refusal.GOING_DOWN, again=True) from None
    except BaseException:
        leave()
        raise
    return EventStream(first, viewer, leave)


def _classify(labeller: Labeller) -> APIRouter:
    router = APIRouter()

    @router.post("/classify", response_model=answer.Labelled, response_model_exclude_none=True)
    async def classify(sentence: Sentence) -> answer.Labelled:
        """What the model says of a sentence. The first one waits until the model is loaded."""
        try:
            info, reading = await labeller.label(sentence.text)
        except Unlabelled as error:
            raise problem.Refused(503, str(error), error.refusal, again=True, **error.named) from None
        if isinstance(reading, Unread):
            empty = reading.reason == Reason.EMPTY_TEXT
            refusal = Refusal.NOTHING_TO_READ if empty else Refusal.NO_LABEL
            raise problem.Refused(422, reading.detail, refusal)
        return answer.labelled(info, reading)

    return router


def _load(settings: ModelSettings) -> Model:
    from nifos_stream.model import load_model

    return load_model(settings.path, settings=settings)
