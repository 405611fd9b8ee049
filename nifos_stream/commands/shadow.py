"""A second model beside the first: the stage of `worker --shadow`, and `shadow report`."""

import json
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from rich.text import Text

from nifos_stream.commands import tables
from nifos_stream.errors import UserError
from nifos_stream.messages import LABELS, LABELS_KO
from nifos_stream.settings import Settings
from nifos_stream.watch.look import label_text

if TYPE_CHECKING:
    from nifos_stream.metrics import Metrics
    from nifos_stream.model import ModelInfo
    from nifos_stream.shadow.comparison import Comparison
    from nifos_stream.shadow.ledger import Ledger
    from nifos_stream.shadow.stage import ShadowStage

NOTHING = "No second model has been compared in the last 90 days: nifos-stream worker --shadow DIR."


def stage(settings: Settings, path: str, first: "ModelInfo", metrics: "Metrics") -> "ShadowStage":
    """The stage that compares the model at `path` with the first one.

    UserError when there is no such model; that it cannot be read is found later, and ends nothing.
    """
    from nifos_stream.model import directory, load_model
    from nifos_stream.shadow.stage import ShadowStage

    directory.find(path)
    # Every core that it takes is one less for the first model.
    changes = {"path": path, "threads": settings.shadow.threads}
    load = partial(load_model, path, settings=settings.model.model_copy(update=changes))
    return ShadowStage(load, first, _ledger(settings), metrics, share=settings.shadow.share)


def report(settings: Settings, *, as_json: bool = False, console: Console | None = None) -> None:
    """Print every comparison, the latest first. UserError when Redis does not answer."""
    from nifos_stream.counters import connect

    console = console or Console(soft_wrap=True, highlight=False)
    ledger = _ledger(settings)
    try:
        found = ledger.read()
    except connect.TROUBLE as error:
        raise UserError(f"{connect.said_of(error)} (NIFOS_REDIS__URL).") from None
    finally:
        ledger.close()
    if as_json:
        console.print(Text(json.dumps([one.as_dict() for one in found], ensure_ascii=False)))
        return
    if not found:
        console.print(NOTHING)
    for place, one in enumerate(found):
        if place:
            console.print()
        _print(one, settings.timezone, console)


def _ledger(settings: Settings) -> "Ledger":
    from nifos_stream.counters import connect
    from nifos_stream.shadow.ledger import Ledger

    redis = settings.redis
    client = partial(connect.client, redis.url.get_secret_value(), redis.timeout_seconds)
    return Ledger(client, settings.counters.prefix)


def _print(one: "Comparison", timezone: str, console: Console) -> None:
    since, until = (
        f"{moment.astimezone(ZoneInfo(timezone)):%Y-%m-%d %H:%M}" for moment in (one.since, one.until)
    )
    console.print(Text(f"{one.first.name} {one.first.revision} (published)"))
    console.print(Text(f"{one.shadow.name} {one.shadow.revision} (shadow), {since} to {until}"))
    left_out = f"{one.dropped:,} more dropped as it had no time or failed, {one.unread:,} got no label"
    if one.agreement is None:
        console.print(f"No texts compared; {left_out}.")
        return
    console.print(f"{one.texts:,} texts compared: {one.agreement:.1%} the same label; {left_out}")
    console.print(_shift(one))
    changes = ", ".join(f"{LABELS_KO[label]} {one.mean_change(label) or 0:+.3f}" for label in LABELS)
    console.print(f"probabilities: {one.mean_difference:.3f} apart on average; {changes}")
    first, shadow = one.seconds_per_text("first"), one.seconds_per_text("shadow")
    if one.cost is not None and first is not None and shadow is not None:
        console.print(
            f"cost: {shadow * 1000:.2f} ms a text, {one.cost:.1f} times the first's {first * 1000:.2f} ms"
        )


def _shift(one: "Comparison") -> Table:
    names = [LABELS_KO[label] for label in LABELS]
    table = tables.table("first, down; shadow, across", *names, numbers=names)
    for first in LABELS:
        table.add_row(label_text(first), *(f"{one.said(first, shadow):,}" for shadow in LABELS))
    return table
