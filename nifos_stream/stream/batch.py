"""What goes from thread to thread: rows of the input, and batches of them. Knows no client of Kafka."""

from collections.abc import Mapping
from dataclasses import dataclass

from nifos_stream.errors import Reason
from nifos_stream.stream.codec import Received, Record


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that holds no post, and why."""

    record: Record
    reason: Reason
    detail: str


Row = Received | Rejected


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows that one transaction commits, in the order in which they were read from each partition."""

    rows: tuple[Row, ...]
    claims: Mapping[int, int]
    """Under which claim each partition of the batch was read (see ownership)."""
    next_offsets: Mapping[int, int]
    """The offset to go on from in each partition once the batch is committed."""

    @property
    def posts(self) -> list[Received]:
        """The rows that the model reads."""
        return [row for row in self.rows if isinstance(row, Received)]
