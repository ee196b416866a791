"""Health, for anyone who reaches the service."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from ask.service.web import TheService

router = APIRouter(tags=["health"])


@router.get("/health")
async def alive() -> dict[str, str]:
    """The process answers, also while all its threads wait for something."""
    return {"status": "healthy"}


@router.get("/api/v1/health")
def components(service: TheService, response: Response) -> dict[str, Any]:
    """Each component; 503 if questions cannot be answered at all."""
    found = service.checks.current(service)
    response.status_code = 503 if found["status"] == "unhealthy" else 200
    return found
