"""The route of the alerts. Evaluates nothing."""

import functools
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from nifos_stream.alerts.shelf import Shelf, State
from nifos_stream.messages import AlertEvent
from nifos_stream.watch.shared import Shared

MOST_ALERTS = 500
_MOST_QUESTIONS = 64


class AlertsAnswer(BaseModel):
    """Alerts, the one that began last first."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    alerts: tuple[AlertEvent, ...]


def routes(shelf: Shelf, problems: dict[int | str, dict[str, Any]]) -> APIRouter:
    """The routes on the alerts that lie in Redis, which is asked once a second for all who want the same."""
    router = APIRouter(prefix="/api/v1", tags=["alerts"], responses=problems)

    @functools.lru_cache(_MOST_QUESTIONS)
    def read(state: State, limit: int) -> Shared[list[AlertEvent]]:
        return Shared(lambda: shelf.read(state, limit))

    @router.get("/alerts", response_model=AlertsAnswer)
    def alerts(
        state: Annotated[State, Query(description="Those that are open, or all.")] = "open",
        limit: Annotated[int, Query(ge=1, le=MOST_ALERTS, description="The newest so many.")] = 50,
    ) -> AlertsAnswer:
        """What rose beyond its usual numbers, crossed a line or fell silent."""
        return AlertsAnswer(alerts=tuple(read(state, limit).get()))

    return router
