"""Structured logs: console for people, JSON for machines. Never a post's text, never a secret."""

import logging
import sys
from typing import Literal, cast

import structlog

LogFormat = Literal["auto", "console", "json"]
Logger = structlog.stdlib.BoundLogger


def configure(log_format: LogFormat = "auto", level: str = "info") -> None:
    """Send logs to standard error, one line an event; `auto` is console on a terminal and JSON elsewhere."""
    console = log_format == "console" or (log_format == "auto" and sys.stderr.isatty())
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if console
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        # Standard error as it is when something is logged: whoever redirects it later is heeded.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )


def get(name: str) -> Logger:
    """A logger whose events carry `component=name`, without the package where a module gives its own."""
    return cast(Logger, structlog.get_logger(component=name.removeprefix("nifos_stream.")))
