"""What Redis says of all partitions, alone or together with what is read of them. Knows no question."""

from collections.abc import Sequence
from typing import Any

from redis.exceptions import NoScriptError

from nifos_stream.counters.connect import RedisClient
from nifos_stream.counters.look import Call, Look, Moved, read_parts
from nifos_stream.counters.store import Keys, script


def look_at(client: RedisClient, keys: Keys, timezone: str) -> Look:
    """How many partitions there are, and then the state of each. timezone: see Look.of."""
    pipeline = client.pipeline(transaction=False)
    _queue_topic(pipeline, keys)
    partitions, backlog = pipeline.execute()
    places: list[Call] = [(_places(keys, partition), []) for partition in range(int(partitions or 0))]
    return Look.of(backlog, script("state").each(client, places), timezone)


def read_at_once(
    client: RedisClient, keys: Keys, look: Look, name: str, reads: Sequence[Call], timezone: str
) -> tuple[Look, list[Sequence[Any]]]:
    """The state of the partitions now, and what each call of the script `name` read, in one round trip.

    look: an earlier one. Moved when other generations are read by now, or other things counted.
    """
    try:
        answers = _pipelined(client, keys, look, name, reads, known=True)
    except NoScriptError:
        answers = _pipelined(client, keys, look, name, reads, known=False)
    partitions, backlog, *rest = answers
    now = Look.of(backlog, rest[: len(look.states)], timezone)
    if int(partitions or 0) != len(look.states) or not now.is_read_as(look):
        raise Moved
    return now, read_parts(rest[len(look.states) :])


def _pipelined(
    client: RedisClient, keys: Keys, look: Look, name: str, reads: Sequence[Call], *, known: bool
) -> list[Any]:
    pipeline = client.pipeline(transaction=False)
    _queue_topic(pipeline, keys)
    for partition in look.states:
        script("state").queue(pipeline, _places(keys, partition), [], known=known)
    for named, arguments in reads:
        script(name).queue(pipeline, named, arguments, known=known)
    answers: list[Any] = pipeline.execute()
    return answers


def _queue_topic(pipeline: Any, keys: Keys) -> None:
    pipeline.hget(keys.topic, "partitions")
    pipeline.get(keys.backlog)


def _places(keys: Keys, partition: int) -> list[str]:
    return [keys.state(partition), keys.ends(partition)]
