import errno
import os
import shutil
import socket
from collections import namedtuple

import pytest

from nifos_stream.errors import UserError
from nifos_stream.local import datadir
from nifos_stream.local.datadir import DataDir, choose_port


@pytest.fixture
def listener():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def test_one_stack_at_a_time_uses_a_directory(tmp_path):
    first, second = DataDir(tmp_path), DataDir(tmp_path)
    first.acquire()
    with pytest.raises(UserError, match=f"in use by another stack .pid {os.getpid()}"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()


def test_servers_that_outlive_their_parent_are_waited_for(tmp_path, monkeypatch):
    """The lock is still held, but the program that took it is dead: its servers are about to end."""
    monkeypatch.setattr(datadir, "ENDING_SECONDS", 0.3)
    first, second = DataDir(tmp_path), DataDir(tmp_path)
    first.acquire()
    os.pwrite(first.lock, b"999999999", 0)
    with pytest.raises(UserError, match="in use"):
        second.acquire()
    first.release()


def test_ports_are_kept(tmp_path):
    directory = DataDir(tmp_path)
    assert directory.ports() == {}
    directory.keep_ports({"kafka": 20_001, "redis": 20_002})
    assert DataDir(tmp_path).ports() == {"kafka": 20_001, "redis": 20_002}
    (tmp_path / "ports.json").write_text("{")
    assert directory.ports() == {}


def test_a_full_disk_is_refused_before_anything_starts(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(1 << 40, 1 << 40, 1 << 20))
    with pytest.raises(UserError, match=r"disk that holds .* is full: the local stack needs 100 MiB"):
        DataDir(tmp_path).acquire()
    monkeypatch.undo()
    DataDir(tmp_path).acquire()


def test_an_error_of_the_disk_becomes_a_sentence(tmp_path):
    assert "is full" in str(datadir.unusable(tmp_path, OSError(errno.ENOSPC, "No space left on device")))
    assert "Read-only" in str(datadir.unusable(tmp_path, OSError(errno.EROFS, "Read-only file system")))


def test_a_port_that_was_asked_for_must_be_free(listener):
    with pytest.raises(UserError, match=f"Port {listener} for Kafka is taken"):
        choose_port("Kafka", listener, default=9092, kept=None)
    with pytest.raises(UserError, match="70000 is not a port"):
        choose_port("Kafka", 70_000, default=9092, kept=None)


def test_a_port_that_was_not_asked_for_gives_way(listener):
    """The directory's own port comes first, then the server's usual one, then any free one."""
    free = datadir.free_port()
    other = datadir.free_port()
    assert choose_port("Kafka", None, default=other, kept=free) == free
    assert choose_port("Kafka", None, default=other, kept=listener) == other
    assert choose_port("Kafka", None, default=listener, kept=listener) not in (listener, free, other)
    assert choose_port("Kafka", 0, default=other, kept=free) == free
    assert choose_port("Kafka", 0, default=other, kept=None) != other
