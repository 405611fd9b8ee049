"""What a peer's program is told: where posts are, where labels go, which model. Knows no library."""

import json
import os
from dataclasses import asdict, dataclass
from typing import Literal, Self

VARIABLE = "PEERS_JOB"

Labelling = Literal["own", "ours"]
"""The library's or transformers' own way to a label, or nifos-stream's classifier in its place."""


@dataclass(frozen=True, slots=True)
class Job:
    """One run of one program.

    posts, labelled: topics. group: a name that no other run has. folder: for files of its own. model: a
    directory. dtype: fp32, bf16, fp16 or int8. chunk_tokens: of our classifier, measured once for all runs.
    """

    bootstrap_servers: str
    posts: str
    labelled: str
    group: str
    folder: str
    model: str
    dtype: str
    labelling: Labelling
    chunk_tokens: int

    @classmethod
    def given(cls) -> Self:
        return cls(**json.loads(os.environ[VARIABLE]))

    def variables(self) -> dict[str, str]:
        """What `given` reads in another process."""
        return {VARIABLE: json.dumps(asdict(self))}
