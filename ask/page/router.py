"""The page over HTTP. A session is a cookie that scripts cannot read and that other sites' requests do not carry.

Forms are accepted from this origin alone: by the browser's own `Sec-Fetch-Site`, or by `Origin` where it has none, and
with a token that is derived from the session. Questions are sent by POST, so that none is in an address or a log of
requests.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Annotated, Protocol
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from ask.page import render
from ask.page.view import Entry, Problem, SignIn, View

COOKIE = "ask_session"
DAY = 86400
FIELDS = 20  # of a form
CHAIN = 5  # questions that a follow-up continues
FOREIGN = "The form was sent from another page. Open this page again and repeat it."


class Visitor(Protocol):
    """A user who is signed in. The methods raise Problem."""

    @property
    def name(self) -> str:
        """As it is shown."""

    @property
    def longest(self) -> int:
        """How many characters a question may have."""

    def answer(self, question: str, previous: str) -> Mapping[str, object]:
        """The document of the answer; `previous` has the questions that it continues, one a line, the newest last."""

    def history(self) -> tuple[Entry, ...]:
        """The newest questions first."""

    def forget(self) -> None:
        """Delete the history."""

    def examples(self) -> tuple[str, ...]:
        """Questions that this fleet can answer."""

    def sign_out(self) -> None:
        """End the session at once."""


class Backend(Protocol):
    """What the page needs of the service."""

    def sign_in(self, name: str, password: str, address: str) -> str:
        """The session, the cookie's value. Raises Problem."""

    def visitor(self, session: str, address: str) -> Visitor:
        """The user of a session. Raises Problem 401 if it is not valid."""


Form = Mapping[str, str]


async def form(request: Request) -> Form:
    """The fields of a form; none if it cannot be read."""
    try:
        return dict(parse_qsl((await request.body()).decode(), keep_blank_values=True, max_num_fields=FIELDS))
    except ValueError:
        return {}


TheForm = Annotated[Form, Depends(form)]


def token_of(session: str) -> str:
    """The token of the forms of a session."""
    return hmac.new(session.encode(), b"form", hashlib.sha256).hexdigest()


def is_own(request: Request, origin: str) -> bool:
    """Whether a page of this address sent the request."""
    return bool(origin) and origin.partition("://")[2] == request.headers.get("host", "")


def check_origin(request: Request) -> None:
    """Raises Problem for a form that was not sent by this page."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin", "")
    own = site == "same-origin" if site else is_own(request, origin)
    if not own:
        raise Problem(403, FOREIGN)


def check_form(request: Request, session: str, fields: Form) -> None:
    """Raises Problem for a form that was not made for this session."""
    check_origin(request)
    if not hmac.compare_digest(fields.get("token", "").encode(), token_of(session).encode()):
        raise Problem(403, FOREIGN)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _html(text: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return HTMLResponse(text, status, {**render.HEADERS, **(headers or {})})


def _to(path: str) -> Response:
    return RedirectResponse(path, 303, dict(render.HEADERS))


def router(backend_of: Callable[[Request], Backend]) -> APIRouter:
    """The routes of the page, for the path /ask."""
    made = APIRouter(include_in_schema=False)

    def session_of(request: Request) -> tuple[str, Visitor]:
        session = request.cookies.get(COOKIE, "")
        if not session:
            raise Problem(401, "Sign in first.")
        return session, backend_of(request).visitor(session, _address(request))

    def sent_by(request: Request, fields: Form) -> tuple[str, Visitor]:
        """The session and the user of a form that was made for it."""
        session, visitor = session_of(request)
        check_form(request, session, fields)
        return session, visitor

    @made.get("/")
    def start(request: Request) -> Response:
        """The question box, examples and the history."""
        try:
            session, visitor = session_of(request)
            view = View(
                visitor.name,
                visitor.longest,
                token_of(session),
                examples=visitor.examples(),
                history=visitor.history(),
            )
        except Problem as problem:
            return _refused(problem)
        return _html(render.page(view))

    @made.post("/")
    def ask(request: Request, fields: TheForm) -> Response:
        """The answer to a question."""
        try:
            session, visitor = sent_by(request, fields)
        except Problem as problem:
            return _refused(problem)
        question, previous = fields.get("question", ""), fields.get("previous", "")
        return _answered(visitor, session, question, previous)

    @made.get("/sign-in")
    def sign_in_page() -> Response:
        """The form."""
        return _html(render.sign_in(SignIn()))

    @made.post("/sign-in")
    def sign_in(request: Request, fields: TheForm) -> Response:
        """Begin a session."""
        name = fields.get("name", "")
        try:
            check_origin(request)
            session = backend_of(request).sign_in(name, fields.get("password", ""), _address(request))
        except Problem as problem:
            return _html(render.sign_in(SignIn(name, problem.sentence)), problem.status, problem.headers)
        response = _to(".")
        path = request.url.path.removesuffix("/sign-in") or "/"
        response.set_cookie(COOKIE, session, max_age=DAY, path=path, secure=True, httponly=True, samesite="strict")
        return response

    @made.post("/sign-out")
    def sign_out(request: Request, fields: TheForm) -> Response:
        """End the session."""
        try:
            _, visitor = sent_by(request, fields)
            visitor.sign_out()
        except Problem as problem:
            return _refused(problem)
        response = _to("sign-in")
        path = request.url.path.removesuffix("/sign-out") or "/"
        response.delete_cookie(COOKIE, path=path, secure=True, httponly=True, samesite="strict")
        return response

    @made.post("/forget")
    def forget(request: Request, fields: TheForm) -> Response:
        """Delete the history of the user."""
        try:
            _, visitor = sent_by(request, fields)
            visitor.forget()
        except Problem as problem:
            return _refused(problem)
        return _to(".")

    @made.get("/static/{name}")
    def static(name: str) -> Response:
        """The style sheet, the script and the icon."""
        if name not in render.STATIC:
            return _html(render.sign_in(SignIn(problem="There is no such page.")), 404)
        headers = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
        return Response((render.FOLDER / "static" / name).read_bytes(), 200, headers, render.STATIC[name])

    return made


def _refused(problem: Problem) -> Response:
    """Without a session: to the form. Anything else: a page with the sentence."""
    if problem.status == 401:
        return _to("sign-in")
    return _html(render.sign_in(SignIn(problem=problem.sentence)), problem.status, problem.headers)


def _answered(visitor: Visitor, session: str, question: str, previous: str) -> Response:
    """The page with the answer, or with the reason why there is none."""
    token, status, headers = token_of(session), 200, {}
    try:
        found = visitor.answer(question, previous)
        earlier = tuple(one for one in visitor.history() if one.question != question)
        chain = "\n".join([*previous.splitlines(), " ".join(question.split())][-CHAIN:])
        view = View(visitor.name, visitor.longest, token, question, chain, answer=found, history=earlier)
    except Problem as problem:
        if problem.status == 401:
            return _refused(problem)
        status, headers = problem.status, dict(problem.headers)
        view = View(visitor.name, visitor.longest, token, question, previous, problem=problem)
    return _html(render.page(view), status, headers)
