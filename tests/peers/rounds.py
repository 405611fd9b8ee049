"""All contenders, round after round, and what came of it. Knows nothing of how each is run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from nifos_stream.bench.figures import ratio, spread, too_short
from nifos_stream.bench.report import Report
from nifos_stream.errors import NifosError
from tests.peers.comparison import Said, compare
from tests.peers.contenders import EXACTLY, OURS, Contender
from tests.peers.drive import Outcome

Drive = Callable[[Contender], Outcome]


@dataclass(slots=True)
class Rounds:
    """rates: posts a second, by contender. same: least share of labels like the reference's."""

    rates: dict[Contender, list[float]] = field(default_factory=dict)
    same: dict[Contender, float] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def run_rounds(
    contenders: Sequence[Contender], rounds: int, posts: int, drive: Drive, say: Callable[[str], None]
) -> Rounds:
    """Run them in turn, each round from another one on, so that what disturbs does not always hit the same.

    A contender that fails is left out from then on; Ctrl-C ends the rounds, and what was found is reported.
    """
    found = Rounds()
    outcomes: list[tuple[Contender, Outcome]] = []
    taking_part = list(contenders)
    try:
        for number in range(rounds):
            first = number % max(1, len(taking_part))
            for contender in taking_part[first:] + taking_part[:first]:
                where = f"round {number + 1} of {rounds}: {contender.name} {contender.dtype}"
                try:
                    outcome = drive(contender)
                except NifosError as error:
                    found.problems.append(f"{contender.name} {contender.dtype}: {error}")
                    say(f"{where}: failed")
                    taking_part.remove(contender)
                    continue
                rate = posts / outcome.seconds
                say(f"{where}: {rate:,.1f} posts/s")
                found.rates.setdefault(contender, []).append(rate)
                outcomes.append((contender, outcome))
    except KeyboardInterrupt:
        found.problems.append(f"interrupted in {where}")
    _compare(found, outcomes)
    return found


def _compare(found: Rounds, outcomes: Sequence[tuple[Contender, Outcome]]) -> None:
    """Hold every outcome against the first in fp32, or else against the first."""
    if not outcomes:
        return
    judge, first = next((each for each in outcomes if each[0].dtype == "fp32"), outcomes[0])
    reference: dict[str, Said] = {each.id: each for each in first.said}
    for contender, outcome in outcomes:
        verdict = compare(outcome.said, reference, exact=contender.dtype == judge.dtype == "fp32")
        found.same[contender] = min(verdict.same, found.same.get(contender, 1.0))
        found.problems += [
            sentence
            for problem in verdict.problems
            if (sentence := f"{contender.name} {contender.dtype}: {problem}.") not in found.problems
        ]


def report(found: Rounds, title: str, facts: dict[str, Any]) -> Report:
    """The table, with a column for how many times as fast each nifos-stream is.

    facts: what the line begins with; `posts` of each run among them.
    """
    middle = {contender: median(rates) for contender, rates in found.rates.items()}
    ours = [contender for contender in middle if contender.name == OURS]
    rows, lines = [], []
    for contender, rate in middle.items():
        times = {each.dtype: ratio(middle[each], rate) for each in ours}
        rows.append(
            (
                contender.name + ("" if contender.delivery == EXACTLY else " *"),
                contender.dtype,
                f"{rate:,.1f}",
                spread(found.rates[contender]),
                *(f"{value:.2f}" for value in times.values()),
                f"{found.same[contender]:.1%}",
            )
        )
        lines.append(
            {
                "name": contender.name,
                "delivery": contender.delivery,
                "dtype": contender.dtype,
                "posts_per_s": round(rate, 2),
                "rounds": [round(each, 2) for each in found.rates[contender]],
                "ours_to_this": times,
                "same_labels": round(found.same[contender], 4),
            }
        )
    fastest = facts["posts"] / max(middle.values(), default=1.0)
    hint = too_short(fastest, "--posts")
    columns = ("", "dtype", "posts/s", "spread", *(f"{each.dtype} x" for each in ours), "labels")
    notes = [
        "*: at least once, so a crash doubles posts; the others label exactly once.",
        *(f"{each.dtype} x: {OURS} in {each.dtype} is so many times as fast." for each in ours),
        "labels: share of posts with the label that the first outcome in fp32 gave them.",
        *(found.problems or ["All labelled the same posts, and alike."]),
        *hint,
    ]
    return Report(
        title=title,
        columns=columns,
        rows=rows,
        facts={
            "bench": "peers",
            **facts,
            "contenders": lines,
            "problems": found.problems,
            "too_short": bool(hint),
        },
        notes=notes,
    )
