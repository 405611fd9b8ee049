"""What a training leaves on disk while it runs, so that another can go on. Knows transformers' layout."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_STATE = "trainer_state.json"
_PREFIX = "checkpoint-"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint that is whole. state: what transformers' Trainer remembers."""

    path: Path
    step: int
    state: dict[str, Any]

    @property
    def is_last(self) -> bool:
        """The training had ended when it was written: by its last epoch, or for lack of progress."""
        control = self.state["stateful_callbacks"]["TrainerControl"]["args"]
        return bool(control["should_training_stop"])


def newest(directory: Path) -> Checkpoint | None:
    """Return the newest whole checkpoint; None without one. Those that a kill cut short are removed."""
    found: list[Checkpoint] = []
    for path in directory.glob(f"{_PREFIX}*"):
        state = _state(path / _STATE)
        if state is None:
            shutil.rmtree(path)
        else:
            found.append(Checkpoint(path, int(path.name.removeprefix(_PREFIX)), state))
    return max(found, key=lambda checkpoint: checkpoint.step, default=None)


def best(directory: Path, state: dict[str, Any]) -> Path:
    """Return the checkpoint with the best figures of the training that has this state."""
    # The state also holds a path, which is wrong once somebody has moved the directory.
    return directory / f"{_PREFIX}{state['best_global_step']}"


def _state(file: Path) -> dict[str, Any] | None:
    """What the last file of a checkpoint says; None when it is not there or not whole."""
    try:
        state: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return state
