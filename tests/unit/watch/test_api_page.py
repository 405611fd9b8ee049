"""The files of the page: which there are, to whom they are sent, and what they refer to."""

import re
from importlib.resources import files

import pytest

from nifos_stream.errors import Refusal
from tests.unit.watch.test_api import TOKEN, client, problem

PAGE = files("nifos_stream.watch") / "page"
NAMES = sorted(file.name for file in PAGE.iterdir())


def source(name):
    return (PAGE / name).read_text(encoding="utf-8")


def test_the_page_is_open_and_everything_it_shows_wants_the_token():
    with client(token=TOKEN) as api:
        assert api.get("/").status_code == 200
        for name in NAMES:
            assert api.get(f"/page/{name}").content == (PAGE / name).read_bytes()
        assert problem(api.get("/api/v1/overview"))[0] == 401
        assert problem(api.get("/api/v1/posts"))[0] == 401


def test_the_page_may_load_and_run_only_what_this_server_sends():
    with client() as api:
        for path in ("/", "/page/app.js", "/page/plotly.min.js"):
            policy = api.get(path).headers["content-security-policy"]
            assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
            assert "unsafe" not in policy
            assert "require-trusted-types-for 'script'" in policy
        assert "script-src" not in api.get("/healthz").headers["content-security-policy"]


def test_a_file_is_sent_again_only_when_it_has_changed():
    with client() as api:
        first = api.get("/page/app.js")
        assert first.headers["cache-control"] == "no-cache"
        assert first.headers["content-type"].startswith("text/javascript")
        again = api.get("/page/app.js", headers={"if-none-match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


def test_plotly_comes_from_its_package_and_small():
    with client() as api:
        plain = api.get("/page/plotly.min.js", headers={"accept-encoding": "identity"})
        packed = api.get("/page/plotly.min.js", headers={"accept-encoding": "gzip"})
    assert plain.content == (files("plotly") / "package_data" / "plotly.min.js").read_bytes()
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(plain.content) / 2
    assert packed.content == plain.content


@pytest.mark.parametrize("name", ["nothing.js", "..%2Fsnapshot.py", "%2e%2e/snapshot.py", "__init__.py", ""])
def test_nothing_else_is_sent(name):
    with client() as api:
        assert problem(api.get(f"/page/{name}"))[0] == 404


def test_the_page_refers_to_files_that_there_are_and_to_no_other_host():
    for name in NAMES:
        text = source(name)
        assert not re.findall(r"https?://(?!www\.w3\.org/)", text), name
        assert "innerHTML" not in text, name
        for imported in re.findall(r'from "\./([^"]+)"', text):
            assert imported in NAMES, name
    for referred in re.findall(r'(?:src|href)="page/([^"]+)"', source("index.html")):
        assert referred in (*NAMES, "plotly.min.js")


def sentences_of(name):
    """{key: names of the values in it} of one table of the page's sentences, which are the same in Korean."""
    table = re.search(rf"^const {name} = {{\n(.*?)^}};$", source("text.js"), re.MULTILINE | re.DOTALL)[1]
    found = {}
    for key, pair in re.findall(r'^  "?(\w+)"?: \[(.+)\],$', table, re.MULTILINE):
        korean, english = re.fullmatch(r'"(.*)", "(.*)"', pair).groups()
        holes = [set(re.findall(r"\{(\w+)\}", text)) for text in (korean, english)]
        assert holes[0] == holes[1], key
        assert name != "REFUSALS" or re.search("[가-힣]", korean), key
        found[key] = holes[0]
    assert len(found) == len(re.findall("^  .+: ", table, re.MULTILINE))
    return found


def test_every_sentence_of_the_page_is_there_in_both_languages_and_used():
    sentences = sentences_of("TEXTS")
    others = "".join(source(name) for name in NAMES if name != "text.js")
    asked = set(re.findall(r'\bt\("(\w+)"', others)) | set(re.findall(r'data-t(?:-label)?="(\w+)"', others))
    assert asked <= set(sentences)
    for key in sentences:
        assert f'"{key}"' in others, f"{key} is said nowhere"


def test_the_page_has_a_sentence_for_everything_that_the_server_refuses():
    assert set(sentences_of("REFUSALS")) == set(Refusal)
