"""What people see and do at `/`, in a real Chromium."""

import datetime as dt
import json
import re
from collections import Counter

import httpx2
import pytest
import redis
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import MARKUP, TOKEN, eventually, serving
from tests.integration.counted import found
from tests.integration.kafka_tools import read_all

LABELS = ("negative", "neutral", "positive")


def number(text):
    return int(text.replace(",", ""))


def labels_on(page):
    return {label: number(page.locator(f".share-of.{label} .number").inner_text()) for label in LABELS}


def groups_on(page, dimension):
    """Posts by value, of every row of a table."""
    more = page.locator(f"#{dimension} button.more")
    if more.is_visible() and "more" in more.inner_text():
        more.click()
    rows = page.locator(f"#{dimension} tbody tr")
    names, counts = rows.locator("th").all_inner_texts(), rows.locator("td.posts").all_inner_texts()
    return dict(zip(names, map(number, counts), strict=True))


def labelled_between(filled):
    """(labels, sources, keywords) of the labelled topic, by code that knows nothing of counters."""
    settings, found_labels, sources, words = filled.settings, Counter(), Counter(), Counter()
    for record in read_all(settings.kafka.bootstrap_servers, settings.topics.sentiment):
        event = json.loads(record.value)
        if filled.start <= dt.datetime.fromisoformat(event["created_at"]) < filled.end:
            found_labels[event["sentiment"]["label"]] += 1
            sources[event["source"]] += 1
            words.update(set(event.get("keywords") or []))
    return found_labels, sources, words


def labels_in_redis(filled):
    """The minutes of the window, as they lie in Redis."""
    first, last = int(filled.start.timestamp()), int(filled.end.timestamp())
    sums = Counter()
    with redis.Redis.from_url(filled.settings.redis.url.get_secret_value()) as client:
        for buckets in found(client, filled.settings).values():
            for name, fields in buckets.items():
                grain, _, start = name.partition(":")
                if grain == "1m" and first <= int(start) < last:
                    sums.update({label: fields.get(f"all:{label}", 0) for label in LABELS})
    return dict(sums)


def test_the_page_is_live_while_posts_come_and_ends_with_the_numbers_of_the_topic(filled, served, opened):
    page = opened(served, filled.query())
    expect(page.locator("#status")).to_have_attribute("data-live", "yes")
    expect(page.locator("#status")).to_contain_text(re.compile(r"Live · counts are [\d.]+ s behind"))
    shown = {before := number(page.locator("#figure-posts").inner_text())}
    written = (filled.end - dt.timedelta(minutes=10)).isoformat()
    for turn in range(3):
        filled.send(
            [
                {"id": f"{turn}-{n}", "text": f"숲길 {n}", "source": "twitter", "created_at": written}
                for n in range(100)
            ]
        )
        now = eventually(
            lambda: (
                value if (value := number(page.locator("#figure-posts").inner_text())) not in shown else 0
            ),
            "the page shows more posts",
        )
        shown.add(now)
    filled.wait_counted()
    expect(page.locator("#figure-posts")).to_have_text(f"{before + 300:,}")

    topic, sources, words = labelled_between(filled)
    asked = {"from": filled.start.isoformat(), "to": filled.end.isoformat(), "by": "source"}
    said = httpx2.get(f"{served.address}api/v1/sentiment", params=asked, timeout=20).json()
    assert said["behind"] == 0
    api = {label: said["total"][label] for label in LABELS}
    assert labels_on(page) == api == labels_in_redis(filled) == {label: topic[label] for label in LABELS}
    by_source = {name: count["total"] for name, count in said["groups"].items()}
    assert groups_on(page, "source") == by_source == dict(sources)
    assert groups_on(page, "keyword") == dict(words)


def test_a_click_on_a_source_filters_everything_and_a_second_one_lets_go(filled, served, opened):
    page = opened(served, filled.query())
    everything = number(page.locator("#figure-posts").inner_text())
    page.get_by_role("button", name="instagram", exact=True).click()
    asked = {"from": filled.start.isoformat(), "to": filled.end.isoformat(), "where": "source=instagram"}
    only = httpx2.get(
        f"{served.address}api/v1/sentiment", params={**asked, "by": "keyword"}, timeout=20
    ).json()
    expect(page.locator("#figure-posts")).to_have_text(f"{only['total']['total']:,}")
    assert labels_on(page) == {label: only["total"][label] for label in LABELS}
    assert groups_on(page, "keyword") == {name: one["total"] for name, one in only["groups"].items()}
    expect(page.locator("#source tr.chosen th")).to_have_text("instagram")
    expect(page.locator("#channel .note")).to_have_text("Not counted together with the filter by Source.")
    assert "source=instagram" in page.url
    expect(page.locator("#feed-list .who").first).to_contain_text("instagram")
    for who in page.locator("#feed-list .who").all_inner_texts():
        assert who.startswith("instagram")
    page.get_by_role("button", name="산불", exact=True).click()
    where = {**asked, "where": ["source=instagram", "keyword=산불"]}
    both = httpx2.get(f"{served.address}api/v1/sentiment", params=where, timeout=20).json()
    expect(page.locator("#figure-posts")).to_have_text(f"{both['total']['total']:,}")
    page.reload()
    expect(page.locator("#figure-posts")).to_have_text(f"{both['total']['total']:,}")
    page.go_back()
    expect(page.locator("#figure-posts")).to_have_text(f"{only['total']['total']:,}")
    page.get_by_role("button", name="instagram", exact=True).click()
    expect(page.locator("#figure-posts")).to_have_text(f"{everything:,}")


def test_the_page_says_that_it_is_not_live_and_comes_back_when_the_server_does(filled, served, opened):
    opened.expected += ["Failed to load resource"]  # As Chromium says of every request meanwhile.
    page = opened(served, filled.query())
    status, body = page.locator("#status"), page.locator("body")
    expect(status).to_have_attribute("data-live", "yes")
    posts = page.locator("#figure-posts").inner_text()
    served.stop()
    try:
        expect(status).to_contain_text("Not live")
        expect(body).to_have_class(re.compile(r"\bold\b"))
        assert page.locator("#figure-posts").inner_text() == posts
    finally:
        served.start()
    expect(status).to_have_attribute("data-live", "yes")
    expect(body).not_to_have_class(re.compile(r"\bold\b"))


def test_what_a_stranger_wrote_is_text_everywhere(filled, served, opened):
    page = opened(served, filled.query(text="onerror"))
    post = page.locator("#feed-list .post").first
    expect(post.locator(".post-text")).to_have_text(MARKUP)
    expect(post.locator(".post-title")).to_have_text(MARKUP)
    expect(post.locator(".words span")).to_have_text(MARKUP)
    assert post.locator("a").count() == 0
    page.locator("#source tbody").get_by_role("button", name=MARKUP, exact=True).click()
    expect(page.locator("#filters")).to_contain_text(MARKUP)
    expect(page.locator("#figure-posts")).to_have_text("1")
    assert page.locator("img, #main b, script:not([src])").count() == 0
    assert page.evaluate("document.querySelectorAll('[onerror]').length") == 0


def test_korean_and_english_are_chosen_shared_and_remembered(filled, served, opened):
    page = opened(served, filled.query(lang="ko"))
    html = page.locator("html")
    expect(html).to_have_attribute("lang", "ko")
    expect(page.locator("#glance-title")).to_have_text("한눈에")
    expect(page.locator("#status")).to_contain_text("집계는")
    expect(page.locator(".share-of.negative .name")).to_have_text("− 부정")
    page.get_by_role("button", name="English").click()
    expect(html).to_have_attribute("lang", "en")
    expect(page.locator("#glance-title")).to_have_text("At a glance")
    assert "lang=en" in page.url
    assert page.evaluate(
        "[...document.querySelectorAll('[data-t]')].every(p => /^[\\x00-\\x7f…]*$/.test(p.textContent))"
    )
    page.goto(served.address)
    expect(html).to_have_attribute("lang", "en")


@pytest.mark.parametrize("width", [360, 390, 420, 480])
def test_a_phone_needs_no_sideways_scrolling(filled, served, opened, width):
    phone = {"viewport": {"width": width, "height": 844}, "has_touch": True, "is_mobile": True}
    page = opened(served, filled.query(), **phone)
    for lang in ("한국어", "English"):
        page.get_by_role("button", name=lang).click()
        expect(page.locator("#chart .main-svg").first).to_be_visible()
        expect(page.locator("#feed-list .post").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == width
        fits_its_card(page)


def fits_its_card(page):
    """The chart ends within its card, once it is drawn for the width of now."""
    eventually(
        lambda: page.evaluate(
            """() => {
              const right = (part) => document.querySelector(part).getBoundingClientRect().right;
              return right('#chart .main-svg') <= right('#chart-section');
            }"""
        ),
        "the chart is within its card",
    )


def test_the_chart_keeps_to_its_card_when_the_browser_is_made_narrow(filled, served, opened):
    page = opened(served, filled.query())
    expect(page.locator("#chart .main-svg").first).to_be_visible()
    for width in (420, 1000, 360):
        page.set_viewport_size({"width": width, "height": 844})
        fits_its_card(page)
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_a_window_of_the_address_that_no_button_has_is_shown_as_asked(served, opened):
    page = opened(served, {"window": "365d", "lang": "en"})
    expect(page.locator("#windows button[aria-pressed=true]")).to_have_text("365 d")
    asked = httpx2.get(f"{served.address}api/v1/sentiment", params={"window": "365d"}, timeout=20).json()
    expect(page.locator("#figure-posts")).to_have_text(f"{asked['total']['total']:,}")
    page.locator("#windows button", has_text="24 h").click()
    assert "window=24h" in page.url


def test_a_window_of_the_address_that_is_none_is_refused_in_words(served, opened):
    opened.expected += ["422", "400"]
    page = opened(served, {"window": "soon", "lang": "en"})
    expect(page.locator("#problem")).to_contain_text("not ‘soon’")
    expect(page.locator("#windows button[aria-pressed=true]")).to_have_text("soon")


def test_a_refusal_is_said_in_the_language_of_the_page(served, opened):
    opened.expected += ["400"]
    page = opened(served, {"window": "soon", "lang": "ko"})
    for lang, said in (("ko", "‘soon’은(는) 기간이 아닙니다."), ("en", "or 7d, not ‘soon’.")):
        page.locator(f"#languages [data-lang={lang}]").click()
        expect(page.locator("#problem")).to_contain_text(said)
        expect(page.locator("#drivers-note")).to_contain_text(said)


def test_a_sentence_that_gets_no_label_is_refused_in_the_language_of_the_page(served, opened):
    opened.expected += ["422"]
    page = opened(served, {"lang": "ko"})
    page.locator("#try-text").fill("  ")
    page.locator("#try-form button").click()
    for lang, said in (("ko", "읽을 것이 없습니다."), ("en", "There is nothing to read in this text.")):
        page.locator(f"#languages [data-lang={lang}]").click()
        expect(page.locator("#try-answer")).to_contain_text(said)


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_days_are_chosen_by_keyboard_with_the_last_one_among_them_and_let_go(filled, served, opened, lang):
    day = (filled.end - dt.timedelta(days=1)).date()
    first, following = day - dt.timedelta(days=2), day + dt.timedelta(days=1)
    page = opened(served, {"window": "1h", "lang": lang})
    expect(page.locator("#dates-live")).to_be_hidden()
    page.get_by_label({"ko": "시작일", "en": "From"}[lang], exact=True).fill(first.isoformat())
    page.get_by_label({"ko": "종료일", "en": "To"}[lang], exact=True).fill(day.isoformat())
    page.keyboard.press("Enter")
    expect(page.locator("#filters")).to_contain_text(f"{first} – {day}")
    assert f"from={first}&to={following}" in page.url
    asked = {"from": first.isoformat(), "to": following.isoformat()}
    said = httpx2.get(f"{served.address}api/v1/sentiment", params=asked, timeout=20).json()
    expect(page.locator("#figure-posts")).to_have_text(f"{said['total']['total']:,}")
    expect(page.locator("#figures")).to_contain_text({"ko": "하루 글 수", "en": "Posts per day"}[lang])
    expect(page.locator("#figures")).to_contain_text({"ko": "3일 평균", "en": "mean of 3 d"}[lang])
    expect(page.locator("#figure-minute")).to_have_attribute("title", f"{first} – {day}")
    page.reload()
    expect(page.locator("#date-to")).to_have_value(day.isoformat())
    page.locator("#dates-live").click()
    expect(page.locator("#windows button[aria-pressed=true]")).to_have_count(1)
    expect(page.locator("#date-from")).to_have_value("")
    assert "from=" not in page.url


def test_a_stretch_of_one_day_says_the_day_once(filled, served, opened):
    day = filled.start.date()
    page = opened(served, {"from": f"{day}T09:00", "to": f"{day}T11:30", "lang": "en"})
    expect(page.locator("#filters .chip-value")).to_have_text(f"{day} 09:00 – 11:30")


@pytest.mark.parametrize("width", [390, 1000, 1280])
@pytest.mark.parametrize("lang", ["ko", "en"])
def test_figures_stand_on_one_line_and_no_word_is_broken(filled, served, opened, width, lang):
    query = filled.query() | {"lang": lang}
    page = opened(served, query, viewport={"width": width, "height": 900})
    expect(page.locator("#drivers-positive .word").first).to_be_visible()
    tops = [figure.bounding_box()["y"] for figure in page.locator("#figures .number").all()]
    assert len(tops) == 3
    assert max(tops) - min(tops) < 1
    heights = [word.bounding_box()["height"] for word in page.locator("#drivers .word").all()]
    assert max(heights) < 30


def test_every_source_has_its_trend_drawn(filled, served, opened):
    page = opened(served, filled.query())
    expect(page.locator("#source .spark svg").first).to_be_visible()
    rows = page.locator("#source tbody tr").count()
    expect(page.locator("#source .spark svg.main-svg:first-child")).to_have_count(rows)


def test_drivers_say_their_figures_and_whether_they_rest_on_all_posts(filled, served, opened):
    page = opened(served, filled.query())
    asked = {"from": filled.start.isoformat(), "to": filled.end.isoformat(), "limit": "12"}
    said = httpx2.get(f"{served.address}api/v1/drivers", params={**asked, "label": "negative"}, timeout=60)
    expect(page.locator("#drivers-negative > .small")).to_contain_text(
        "all there are." if said.json()["whole"] else "a sample."
    )
    for text in page.locator("#drivers .words-list button .small").all_inner_texts():
        assert re.fullmatch(r"[\d,]+ → [\d,]+ posts · z \d+\.\d", text)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_and_each_scheme_is_drawn(filled, served, opened, scheme):
    page = opened(served, filled.query(keyword="산불"), color_scheme=scheme)
    expect(page.locator("#chart .main-svg").first).to_be_visible()
    expect(page.locator("#feed-list .post").first).to_be_visible()
    expect(page.locator("#source .spark svg").first).to_be_visible()
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    brightness = sum(map(int, re.findall(r"\d+", background)[:3])) / 3
    assert brightness < 60 if scheme == "dark" else brightness > 200
    violations = Axe().run(page).response["violations"]
    assert [
        (one["id"], [node["html"][:120] for node in one["nodes"]][:3])
        for one in violations
        if one["impact"] in ("serious", "critical")
    ] == []


def test_everything_can_be_reached_and_used_by_keyboard(filled, served, opened):
    page = opened(served, filled.query())
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.get_by_role("button", name="instagram", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#source tr.chosen th")).to_have_text("instagram")
    expect(page.get_by_role("button", name="instagram", exact=True)).to_be_focused()
    page.locator("#windows button", has_text="24 h").focus()
    page.keyboard.press("Space")
    expect(page.locator("#windows button[aria-pressed=true]")).to_have_text("24 h")
    assert "window=24h" in page.url
    assert "from=" not in page.url


def test_tables_are_sorted_and_say_so(filled, served, opened):
    page = opened(served, filled.query())
    groups_on(page, "keyword")
    for column, cell in (("negative", "td.negative:not(.net)"), ("net", "td.net")):
        head = page.locator(f"#keyword th.{column}")
        head.get_by_role("button").click()
        expect(head).to_have_attribute("aria-sort", "descending")
        texts = page.locator(f"#keyword tbody {cell}").all_inner_texts()
        values = [float(text.rstrip("%").replace("−", "-")) for text in texts]
        assert values == sorted(values, reverse=True)
        head.get_by_role("button").click()
        expect(head).to_have_attribute("aria-sort", "ascending")


def test_the_feed_is_filtered_by_label_and_text_and_stands_still_when_paused(filled, served, opened):
    page = opened(served, filled.query())
    page.locator("#feed-labels button", has_text="negative").click()
    expect(page.locator("#feed-list .post").first).to_have_class(re.compile("negative"))
    eventually(
        lambda: all("negative" in name for name in page.locator("#feed-list .badge").all_inner_texts()),
        "only negative posts",
    )
    page.locator("#feed-pause").click()
    expect(page.locator("#feed-note")).to_have_text("Paused.")
    first = page.locator("#feed-list .post-text").first.inner_text()
    filled.send(
        [{"id": "later", "text": "멈춘 동안", "created_at": filled.start.isoformat(), "source": "band"}]
    )
    filled.wait_counted()
    page.wait_for_timeout(3000)
    assert page.locator("#feed-list .post-text").first.inner_text() == first
    page.locator("#feed-pause").click()
    page.locator("#feed-labels button", has_text="All").click()
    page.locator("#feed-text").fill("멈춘 동안")
    expect(page.locator("#feed-list .post-text")).to_have_text(["멈춘 동안"])


def test_a_sentence_is_tried(served, opened, filled):
    page = opened(served, filled.query())
    page.locator("#try-text").fill("숲길이 정말 좋았어요")
    page.locator("#try-text").press("Enter")
    expect(page.locator("#try-answer .badge")).to_have_text(
        re.compile(r"^[−·+] (negative|neutral|positive) [01]\.\d\d$")
    )
    expect(page.locator("#try-answer")).to_contain_text("Model tiny")


def test_a_server_with_a_token_is_opened_by_it_and_the_token_stays_out_of_the_address(
    guarded, opened, filled
):
    opened.expected += ["401"]
    page = opened(guarded, filled.query())
    page.locator("#token-text").fill("not the token")
    page.keyboard.press("Enter")
    expect(page.locator("#token-problem")).to_be_visible()
    page.locator("#token-text").fill(TOKEN)
    page.keyboard.press("Enter")
    expect(page.locator("#status")).to_have_attribute("data-live", "yes")
    expect(page.locator("#feed-list .post").first).to_be_visible()
    assert page.evaluate("sessionStorage.getItem('nifos.token')") == TOKEN
    other = opened(guarded, filled.query(token=TOKEN))
    expect(other.locator("#status")).to_have_attribute("data-live", "yes")
    assert TOKEN not in page.url + other.url


def test_an_empty_system_says_what_to_run(empty, opened):
    page = opened(empty, {"lang": "en"})
    expect(page.locator("#empty")).to_contain_text("Nothing has been counted yet")
    expect(page.locator("#empty code")).to_have_text(
        [
            "nifos-stream demo --serve",
            "nifos-stream up",
            "nifos-stream worker",
            "nifos-stream produce posts.xlsx",
        ]
    )
    expect(page.locator("#glance")).to_be_hidden()


def test_the_chart_has_what_the_window_has_and_can_be_read_as_a_table(filled, served, opened):
    page = opened(served, filled.query())
    expect(page.locator("#chart .main-svg").first).to_be_visible()
    bars = page.evaluate("document.getElementById('chart').data.map(t => t.y.reduce((a, b) => a + b, 0))")
    assert dict(zip(LABELS, bars, strict=True)) == labels_on(page)
    page.locator("#chart-details summary").click()
    rows = page.locator("#chart-table tbody tr")
    expect(rows.first).to_be_visible()
    cells = [list(map(number, row.locator("td").all_inner_texts())) for row in rows.all()]
    assert [sum(column) for column in zip(*cells, strict=True)] == bars


def test_a_stretch_of_the_chart_that_is_drawn_out_becomes_the_window(filled, served, opened):
    page = opened(served, filled.query())
    expect(page.locator("#chart .main-svg").first).to_be_visible()
    everything = number(page.locator("#figure-posts").inner_text())
    box = page.locator("#chart").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 100, steps=5)
    page.mouse.up()
    expect(page.locator("#filters")).to_contain_text("Window")
    eventually(
        # Nothing is shown while the numbers of the stretch are read.
        lambda: 0 < number(page.locator("#figure-posts").inner_text() or "0") < everything,
        "fewer posts are shown",
    )
    page.go_back()
    expect(page.locator("#figure-posts")).to_have_text(f"{everything:,}")


def test_a_redis_that_is_away_is_said_in_its_own_words(filled, opened):
    opened.expected += ["503"]
    away = filled.settings.redis.model_validate({"url": "redis://127.0.0.1:1/0"})
    with serving(filled.settings.model_copy(update={"redis": away})) as broken:
        page = opened(broken, {"lang": "ko"})
        expect(page.locator("#problem")).to_contain_text("Redis가 답하지 않습니다(redis://127.0.0.1:1/0)")
        page.locator("#languages [data-lang=en]").click()
        expect(page.locator("#problem")).to_contain_text("Redis did not answer at redis://127.0.0.1:1")
        expect(page.locator("#status")).to_have_text("Not live · the numbers cannot be read now")
