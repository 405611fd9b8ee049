"""What holds for every test: those that need a GPU or the corpus are left out where there is none, and
whatever is left out is noted, so that a run of several parts can name it at its end.
"""

import os
from pathlib import Path

import pytest

from tests import corpus


def pytest_collection_modifyitems(items):
    if not corpus.TEST.exists():
        for item in items:
            if item.get_closest_marker("corpus"):
                item.add_marker(pytest.mark.skip(reason=corpus.MISSING))
    needing = [item for item in items if item.get_closest_marker("gpu")]
    if not needing:
        return
    import torch

    if not torch.cuda.is_available():
        for item in needing:
            item.add_marker(pytest.mark.skip(reason="needs a CUDA device"))


def pytest_terminal_summary(terminalreporter):
    """Append a line for each test that was left out to the file that LEFT_OUT names.

    Where several processes run the tests, the one that leads them says it for all.
    """
    if "LEFT_OUT" not in os.environ or "PYTEST_XDIST_WORKER" in os.environ:
        return
    with Path(os.environ["LEFT_OUT"]).open("a", encoding="utf-8") as file:
        for report in terminalreporter.stats.get("skipped", []):
            reason = str(report.longrepr[2]).removeprefix("Skipped: ")
            file.write(f"{reason}: {report.nodeid.partition('[')[0]}\n")
