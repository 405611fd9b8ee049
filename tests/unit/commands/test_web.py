"""`web` without what it needs says so in a sentence."""

import sys

import pytest

from nifos_stream.commands.web import run_web
from nifos_stream.errors import UserError
from nifos_stream.settings import Settings


def test_without_its_extra_the_command_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(UserError, match=r"pip install 'nifos-stream\[web\]'"):
        run_web(Settings())
