"""The stage that tells one webhook of alerts: it reads the alerts topic in a group of its own.

So a webhook that is down holds up nothing but itself, a restart forgets nothing, and of several workers one
sends. A message may arrive twice, after a crash or an answer that was lost: its delivery header is the same
then. A webhook that is new begins with the alerts that come from now on. Knows no rule and no Redis.
"""

import math
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaException

from nifos_stream import logs
from nifos_stream.alerts import message as messages
from nifos_stream.alerts.inbox import Inbox, ends_of
from nifos_stream.alerts.ledger import consumer_properties, not_valid
from nifos_stream.alerts.posting import NoAnswer, post
from nifos_stream.counters.feed import moves_one_by_one
from nifos_stream.messages import AlertEvent
from nifos_stream.metrics import Metrics
from nifos_stream.settings import Settings
from nifos_stream.settings.alerts import Webhook
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
    """Alerts that are sent as one message. ends: where to go on, by partition, once it has arrived."""

    delivery: str
    body: bytes
    ends: Mapping[int, int]
    first_try_at: float
    next_try_at: float
    tries: int = 0


class Sender:
    """Posts parcels to one webhook until `stop`.

    now: monotonic; clock: seconds since 1970, which is signed.
    """

    def __init__(
        self,
        webhook: Webhook,
        stop: threading.Event,
        *,
        now: Callable[[], float] = time.monotonic,
        clock: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._webhook = webhook
        self._stop = stop
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
        # A try that the end of the worker cut short says nothing of the webhook: the next worker goes on.
        if now + wait - parcel.first_try_at > self._webhook.give_up_seconds and not self._stop.is_set():
            _log.warning("webhook.given_up", webhook=self._webhook.name, why=why, tries=parcel.tries)
            return "given_up"
        _log.info("webhook.retried", webhook=self._webhook.name, why=why, wait_seconds=round(wait, 1))
        parcel.next_try_at = now + wait
        return "retried"

    def _post(self, parcel: Parcel) -> tuple[float, str | None]:
        """Seconds to wait at least, and why it did not arrive; None when it did."""
        secret = None if self._webhook.secret is None else self._webhook.secret.get_secret_value()
        said = messages.headers(parcel.body, secret, parcel.delivery, self._clock())
        url, seconds = self._webhook.url.get_secret_value(), self._webhook.timeout_seconds
        try:
            answer = post(url, parcel.body, said, seconds=seconds, stop=self._stop)
        except NoAnswer as error:
            return 0.0, str(error)
        if 200 <= answer.status < 300:
            return 0.0, None
        if answer.status in _TRY_AGAIN or answer.status >= 500:
            return _asked_for(answer.headers), f"HTTP {answer.status}"
        return math.inf, f"HTTP {answer.status}"


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
        """Tell until `stop`.

        UserError when the topic may not be read, BrokerUnavailable when the client cannot go on.
        """
        inbox = self.inbox(self._consumer())
        sender = Sender(self._webhook, stop, now=self._now)
        try:
            while not stop.is_set():
                self.round(inbox, sender)
        finally:
            inbox.close()

    def idle_seconds(self) -> float:
        """Alerts that wait for a webhook keep no worker from ending: the next one goes on with them."""
        return math.inf

    def health(self) -> Health:
        """A webhook that is down does not turn the worker red: the metrics and this line say so."""
        return self._health

    def inbox(self, consumer: Consumer) -> Inbox:
        """What `consumer` reads for this webhook."""
        return Inbox(
            consumer,
            self._topic,
            one_by_one=moves_one_by_one(self._settings),
            on_gone=self._gone,
            now=self._now,
        )

    def round(self, inbox: Inbox, sender: Sender) -> None:
        """Read what is new, or try what waits; stay a member of the group meanwhile."""
        inbox.hold(self._parcel is not None)
        if self._parcel is None:
            inbox.read(_MOST_AT_ONCE, _GATHER_SECONDS)
            self._pack(inbox)
            return
        inbox.read(1, _LOOK_SECONDS)
        parcel = self._parcel  # The group may have taken what it told of.
        if parcel is not None and self._now() >= parcel.next_try_at:
            end = sender.send(parcel)
            self._metrics.webhook_posts.labels(webhook=self._webhook.name, end=end).inc()
            self._health = Health(ok=True, ready=True, detail=f"{end} a message")
            if end != "retried":
                self._parcel = None
                inbox.done(parcel.ends)

    def _consumer(self) -> Consumer:
        group = f"{self._settings.alerts.group_id}-webhook-{self._webhook.name}"
        try:
            return Consumer(consumer_properties(self._settings, group))
        except (KafkaException, ValueError, TypeError) as error:
            raise not_valid(error) from None

    def _pack(self, inbox: Inbox) -> None:
        """Make one message of all that came; where there is nothing to tell, go on behind it."""
        ends = ends_of(inbox.records)
        events = [record.event for record in inbox.records if record.event and self._wants(record.event)]
        if events:
            delivery = ",".join(f"{partition}:{end}" for partition, end in ends.items())
            now = self._now()
            self._parcel = Parcel(delivery, messages.body(events), ends, now, now)
        elif ends:
            inbox.done(ends)

    def _wants(self, event: AlertEvent) -> bool:
        chosen = not self._webhook.rules or event.rule in self._webhook.rules
        return chosen and (self._webhook.ended or event.ended_at is None)

    def _gone(self, partitions: frozenset[int]) -> None:
        """Whoever has them now tells of theirs; the rest of the message is still in the inbox."""
        if self._parcel is not None and partitions & self._parcel.ends.keys():
            self._parcel = None


def _asked_for(headers: Mapping[str, str]) -> float:
    """Seconds of Retry-After, as far as we would wait anyway."""
    try:
        seconds = float(headers.get("Retry-After", "0"))
    except ValueError:
        return 0.0
    return min(max(seconds, 0.0), _LONGEST_WAIT_SECONDS) if math.isfinite(seconds) else 0.0
