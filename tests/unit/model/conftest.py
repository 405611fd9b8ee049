"""Tiny models of random weights, made once."""

import pytest
import torch

from nifos_stream.model import load_model
from nifos_stream.settings import ModelSettings
from tests.models import make_model_dir

# Tests of tiny models on a busy machine: threads would wait for each other longer than they work.
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def own_cache_directory(tmp_path, monkeypatch):
    """What calibration remembers of this machine stays out of the tests, and the tests out of it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="session")
def model_dir(tmp_path_factory):
    return make_model_dir(tmp_path_factory.mktemp("model"), layers=2, hidden=32, embedding=16)


@pytest.fixture
def load(model_dir):
    """Load the tiny model with settings of the test's own."""

    def loaded(**settings):
        return load_model(model_dir, settings=ModelSettings(**{"dtype": "fp32", "device": "cpu"} | settings))

    return loaded
