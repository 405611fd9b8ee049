"""The route of what drives the counts."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from nifos_stream.counters.reader import Counts
from nifos_stream.errors import Refusal
from nifos_stream.watch.analyst import Analyst
from nifos_stream.watch.apart import Apart
from nifos_stream.watch.api import answer, problem
from nifos_stream.watch.api.desk import MOST_NEW, Desk, TooManyWait
from nifos_stream.watch.api.question import AskedDrivers


def desk_of(counts: Counts) -> Desk:
    """A desk that reads the posts kept beside these counts."""
    apart = Apart()
    return Desk(lambda: Analyst(counts, lambda: apart, most_new=MOST_NEW), close_analyst=apart.close)


def routes(desk: Desk, problems: dict[int | str, dict[str, Any]]) -> APIRouter:
    """The route that asks `desk`."""
    router = APIRouter(prefix="/api/v1", tags=["counts"], responses=problems)

    @router.get("/drivers", response_model=answer.DriversAnswer)
    async def drivers(asked: Annotated[AskedDrivers, Query()]) -> Response:
        """The words that set the posts of a label apart, and the posts behind each.

        An answer is a few seconds old at most. With `unread` posts left it rests on fewer than there are, and
        the next one rests on more.
        """
        try:
            found = await desk.find(asked.question())
        except TooManyWait as error:
            raise problem.Refused(503, str(error), Refusal.TOO_MANY_QUESTIONS, again=True) from None
        return Response(answer.drivers_written(found), media_type="application/json")

    return router
