"""Signing in, refreshing, signing out, registering."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from ask.service import problems
from ask.service.routes.bodies import ChangedPassword, Credentials, Refresh, Registration
from ask.service.web import TheCaller, TheService, address_of, signed_in

router = APIRouter(prefix="/auth", tags=["sign-in"])


@router.post("/register", status_code=201)
def register(body: Registration, service: TheService, request: Request) -> dict[str, Any]:
    """Create an account, where registration is open. Limited as attempts to sign in: each costs a slow hash."""
    if service.settings.registration == "closed":
        raise problems.forbidden("Registration is closed. An administrator creates accounts.")
    service.accounts.attempt(f"register:address:{address_of(request)}")
    return {"id": str(service.accounts.create(body.name, body.password)), "name": body.name}


@router.post("/login")
def login(body: Credentials, request: Request, service: TheService) -> dict[str, Any]:
    """A token for a day and one to refresh it with."""
    return signed_in(service, body.name, body.password, address_of(request)).document()


@router.post("/refresh")
def refresh(body: Refresh, service: TheService) -> dict[str, Any]:
    """New tokens; the refresh token is used up."""
    return service.accounts.refresh(body.refresh_token).document()


@router.post("/logout", status_code=204)
def logout(caller: TheCaller, service: TheService) -> Response:
    """End the session at once."""
    service.accounts.sign_out(caller)
    return Response(status_code=204)


@router.post("/password", status_code=204)
def password(body: ChangedPassword, caller: TheCaller, service: TheService, request: Request) -> Response:
    """Change the caller's password; every session ends."""
    service.history.audit(caller, "password changed", "", address_of(request))
    service.keys.change_password(caller, body.password, body.new_password)
    return Response(status_code=204)
