"""The stages in which the bundled model is trained: every number that differs between them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from nifos_stream.training.loop import Plan

SPLICED = "_spliced"


@dataclass(frozen=True, slots=True)
class Stage:
    """What one stage reads and how, by source name.

    passes: how often a round reads a source's rows. taught: how much of a row's target is its teacher's word
    (module `teacher`); the rest is the row's label. share: how much of the weights that the stage ends with
    goes into its model; the rest is of those that it began with. spliced: how many texts are made out of a
    source's own, to learn its teacher's word of them (`teacher.told_of_spliced`); in `passes` they are a
    source of their own, named after it with SPLICED behind.
    """

    passes: dict[str, float]
    plan: Plan
    taught: Mapping[str, float] = field(default_factory=dict)
    share: float = 1.0
    spliced: Mapping[str, int] = field(default_factory=dict)


# Human-labelled sources are small and judged most; the ratings are many and noisy.
FIRST = Stage(
    passes={
        "nsmc_raw": 1.0,
        "kodoli": 4.0,
        "kote": 10.0,
        "sentineg": 5.0,
        "goemotions_ko": 1.5,
        "3i4k_weak": 0.4,
        "chatbot_weak": 1.0,
    },
    plan=Plan(seconds=130 * 60),
)
# By then the rows of the small sources are known by heart; soft labels and hidden pieces undo that.
SECOND = Stage(
    passes={
        "nsmc_raw": 0.5,
        "kodoli": 3.0,
        "kote": 14.0,
        "sentineg": 3.0,
        "goemotions_ko": 1.0,
        "3i4k_weak": 0.1,
        "chatbot_weak": 0.3,
    },
    plan=Plan(
        seconds=80 * 60, peak_rate=1.5e-4, warmup_steps=200, hidden_pieces=0.12, source_loss=0.2, seed=43
    ),
    taught={"nsmc_raw": 0.3, "kodoli": 0.7, "kote": 0.6, "goemotions_ko": 0.5},
)
# The ratings whole once more: the training goes on paying, and they are most of what is read.
THIRD = Stage(
    passes=SECOND.passes | {"nsmc_raw": 1.0, "kote": 8.0},
    plan=replace(SECOND.plan, seed=44),
    taught=SECOND.taught,
    # The mean keeps what the small sources taught before, and has the better macro F1 on `valid`.
    share=0.5,
)
# The model knew its rows of kodoli by heart (0.84) and new ones less well (0.72) than n-grams do (0.75).
FOURTH = Stage(
    passes={
        "nsmc_raw": 0.35,
        "kodoli": 1.0,
        f"kodoli{SPLICED}": 1.0,
        "kote": 8.0,
        "sentineg": 3.0,
        "goemotions_ko": 0.8,
        "3i4k_weak": 0.1,
        "chatbot_weak": 0.3,
    },
    plan=replace(SECOND.plan, seconds=70 * 60, seed=45),
    taught={"nsmc_raw": 0.3, "kodoli": 1.0, "kote": 0.6, "goemotions_ko": 0.5},
    # What ends the stage reads kodoli better still, and kote far less well.
    share=0.5,
    spliced={"kodoli": 120_000},
)
STAGES = (FIRST, SECOND, THIRD, FOURTH)
