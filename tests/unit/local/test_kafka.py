import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from nifos_stream.errors import UserError
from nifos_stream.local.kafka import LocalKafka, properties_text


def test_a_folder_in_korean_is_written_as_java_reads_it():
    written = properties_text(9092, 9093, Path("/home/홍길동/숲 \\ 길/log"))
    assert written.isascii()
    assert "log.dirs=/home/\\ud64d\\uae38\\ub3d9/\\uc232 \\\\ \\uae38/log\n" in written


def test_a_path_that_kafka_would_take_for_two_is_refused():
    with pytest.raises(UserError, match="comma"):
        properties_text(9092, 9093, Path("/data,more/log"))


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (
            "o.a.k.common.errors.UnsupportedVersionException: Can't read version 4 of BrokerEndpoint",
            "is of a newer Kafka than",
        ),
        ("java.net.BindException: Address already in use", "port 1 or 2 was taken"),
        ("java.io.IOException: No space left on device", "is full"),
        ("java.lang.OutOfMemoryError: Exception nobody foresaw", "Kafka ended .*nobody foresaw"),
    ],
)
def test_why_it_ended_is_one_sentence(tmp_path, line, sentence):
    kafka = LocalKafka(tmp_path, port=1, controller_port=2, lock=0)
    kafka._process = SimpleNamespace(log_tail=lambda: ["[main] ERROR starting", line, "\tat kafka.Kafka"])
    failure = kafka.failure()
    assert isinstance(failure, UserError)
    assert re.search(sentence, str(failure))
