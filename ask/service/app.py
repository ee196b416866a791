"""The HTTP application: every path is below /ask."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import HTMLResponse
from starlette.routing import Route

from ask.service import assistants, reference, web
from ask.service.routes import admin, auth, catalogue, jobs, page, public, questions
from ask.service.service import Service

PATH = "/ask"
API = f"{PATH}/api/v1"
MCP_HEADERS = ("MCP-Protocol-Version", "Mcp-Method", "Mcp-Name", "Mcp-Session-Id")
ROUTERS = (public.router, auth.router, page.router)
OF_API = (questions.router, catalogue.router, jobs.router, admin.router)
SHORT = (questions.router, catalogue.router, admin.router)  # also without /api/v1, as the document has them


def create(service: Service) -> FastAPI:
    """The application of one replica. Its lifespan starts and stops the background work."""

    endpoint = assistants.Endpoint(service)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        service.start()
        async with endpoint.manager.run():
            yield
        service.stop()

    app = FastAPI(
        title="Ask",
        description="Questions in plain language over the fleet's metrics and logs.",
        openapi_url=f"{PATH}/openapi.json",
        docs_url=None,  # FastAPI's page loads its script from another site
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.service = service
    web.install(app)
    for router in ROUTERS:
        app.include_router(router, prefix=PATH)
    for router in OF_API:
        app.include_router(router, prefix=API)
    for router in SHORT:
        app.include_router(router, prefix=PATH, include_in_schema=False)

    app.router.routes.append(Route(PATH + assistants.PATH, endpoint, methods=["POST"]))

    @app.get(f"{PATH}/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return HTMLResponse(reference.page(app.openapi()), headers=reference.HEADERS)

    if service.settings.cors:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(service.settings.cors),
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "X-API-Key", *MCP_HEADERS],
            expose_headers=["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Retry-After"],
        )
    return app
