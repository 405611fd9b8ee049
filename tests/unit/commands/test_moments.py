from zoneinfo import ZoneInfo

import pytest

from nifos_stream.commands.moments import moment
from nifos_stream.errors import UserError

SEOUL = ZoneInfo("Asia/Seoul")


@pytest.mark.parametrize(
    ("written", "begins"),
    [
        (None, None),
        ("2024", "2024-01-01T00:00:00+09:00"),
        ("2024년", "2024-01-01T00:00:00+09:00"),
        ("2025-06", "2025-06-01T00:00:00+09:00"),
        ("2025.6.", "2025-06-01T00:00:00+09:00"),
        ("2025년 6월", "2025-06-01T00:00:00+09:00"),
        ("2020.06.01.", "2020-06-01T00:00:00+09:00"),
        ("20200601", "2020-06-01T00:00:00+09:00"),
        ("2026-05-01", "2026-05-01T00:00:00+09:00"),
        ("2026-05-01 09:30", "2026-05-01T09:30:00+09:00"),
        ("2026-05-01T09:30:00Z", "2026-05-01T09:30:00Z"),
    ],
)
def test_a_date_is_read_as_people_write_it(written, begins):
    assert moment(written, SEOUL) == begins


@pytest.mark.parametrize("written", ["", "yesterday", "2025-13", "0000", "2025-02-30", "2\x1b[31m"])
def test_what_is_no_date_is_one_sentence(written):
    with pytest.raises(UserError, match="is not a date or time, such as 2026, 2026-05"):
        moment(written, SEOUL)
