"""What holds for every test: those that need a GPU are left out where there is none, and whatever is left out
is noted, so that a run of several parts can name it at its end.
"""

import os
from pathlib import Path

import pytest


def pytest_collection_modifyitems(items):
    needing = [item for item in items if item.get_closest_marker("gpu")]
    if not needing:
        return
    import torch

    if not torch.cuda.is_available():
        for item in needing:
            item.add_marker(pytest.mark.skip(reason="needs a CUDA device"))


def pytest_terminal_summary(terminalreporter):
    """Append a line for each test that was left out to the file that LEFT_OUT names."""
    if "LEFT_OUT" not in os.environ:
        return
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = [str(report.longrepr[2]).removeprefix("Skipped: ") for report in skipped]
    with Path(os.environ["LEFT_OUT"]).open("a", encoding="utf-8") as file:
        file.writelines(f"{reason}\n" for reason in reasons)
