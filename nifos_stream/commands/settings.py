"""`settings`: every setting as a row of a Markdown table. The README's table is this one."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from nifos_stream.settings import Settings


def table() -> str:
    """A Markdown table of all settings: variable, default, meaning."""
    rows = ["| variable | default | meaning |", "| --- | --- | --- |"]
    rows += [
        f"| `{name}` | {_shown(value)} | {meaning} |" for name, value, meaning in _rows(Settings, "NIFOS_")
    ]
    return "\n".join(rows) + "\n"


def _rows(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, Any, str]]:
    """Variable, default and meaning of each setting of a section and of the sections in it."""
    for name, field in model.model_fields.items():
        variable = f"{prefix}{name.upper()}"
        default = field.get_default(call_default_factory=True)
        if isinstance(default, BaseModel):
            yield from _rows(type(default), f"{variable}__")
        else:
            yield variable, default, _meaning(field)


def _meaning(field: FieldInfo) -> str:
    return (field.description or "").replace("|", "\\|")


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, tuple):
        value = ", ".join(str(getattr(item, "name", item)) for item in value)
    return "" if value in ("", {}) else f"`{str(value).lower() if isinstance(value, bool) else value}`"
