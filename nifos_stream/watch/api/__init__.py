"""The counts over HTTP: questions, live streams, and a sentence to try. Needs the extra `web`."""

from nifos_stream.watch.api.app import create_app

__all__ = ["create_app"]
