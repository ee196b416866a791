"""What was discovered: services and metrics."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from ask.service import inventory
from ask.service.web import TheCaller, TheService

router = APIRouter(tags=["catalogue"])


@router.get("/services")
def services(_: TheCaller, service: TheService) -> dict[str, Any]:
    """The services that were discovered, with the number of their metrics."""
    return {"services": inventory.services(service.pool)}


@router.get("/metrics")
def metrics(
    _: TheCaller,
    service: TheService,
    search: Annotated[str, Query(max_length=200)] = "",
    of_service: Annotated[str, Query(alias="service", max_length=200)] = "",
    after: Annotated[str, Query(max_length=500)] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> dict[str, Any]:
    """The metrics that were discovered, by name; `after` is the last name of the page before."""
    return {"metrics": inventory.metrics(service.pool, search, of_service, after, limit)}
