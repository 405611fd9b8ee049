"""The stack on one machine: real servers, started, kept, stopped and refused."""

import contextlib
import json
import logging
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from confluent_kafka import Producer

from nifos_stream.errors import UserError
from nifos_stream.local.datadir import DataDir
from nifos_stream.local.stack import LocalStack
from tests.integration import kafka_tools as tools


def test_data_and_ports_survive_a_stop(tmp_path):
    """What was produced and stored is there after a stop and a start, on the same ports."""
    with LocalStack(tmp_path) as stack:
        before = stack.bootstrap_servers, stack.redis_url
        tools.create_topic(stack.bootstrap_servers, "posts", 2)
        tools.produce_all(stack.bootstrap_servers, "posts", [b"one", b"two"])
        with redis.Redis.from_url(stack.redis_url) as client:
            client.set("kept", "yes")
    with LocalStack(tmp_path) as stack:
        assert (stack.bootstrap_servers, stack.redis_url) == before
        read = tools.read_all(stack.bootstrap_servers, "posts")
        assert sorted(record.value for record in read) == [b"one", b"two"]
        with redis.Redis.from_url(stack.redis_url) as client:
            assert client.get("kept") == b"yes"


def test_a_killed_broker_comes_back_on_its_port_with_what_it_acknowledged(own_stack):
    tools.create_topic(own_stack.bootstrap_servers, "posts", 1)
    tools.produce_all(own_stack.bootstrap_servers, "posts", [b"kept"])
    own_stack.restart_kafka(by_force=True)
    tools.produce_all(own_stack.bootstrap_servers, "posts", [b"new"])
    read = tools.read_all(own_stack.bootstrap_servers, "posts")
    assert [record.value for record in read] == [b"kept", b"new"]


def test_stop_leaves_no_process_and_frees_the_directory(tmp_path):
    stack = LocalStack(tmp_path).start()
    pids = [stack.kafka.pid, stack.redis.pid]
    stack.stop()
    assert not any(_exists(pid) for pid in pids)
    stack.stop()
    with LocalStack(tmp_path) as again:
        assert again.kafka.running
        assert again.redis.running


def test_a_directory_in_use_is_refused(stack):
    with pytest.raises(UserError, match=rf"in use by another stack \(pid {os.getpid()}\)"):
        LocalStack(stack.data_dir).start()
    assert stack.kafka.running


@pytest.mark.parametrize("server", ["kafka_port", "redis_port"])
def test_a_taken_port_that_was_asked_for_is_refused(tmp_path, server):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"Port {port} .* is taken"):
            LocalStack(tmp_path, **{server: port}).start()


def test_the_servers_end_when_their_parent_is_killed(tmp_path):
    """SIGKILL of the program leaves neither a broker nor a Redis behind, and the directory can be used."""
    program = textwrap.dedent(f"""
        import time
        from pathlib import Path
        from nifos_stream.local.stack import LocalStack
        stack = LocalStack(Path({str(tmp_path)!r})).start()
        print(stack.kafka.pid, stack.redis.pid, flush=True)
        time.sleep(600)
    """)
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 2
        parent.send_signal(signal.SIGKILL)
    with LocalStack(tmp_path) as stack:
        assert stack.kafka.running
    # Whoever took them over from their parent may take a moment to bury them.
    tools.wait_until(lambda: not any(_exists(pid) for pid in pids), what="the servers are gone")


def test_a_broker_that_cannot_start_says_why(tmp_path):
    with LocalStack(tmp_path):
        pass
    (tmp_path / "kafka" / "log" / "meta.properties").write_text("version=1\ncluster.id=x\nnode.id=7\n")
    with pytest.raises(UserError, match=r"^Kafka ended \(.*7.*\); its log is ") as caught:
        LocalStack(tmp_path).start()
    assert "\n" not in str(caught.value)


def test_a_disk_that_fills_up_ends_the_stack_with_one_sentence(small_disk):
    with LocalStack(small_disk / "data") as stack:
        tools.create_topic(stack.bootstrap_servers, "posts", 1)
        producer = Producer(
            {"bootstrap.servers": stack.bootstrap_servers, "logger": logging.getLogger("disk")}
        )
        for _ in range(300):
            producer.produce("posts", os.urandom(500_000))
        producer.flush(5)
        failure = tools.wait_until(stack.failure, what="the broker ends")
        producer.purge()
    assert re.match(r"The disk that holds .* is full: the local stack needs 100 MiB free\.", str(failure))
    with pytest.raises(UserError, match="is full"):
        LocalStack(small_disk / "data").start()


@pytest.fixture
def small_disk(tmp_path):
    """120 MiB, of which nearly all is free."""
    folder = tmp_path / "disk"
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", "size=120m", "tmpfs", str(folder)]
    if (
        os.getuid() != 0
        or subprocess.run([shutil.which("mount"), *options], capture_output=True).returncode != 0
    ):
        pytest.skip("no small disk can be mounted here")
    yield folder
    subprocess.run([shutil.which("umount"), str(folder)], check=True)


def test_a_file_in_place_of_the_directory_is_refused(tmp_path):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(UserError, match="cannot be used"):
        LocalStack(file).start()
    with pytest.raises(UserError, match="cannot be used"):
        LocalStack(Path("/proc/nowhere")).start()


def test_up_prints_one_json_line_when_all_is_ready_and_stops_at_a_signal(tmp_path):
    with _up(tmp_path) as up:
        line = json.loads(up.stdout.readline())
        assert set(line) == {"kafka", "redis", "data_dir"}
        assert line["data_dir"] == str(tmp_path)
        assert len(tools.end_offsets(line["kafka"], "nifos.posts")) == 9
        with redis.Redis.from_url(line["redis"]) as client:
            assert client.ping()
        up.send_signal(signal.SIGTERM)
        rest, _ = up.communicate(timeout=60)
    assert rest == ""
    assert up.returncode == 0
    DataDir(tmp_path).acquire()


def test_up_ends_with_one_sentence_when_a_server_ends_by_itself(tmp_path):
    with _up(tmp_path) as up:
        line = json.loads(up.stdout.readline())
        with redis.Redis.from_url(line["redis"]) as client, contextlib.suppress(redis.ConnectionError):
            client.shutdown(nosave=True)
        _, said = up.communicate(timeout=60)
    assert up.returncode == 2
    assert said.startswith("nifos-stream: Redis ended ")
    assert len(said.splitlines()) == 1


def test_up_on_a_taken_port_ends_with_one_sentence(stack, tmp_path):
    with _up(tmp_path, "--redis-port", str(stack.redis.port)) as up:
        out, said = up.communicate(timeout=60)
    assert (up.returncode, out) == (2, "")
    assert re.fullmatch(r"nifos-stream: Port \d+ for Redis is taken on 127.0.0.1; .*\n", said)


@contextlib.contextmanager
def _up(folder: Path, *more: str) -> Iterator[subprocess.Popen[str]]:
    ports = () if more else ("--kafka-port", "0", "--redis-port", "0")
    argv = [sys.executable, "-m", "nifos_stream", "up", "--json", "--data-dir", str(folder), *ports, *more]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdout=pipe, stderr=pipe, text=True) as up:
        try:
            yield up
        finally:
            up.kill()


def _exists(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()
