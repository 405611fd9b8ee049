"""The compose file, the image and the settings beside them, as far as they can be tried without Docker."""

import os
import re
import shutil
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
import redis
import yaml

from nifos_stream import settings as settings_module
from nifos_stream.local import datadir, distribution
from tests.integration import images
from tests.integration import kafka_tools as tools

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
IMAGE = "localhost/nifos-stream-test"


@pytest.fixture(scope="module")
def compose_text():
    """The compose file with every ${NAME:-default} at its default, as for someone who sets nothing."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", (ROOT / "docker-compose.yml").read_text())


@pytest.fixture(scope="module")
def services(compose_text):
    return yaml.safe_load(compose_text)["services"]


def test_the_compose_file_follows_the_compose_specification(compose_text):
    compose_spec = pytest.importorskip("compose_spec")
    merged = yaml.safe_dump({k: v for k, v in yaml.safe_load(compose_text).items() if not k.startswith("x-")})
    compose = compose_spec.PyCompose.from_yaml(merged)
    compose.validate()
    ours = {"kafka", "redis", "topics", "worker", "worker-gpu"}
    assert set(compose.service_names()) == ours | {"prometheus", "grafana"}
    with pytest.raises(ValueError, match="imagee"):
        compose_spec.PyCompose.from_yaml(merged.replace("image:", "imagee:"))


def test_the_compose_file_runs_the_kafka_of_the_local_stack(services):
    """With which all this is tested; other versions may lose a committed batch at a restart of one node."""
    assert services["kafka"]["image"] == f"apache/kafka:{distribution.KAFKA_VERSION}"


def test_the_compose_file_is_one_that_docker_takes():
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], capture_output=True).returncode != 0:
        pytest.skip("docker compose is not here")
    argv = [
        docker,
        "compose",
        "--profile",
        "gpu",
        "--profile",
        "monitoring",
        "-f",
        str(ROOT / "docker-compose.yml"),
        "config",
        "--quiet",
    ]
    done = subprocess.run(argv, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_what_services_refer_to_exists(services):
    for service in services.values():
        assert set(service.get("depends_on", {})) <= set(services)
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert not source.startswith(".") or (ROOT / source).exists()


def test_services_stay_on_this_machine_and_say_how_they_are(services):
    for name, service in services.items():
        assert all(str(port).startswith("127.0.0.1:") for port in service.get("ports", []))
        if name != "topics":
            assert service["restart"] == "unless-stopped"
            assert name.startswith("worker") or service["healthcheck"]["test"]
    assert "HEALTHCHECK" in DOCKERFILE.read_text()


def test_our_services_run_read_only_and_without_privileges(services):
    for name in ("topics", "worker", "worker-gpu"):
        service = services[name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]
        assert "user" not in service, "the image names its own user"


@pytest.mark.parametrize("name", ["prometheus", "grafana"])
def test_monitoring_runs_read_only_and_starts_only_when_named(services, name):
    service = services[name]
    assert service["profiles"] == ["monitoring"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]


def test_the_gpu_worker_asks_for_a_gpu_and_starts_only_when_named(services):
    service = services["worker-gpu"]
    assert service["profiles"] == ["gpu"]
    device = service["deploy"]["resources"]["reservations"]["devices"][0]
    assert (device["driver"], device["capabilities"]) == ("nvidia", ["gpu"])
    assert service["depends_on"]["topics"] == {"condition": "service_completed_successfully"}


@pytest.mark.parametrize("name", ["topics", "worker", "worker-gpu"])
def test_the_settings_of_our_services_are_ones_that_exist(services, name, monkeypatch):
    for variable in [variable for variable in os.environ if variable.startswith("NIFOS_")]:
        monkeypatch.delenv(variable)
    for variable, value in services[name]["environment"].items():
        monkeypatch.setenv(variable, value)
    loaded = settings_module.load()
    assert loaded.kafka.bootstrap_servers == "kafka:9092"
    assert loaded.redis.url.get_secret_value() == "redis://redis:6379/0"


def test_the_broker_of_the_compose_file_is_one_that_kafka_starts(services, tmp_path):
    """The image's own start program (kafka.docker) makes the properties and formats the directory."""
    for name in ("default", "mounted", "final", "data"):
        (tmp_path / name).mkdir()
    made = tmp_path / "final" / "server.properties"
    made.touch()
    environment = services["kafka"]["environment"] | {"KAFKA_LOG_DIRS": str(tmp_path / "data")}
    cluster = {"CLUSTER_ID": "5L6g3nShT-eMCtK--X86sw", "PATH": os.environ["PATH"]}
    java = [str(distribution.java()), "-cp", distribution.kafka_classpath(lambda _: None)]
    argv = [*java, "kafka.docker.KafkaDockerWrapper", "setup"]
    argv += [f"--{name}-configs-dir={tmp_path / name}" for name in ("default", "mounted", "final")]
    done = subprocess.run(argv, env=environment | cluster, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "group.consumer.session.timeout.ms=10000" in made.read_text()
    assert (tmp_path / "data" / "meta.properties").is_file()


def test_redis_starts_with_our_settings_and_evicts_nothing(tmp_path):
    port = datadir.free_port()
    argv = [str(distribution.redis_server()), str(ROOT / "deploy" / "redis.conf")]
    argv += ["--port", str(port), "--dir", str(tmp_path), "--bind", "127.0.0.1"]
    server = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    try:
        with redis.Redis(port=port) as client:
            tools.wait_until(lambda: _answers(client), what="Redis answers")
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
            assert client.config_get("appendonly") == {"appendonly": "yes"}
    finally:
        server.terminate()
        server.wait(20)


def test_the_dockerfile_is_clean():
    hadolint = Path(sys.executable).with_name("hadolint")
    if not hadolint.exists():
        pytest.skip("hadolint is not here")
    done = subprocess.run([hadolint, DOCKERFILE], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_image_is_made_of_what_it_needs_alone():
    """What .dockerignore lets through is what the Dockerfile copies."""
    let_through = {
        line[1:].rstrip("/")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    copied = set()
    for line in DOCKERFILE.read_text().splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            copied |= {path.rstrip("/") for path in line.split()[1:-1]}
    assert copied - {"nifos_stream/__init__.py"} == let_through - {"deploy"}


@pytest.fixture(scope="module")
def built():
    """The image without its libraries: torch again would take gigabytes, so containers get ours."""
    if (tool := images.missing_tool()) is not None:
        pytest.skip(f"images need {tool}")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    made = images.Images(cache / "nifos-stream-tests" / "images")
    made.base()
    # The base's Python may be a 3.11 so old that redis needs this backport, which our environment lacks.
    made.build(IMAGE, DOCKERFILE, ROOT, PIP_OPTIONS="--no-deps async-timeout")
    made.prune()
    return made


def _as_composed(environment):
    """Options of a container as the compose file runs it, with this environment's libraries in it."""
    site_packages = next(path for path in sys.path if path.endswith("site-packages"))
    settings = {name: value for name, value in environment.items() if name.startswith("NIFOS_")}
    settings["PYTHONPATH"] = "/libraries"
    return (
        *("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
        *("-v", f"{Path(site_packages).resolve()}:/libraries:ro"),
        *(part for name, value in settings.items() for part in ("-e", f"{name}={value}")),
    )


@pytest.mark.images
@pytest.mark.timeout(1200)
def test_the_image_runs_as_a_user_of_its_own_and_reaches_kafka(built, make_settings):
    ours = make_settings(partitions=3)
    options = _as_composed(tools.environment(ours))
    script = "id -u && nifos-stream version && nifos-stream topics create"
    said = built.run(IMAGE, "-c", script, options=(*options, "--entrypoint", "sh")).stdout.splitlines()
    assert said[0] == "10001"
    assert said[1].startswith("nifos-stream ")
    assert any(line.startswith(f"{ours.topics.posts}: was there") for line in said[2:])


@pytest.mark.images
@pytest.mark.timeout(1200)
def test_a_container_labels_posts_and_is_healthy(built, make_settings):
    """A worker as composed, under the image's own health check: a labelled post, and an orderly end."""
    ours = make_settings(partitions=3, http={"listen": f"127.0.0.1:{datadir.free_port()}"})
    bootstrap = ours.kafka.bootstrap_servers
    name = f"nifos-test-{uuid.uuid4().hex[:8]}"
    tools.produce_all(bootstrap, ours.topics.posts, ['{"id": "1", "text": "숲이 정말 좋아요"}'.encode()])
    try:
        built.start(IMAGE, name=name, options=_as_composed(tools.environment(ours)))
        tools.wait_until(lambda: built.running(name) is False or _labelled(ours) == 1, timeout_seconds=300)
        assert built.running(name), built.logs(name)
        tools.wait_until(lambda: built.healthy(name), what="the container is healthy")
        assert built.stop(name) == 0, built.logs(name)
    finally:
        built.remove(name)
    assert _labelled(ours) == 1


def _labelled(ours: settings_module.Settings) -> int:
    return len(tools.read_all(ours.kafka.bootstrap_servers, ours.topics.sentiment))


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
