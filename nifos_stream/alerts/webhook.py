"""The stage that tells one webhook of alerts: it reads the alerts topic in a group of its own.

So a webhook that is down holds up nothing but itself, a restart forgets nothing, and of several workers one
sends. A message may arrive twice, after a crash or an answer that was lost: its delivery header is the same
then. A webhook that is new begins with the alerts that come from now on. Knows no rule and no Redis.
"""

import math
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import httpx2
from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from nifos_stream import logs
from nifos_stream.alert_settings import Webhook
from nifos_stream.alerts import message as messages
from nifos_stream.alerts.ledger import consumer_properties, heed
from nifos_stream.errors import BrokerUnavailable, UserError
from nifos_stream.messages import AlertEvent
from nifos_stream.metrics import Metrics
from nifos_stream.settings import Settings
from nifos_stream.stage import Health

_MOST_AT_ONCE = 100
_LOOK_SECONDS = 0.2
_GATHER_SECONDS = 0.5
_FIRST_WAIT_SECONDS = 1.0
_LONGEST_WAIT_SECONDS = 60.0
_TRY_AGAIN = {408, 425, 429}
_log = logs.get(__name__)


@dataclass(slots=True)
class Parcel:
    """Alerts that are sent as one message. places: where to go on in the topic once it has arrived."""

    delivery: str
    body: bytes
    places: list[TopicPartition]
    first_try_at: float
    next_try_at: float
    tries: int = 0


class Sender:
    """Posts parcels to one webhook. now: monotonic; clock: seconds since 1970, which is signed."""

    def __init__(
        self,
        webhook: Webhook,
        client: httpx2.Client,
        *,
        now: Callable[[], float] = time.monotonic,
        clock: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._webhook = webhook
        self._client = client
        self._now = now
        self._clock = clock
        self._chance = chance

    def send(self, parcel: Parcel) -> str:
        """Try once: `delivered`, `retried` (see parcel.next_try_at), or `given_up`."""
        parcel.tries += 1
        wait, why = self._post(parcel)
        if why is None:
            return "delivered"
        now = self._now()
        grown = min(_LONGEST_WAIT_SECONDS, _FIRST_WAIT_SECONDS * 2 ** min(parcel.tries - 1, 10))
        wait = max(wait, grown * (0.5 + self._chance() / 2))
        if now + wait - parcel.first_try_at > self._webhook.give_up_seconds:
            _log.warning("webhook.given_up", webhook=self._webhook.name, why=why, tries=parcel.tries)
            return "given_up"
        _log.info("webhook.retried", webhook=self._webhook.name, why=why, wait_seconds=round(wait, 1))
        parcel.next_try_at = now + wait
        return "retried"

    def _post(self, parcel: Parcel) -> tuple[float, str | None]:
        """Seconds to wait at least, and why it did not arrive; None when it did."""
        secret = None if self._webhook.secret is None else self._webhook.secret.get_secret_value()
        said = messages.headers(parcel.body, secret, parcel.delivery, self._clock())
        try:
            answer = self._client.post(
                self._webhook.url.get_secret_value(), content=parcel.body, headers=said
            )
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            return 0.0, type(error).__name__  # What it says may hold the URL, which is a secret.
        if answer.is_success:
            return 0.0, None
        if answer.status_code in _TRY_AGAIN or answer.is_server_error:
            return _asked_for(answer), f"HTTP {answer.status_code}"
        return math.inf, f"HTTP {answer.status_code}"


class WebhookStage:
    """A Stage that reads the alerts topic for one webhook."""

    def __init__(
        self,
        settings: Settings,
        webhook: Webhook,
        metrics: Metrics,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = f"webhook-{webhook.name}"
        self._settings = settings
        self._webhook = webhook
        self._metrics = metrics
        self._now = now
        self._topic = settings.topics.alerts
        self._parcel: Parcel | None = None
        self._health = Health(ok=True, ready=True, detail="starting")

    def run(self, stop: threading.Event) -> None:
        """Tell until `stop`. UserError when the topic may not be read."""
        group = f"{self._settings.alerts.group_id}-webhook-{self._webhook.name}"
        try:
            consumer = Consumer(consumer_properties(self._settings, group))
        except (KafkaException, ValueError, TypeError) as error:
            raise UserError(f"The Kafka settings are not valid: {error}.") from None
        consumer.subscribe(
            [self._topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked
        )
        # An answer is of no use but for its status, and a webhook that moved is for a person to look at.
        with httpx2.Client(timeout=self._webhook.timeout_seconds, follow_redirects=False) as client:
            sender = Sender(self._webhook, client, now=self._now)
            try:
                while not stop.is_set():
                    self._round(consumer, sender)
            finally:
                consumer.close()

    def idle_seconds(self) -> float:
        """Alerts that wait for a webhook keep no worker from ending: the next one goes on with them."""
        return math.inf

    def health(self) -> Health:
        """A webhook that is down does not turn the worker red: the metrics and this line say so."""
        return self._health

    def _round(self, consumer: Consumer, sender: Sender) -> None:
        """Read what is new, or try what waits; stay a member of the group meanwhile."""
        if self._parcel is None:
            events, places = self._accept(consumer.consume(_MOST_AT_ONCE, _GATHER_SECONDS))
            if events:
                self._parcel = self._packed(events, places)
                consumer.pause(consumer.assignment())
            elif places:
                _commit(consumer, places)
            return
        # Nothing comes while it is paused, but what the group says is heeded.
        self._accept(consumer.consume(1, _LOOK_SECONDS))
        parcel = self._parcel
        if parcel is not None and self._now() >= parcel.next_try_at:
            end = sender.send(parcel)
            self._metrics.webhook_posts.labels(webhook=self._webhook.name, end=end).inc()
            self._health = Health(ok=True, ready=True, detail=f"{end} a message")
            if end != "retried":
                _commit(consumer, parcel.places)
                self._parcel = None
                consumer.resume(consumer.assignment())

    def _accept(self, received: Sequence[Message]) -> tuple[list[AlertEvent], list[TopicPartition]]:
        """The events that this webhook is told of, and where to go on behind them all."""
        events: list[AlertEvent] = []
        ends: dict[int, int] = {}
        for record in received:
            if (error := record.error()) is not None:
                try:
                    heed(error, self._topic)
                except BrokerUnavailable as trouble:
                    _log.warning("webhook.hindered", webhook=self._webhook.name, detail=str(trouble))
                continue
            ends[record.partition() or 0] = (record.offset() or 0) + 1
            try:
                event = AlertEvent.model_validate_json(record.value() or b"")
            except ValueError:
                continue
            if self._wants(event):
                events.append(event)
        return events, [TopicPartition(self._topic, number, end) for number, end in ends.items()]

    def _wants(self, event: AlertEvent) -> bool:
        chosen = not self._webhook.rules or event.rule in self._webhook.rules
        return chosen and (self._webhook.ended or event.ended_at is None)

    def _packed(self, events: Sequence[AlertEvent], places: list[TopicPartition]) -> Parcel:
        delivery = ",".join(f"{place.partition}:{place.offset}" for place in places)
        now = self._now()
        return Parcel(delivery, messages.body(events), places, now, now)

    def _assigned(self, consumer: Consumer, places: list[TopicPartition]) -> None:
        """A group that is new begins here, and says so at once, so that a restart misses nothing."""
        try:
            known = consumer.committed(places, timeout=10)
            new = [place for place in known if place.offset < 0]
            for place in new:
                _, place.offset = consumer.get_watermark_offsets(place, timeout=10)
            if new:
                consumer.commit(offsets=new, asynchronous=False)
        except KafkaException as error:
            _log.warning("webhook.hindered", webhook=self._webhook.name, detail=str(error))

    def _revoked(self, _consumer: Consumer, _places: list[TopicPartition]) -> None:
        self._parcel = None  # Whoever has the partition now reads it again.


def _commit(consumer: Consumer, places: list[TopicPartition]) -> None:
    try:
        consumer.commit(offsets=places, asynchronous=False)
    except KafkaException as error:
        _log.warning("webhook.not_committed", detail=str(error))


def _asked_for(answer: httpx2.Response) -> float:
    """Seconds of Retry-After, as far as we would wait anyway."""
    try:
        seconds = float(answer.headers.get("Retry-After", "0"))
    except ValueError:
        return 0.0
    return min(max(seconds, 0.0), _LONGEST_WAIT_SECONDS) if math.isfinite(seconds) else 0.0
