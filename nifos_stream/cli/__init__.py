"""The command line: options, help and exit codes. What a command does stands in `commands` and below."""

from nifos_stream.cli import running, posts, keywords, alerts, models, bench  # noqa: I001 - the help shows them in this order
from nifos_stream.cli.app import app, main

__all__ = ["alerts", "app", "bench", "keywords", "main", "models", "posts", "running"]
