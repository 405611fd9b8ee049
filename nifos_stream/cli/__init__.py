"""The command line: options, help and exit codes. What a command does stands in `commands` and below."""

from nifos_stream.cli import posts, running
from nifos_stream.cli.app import app, main

__all__ = ["app", "main", "posts", "running"]
