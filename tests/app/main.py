"""The application that the tests watch: a few metrics of its own and a log line for every order."""

from __future__ import annotations

import json
import sys

from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest

ORDERS = Counter("shop_orders", "Orders taken", ["kind"])
SECONDS = Histogram("shop_order_seconds", "Time an order took", buckets=(0.001, 0.01, 0.1, 1.0))

app = FastAPI()


@app.get("/metrics")
def metrics() -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/orders/{kind}")
def order(kind: str, note: str = "") -> dict[str, str]:
    with SECONDS.time():
        ORDERS.labels(kind).inc()
    print(json.dumps({"level": "info", "event": "order", "kind": kind, "note": note}), file=sys.stdout, flush=True)
    return {"kind": kind, "note": note}
