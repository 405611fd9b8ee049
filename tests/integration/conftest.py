"""Real Kafka and Redis for the integration tests.

stack       LocalStack, one for the whole run. Do not stop it, restart it or look at all of its Redis keys.
own_stack   LocalStack of one test alone: restart it, kill it, empty its Redis.
make_settings(partitions=9, on=None, **sections) -> Settings
            for `stack` (or on=own_stack) with topic names, groups and a Redis prefix that no other test has;
            the topics are there. sections: more settings, e.g. counters={"max_values": 5}.
redis_client    a client of `stack`'s Redis, with decode_responses=False.
redis_url       of an empty Redis, one a module, of each kind: version 6.2, the installed one, a cluster.
"""

import shutil
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from nifos_stream.local.stack import LocalStack
from nifos_stream.local.up import create_ready_topics
from nifos_stream.settings import Settings
from tests.integration.redis_servers import cluster, programs, server


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    folder = tmp_path_factory.mktemp("stack")
    with LocalStack(folder) as running:
        yield running
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    folder = tmp_path_factory.mktemp("own-stack")
    with LocalStack(folder) as running:
        yield running
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def make_settings(request: pytest.FixtureRequest) -> Callable[..., Settings]:
    def make(partitions: int = 9, on: LocalStack | None = None, **sections: dict[str, Any]) -> Settings:
        running = on or request.getfixturevalue("stack")
        tag = uuid.uuid4().hex[:8]
        ours: dict[str, dict[str, Any]] = {
            "kafka": {"bootstrap_servers": running.bootstrap_servers},
            "redis": {"url": running.redis_url},
            "topics": {
                "posts": f"posts-{tag}",
                "sentiment": f"sentiment-{tag}",
                "dead_letters": f"dead-letters-{tag}",
                "alerts": f"alerts-{tag}",
                "keywords": f"keywords-{tag}",
                "partitions": partitions,
            },
            "stream": {"group_id": f"classify-{tag}"},
            "counters": {"group_id": f"counters-{tag}", "prefix": f"nifos-{tag}"},
            "alerts": {"group_id": f"alerts-{tag}"},
        }
        for section, values in sections.items():
            ours[section] = ours.get(section, {}) | values
        settings = Settings(**ours)
        create_ready_topics(settings)
        return settings

    return make


@pytest.fixture
def redis_client(stack: LocalStack) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(stack.redis_url) as client:
        yield client


@pytest.fixture(scope="module", params=[*programs(), "cluster"])
def redis_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("redis")
    if request.param == "cluster":
        with cluster(folder, list(programs().values())[-1]) as port:
            yield f"redis+cluster://127.0.0.1:{port}"
    else:
        with server(folder, programs()[request.param], "--save", "") as port:
            yield f"redis://127.0.0.1:{port}/0"
