"""Who may ask, under which name, and what every answer carries."""

import pytest
from structlog.testing import capture_logs

from nifos_stream.errors import UserError
from nifos_stream.settings import Settings, WebSettings
from nifos_stream.watch.api import create_app
from nifos_stream.watch.api.guard import access, address
from tests.unit.watch.test_api import SENTIMENT, TOKEN, Made, client, problem


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8080", "localhost:9", "LOCALHOST", "[::1]:8080"])
def test_this_machine_may_ask_under_its_own_names(host):
    with client() as api:
        assert api.get(SENTIMENT, headers={"host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "", "[::2]"])
def test_a_name_that_was_made_to_lead_here_is_refused(host):
    with client() as api:
        for path in (SENTIMENT, "/healthz", "/openapi.json", "/api/v1/stream"):
            assert problem(api.get(path, headers={"host": host}))[0] == 400


def test_a_page_of_another_site_may_not_ask_but_may_link():
    with client() as api:
        crossing = {"sec-fetch-site": "cross-site"}
        assert problem(api.get(SENTIMENT, headers={**crossing, "sec-fetch-mode": "no-cors"}))[0] == 403
        assert api.get(SENTIMENT, headers={**crossing, "sec-fetch-mode": "navigate"}).status_code == 200


@pytest.mark.parametrize("listen", ["0.0.0.0:8080", "[::]:8080", "10.0.0.5:80", "forest.example:80"])
def test_beyond_this_machine_a_token_is_needed(listen):
    with pytest.raises(UserError, match=r"set a token .*NIFOS_WEB__TOKEN.*127\.0\.0\.1"):
        create_app(Settings(web={"listen": listen}), counts=Made())
    with client(host="forest.example", listen=listen, token=TOKEN) as api:
        assert problem(api.get(SENTIMENT))[0] == 401
        assert api.get(f"{SENTIMENT}?token={TOKEN}").status_code == 200


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "127.9.9.9:1", "[::1]:8080", "localhost:8080", ":8080"])
def test_on_this_machine_no_token_is_needed(listen):
    assert access(WebSettings(listen=listen)).token is None


def test_the_token_is_shown_in_a_header_or_the_query():
    with client(token=TOKEN) as api:
        for shown in (f"Bearer {TOKEN}", f"bearer {TOKEN}"):
            assert api.get(SENTIMENT, headers={"authorization": shown}).status_code == 200
        for shown in ("Bearer wrong", f"Basic {TOKEN}", TOKEN, "Bearer", "Bearer \u00e9"):
            said = api.get(SENTIMENT, headers={"authorization": shown.encode()})
            assert problem(said)[0] == 401
            assert said.headers["www-authenticate"] == "Bearer"
        assert api.get(f"{SENTIMENT}?by=source&token={TOKEN}").json()["by"] == "source"
        assert problem(api.get(f"{SENTIMENT}?token="))[0] == 401
        assert problem(api.get("/openapi.json"))[0] == 401
        assert api.get("/healthz").status_code == 200


def test_a_token_may_hold_any_character():
    with client(token="산불 + 100% &") as api:
        assert api.get(SENTIMENT, params={"token": "산불 + 100% &"}).status_code == 200
        shown = "Bearer 산불 + 100% &".encode()
        assert api.get(SENTIMENT, headers={"authorization": shown}).status_code == 200


def test_an_empty_or_short_token_is_none():
    for token in ("", "short"):
        with pytest.raises(ValueError, match="at least 8"):
            WebSettings(token=token)


def test_every_answer_tells_browsers_to_run_and_guess_nothing():
    counts = Made()
    with client(counts, token=TOKEN) as api:
        signed = {"authorization": f"Bearer {TOKEN}"}
        answers = [api.get(SENTIMENT), api.get(SENTIMENT, headers=signed), api.get("/x", headers=signed)]
        counts.raises = RuntimeError()
        with capture_logs():
            answers.append(api.get(SENTIMENT, headers=signed))
        assert [answer.status_code for answer in answers] == [401, 200, 404, 500]
        for answer in answers:
            assert answer.headers["content-security-policy"].startswith("default-src 'none'")
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["referrer-policy"] == "no-referrer"


def test_an_address_is_a_host_and_a_port():
    assert address("[::1]:80") == ("::1", 80)
    assert address(":80") == ("127.0.0.1", 80)
    assert address("localhost:80") == ("localhost", 80)
