"""What every group of settings is made of. Knows no setting."""

from pydantic import BaseModel, ConfigDict

ADDRESS = r"^(\[[0-9a-fA-F:]+\]|[^:\s]*):\d{1,5}$"
"""HOST:PORT."""


class Section(BaseModel):
    """A group of settings; a name that does not exist is an error, not a silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)
