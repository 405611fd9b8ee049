"""Commands that measure: bench forward, pipeline, latency, counters, overhead, soak, plan."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

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

# What takes a minute or two on two cores.
PIPELINE_MESSAGES = {"koelectra-base": 1000, "bundled": 10_000, "null": 40_000}
LATENCY_MESSAGES = {"koelectra-base": 600, "bundled": 10_000, "null": 40_000}
FORWARD_TEXTS = {"koelectra-base": 160, "bundled": 2000, "null": 20_000}


@bench_app.command(epilog="Example: nifos-stream bench forward --shape koelectra-base --dtype int8")
def forward(
    shape: Shape = "koelectra-base",
    vocab: Vocab = None,
    texts: Texts = None,
    device: Device = None,
    dtype: Dtype = None,
    count: Annotated[int | None, typer.Option(min=8, help="Texts of one pass.")] = None,
    rounds: Rounds = 3,
) -> None:
    """Time the forward pass against the products that it consists of, by chunk size and dtype."""
    from nifos_stream.bench.forward import run_forward

    setup = _setup(shape, vocab, texts, device, dtype, None, None)
    _show(run_forward(setup, texts=count or FORWARD_TEXTS[shape], rounds=rounds))


@bench_app.command(epilog="Example: nifos-stream bench pipeline --shape bundled --repeats 0.5")
def pipeline(
    shape: Shape = "koelectra-base",
    vocab: Vocab = None,
    texts: Texts = None,
    device: Device = None,
    dtype: Dtype = None,
    bootstrap_servers: Servers = None,
    redis: Redis = None,
    messages: Messages = None,
    rounds: Rounds = 3,
    repeats: Annotated[
        float, typer.Option(min=0, max=0.99, help="Share of posts repeated, measured beside none.")
    ] = 0.0,
) -> None:
    """Label and count a preloaded topic, exactly once, against the bare forward pass on the same texts."""
    from nifos_stream.bench.pipeline import run_pipeline

    setup = _setup(shape, vocab, texts, device, dtype, bootstrap_servers, redis)
    messages = messages or PIPELINE_MESSAGES[shape]
    _show(run_pipeline(setup, messages=messages, rounds=rounds, repeats=repeats))


@bench_app.command(epilog="Example: nifos-stream bench latency --shape bundled --rate 100 --rate 500")
def latency(
    shape: Shape = "koelectra-base",
    vocab: Vocab = None,
    texts: Texts = None,
    device: Device = None,
    dtype: Dtype = None,
    bootstrap_servers: Servers = None,
    redis: Redis = None,
    messages: Annotated[
        int | None, typer.Option(min=2, help="Posts that measure the sustainable rate.")
    ] = None,
    rate: Annotated[
        list[float] | None, typer.Option(min=0.01, help="Posts a second; may be given several times.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.1, help="How long each rate is kept.")] = 20.0,
) -> None:
    """Time each post from its sending to its event being visible, at fixed rates and half the sustainable."""
    from nifos_stream.bench.latency import run_latency

    setup = _setup(shape, vocab, texts, device, dtype, bootstrap_servers, redis)
    messages = messages or LATENCY_MESSAGES[shape]
    _show(run_latency(setup, messages=messages, rates=rate or (), seconds=seconds))


@bench_app.command(epilog="Example: nifos-stream bench counters --messages 200000")
def counters(
    texts: Texts = None,
    bootstrap_servers: Servers = None,
    redis: Redis = None,
    messages: Annotated[int, typer.Option(min=1, help="Labelled events of one round.")] = 100_000,
    rounds: Rounds = 3,
) -> None:
    """Count a labelled topic into an empty Redis, against a loop that only reads and decodes it."""
    from nifos_stream.bench.counters import run_counters

    setup = _setup("null", None, texts, None, None, bootstrap_servers, redis)
    _show(run_counters(setup, messages=messages, rounds=rounds))


@bench_app.command(epilog="Example: nifos-stream bench overhead --messages 100000")
def overhead(
    vocab: Vocab = None,
    texts: Texts = None,
    device: Device = None,
    bootstrap_servers: Servers = None,
    redis: Redis = None,
    messages: Annotated[int, typer.Option(min=1, help="Posts of one round.")] = 40_000,
    rounds: Rounds = 3,
) -> None:
    """Time everything but the forward pass (a model of one unit), against a loop that only copies."""
    from nifos_stream.bench.overhead import run_overhead

    setup = _setup("null", vocab, texts, device, "fp32", bootstrap_servers, redis)
    _show(run_overhead(setup, messages=messages, rounds=rounds))


@bench_app.command(epilog="Example: nifos-stream bench soak --messages 1000000")
def soak(
    shape: Shape = "null",
    vocab: Vocab = None,
    texts: Texts = None,
    device: Device = None,
    dtype: Dtype = None,
    bootstrap_servers: Servers = None,
    redis: Redis = None,
    messages: Annotated[int, typer.Option(min=2, help="Posts sent through one worker.")] = 200_000,
) -> None:
    """Watch the memory of a worker: after all messages against after 50,000."""
    from nifos_stream.bench.soak import run_soak

    setup = _setup(shape, vocab, texts, device, dtype, bootstrap_servers, redis)
    _show(run_soak(setup, messages=messages))


@bench_app.command(
    epilog="Example: nifos-stream bench pipeline >> here.txt; nifos-stream bench counters >> here.txt; "
    "nifos-stream bench plan --rate 50000/s --from here.txt"
)
def plan(
    rate: Annotated[str, typer.Option(help="Posts: 50000/s, or per m, h or d.")],
    measured: Annotated[
        list[Path] | None, typer.Option("--from", help="Files with JSON lines of bench; else measured now.")
    ] = None,
    shape: Shape = "koelectra-base",
    vocab: Vocab = None,
    texts: Texts = None,
    device: Device = None,
    dtype: Dtype = None,
    bootstrap_servers: Servers = None,
    redis: Redis = None,
) -> None:
    """Turn what was measured into workers, GPUs, partitions and Redis memory for a rate."""
    from nifos_stream.bench import counters, pipeline
    from nifos_stream.bench.plan import parse_rate, read_lines, run_plan

    setup = _setup(shape, vocab, texts, device, dtype, bootstrap_servers, redis)
    posts_per_s = parse_rate(rate)
    if measured:
        lines = read_lines(measured)
    else:
        posts = PIPELINE_MESSAGES[shape] // 2
        lines = [
            pipeline.run_pipeline(setup, messages=posts, rounds=1, repeats=0.0).facts,
            counters.run_counters(setup, messages=50_000, rounds=1).facts,
        ]
    _show(run_plan(setup.settings, posts_per_s, lines))


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


def _show(report: "Report") -> None:
    from nifos_stream.bench.report import show

    show(report)
