"""`python -m nifos_stream` is `nifos-stream`."""

from nifos_stream.cli import main

main()
