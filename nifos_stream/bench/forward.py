"""`bench forward`: the packed forward pass against the products that it consists of."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from nifos_stream.bench.figures import alternate, ratio, spread
from nifos_stream.bench.report import Report
from nifos_stream.bench.setup import Setup, ids_of
from nifos_stream.errors import UserError
from nifos_stream.model import Classifier
from nifos_stream.model.bare import Bare
from nifos_stream.model.calibrate import CANDIDATES, CHUNK_TOKENS
from nifos_stream.model.lanes import Lanes
from nifos_stream.model.tokenizer import length_of

_FEW_TEXTS = 8
# A dtype that the machine only emulates is not worth the minutes that it would take.
_HOPELESS = 6.0


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the table: so many texts in one dtype, chunk size and number of lanes."""

    dtype: str
    chunk_tokens: int
    lanes: int
    texts: int
    bare: Bare

    def name(self, what: str) -> str:
        """How a measurement of it is called."""
        return f"{what}, {self.dtype}, chunks of {self.chunk_tokens} tokens, {self.lanes} at once"


def run_forward(setup: Setup, *, texts: int, rounds: int) -> Report:
    """Time the pass over texts, by dtype and chunk size, and the products alone in turn with it.

    texts: of the pass in all lanes; as many sentences are read, however few posts they are of.
    """
    with tempfile.TemporaryDirectory(prefix="nifos-bench-") as folder:
        path = setup.model_path(Path(folder))
        chosen = setup.classifier(path)
        others = list(_others(setup, path, chosen))
        ids = ids_of(chosen, setup.different_texts(texts))[:texts]
        cases = _cases(path, chosen, others, ids)
    contestants: dict[str, Callable[[], float]] = {}
    for case in cases:
        contestants[case.name("forward")] = case.bare.forward_seconds
        contestants[case.name("products")] = case.bare.product_seconds
    setup.say("warming up")
    for case in cases:
        case.bare.forward_seconds()
    return _report(setup, chosen, cases, alternate(contestants, rounds, setup.say), ids)


def _others(setup: Setup, path: str, chosen: Classifier) -> Iterator[Classifier]:
    """The model in the other dtypes, where none was asked for."""
    if setup.settings.model.dtype != "auto":
        return
    for dtype in CANDIDATES[chosen.device.partition(":")[0]]:
        if dtype != chosen.dtype:
            try:
                yield setup.classifier(path, dtype)
            except UserError as error:
                setup.say(f"{dtype} is left out: {error}")


def _cases(path: str, chosen: Classifier, others: Sequence[Classifier], ids: Sequence[bytes]) -> list[Case]:
    """The chosen dtype with its chunk size first, then the other sizes, one lane alone, the other dtypes."""
    count = chosen.lanes.count if chosen.lanes else 1
    sizes = [chosen.chunk_tokens, *CHUNK_TOKENS[chosen.device.partition(":")[0]]]
    few = ids[:_FEW_TEXTS]
    limit = _HOPELESS * _quickest(Bare(chosen, path, few))
    cases = [
        Case(chosen.dtype, size, count, len(ids), Bare(chosen, path, ids, chunk_tokens=size))
        for size in dict.fromkeys(sizes)
    ]
    if count > 1:
        share = ids[: max(1, len(ids) // count)]
        alone = Bare(chosen, path, share, lanes=Lanes(1))
        cases.append(Case(chosen.dtype, chosen.chunk_tokens, 1, len(share), alone))
    for other in others:
        if _quickest(Bare(other, path, few)) <= limit:
            bare = Bare(other, path, ids)
            cases.append(Case(other.dtype, other.chunk_tokens, count, len(ids), bare))
    return cases


def _quickest(bare: Bare) -> float:
    return min(bare.forward_seconds() for _ in range(3))


def _report(
    setup: Setup,
    chosen: Classifier,
    cases: Sequence[Case],
    seconds: dict[str, list[float]],
    ids: Sequence[bytes],
) -> Report:
    rows, found = [], []
    for case in cases:
        forward, products = seconds[case.name("forward")], seconds[case.name("products")]
        rate, limit = case.texts / median(forward), case.texts / median(products)
        gflops = case.bare.operations / median(forward) / 1e9
        rows.append(
            (
                case.dtype,
                str(case.chunk_tokens),
                str(case.lanes),
                f"{rate:,.1f}",
                f"{limit:,.1f}",
                f"{ratio(rate, limit):.2f}",
                f"{gflops:,.0f}",
                spread(forward),
            )
        )
        found.append(
            {
                "dtype": case.dtype,
                "chunk_tokens": case.chunk_tokens,
                "lanes": case.lanes,
                "texts_per_s": round(rate, 2),
                "limit_texts_per_s": round(limit, 2),
                "ratio": ratio(rate, limit),
            }
        )
    tokens = sum(map(length_of, ids)) / len(ids)
    facts = setup.facts("forward", chosen) | {
        "texts": len(ids),
        "tokens_per_text": round(tokens, 2),
        "gflop_per_text": round(cases[0].bare.operations / len(ids) / 1e9, 4),
        "texts_per_s": found[0]["texts_per_s"],
        "limit_texts_per_s": found[0]["limit_texts_per_s"],
        "ratio": found[0]["ratio"],
        "cases": found,
    }
    return Report(
        f"Forward pass: {setup.shape} on {chosen.device}, {len(ids):,} texts of {tokens:.1f} tokens",
        ("dtype", "chunk", "lanes", "texts/s", "limit", "ratio", "GFLOPS", "spread"),
        rows,
        facts,
        notes=("limit: the products of this pass alone, in the same kernels; a worker takes the first row.",),
    )
