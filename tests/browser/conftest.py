"""The page in a real Chromium, on a real stack that has labelled and counted the sample posts.

filled      Filled: a stack with a worker, the sample posts, and one that tries to be markup; all counted
served      its web app, to be stopped and started again
opened      opens the page in a new browser; at the end it has had no error in its console
"""

import datetime as dt
import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest
import uvicorn
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, expect, sync_playwright

from nifos_stream.commands.web import listening
from nifos_stream.local.sample import sample_posts
from nifos_stream.local.stack import LocalStack
from nifos_stream.local.up import create_ready_topics
from nifos_stream.settings import Settings, WebSettings
from nifos_stream.watch.api import create_app
from nifos_stream.watch.snapshot import open_counts
from tests.integration.kafka_tools import New, produce_all, wait_until
from tests.integration.workers import WorkerProcess
from tests.models import make_model_dir

TOKEN = "forest-token-1234"
MARKUP = '<img src=x onerror="alert(1)"><b>산불</b>'
_PATIENCE_MS = 30_000
_CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@dataclass
class Filled:
    """start, end: whole minutes around every post that was written, and those that tests add."""

    settings: Settings
    start: dt.datetime
    end: dt.datetime
    posts: int = 0

    def send(self, posts: list[dict[str, Any]]) -> None:
        """Put posts on the input topic."""
        records = [New(json.dumps(post, ensure_ascii=False).encode(), post["id"].encode()) for post in posts]
        produce_all(self.settings.kafka.bootstrap_servers, self.settings.topics.posts, records)
        self.posts += len(posts)

    def wait_counted(self) -> None:
        """Until every post that was sent is counted and none is behind."""
        with open_counts(self.settings) as counts:
            wait_until(
                lambda: counts.total().total.total == self.posts and counts.freshness().behind == 0,
                timeout_seconds=120,
                what=f"{self.posts} posts are counted",
            )

    def query(self, **more: str) -> dict[str, str]:
        """All posts, in English, as the address of the page says it."""
        return {"from": self.start.isoformat(), "to": self.end.isoformat(), "lang": "en", **more}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if _CHROMIUM is None:
        pytest.skip("needs Chromium (apt install chromium)")
    expect.set_options(timeout=_PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def filled(
    browser: Browser,  # noqa: ARG001 - without one, nothing is started
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Filled]:
    folder = tmp_path_factory.mktemp("filled")
    model = make_model_dir(tmp_path_factory.mktemp("model"), seed=4)  # Its labels differ.
    now = dt.datetime.now(dt.UTC).replace(second=0, microsecond=0)
    with LocalStack(folder) as stack:
        settings = Settings(
            kafka={"bootstrap_servers": stack.bootstrap_servers},
            redis={"url": stack.redis_url},
            model={"path": str(model)},
        )
        create_ready_topics(settings)
        worker = WorkerProcess(settings, model)
        made = Filled(settings, now - dt.timedelta(hours=25), now + dt.timedelta(minutes=1))
        markup = {"id": "markup", "text": MARKUP, "title": MARKUP, "author": MARKUP, "keywords": [MARKUP]}
        markup |= {"url": "javascript:alert(1)", "source": MARKUP, "created_at": now.isoformat()}
        made.send([*sample_posts(now), markup])
        made.wait_counted()
        yield made
        worker.stop()
    shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Served:
    """The web app on a port that stays the same when it is started again."""

    settings: Settings
    address: str = ""
    _server: uvicorn.Server | None = None
    _thread: threading.Thread | None = None
    _listen: str = "127.0.0.1:0"
    _app: Any = field(default=None, repr=False)

    def start(self) -> None:
        self._app = create_app(self.settings)
        sock = listening(self._listen)
        self._listen = f"127.0.0.1:{sock.getsockname()[1]}"
        self.address = f"http://{self._listen}/"
        self._server = uvicorn.Server(uvicorn.Config(self._app, log_config=None, timeout_graceful_shutdown=5))
        self._thread = threading.Thread(target=self._run, args=(self._server, sock))
        self._thread.start()
        wait_until(lambda: self._server.started, what="the server is up")

    def stop(self) -> None:
        self._app.state.hub.close()
        self._server.should_exit = True
        self._thread.join(20)
        assert not self._thread.is_alive()

    @staticmethod
    def _run(server: uvicorn.Server, sock: Any) -> None:
        with sock:
            server.run(sockets=[sock])


@contextmanager
def serving(settings: Settings) -> Iterator[Served]:
    served = Served(settings)
    served.start()
    try:
        yield served
    finally:
        served.stop()


@pytest.fixture(scope="session")
def served(filled: Filled) -> Iterator[Served]:
    with serving(filled.settings) as running:
        yield running


@pytest.fixture
def guarded(filled: Filled) -> Iterator[Served]:
    """The same counts, behind a token."""
    with serving(filled.settings.model_copy(update={"web": WebSettings(token=TOKEN)})) as running:
        yield running


@pytest.fixture
def empty(filled: Filled) -> Iterator[Served]:
    """A web app beside a Redis that has counted nothing."""
    counters = filled.settings.counters.model_copy(update={"prefix": "nothing"})
    with serving(filled.settings.model_copy(update={"counters": counters})) as running:
        yield running


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[..., Page]]:
    """open(served, query, **how the browser is): the page, once it shows numbers or says why not.

    `opened.expected` holds parts of errors that the console may have, such as of a server that was stopped.
    """
    said: list[str] = []
    pages: list[Page] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            said.append(f"{message.text} ({message.location.get('url')})")

    def open_page(served: Served, query: dict[str, str] | None = None, **how: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **how})
        context.set_default_timeout(_PATIENCE_MS)
        page = context.new_page()
        page.on("console", heard)
        page.on("pageerror", lambda error: said.append(f"not caught: {error}"))
        page.on("dialog", lambda dialog: said.append(f"a dialog: {dialog.message}"))
        pages.append(page)
        page.goto(f"{served.address}?{urlencode(query or {})}")
        page.wait_for_selector('#status:not([data-live="connecting"]), #empty:not([hidden]), dialog[open]')
        return page

    open_page.expected = []
    yield open_page
    for page in pages:
        try:
            page.context.close()
        except Error as error:
            said.append(str(error))
    assert [line for line in said if not any(part in line for part in open_page.expected)] == []


def eventually(condition: Callable[[], Any], what: str, timeout_seconds: float = 30.0) -> Any:
    """The condition's first true answer. Playwright's own events go on meanwhile only if it asks the page."""
    deadline = time.monotonic() + timeout_seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.05)
    return answer
