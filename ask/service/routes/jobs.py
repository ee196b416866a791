"""Questions that are answered in the background."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from ask.service.routes.bodies import Question
from ask.service.web import TheCaller, TheService, address_of, as_json, limited

router = APIRouter(prefix="/jobs", tags=["jobs"])


@router.post("", status_code=202)
def submit(
    body: Question, request: Request, response: Response, caller: TheCaller, service: TheService
) -> dict[str, Any]:
    """Queue a question; poll the job for its answer."""
    response.headers.update(limited(service, caller))
    asked = body.asked(address_of(request))
    service.answering.accept(caller, asked)
    return service.jobs.submit(caller, asked)


@router.get("/{name}")
def poll(name: str, caller: TheCaller, service: TheService) -> Response:
    """`state`: queued, running, done (with `answer`), failed (with `problem`) or cancelled."""
    return as_json(service.jobs.get(caller, name))


@router.delete("/{name}")
def cancel(name: str, caller: TheCaller, service: TheService) -> dict[str, Any]:
    """Cancel a job."""
    return service.jobs.cancel(caller, name)
