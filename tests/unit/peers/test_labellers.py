"""What every program says of a text, and when it says that it has begun."""

from tests.peers.apps.job import Job
from tests.peers.apps.labellers import STARTED, WARM_UP, ready, scored


def test_the_pipelines_answer_becomes_a_sentiment():
    found = [
        {"label": "긍정", "score": 0.75},
        {"label": "부정", "score": 0.2},
        {"label": "중립", "score": 0.05},
    ]
    assert scored(found) == {
        "label": "긍정",
        "score": 0.75,
        "probabilities": {"긍정": 0.75, "부정": 0.2, "중립": 0.05},
    }


def test_the_clock_starts_at_the_first_posts_and_not_at_the_warm_up(capsys):
    asked = []

    def label(texts):
        asked.append(list(texts))
        return [{} for _ in texts]

    warm = ready(label)
    assert (asked, capsys.readouterr().out) == ([WARM_UP], "")
    warm(["a"])
    warm(["b"])
    assert capsys.readouterr().out == f"{STARTED}\n"
    assert asked == [WARM_UP, ["a"], ["b"]]


def test_a_job_reaches_a_program_through_its_environment(monkeypatch):
    job = Job("127.0.0.1:9092", "posts", "labelled", "group", "/tmp/run", "/tmp/model", "bf16", "own")
    for name, value in job.variables().items():
        monkeypatch.setenv(name, value)
    assert Job.given() == job
