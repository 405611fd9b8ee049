"""What people see at `/` while an answer is awaited, refused or late; and that the focus stays."""

import datetime as dt
import json
import re
import time
from collections.abc import Callable
from itertools import pairwise

import httpx2
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import TOKEN, eventually
from tests.browser.test_page import number

OVERVIEW, DRIVERS, ALERTS = (re.compile(rf"/api/v1/{name}\?") for name in ("overview", "drivers", "alerts"))
JSON = "application/json"


def refused(status, detail, **headers):
    said = json.dumps({"status": status, "title": "", "detail": detail})
    return {"status": status, "body": said, "headers": {"Content-Type": JSON, **headers}}


def asked_at(page, pattern) -> list[float]:
    """When each request was sent, from now on."""
    times = []
    page.on(
        "request", lambda request: times.append(time.monotonic()) if pattern.search(request.url) else None
    )
    return times


def said_of(served, route, query):
    return httpx2.get(f"{served.address}api/v1/{route}", params=query, timeout=60).json()


def only(filled, where):
    return {"from": filled.start.isoformat(), "to": filled.end.isoformat(), "where": where}


def test_after_a_click_no_old_number_stands_under_the_new_filter(filled, served, opened):
    page = opened(served, filled.query())
    glance, posts = page.locator("#glance"), page.locator("#figure-posts")
    expect(posts).not_to_have_text("")
    expect(glance).to_have_attribute("aria-busy", "false")
    held = []
    page.route(OVERVIEW, lambda route: held.append(route))
    page.get_by_role("button", name="instagram", exact=True).click()
    eventually(lambda: page.wait_for_timeout(50) or held, "the page asks anew")
    expect(page.locator("#filters")).to_contain_text("instagram")
    for part in ("#glance", "#chart-section", "#source", "#keyword"):
        expect(page.locator(part)).to_have_attribute("aria-busy", "true")
    for part in ("#figure-posts", "#share-negative", "#source td.posts >> nth=0", "#chart"):
        expect(page.locator(part)).to_be_hidden()
    expect(page.locator("#glance-note")).to_have_text("Reading the numbers …")
    expect(page.get_by_role("button", name="instagram", exact=True)).to_be_focused()
    held[0].continue_()
    said = said_of(served, "sentiment", only(filled, "source=instagram"))
    expect(posts).to_have_text(f"{said['total']['total']:,}")
    expect(posts).to_be_visible()
    expect(glance).to_have_attribute("aria-busy", "false")
    expect(page.locator("#glance-note")).to_be_hidden()


def test_a_choice_that_is_refused_says_why_and_shows_no_number_until_it_is_answered(filled, served, opened):
    opened.expected += ["429"]
    page = opened(served, filled.query())
    expect(page.locator("#figure-posts")).to_be_visible()
    detail = "64 different questions are being answered live; that is the most."
    page.route(OVERVIEW, lambda route: route.fulfill(**refused(429, detail, **{"Retry-After": "2"})))
    page.get_by_role("button", name="instagram", exact=True).click()
    expect(page.locator("#problem")).to_have_text(detail)
    expect(page.locator("#glance-note")).to_contain_text("There are no numbers of this choice")
    expect(page.locator("#glance")).to_have_attribute("aria-busy", "false")
    expect(page.locator("#figure-posts")).to_be_hidden()
    expect(page.locator("#source td.posts").first).to_be_hidden()
    expect(page.locator("#status")).to_have_text("Not live · the numbers cannot be read now")
    page.unroute(OVERVIEW)
    expect(page.locator("#figure-posts")).to_be_visible()
    expect(page.locator("#glance-note")).to_be_hidden()


def test_posts_of_another_filter_are_not_shown_while_those_of_this_one_are_looked_for(filled, served, opened):
    page = opened(served, filled.query())
    expect(page.locator("#feed-list .post").first).to_be_visible()
    opened.expected += ["503"]
    page.route(re.compile(r"/api/v1/posts\?"), lambda route: route.fulfill(**refused(503, "Redis is away.")))
    page.get_by_role("button", name="instagram", exact=True).click()
    expect(page.locator("#feed-note")).to_have_text("Cannot be read now: Redis is away.")
    expect(page.locator("#feed-list")).to_be_hidden()


def test_posts_per_minute_are_those_that_the_server_says(served, opened):
    page = opened(served, {"window": "24h", "lang": "en"})
    with httpx2.stream(
        "GET", f"{served.address}api/v1/overview", params={"window": "24h"}, timeout=20
    ) as live:
        line = next(line for line in live.iter_lines() if line.startswith("data: "))
    said = json.loads(line[6:]) | {"per_minute": 1234.4, "seconds": 12 * 3600}
    said["window"]["total"]["total"] = 2400
    body = f"data: {json.dumps(said)}\n\n"
    page.route(
        OVERVIEW, lambda route: route.fulfill(body=body, headers={"Content-Type": "text/event-stream"})
    )
    page.locator("#windows button", has_text="1 h").click()
    expect(page.locator("#figure-minute")).to_have_text("1,234")
    expect(page.locator("#figures")).to_contain_text("mean of the window 200 an hour")


def test_drivers_are_offered_under_a_channel_filter(filled, served, opened):
    page = opened(served, filled.query())
    expect(page.locator("#drivers-negative > .small")).to_be_visible()
    page.locator("#channel tbody button").first.click()
    channel = page.locator("#channel tr.chosen th").inner_text()
    query = {**only(filled, f"channel={channel}"), "label": "negative", "limit": "12"}
    said = said_of(served, "drivers", query)
    assert said["posts"] > 0
    expect(page.locator("#drivers-negative > .small")).to_contain_text(f"{said['posts']:,}")
    words = [one["word"] for one in said["words"]]
    expect(page.locator("#drivers-negative .word")).to_have_text(words)


def test_words_of_posts_that_were_not_all_read_are_asked_for_again_soon(filled, served, opened):
    query = {"from": filled.start.isoformat(), "to": filled.end.isoformat(), "label": "negative"}
    said = said_of(served, "drivers", query)
    left = [40]

    def answer(route):
        body = json.dumps({**said, "unread": left[0], "whole": False})
        route.fulfill(body=body, headers={"Content-Type": JSON})

    page = opened(served)
    page.route(DRIVERS, answer)
    page.goto(f"{served.address}?lang=en&window=24h")
    expect(page.locator("#drivers-negative > .small")).to_contain_text("40 more are still being read.")
    left[0] = 0
    expect(page.locator("#drivers-negative > .small")).not_to_contain_text("still being read", timeout=4000)


def test_words_of_the_first_posts_are_asked_for_soon(filled, served, opened):
    query = {"from": filled.start.isoformat(), "to": filled.end.isoformat(), "label": "negative"}
    said = said_of(served, "drivers", query)
    empty = {**said, "posts": 0, "posts_before": 0, "posts_rest": 0, "words": []}
    answers = [empty]

    def answer(route):
        route.fulfill(body=json.dumps(answers[-1]), headers={"Content-Type": JSON})

    page = opened(served)
    page.route(DRIVERS, answer)
    page.goto(f"{served.address}?lang=en&window=24h")
    expect(page.locator("#drivers-negative .note")).to_be_visible()
    answers.append(said)
    expect(page.locator("#drivers-negative .word").first).to_be_visible(timeout=6000)


@pytest.mark.usefixtures("filled")
def test_words_of_one_label_that_fail_are_said_though_those_of_the_other_come(served, opened):
    opened.expected += ["503"]
    page = opened(served)
    held = []

    def answer(route):
        if "label=positive" in route.request.url:
            held.append(route)
        else:
            route.fulfill(**refused(503, "Redis is away."))

    page.route(DRIVERS, answer)
    page.goto(f"{served.address}?lang=en&window=24h")
    note = page.locator("#drivers-note")
    expect(note).to_have_text("Cannot be read now: Redis is away.")
    expect(page.locator("#drivers")).to_have_attribute("aria-busy", "true")
    held[0].continue_()
    expect(page.locator("#drivers-positive > .small")).to_be_visible()
    expect(page.locator("#drivers")).to_have_attribute("aria-busy", "false")
    expect(note).to_have_text("Cannot be read now: Redis is away.")


def test_it_comes_back_at_growing_and_chance_intervals(filled, served, opened):
    page = opened(served, filled.query())
    waits = page.evaluate(
        """async () => {
          const { backOff } = await import("/page/api.js");
          const chances = (failures) => [0, 0.5, 1].map((chance) => backOff(failures, 0, chance));
          const some = [1, 2, 3, 4, 5].map(() => backOff(5));
          return [[0, 1, 2, 3, 9].map(chances), backOff(0, 4000, 0), backOff(0, 4000, 1), new Set(some).size];
        }"""
    )
    rows, least, most, different = waits
    assert rows[0] == [250, 375, 500]
    assert [row[0] for row in rows] == [250, 500, 1000, 2000, 7500]
    assert rows[-1][2] == 15_000
    assert (least, most) == (4000, 4250)
    assert different == 5
    opened.expected += ["Failed to load resource"]
    page.route(OVERVIEW, lambda route: route.abort())
    times = asked_at(page, OVERVIEW)
    page.locator("#windows button", has_text="24 h").click()
    expect(page.locator("#glance-note")).to_contain_text("the server cannot be reached. Trying again.")
    eventually(lambda: page.wait_for_timeout(50) or len(times) >= 5, "it tries again")
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert gaps[3] > gaps[0]
    assert gaps[3] > 1.9


def test_it_comes_back_no_sooner_than_the_server_asks(filled, served, opened):
    opened.expected += ["503"]
    page = opened(served, filled.query())
    page.route(OVERVIEW, lambda route: route.fulfill(**refused(503, "Busy.", **{"Retry-After": "3"})))
    posts = re.compile(r"/api/v1/posts\?")
    page.route(posts, lambda route: route.fulfill(**refused(503, "Busy.", **{"Retry-After": "5"})))
    streams, polls = asked_at(page, OVERVIEW), asked_at(page, posts)
    page.locator("#windows button", has_text="24 h").click()
    page.get_by_role("button", name="instagram", exact=True).click()
    eventually(lambda: page.wait_for_timeout(50) or (len(streams) >= 4 and len(polls) >= 3), "twice again")
    assert min(b - a for a, b in pairwise(streams[1:])) > 2.9
    assert polls[-1] - polls[-2] > 4.9


def test_without_the_token_nothing_more_is_asked_until_it_is_given(filled, guarded, opened):
    opened.expected += ["401"]
    page = opened(guarded, filled.query())
    expect(page.locator("#token")).to_contain_text("NIFOS_WEB__TOKEN")
    expect(page.locator("#problem")).to_have_text("This server wants its token. Enter it to go on.")
    page.wait_for_timeout(1000)
    times = asked_at(page, re.compile("/api/v1/"))
    page.wait_for_timeout(7000)
    assert times == []
    page.locator("#token-text").fill(TOKEN)
    page.keyboard.press("Enter")
    expect(page.locator("#status")).to_have_attribute("data-live", "yes")
    expect(page.locator("#figure-posts")).to_be_visible()
    expect(page.locator("#feed-list .post").first).to_be_visible()
    expect(page.locator("#drivers-negative > .small")).to_be_visible()
    expect(page.locator("#alerts-note")).to_have_text("No alerts.")


def made_alert(number, minutes_ago, **changes):
    now = dt.datetime.now(dt.UTC).astimezone(dt.timezone(dt.timedelta(hours=9)))
    began = now - dt.timedelta(minutes=minutes_ago)
    evidence = {
        "from": (began - dt.timedelta(minutes=5)).isoformat(),
        "to": began.isoformat(),
        "count": {"negative": 63, "neutral": 7, "positive": 20, "total": 90},
        "negative_share": 0.7,
        "usual": 21.0,
        "ratio": 3.0,
        "score": 6.2,
        "line": 4.0,
        "days": 14,
        "drivers": {"posts": 63, "words": [{"word": "산불", "z": 4.1}, {"word": "<b>대피</b>", "z": 2.2}]},
        "posts": [
            {
                "id": "1",
                "text": "산불이 무섭다",
                "source": "twitter",
                "url": "https://example.org/1",
                "created_at": began.isoformat(),
                "label": "negative",
                "score": 0.93,
            }
        ],
    }
    return {
        "id": f"{number:016x}",
        "rule": "negative-surge",
        "kind": "surge",
        "dimension": "source",
        "value": "twitter",
        "metric": "negative",
        "started_at": began.isoformat(),
        "ended_at": None,
        "summary": "Source twitter: 63 negative posts in 5 min, usually 21.0 (3.0 times).",
        "evidence": evidence,
    } | changes


@pytest.fixture
def alerting() -> Callable:
    """Lets a page have these alerts; what is given is asked for anew each time."""

    def route(page, alerts):
        page.route(
            ALERTS,
            lambda route: route.fulfill(
                body=json.dumps({"alerts": alerts()}), headers={"Content-Type": JSON}
            ),
        )

    return route


def test_the_evidence_that_is_being_read_stays_open_and_keeps_the_focus(served, opened, alerting):
    turn = [0]

    def alerts():
        turn[0] += 1
        newer = [made_alert(10 + n, 1) for n in range(turn[0])]
        return [*newer, made_alert(1, 5 + turn[0], value=f"twitter {turn[0]}")]

    page = opened(served)
    alerting(page, alerts)
    page.goto(f"{served.address}?lang=en&window=24h")
    item = page.locator("#alerts-list > li").last
    item.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(item.locator(".facts")).to_be_visible()
    page.keyboard.press("Tab")
    expect(item.get_by_role("link", name="Original")).to_be_focused()
    seen = turn[0]
    expect(item).to_contain_text(f"twitter {seen + 2}")
    expect(item.get_by_role("link", name="Original")).to_be_focused()
    expect(item.locator(".facts")).to_be_visible()


def test_alerts_stay_while_there_is_no_newer_answer(served, opened, alerting):
    opened.expected += ["503"]
    page = opened(served)
    alerting(page, lambda: [made_alert(1, 5)])
    page.goto(f"{served.address}?lang=en&window=24h")
    expect(page.locator("#alerts-list > li")).to_have_count(1)
    page.route(ALERTS, lambda route: route.fulfill(**refused(503, "Redis does not answer.")))
    expect(page.locator("#alerts-note")).to_contain_text("Redis does not answer.")
    expect(page.locator("#alerts-list > li")).to_have_count(1)
    alerting(page, lambda: [made_alert(1, 5), made_alert(2, 1)])
    expect(page.locator("#alerts-list > li")).to_have_count(2)
    expect(page.locator("#alerts-note")).to_have_text("")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_open_evidence_nor_in_a_refusal(served, opened, alerting, scheme):
    opened.expected += ["429"]
    page = opened(served, color_scheme=scheme)
    alerting(page, lambda: [made_alert(1, 5), made_alert(2, 9, ended_at=dt.datetime.now(dt.UTC).isoformat())])
    page.goto(f"{served.address}?lang=en&window=24h")
    page.locator("#alerts-list summary").first.click()
    expect(page.locator("#alerts-list .facts").first).to_be_visible()
    assert serious(page) == []
    page.route(OVERVIEW, lambda route: route.fulfill(**refused(429, "Too many.")))
    page.locator("#windows button", has_text="1 h").click()
    expect(page.locator("#problem")).to_be_visible()
    assert serious(page) == []


def serious(page):
    violations = Axe().run(page).response["violations"]
    return [
        (one["id"], [node["html"][:120] for node in one["nodes"]][:3])
        for one in violations
        if one["impact"] in ("serious", "critical")
    ]


def test_an_alert_is_told_in_the_language_of_the_page(served, opened, alerting):
    page = opened(served)
    alerting(
        page, lambda: [made_alert(1, 5), made_alert(2, 9, kind="silence", evidence={}, summary="It is.")]
    )
    page.goto(f"{served.address}?lang=ko&window=24h")
    first, second = page.locator("#alerts-list .summary").all()
    expect(first).to_have_text("출처 twitter: 5분 동안 부정 글 63개, 평소 21개의 3.0배")
    expect(second).to_have_text("It is.")
    page.get_by_role("button", name="English").click()
    expect(first).to_have_text("Source twitter: 63 negative posts in 5 min, 3.0 times the usual 21")


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("ko", "두드러진 말 산불, <b>대피</b> (글 63개에서)"),
        ("en", "Words that stand out 산불, <b>대피</b> (of 63 posts)"),
    ],
)
def test_the_words_of_an_alert_are_in_its_evidence(served, opened, alerting, lang, said):
    page = opened(served)
    alerting(page, lambda: [made_alert(1, 5)])
    page.goto(f"{served.address}?lang={lang}&window=24h")
    page.locator("#alerts-list summary").first.click()
    expect(page.locator("#alerts-list .facts > *").last).to_have_text(
        re.compile(r"\s*".join(map(re.escape, said.split())))
    )


def test_odd_evidence_of_somebody_else_stops_nothing(served, opened, alerting):
    odd = {
        "ratio": "3",
        "usual": None,
        "score": None,
        "count": {"total": "many"},
        "from": 5,
        "days": [],
        "line": {},
        "drivers": {"posts": 5, "words": "산불"},
    }
    turn = [0]

    def alerts():
        turn[0] += 1
        posts = [{"id": "1"}, None, "post", {"id": "2", "text": 5}]
        foreign = made_alert(2, 9, evidence={**odd, "posts": posts}, summary="Something is up.")
        unknown = made_alert(3, 7, metric="joy", summary="There is joy.")
        return [made_alert(1, 5, value=f"twitter {turn[0]}"), unknown, foreign]

    page = opened(served)
    alerting(page, alerts)
    page.goto(f"{served.address}?lang=en&window=24h")
    last = page.locator("#alerts-list > li").last
    expect(last.locator(".summary")).to_have_text("Something is up.")
    last.locator("summary").click()
    expect(last.locator(".facts > *")).to_have_count(0)
    expect(last.locator(".posts")).to_be_hidden()
    expect(page.locator("#alerts-list > li").nth(1).locator(".summary")).to_have_text("There is joy.")
    seen = turn[0]
    expect(page.locator("#alerts-list > li").first).to_contain_text(f"twitter {seen + 1}", timeout=15_000)


def test_an_answer_that_cannot_be_drawn_is_reported_and_the_section_asks_again(filled, served, opened):
    opened.expected += ["reading 'partition'"]  # What the page reports.
    page = opened(served, filled.query())
    expect(page.locator("#feed-list .post").first).to_be_visible()
    said = said_of(served, "posts", {"limit": "1"})["posts"]
    reported, turn = [], [0]
    page.on("pageerror", lambda error: reported.append(str(error)))

    def answer(route):
        turn[0] += 1
        posts = [{"id": "no origin"}] if turn[0] <= 2 else [{**said[0], "text": "It lives."}]
        route.fulfill(body=json.dumps({"posts": posts}), headers={"Content-Type": JSON})

    page.route(re.compile(r"/api/v1/posts\?"), answer)
    page.get_by_role("button", name="instagram", exact=True).click()
    expect(page.locator("#feed-list .post-text")).to_have_text(["It lives."])
    assert len(reported) == 2
    assert all("partition" in error for error in reported)


def test_the_word_whose_posts_are_read_keeps_the_focus_when_the_words_change_places(filled, served, opened):
    query = {"from": filled.start.isoformat(), "to": filled.end.isoformat(), "label": "negative"}
    said = said_of(served, "drivers", query)
    post = said_of(served, "posts", {"limit": "1"})["posts"][0]
    turn = [0]

    def answer(route):
        turn[0] += 1
        words = [
            {"word": word, "z": 3.0, "z_before": 3.0, "z_rest": 3.0, "count": turn[0], "count_before": 0}
            | {"count_rest": 0, "posts": [post]}
            for word in ("연기", "헬기", "대피")
        ]
        body = json.dumps({**said, "unread": 5, "words": words[:: 1 if turn[0] % 2 else -1]})
        route.fulfill(body=body, headers={"Content-Type": JSON})

    page = opened(served)
    page.route(DRIVERS, answer)
    page.goto(f"{served.address}?lang=en&window=24h")
    word = page.locator("#drivers-negative [data-word=연기]")
    word.focus()
    page.keyboard.press("Enter")
    expect(word).to_have_attribute("aria-expanded", "true")
    seen = turn[0]
    eventually(lambda: page.wait_for_timeout(100) or turn[0] > seen + 5, "the words came again")
    expect(word).to_be_focused()
    expect(page.locator("#drivers-negative .post:visible")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(word).to_have_attribute("aria-expanded", "false")
    expect(page.locator("#drivers-negative .post:visible")).to_have_count(0)


def test_chips_keep_the_focus_and_hand_it_on_when_they_go(filled, served, opened):
    page = opened(served, filled.query(source="instagram", keyword="산불"))
    chip = page.get_by_role("button", name="Remove the filter 산불")
    chip.focus()
    page.wait_for_timeout(2500)
    expect(chip).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#filters .chip")).to_have_count(2)
    expect(page.locator("#filters .chip").last).to_be_focused()
    page.locator("#filters .chip").first.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.locator("#filters")).to_be_hidden()
    expect(page.locator("#windows button[aria-pressed=true]")).to_be_focused()


def test_what_is_moved_keeps_the_focus(served, opened):
    page = opened(served)
    order = page.evaluate(
        """async () => {
          const { arrange, element } = await import("/page/dom.js");
          const buttons = [1, 2, 3].map((n) => element("button", {}, String(n)));
          const parent = element("div");
          document.body.append(parent);
          arrange(parent, buttons);
          buttons[2].focus();
          arrange(parent, [buttons[2], buttons[0], buttons[1]]);
          return [parent.textContent, document.activeElement === buttons[2]];
        }"""
    )
    assert order == ["312", True]


def test_the_help_of_an_empty_window_keeps_the_focus(filled, served, opened):
    page = opened(served, {"window": "5m", "source": "nobody", "lang": "en"})
    wider = page.locator("#empty button").first
    wider.focus()
    counted = number(re.search(r"[\d,]+", page.locator("#empty p").first.inner_text())[0])
    written = filled.start.isoformat()
    filled.send([{"id": "help", "text": "숲길", "source": "twitter", "created_at": written}])
    expect(page.locator("#empty p").first).to_contain_text(f"{counted + 1:,}")
    expect(wider).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#windows button[aria-pressed=true]")).to_have_text("1 h")
