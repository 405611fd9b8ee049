"""The rules as they come find planted surges in time, and hardly anything else."""

import pytest

from nifos_stream.alerts.evaluator import Evaluator, replay
from nifos_stream.settings.alerts import DEFAULT_RULES
from tests.unit.alerts.planted import SURGE_MINUTES, SURGES, planted

IN_TIME_SECONDS = 5 * 60
WINDOW_SECONDS = 5 * 60


@pytest.mark.parametrize("seed", range(10))
def test_surges_are_found_within_five_minutes_with_few_false_alarms(seed):
    made = planted(seed)
    found = replay(Evaluator(DEFAULT_RULES, made.series), made.series.start, made.series.end)
    begun = [alert.started_at for alert in found if alert.ended_at is None]
    in_time = [start for start in made.starts if any(0 < at - start <= IN_TIME_SECONDS for at in begun)]
    # For the length of a window the end of a surge is still in it.
    lasting = SURGE_MINUTES * 60 + WINDOW_SECONDS
    false = [at for at in begun if not any(0 < at - start < lasting for start in made.starts)]
    assert len(in_time) >= SURGES - 1
    assert len(false) <= 2
