"""`bench forward`: the packed forward pass against the products that it consists of."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from nifos_stream.bench.figures import alternate, ratio, spread, too_short
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
    """One row of the table: so many texts in one dtype, chunk size and number of cores at work.

    lanes: chunks that run at once, each on one core; 0 for one at a time on all cores, products alone.
    """

    dtype: str
    chunk_tokens: int
    lanes: int
    texts: int
    bare: Bare

    def name(self, what: str) -> str:
        """How a measurement of it is called."""
        return f"{what}, {self.dtype}, chunks of {self.chunk_tokens} tokens, {self.lanes} at once"


@dataclass(frozen=True, slots=True)
class Timed:
    """A case and what was measured. forward: seconds of each pass, () where products alone were timed."""

    case: Case
    forward: Sequence[float]
    products: Sequence[float]

    @property
    def rate(self) -> float:
        """Texts a second of the pass; 0 where it was not timed."""
        return self.case.texts / median(self.forward) if self.forward else 0.0

    @property
    def products_rate(self) -> float:
        """Texts a second, if they were nothing but their products."""
        return self.case.texts / median(self.products)


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
        if case.lanes:
            contestants[case.name("forward")] = case.bare.forward_seconds
        contestants[case.name("products")] = case.bare.product_seconds
    setup.say("warming up")
    for case in cases:
        if case.lanes:
            case.bare.forward_seconds()
    seconds = alternate(contestants, rounds, setup.say)
    found = [
        Timed(case, seconds.get(case.name("forward"), ()), seconds[case.name("products")]) for case in cases
    ]
    return _report(setup, chosen, found, ids)


def limits(found: Sequence[Timed]) -> dict[str, Timed]:
    """By dtype, the case whose products are fastest: no pass can be faster here, whatever its chunks."""
    best: dict[str, Timed] = {}
    for one in found:
        known = best.get(one.case.dtype)
        if known is None or one.products_rate > known.products_rate:
            best[one.case.dtype] = one
    return best


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
    """The chosen dtype with its chunk size first, then the other sizes, one lane alone, the other dtypes.

    Last the products alone, each spread over all cores: what a pass in lanes might have missed.
    """
    few = ids[:_FEW_TEXTS]
    limit = _HOPELESS * _quickest(Bare(chosen, path, few))
    count = chosen.lanes.count if chosen.lanes else 1
    sizes = _sizes(chosen)
    cases = [
        Case(chosen.dtype, size, count, len(ids), Bare(chosen, path, ids, chunk_tokens=size))
        for size in sizes
    ]
    if count > 1:
        share = ids[: max(1, len(ids) // count)]
        alone = Bare(chosen, path, share, lanes=Lanes(1))
        cases.append(Case(chosen.dtype, chosen.chunk_tokens, 1, len(share), alone))
    cases += [
        Case(other.dtype, other.chunk_tokens, count, len(ids), Bare(other, path, ids))
        for other in others
        if _quickest(Bare(other, path, few)) <= limit
    ]
    if count > 1:
        cases += [
            Case(chosen.dtype, size, 0, len(ids), Bare(chosen, path, ids, chunk_tokens=size, spread=True))
            for size in sizes
        ]
    return cases


def _sizes(classifier: Classifier) -> list[int]:
    """Its own chunk size first, then those that a calibration tries."""
    return list(dict.fromkeys([classifier.chunk_tokens, *CHUNK_TOKENS[classifier.device.partition(":")[0]]]))


def _quickest(bare: Bare) -> float:
    return min(bare.forward_seconds() for _ in range(3))


def _report(setup: Setup, chosen: Classifier, found: Sequence[Timed], ids: Sequence[bytes]) -> Report:
    best = limits(found)
    first, limit = found[0], best[chosen.dtype]
    tokens = sum(map(length_of, ids)) / len(ids)
    hint = too_short(first.case.texts / first.rate, "--count")
    facts = setup.facts("forward", chosen) | {
        "texts": len(ids),
        "tokens_per_text": round(tokens, 2),
        "gflop_per_text": round(first.case.bare.operations / len(ids) / 1e9, 4),
        "texts_per_s": round(first.rate, 2),
        "limit_texts_per_s": round(limit.products_rate, 2),
        "ratio": ratio(first.rate, limit.products_rate),
        "limit_chunk_tokens": limit.case.chunk_tokens,
        "limit_lanes": limit.case.lanes,
        "too_short": bool(hint),
        "cases": [_facts(one) for one in found],
    }
    notes = (
        "products: those of this pass alone, in the same kernels. A worker takes the first row.",
        (
            f"limit: the fastest products of the dtype; in {chosen.dtype} {limit.products_rate:,.1f} texts/s,"
            f" in chunks of {limit.case.chunk_tokens} tokens, {_way(limit.case)}."
        ),
        *hint,
    )
    return Report(
        f"Forward pass: {setup.shape} on {chosen.device}, {len(ids):,} texts of {tokens:.1f} tokens",
        ("dtype", "chunk", "at once", "texts/s", "products", "of the limit", "GFLOPS", "spread"),
        [_row(one, best[one.case.dtype]) for one in found],
        facts,
        notes=notes,
        words=(0, 2),
    )


def _row(one: Timed, limit: Timed) -> tuple[str, ...]:
    case, products = one.case, f"{one.products_rate:,.1f}"
    start = (case.dtype, str(case.chunk_tokens), _way(case))
    if not one.forward:
        return (*start, "", products, "", "", spread(one.products))
    # One lane alone has a part of the machine, so it is held against its own products.
    most = one.products_rate if _is_part(case, limit) else limit.products_rate
    gflops = case.bare.operations / median(one.forward) / 1e9
    share = f"{ratio(one.rate, most):.2f}"
    return (*start, f"{one.rate:,.1f}", products, share, f"{gflops:,.0f}", spread(one.forward))


def _is_part(case: Case, limit: Timed) -> bool:
    return 0 < case.texts < limit.case.texts


def _way(case: Case) -> str:
    if not case.lanes:
        return "one on all cores"
    return "1 lane" if case.lanes == 1 else f"{case.lanes} lanes"


def _facts(one: Timed) -> dict[str, object]:
    case = one.case
    facts: dict[str, object] = {"dtype": case.dtype, "chunk_tokens": case.chunk_tokens, "lanes": case.lanes}
    if one.forward:
        facts["texts_per_s"] = round(one.rate, 2)
    return facts | {"products_texts_per_s": round(one.products_rate, 2)}
