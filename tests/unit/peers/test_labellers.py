"""What every program says of a text, and when it says that it has begun."""

import json

from nifos_stream import model
from nifos_stream.settings import Settings
from tests.models import make_model_dir
from tests.peers.apps.job import Job
from tests.peers.apps.labellers import STARTED, WARM_UP, ours, ready, scored
from tests.peers.contenders import OURS, contenders
from tests.peers.drive import _variables


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
    job = Job("127.0.0.1:9092", "posts", "labelled", "group", "/tmp/run", "/tmp/model", "bf16", "own", 512)
    for name, value in job.variables().items():
        monkeypatch.setenv(name, value)
    assert Job.given() == job


def test_every_process_is_told_the_chunk_size_and_measures_none(tmp_path, monkeypatch):
    """So alternation compares code, and not one calibration with another."""
    loaded = []
    load = model.load_model
    monkeypatch.setattr(
        model, "load_model", lambda *given, **named: loaded.append(load(*given, **named)) or loaded[-1]
    )
    directory = make_model_dir(tmp_path / "model")
    ours(str(directory), "fp32", 96)(["숲길 좋아요"])
    assert loaded[0].chunk_tokens == 96

    worker, plugged = contenders(["fp32"], [OURS, "bytewax+ours"])
    told, _ = _variables(worker, Settings(), directory, tmp_path, 96)
    section = json.loads(told["NIFOS_MODEL"])
    assert (section["dtype"], section["chunk_tokens"]) == ("fp32", 96)
    told, _ = _variables(plugged, Settings(), directory, tmp_path, 96)
    assert json.loads(told["PEERS_JOB"])["chunk_tokens"] == 96
