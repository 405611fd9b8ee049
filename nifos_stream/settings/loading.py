"""Read settings from arguments, NIFOS_* variables and a TOML file, and say what is wrong in them."""

import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import SettingsConfigDict, SettingsError

from nifos_stream.errors import UserError
from nifos_stream.nearest import did_you_mean
from nifos_stream.settings.section import ADDRESS
from nifos_stream.settings.whole import Settings


def load(config: Path | None = None, overrides: Mapping[str, Any] | None = None) -> Settings:
    """Settings from arguments, environment and `config` (or else the file that NIFOS_CONFIG names).

    overrides: nested mapping, e.g. {"model": {"path": "…"}}. UserError names each setting that is wrong.
    """
    path = config or (Path(os.environ["NIFOS_CONFIG"]) if os.environ.get("NIFOS_CONFIG") else None)
    _refuse_unknown_variables(os.environ)
    settings_class: type[Settings] = Settings
    if path is not None:
        _refuse_unreadable(path)
        settings_class = type(
            "FileSettings", (Settings,), {"model_config": SettingsConfigDict(toml_file=path)}
        )
    try:
        return settings_class(**(overrides or {}))
    except ValidationError as error:
        raise UserError("; ".join(_sentence(problem) for problem in error.errors()) + ".") from None
    except SettingsError as error:
        raise UserError(_not_json(os.environ) or f"Settings cannot be read: {error}.") from None


def _sentence(problem: ErrorDetails) -> str:
    name = ".".join(str(part) for part in problem["loc"])
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        return f"There is no setting {name}{did_you_mean(name, _names(Settings))}"
    if problem.get("ctx", {}).get("pattern") == ADDRESS:
        return f"Setting {name}: {str(problem['input'])!r} is not HOST:PORT, such as 127.0.0.1:8080"
    if isinstance(problem["input"], str):
        message = message.replace("items after validation", "characters")  # So pydantic says it of a secret.
    return f"Setting {name}: {message}" if name else message


def _not_json(environment: Mapping[str, str]) -> str | None:
    """A sentence on the first variable that is to be JSON and is not; None where there is none."""
    in_json = dict(_in_json(Settings, "NIFOS_"))
    for variable, value in environment.items():
        if (default := in_json.get(variable.upper())) is not None:
            try:
                json.loads(value)
            except ValueError:
                example = '["…", "…"]' if isinstance(default, tuple) else '{"…": "…"}'
                return f"Environment variable {variable} is not JSON, such as {example}."
    return None


def _in_json(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, Any]]:
    """Yield the variables of sections, lists and tables, each with its default."""
    for name, field in model.model_fields.items():
        variable = prefix + name.upper()
        default = field.get_default(call_default_factory=True)
        if isinstance(default, BaseModel | tuple | dict):
            yield variable, default
        if isinstance(default, BaseModel):
            yield from _in_json(type(default), f"{variable}__")


def _names(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Yield the names of all sections and settings, such as `kafka` and `kafka.username`."""
    for name, field in model.model_fields.items():
        yield prefix + name
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _names(field.annotation, f"{prefix}{name}.")


def _refuse_unknown_variables(environment: Mapping[str, str]) -> None:
    """A misspelt section would be silently without effect; a misspelt name within one is refused anyway."""
    known = {"NIFOS_" + name.upper() for name in Settings.model_fields} | {"NIFOS_CONFIG", "NIFOS_DEBUG"}
    for variable in environment:
        if variable.upper().startswith("NIFOS_") and variable.upper().split("__")[0] not in known:
            variables = ("NIFOS_" + name.replace(".", "__").upper() for name in _names(Settings))
            near = did_you_mean(variable.upper(), variables)
            raise UserError(f"Environment variable {variable} sets nothing that exists{near}.")


def _refuse_unreadable(path: Path) -> None:
    try:
        tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"Settings file {path} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"Settings file {path} is not TOML: {error}.") from None
