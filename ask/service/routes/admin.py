"""Users, API keys, usage and discovery, for administrators."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from ask.service.routes.bodies import ChangedKey, ChangedUser, NewKey, NewUser
from ask.service.web import TheAdmin, TheService, address_of

router = APIRouter(prefix="/admin", tags=["administration"])


@router.get("/api-keys")
def keys(_: TheAdmin, service: TheService) -> dict[str, Any]:
    """Every key, without the key itself."""
    return {"api_keys": service.keys.all()}


@router.post("/api-keys", status_code=201)
def create_key(body: NewKey, admin: TheAdmin, service: TheService, request: Request) -> dict[str, Any]:
    """A new key. `key` is shown in this response alone."""
    user = body.user or admin.name
    service.history.audit(admin, "key created", f"{body.name} of {user}", address_of(request))
    return service.keys.create(user, body.name, body.days, body.per_hour)


@router.put("/api-keys/{key}")
def change_key(key: UUID, body: ChangedKey, admin: TheAdmin, service: TheService, request: Request) -> dict[str, Any]:
    """Change the name, the end or the limit; null removes the end or the limit."""
    service.history.audit(admin, "key changed", str(key), address_of(request))
    return service.keys.change(key, body.changes())


@router.delete("/api-keys/{key}", status_code=204)
def revoke_key(key: UUID, admin: TheAdmin, service: TheService, request: Request) -> Response:
    """Revoke a key at once."""
    service.history.audit(admin, "key revoked", str(key), address_of(request))
    service.keys.revoke(key)
    return Response(status_code=204)


@router.get("/users")
def users(_: TheAdmin, service: TheService) -> dict[str, Any]:
    """Every user."""
    return {"users": service.keys.users()}


@router.post("/users", status_code=201)
def create_user(body: NewUser, admin: TheAdmin, service: TheService, request: Request) -> dict[str, Any]:
    """A new user, also while registration is closed."""
    service.history.audit(admin, "user created", f"{body.name}, {body.role}", address_of(request))
    return {"id": str(service.accounts.create(body.name, body.password, body.role)), "name": body.name}


@router.put("/users/{user}")
def change_user(
    user: UUID, body: ChangedUser, admin: TheAdmin, service: TheService, request: Request
) -> dict[str, Any]:
    """Change the password, the role or the state; ends every session of the user."""
    changes = body.changes()
    service.history.audit(admin, "user changed", f"{user}: {', '.join(sorted(changes))}", address_of(request))
    return service.keys.change_user(user, changes)


@router.delete("/users/{user}", status_code=204)
def delete_user(user: UUID, admin: TheAdmin, service: TheService, request: Request) -> Response:
    """Delete a user with keys and history."""
    service.history.audit(admin, "user deleted", str(user), address_of(request))
    service.keys.delete_user(user)
    return Response(status_code=204)


@router.get("/users/{user}/usage")
def usage(
    user: UUID, _: TheAdmin, service: TheService, days: Annotated[int, Query(ge=1, le=3650)] = 30
) -> dict[str, Any]:
    """Questions of a user for each day."""
    return service.keys.usage(user, days)


@router.post("/discovery/trigger")
def discover(admin: TheAdmin, service: TheService, request: Request) -> dict[str, Any]:
    """Discover now; `discovered` is false if another replica is doing it."""
    service.history.audit(admin, "discovery", "", address_of(request))
    done = service.knowledge.refresh(force=True)
    world = service.knowledge.world
    return {
        "discovered": done,
        "metrics": len(world.metrics),
        "hosts": len(world.values("host")),
        "missing": list(world.missing),
    }
