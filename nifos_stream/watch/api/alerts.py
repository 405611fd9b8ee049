"""The route of the alerts. Evaluates nothing."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from nifos_stream.alerts.shelf import Shelf, State
from nifos_stream.messages import AlertEvent

MOST_ALERTS = 500


class AlertsAnswer(BaseModel):
    """Alerts, the one that began last first."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    alerts: tuple[AlertEvent, ...]


def routes(shelf: Shelf, problems: dict[int | str, dict[str, Any]]) -> APIRouter:
    """The routes on the alerts that lie in Redis."""
    router = APIRouter(prefix="/api/v1", tags=["alerts"], responses=problems)

    @router.get("/alerts", response_model=AlertsAnswer)
    def alerts(
        state: Annotated[State, Query(description="Those that are open, or all.")] = "open",
        limit: Annotated[int, Query(ge=1, le=MOST_ALERTS, description="The newest so many.")] = 50,
    ) -> AlertsAnswer:
        """What rose beyond its usual numbers, crossed a line or fell silent."""
        return AlertsAnswer(alerts=tuple(shelf.read(state, limit)))

    return router
