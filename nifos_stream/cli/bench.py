"""Commands that measure: bench forward, pipeline, latency, counters, overhead, soak, plan."""

import functools
import inspect
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from nifos_stream.cli.app import app, settings_with
from nifos_stream.errors import UserError

if TYPE_CHECKING:
    from nifos_stream.bench.report import Report
    from nifos_stream.bench.setup import Setup

bench_app = typer.Typer(
    help="How fast it is here: ratios within one run. Each ends in one line of JSON.", no_args_is_help=True
)
app.add_typer(bench_app, name="bench", rich_help_panel="The stream")

Shape = Annotated[
    Literal["koelectra-base", "bundled", "null"],
    typer.Option(help="Model: KoELECTRA-base or one unit (random weights), or the bundled one."),
]
Vocab = Annotated[
    Path | None, typer.Option(help="WordPiece vocabulary of a random model; else the bundled model's words.")
]
Texts = Annotated[Path | None, typer.Option(help="Texts, in any format that `produce` reads.")]
Device = Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N.")]
Dtype = Annotated[str | None, typer.Option(help="auto, fp32, bf16, fp16 or int8.")]
Servers = Annotated[
    str | None, typer.Option(metavar="HOST:PORT", help="Kafka to use, with --redis; else a local one.")
]
Redis = Annotated[str | None, typer.Option(metavar="URL", help="Redis to use, with --bootstrap-servers.")]
Messages = Annotated[int | None, typer.Option(min=1, help="Posts of one round.")]
Rounds = Annotated[int, typer.Option(min=1, help="Rounds of each contestant; the median counts.")]

COMMON: dict[str, Any] = {
    "shape": Shape,
    "vocab": Vocab,
    "texts": Texts,
    "device": Device,
    "dtype": Dtype,
    "bootstrap_servers": Servers,
    "redis": Redis,
}
"""The options of a measurement, in the order of the help."""
SERVERS = ("bootstrap_servers", "redis")

# What takes a minute or two on two cores that multiply in bf16; for latency also so many batches that they
# tell a rate.
PIPELINE_MESSAGES = {"koelectra-base": 4000, "bundled": 10_000, "null": 40_000}
LATENCY_MESSAGES = {"koelectra-base": 6000, "bundled": 24_000, "null": 40_000}
FORWARD_TEXTS = {"koelectra-base": 640, "bundled": 2000, "null": 20_000}


def measurement(
    example: str, *, without: Collection[str] = (), shape: str = "koelectra-base", **fixed: str
) -> Callable[[Callable[..., "Report"]], Callable[..., None]]:
    """A command with the common options, which its function gets as the `setup` made of them.

    example: for the help. without: options that it has not. shape: unless another one is asked for. fixed:
    values of options that it has not.
    """

    def register(measure: Callable[..., "Report"]) -> Callable[..., None]:
        own = [each for each in inspect.signature(measure).parameters.values() if each.name != "setup"]
        common = [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                annotation=option,
                default=shape if name == "shape" else None,
            )
            for name, option in COMMON.items()
            if name not in without and name not in fixed
        ]

        @functools.wraps(measure)
        def command(**given: Any) -> None:
            from nifos_stream.bench.report import show

            asked = {name: given.pop(name, None) for name in COMMON}
            asked["shape"] = asked["shape"] or shape
            show(measure(_setup(**asked | fixed), **given))

        parameters = [*common, *(each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own)]
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {each.name: each.annotation for each in parameters}
        bench_app.command(epilog=f"Example: {example}")(command)
        return command

    return register


@measurement("nifos-stream bench forward --shape koelectra-base --dtype int8", without=SERVERS)
def forward(
    setup: "Setup",
    count: Annotated[int | None, typer.Option(min=8, help="Texts of one pass.")] = None,
    rounds: Rounds = 3,
) -> "Report":
    """Time the forward pass against the products that it consists of, by chunk size and dtype."""
    from nifos_stream.bench.forward import run_forward

    return run_forward(setup, texts=count or FORWARD_TEXTS[setup.shape], rounds=rounds)


@measurement("nifos-stream bench pipeline --shape bundled --repeats 0.5")
def pipeline(
    setup: "Setup",
    messages: Messages = None,
    rounds: Rounds = 3,
    repeats: Annotated[
        float, typer.Option(min=0, max=0.99, help="Share of posts repeated, measured beside none.")
    ] = 0.0,
) -> "Report":
    """Label and count a preloaded topic, exactly once, against the bare forward pass on the same texts."""
    from nifos_stream.bench.pipeline import run_pipeline

    messages = messages or PIPELINE_MESSAGES[setup.shape]
    return run_pipeline(setup, messages=messages, rounds=rounds, repeats=repeats)


@measurement("nifos-stream bench latency --shape bundled --rate 100 --rate 500")
def latency(
    setup: "Setup",
    messages: Annotated[
        int | None, typer.Option(min=2, help="Posts that measure the sustainable rate.")
    ] = None,
    rate: Annotated[
        list[float] | None, typer.Option(min=0.01, help="Posts a second; may be given several times.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.1, help="How long each rate is kept.")] = 20.0,
) -> "Report":
    """Time each post from its sending to its event being visible, at fixed rates and half the sustainable."""
    from nifos_stream.bench.latency import run_latency

    messages = messages or LATENCY_MESSAGES[setup.shape]
    return run_latency(setup, messages=messages, rates=rate or (), seconds=seconds)


@measurement(
    "nifos-stream bench counters --messages 200000",
    without=("shape", "vocab", "device", "dtype"),
    shape="null",
)
def counters(
    setup: "Setup",
    messages: Annotated[int, typer.Option(min=1, help="Labelled events of one round.")] = 100_000,
    rounds: Rounds = 3,
) -> "Report":
    """Count a labelled topic into an empty Redis, against a loop that only reads and decodes it."""
    from nifos_stream.bench.counters import run_counters

    return run_counters(setup, messages=messages, rounds=rounds)


@measurement("nifos-stream bench overhead --messages 300000", without=("shape",), shape="null", dtype="fp32")
def overhead(
    setup: "Setup",
    messages: Annotated[int, typer.Option(min=1, help="Posts of one round.")] = 150_000,
    rounds: Rounds = 3,
) -> "Report":
    """Time everything but the forward pass (a model of one unit), against a loop that only copies."""
    from nifos_stream.bench.overhead import run_overhead

    return run_overhead(setup, messages=messages, rounds=rounds)


@measurement("nifos-stream bench soak --messages 1000000", shape="null")
def soak(
    setup: "Setup",
    messages: Annotated[int, typer.Option(min=2, help="Posts sent through one worker.")] = 200_000,
) -> "Report":
    """Watch the memory of a worker: after all messages against after 50,000."""
    from nifos_stream.bench.soak import run_soak

    return run_soak(setup, messages=messages)


@measurement(
    "nifos-stream bench pipeline >> here.txt; nifos-stream bench counters >> here.txt; "
    "nifos-stream bench plan --rate 50000/s --from here.txt"
)
def plan(
    setup: "Setup",
    rate: Annotated[str, typer.Option(help="Posts: 50000/s, or per m, h or d.")],
    measured: Annotated[
        list[Path] | None, typer.Option("--from", help="Files with JSON lines of bench; else measured now.")
    ] = None,
) -> "Report":
    """Turn what was measured into workers, GPUs, partitions and Redis memory for a rate."""
    from nifos_stream.bench import counters, pipeline
    from nifos_stream.bench.plan import parse_rate, read_lines, run_plan

    posts_per_s = parse_rate(rate)
    if measured:
        lines = read_lines(measured)
    else:
        posts = PIPELINE_MESSAGES[setup.shape] // 2
        lines = [
            pipeline.run_pipeline(setup, messages=posts, rounds=1, repeats=0.0).facts,
            counters.run_counters(setup, messages=50_000, rounds=1).facts,
        ]
    return run_plan(setup.settings, posts_per_s, lines)


def _setup(
    shape: str,
    vocab: Path | None,
    texts: Path | None,
    device: str | None,
    dtype: str | None,
    bootstrap_servers: str | None,
    redis: str | None,
) -> "Setup":
    if (bootstrap_servers is None) != (redis is None):
        raise UserError(
            "--bootstrap-servers and --redis belong together; without both, a local stack is used."
        )
    # Logs would stand between the lines of what is measured.
    settings = settings_with(
        model={"device": device, "dtype": dtype},
        kafka={"bootstrap_servers": bootstrap_servers},
        redis={"url": redis},
        logs={"level": "warning"},
    )
    from nifos_stream.bench.report import say
    from nifos_stream.bench.setup import Setup

    return Setup(settings, shape, vocab, texts, given=redis is not None, say=say)
