"""The application that the tests watch: metrics of its own and of its HTTP requests, and a log line for every order."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest

ORDERS = Counter("shop_orders", "Orders taken", ["kind"])
SECONDS = Histogram("shop_order_seconds", "Time an order took", buckets=(0.001, 0.01, 0.1, 1.0))
REQUESTS = Counter("http_requests", "Requests answered", ["method", "status"])
DURATION = Histogram("http_request_duration_seconds", "Time to an answer", ["method"])

app = FastAPI()


@app.middleware("http")
async def counted(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Requests by status, under the names that the settings take when nothing else is said."""
    begun, status = time.perf_counter(), 500
    try:
        answer = await call_next(request)
        status = answer.status_code
    finally:
        REQUESTS.labels(request.method, str(status)).inc()
        DURATION.labels(request.method).observe(time.perf_counter() - begun)
    return answer


@app.get("/metrics")
def metrics() -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}


@app.get("/broken")
def broken() -> Response:
    return Response("broken on purpose", status_code=503)


@app.post("/orders/{kind}")
def order(kind: str, note: str = "") -> dict[str, str]:
    with SECONDS.time():
        ORDERS.labels(kind).inc()
    print(json.dumps({"level": "info", "event": "order", "kind": kind, "note": note}), file=sys.stdout, flush=True)
    return {"kind": kind, "note": note}
