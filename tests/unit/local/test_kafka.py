from pathlib import Path

import pytest

from nifos_stream.errors import UserError
from nifos_stream.local.kafka import properties_text


def test_a_folder_in_korean_is_written_as_java_reads_it():
    written = properties_text(9092, 9093, Path("/home/홍길동/숲 \\ 길/log"))
    assert written.isascii()
    assert "log.dirs=/home/\\ud64d\\uae38\\ub3d9/\\uc232 \\\\ \\uae38/log\n" in written


def test_a_path_that_kafka_would_take_for_two_is_refused():
    with pytest.raises(UserError, match="comma"):
        properties_text(9092, 9093, Path("/data,more/log"))
