"""python -m tests.peers: the same posts through nifos-stream and through other libraries, in turn."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from nifos_stream import logs
from nifos_stream.bench.place import open_place
from nifos_stream.bench.report import say, show
from nifos_stream.errors import NifosError
from nifos_stream.local.interrupts import signals_as_interrupt
from nifos_stream.settings import Settings
from tests.peers.benchmark import Options, benchmark
from tests.peers.workload import SHAPES

Shape = StrEnum("Shape", {name: name for name in SHAPES})
BUNDLED = Shape("bundled")
DTYPES = ("fp32", "bf16", "fp16", "int8", "auto")


def main(
    posts: Annotated[int, typer.Option(min=1, help="Posts of each run; best a multiple of 512.")] = 512,
    rounds: Annotated[int, typer.Option(min=1, help="How often each runs.")] = 3,
    shape: Annotated[Shape, typer.Option(help="The model.")] = BUNDLED,
    vocab: Annotated[Path | None, typer.Option(help="WordPiece entries for koelectra-base.")] = None,
    texts: Annotated[Path | None, typer.Option(help="Texts, in any format of `produce`.")] = None,
    repeats: Annotated[
        float, typer.Option(min=0, max=0.9, help="Share of posts whose text was there before.")
    ] = 0.0,
    dtype: Annotated[
        str, typer.Option(help="Everyone's; after commas, more in which nifos-stream runs as well.")
    ] = "fp32",
    only: Annotated[str, typer.Option(help="Rows to run, by comma, such as nifos-stream,bytewax+ours.")] = "",
) -> None:
    """Measure nifos-stream beside other libraries that do the same job; ends with one line of JSON."""
    dtypes = tuple(filter(None, dtype.split(",")))
    if not dtypes or not set(dtypes) <= set(DTYPES):
        raise typer.BadParameter(f"dtypes are {', '.join(DTYPES)}", param_hint="--dtype")
    chosen = tuple(filter(None, only.split(",")))
    # Logs would stand between the lines of what is measured.
    logs.configure(level="warning")
    options = Options(posts, rounds, shape.value, vocab, texts, repeats, dtypes, chosen)
    try:
        with signals_as_interrupt(), open_place(Settings(), given=False, say=say) as place:
            report = benchmark(options, place, say)
    except NifosError as error:
        say(f"error: {error}")
        sys.exit(error.exit_code)
    show(report)
    sys.exit(1 if report.facts["problems"] else 0)


if __name__ == "__main__":
    typer.run(main)
