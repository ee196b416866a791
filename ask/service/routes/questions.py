"""Questions, and their history."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from ask.service import queries
from ask.service.routes.bodies import CheckedQuery, Question
from ask.service.web import TheCaller, TheService, address_of, as_json, limited

router = APIRouter(tags=["questions"])


@router.post("/query")
def query(body: Question, request: Request, caller: TheCaller, service: TheService) -> Response:
    """Answer a question in plain language."""
    headers = limited(service, caller)
    return as_json(service.answering.answer(caller, body.asked(address_of(request))), headers)


@router.post("/parse_query")
def parse_query(
    body: CheckedQuery, request: Request, response: Response, caller: TheCaller, service: TheService
) -> dict[str, Any]:
    """Whether a query would be executed: its meaning, its metrics and its cost. Nothing is executed."""
    response.headers.update(limited(service, caller))
    return service.queries.check(queries.wanted(body.query, body.language, body.start, body.end))


@router.get("/history")
def history(
    caller: TheCaller,
    service: TheService,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[int | None, Query(ge=1)] = None,
) -> dict[str, Any]:
    """The caller's questions, the newest first; `before` is the id of the last entry of the page before."""
    return {"history": service.history.of(caller.user, limit, before)}


@router.delete("/history")
def forget(caller: TheCaller, service: TheService, request: Request) -> dict[str, int]:
    """Delete the caller's history. The audit keeps the questions until the retention ends."""
    return {"deleted": service.history.forget(caller, address_of(request))}
