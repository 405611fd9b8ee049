"""Errors as one sentence of JSON each (RFC 9457). Knows no counts."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from nifos_stream.counters.reader import LoginRefused, RedisAway
from nifos_stream.errors import UserError
from nifos_stream.watch.api.answer import dumped

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 2
BROKEN = "Something went wrong here; the program's log says what."
AGAIN = {"Retry-After": str(RETRY_SECONDS)}


class Problem(BaseModel):
    """What went wrong."""

    status: int = Field(description="The HTTP status.")
    title: str = Field(description="What the status is called.")
    detail: str = Field(description="One sentence for a person.")


def response(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """A problem as an HTTP response."""
    return Response(written(status, detail), status, dict(headers or {}), media_type=MEDIA_TYPE)


def written(status: int, detail: str) -> bytes:
    """A problem as JSON on one line."""
    return dumped({"status": status, "title": HTTPStatus(status).phrase, "detail": detail})


def of(error: Exception) -> tuple[int, str]:
    """Status and sentence of what the counts refuse."""
    if isinstance(error, RedisAway):
        return 503, str(error)
    return (400, str(error)) if isinstance(error, UserError) else (500, BROKEN)


def install(app: FastAPI) -> None:
    """Let every error of the app become a problem."""
    app.exception_handler(UserError)(_refused)
    app.exception_handler(HTTPException)(_http)
    app.exception_handler(RequestValidationError)(_invalid)


async def _refused(_request: Request, error: UserError) -> Response:
    status, detail = of(error)
    # Where the login is refused, asking again soon is in vain.
    again = status == 503 and not isinstance(error, LoginRefused)
    return response(status, detail, AGAIN if again else None)


async def _http(_request: Request, error: HTTPException) -> Response:
    if error.detail == HTTPStatus(error.status_code).phrase:
        return response(error.status_code, f"{error.detail}; /openapi.json says what is here.", error.headers)
    return response(error.status_code, error.detail, error.headers)


async def _invalid(_request: Request, error: RequestValidationError) -> Response:
    return response(400, "; ".join(map(_sentence, error.errors())) + ".")


def _sentence(problem: Mapping[str, Any]) -> str:
    name = ".".join(str(part) for part in problem["loc"][1:] if not isinstance(part, int))
    if problem["type"] == "json_invalid":
        return "The body is not JSON"
    if problem["type"] == "extra_forbidden":
        return f"There is no parameter {name!r}"
    if problem["type"] == "model_attributes_type":
        return "The body must be a JSON object, and its Content-Type application/json"
    message = str(problem["msg"]).removeprefix("Value error, ")
    return f"{name}: {message}" if name else f"The body is not valid: {message}"
