"""Errors as one sentence of JSON each (RFC 9457). Knows no counts."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from nifos_stream.counters.reader import LoginRefused, RedisAway
from nifos_stream.errors import Named, Refusal, UserError
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
    code: str = Field(description="Which sentence it is; that of the status where it has no code of its own.")
    values: dict[str, str | tuple[str, ...]] = Field(description="What stands in the sentence, by name.")


class Refused(HTTPException):
    """A refusal with a status of its own. again: it is worth asking again soon."""

    def __init__(
        self, status: int, detail: str, refusal: Refusal | None, *, again: bool = False, **named: Named
    ) -> None:
        super().__init__(status, detail, AGAIN if again else None)
        self.refusal = refusal
        self.named = named


def response(
    status: int,
    detail: str,
    refusal: Refusal | None = None,
    named: Mapping[str, Named] | None = None,
    *,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem as an HTTP response."""
    return Response(
        written(status, detail, refusal, named), status, dict(headers or {}), media_type=MEDIA_TYPE
    )


def written(
    status: int, detail: str, refusal: Refusal | None = None, named: Mapping[str, Named] | None = None
) -> bytes:
    """A problem as JSON on one line."""
    known = HTTPStatus(status)
    said = {"status": status, "title": known.phrase, "detail": detail}
    return dumped(said | {"code": refusal or known.name.lower(), "values": dict(named or {})})


def of(error: Exception) -> tuple[int, str, Refusal | None, Mapping[str, Named]]:
    """Status, sentence, which one it is and what stands in it, of what the counts refuse."""
    if not isinstance(error, UserError):
        return 500, BROKEN, Refusal.BROKEN, {}
    return 503 if isinstance(error, RedisAway) else 400, str(error), error.refusal, error.named


def install(app: FastAPI) -> None:
    """Let every error of the app become a problem."""
    app.exception_handler(UserError)(_refused)
    app.exception_handler(HTTPException)(_http)
    app.exception_handler(RequestValidationError)(_invalid)


async def _refused(_request: Request, error: UserError) -> Response:
    status, said, refusal, named = of(error)
    # Where the login is refused, asking again soon is in vain.
    again = status == 503 and not isinstance(error, LoginRefused)
    return response(status, said, refusal, named, headers=AGAIN if again else None)


async def _http(_request: Request, error: HTTPException) -> Response:
    if isinstance(error, Refused):
        return response(error.status_code, error.detail, error.refusal, error.named, headers=error.headers)
    said = error.detail
    if said == HTTPStatus(error.status_code).phrase:
        said = f"{said}; /openapi.json says what is here."
    return response(error.status_code, said, headers=error.headers)


async def _invalid(_request: Request, error: RequestValidationError) -> Response:
    problems = error.errors()
    return response(400, "; ".join(map(_sentence, problems)) + ".", *_refusal(problems))


def _refusal(problems: Sequence[Mapping[str, Any]]) -> tuple[Refusal, dict[str, Named]]:
    """Which sentence it is, and what stands in it."""
    names = tuple(dict.fromkeys(map(_name, problems)))
    if "" in names:
        return Refusal.BODY_UNREADABLE, {}
    if {problem["type"] for problem in problems} == {"string_too_long"}:
        most = min(problem["ctx"]["max_length"] for problem in problems)
        return Refusal.PARAMETER_TOO_LONG, {"parameters": names, "most": str(most)}
    return Refusal.PARAMETER_UNREADABLE, {"parameters": names}


def _name(problem: Mapping[str, Any]) -> str:
    """Of the parameter; none where it is the body as a whole."""
    if problem["type"] == "json_invalid":
        return ""
    return ".".join(str(part) for part in problem["loc"][1:] if not isinstance(part, int))


def _sentence(problem: Mapping[str, Any]) -> str:
    name = _name(problem)
    if problem["type"] == "json_invalid":
        return "The body is not JSON"
    if problem["type"] == "extra_forbidden":
        return f"There is no parameter {name!r}"
    if problem["type"] == "model_attributes_type":
        return "The body must be a JSON object, and its Content-Type application/json"
    message = str(problem["msg"]).removeprefix("Value error, ")
    return f"{name}: {message}" if name else f"The body is not valid: {message}"
