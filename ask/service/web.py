"""What every route shares: the caller, the limit, errors as JSON, headers and request metrics."""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic_core import to_json
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException

from ask.page import render
from ask.page.view import Failure
from ask.service import problems, secrets
from ask.service.accounts import Caller, Tokens
from ask.service.problems import Problem
from ask.service.service import Service

LOG = logging.getLogger("ask.web")
METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
BODY = 65536  # bytes of a request
_SHORT = ("query", "parse_query", "history", "services", "metrics", "admin/")  # routes of the API without api/v1/
# Below /ask/, what no browser opens as a page.
_MACHINES = ("api/", "auth/", "mcp", "health", "openapi.json", *_SHORT)
HOUR = 3600
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


def service_of(request: Request) -> Service:
    """The replica's parts."""
    found: Service = request.app.state.service
    return found


def behind_proxy(scope: MutableMapping[str, Any]) -> None:
    """Set the client's address and the scheme to those that the proxy in front has seen. It adds the address at the end
    of X-Forwarded-For; what stands before it may be written by the client."""
    headers = Headers(scope=scope)
    with contextlib.suppress(ValueError):
        last = ",".join(headers.getlist("x-forwarded-for")).rpartition(",")[2].strip()
        scope["client"] = (str(ipaddress.ip_address(last)), 0)
    if headers.get("x-forwarded-proto") == "https":
        scope["scheme"] = "https"


def address_of(request: Request) -> str:
    """The client's address, as the proxy in front has seen it."""
    return request.client.host if request.client else ""


def caller_of(request: Request, service: Annotated[Service, Depends(service_of)]) -> Caller:
    """By `Authorization: Bearer` with a token or a key, or `X-API-Key`. Raises Problem 401."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    key = request.headers.get("x-api-key", "")
    if scheme.lower() == "bearer" and given.strip().startswith(secrets.KEY_PREFIX):
        key = given.strip()
    if key:
        try:
            found = service.accounts.of_key(key)
        except Problem as problem:
            if problem.status == 401:
                service.metrics.keys.labels("invalid").inc()
            raise
        service.metrics.keys.labels("valid").inc()
        return found
    if scheme.lower() == "bearer" and given.strip():
        return service.accounts.of_token(given.strip())
    raise problems.unauthorized("credentials_missing", "Sign in, or send an API key as Authorization: Bearer.")


def signed_in(service: Service, name: str, password: str, address: str) -> Tokens:
    """The tokens of a new session; the attempt is counted by its result. Raises Problem 401, 429 or 503."""
    attempts = service.metrics.sign_ins
    try:
        tokens = service.accounts.sign_in(name, password, address)
    except Problem as problem:
        attempts.labels({401: "failure", 429: "limited"}.get(problem.status, "error")).inc()
        raise
    attempts.labels("success").inc()
    return tokens


def limited(service: Service, caller: Caller) -> dict[str, str]:
    """Count a question against the caller's limit; the headers of the response. Raises Problem 429 or 503."""
    limits = service.settings.limits
    limit = caller.per_hour or (limits.admin_per_hour if caller.is_admin else limits.user_per_hour)
    who = f"key:{caller.key}" if caller.key else f"user:{caller.user}"
    window = service.store.window(who, HOUR, limit, secrets.new_token())
    headers = {
        "X-RateLimit-Limit": str(window.limit),
        "X-RateLimit-Remaining": str(window.remaining),
        "X-RateLimit-Reset": str(round(time.time()) + window.reset),
    }
    if not window.allowed:
        service.metrics.limited.labels(caller.role).inc()
        message = f"{limit} questions an hour are allowed. The next one is in {window.reset} seconds."
        raise Problem(429, "rate_limited", message, headers | {"Retry-After": str(window.reset)})
    return headers


def as_json(document: object, headers: Mapping[str, str] | None = None) -> Response:
    """A response with many numbers, which FastAPI's own encoder takes milliseconds for. NaN becomes null."""
    return Response(to_json(document, inf_nan_mode="null"), headers=dict(headers or {}), media_type="application/json")


def admin_of(caller: Annotated[Caller, Depends(caller_of)]) -> Caller:
    """An administrator. Raises Problem 403."""
    if not caller.is_admin:
        raise problems.forbidden("This needs the role admin.")
    return caller


TheService = Annotated[Service, Depends(service_of)]
TheCaller = Annotated[Caller, Depends(caller_of)]
TheAdmin = Annotated[Caller, Depends(admin_of)]


def _body(request: Request, problem: Problem) -> Response:
    """A page for a browser that opened one, JSON for every client of the API."""
    path = request.url.path
    of_page = path.startswith(render.ROOT) and not path.startswith(tuple(render.ROOT + one for one in _MACHINES))
    if of_page and "text/html" in request.headers.get("accept", ""):
        shown = render.failure(Failure(problem.status, problem.message))
        return HTMLResponse(shown, problem.status, {**render.HEADERS, **problem.headers})
    return JSONResponse(problem.document(), problem.status, headers=problem.headers)


def invalid_body(errors: list[Any]) -> Problem:
    """The first error of a body, without the value that was sent."""
    first = errors[0]
    place = ".".join(str(one) for one in first["loc"] if one != "body") or "body"
    if first["type"] == "json_invalid":
        return problems.invalid("body_invalid", "The body is not valid JSON.")
    if first["type"] == "extra_forbidden":
        return problems.invalid("body_invalid", f"{place}: there is no such field.")
    return problems.invalid("body_invalid", f"{place}: {first['msg']}.")


def install(app: FastAPI) -> None:
    """Error handlers, and the middleware that measures and sets headers."""

    @app.exception_handler(Problem)
    async def problem(request: Request, problem: Problem) -> Response:
        return _body(request, problem)

    @app.exception_handler(RequestValidationError)
    async def validation(request: Request, problem: RequestValidationError) -> Response:
        return _body(request, invalid_body(list(problem.errors())))

    @app.exception_handler(HTTPException)
    async def http(request: Request, problem: HTTPException) -> Response:
        messages = {404: "There is no such page.", 405: f"{request.method} is not possible here."}
        message = messages.get(problem.status_code, str(problem.detail))
        code = {404: "not_found", 405: "method_not_allowed"}.get(problem.status_code, "http_error")
        return _body(request, Problem(problem.status_code, code, message, problem.headers))

    @app.middleware("http")
    async def around(request: Request, call: Callable[[Request], Awaitable[Response]]) -> Response:
        began = time.monotonic()
        behind_proxy(request.scope)
        try:
            size = request.headers.get("content-length", "0")
            if "transfer-encoding" in request.headers:
                response: Response = _body(
                    request, Problem(411, "length_missing", "Send the body with its Content-Length.")
                )
            elif not size.isdecimal() or len(size) > 9 or int(size) > BODY:
                response = _body(request, Problem(413, "body_large", f"The body exceeds {BODY} bytes."))
            else:
                response = await call(request)
        except Exception:
            LOG.exception("%s %s", request.method, request.url.path)
            response = _body(request, problems.internal())
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        route = getattr(request.scope.get("route"), "path", "unmatched")
        metrics = service_of(request).metrics
        # A caller may send any name of a method; each would be a series.
        method = request.method if request.method in METHODS else "other"
        metrics.requests.labels(method, route, response.status_code).inc()
        metrics.request_time.labels(method, route).observe(time.monotonic() - began)
        return response
