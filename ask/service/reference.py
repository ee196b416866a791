"""The API's reference as one HTML page without scripts, from the OpenAPI document."""

from __future__ import annotations

from html import escape
from typing import Any

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}"
    "code{font-size:.95em}section{border-top:1px solid #8888;padding:.5rem 0}h2{font-size:1.05rem;margin:.5rem 0}"
)
HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"}


def _fields(document: dict[str, Any], operation: dict[str, Any]) -> list[str]:
    """Parameters and the fields of the body."""
    found = [f"{one['name']} ({one['in']})" for one in operation.get("parameters", [])]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    schema = document["components"]["schemas"].get(body.get("$ref", "").rpartition("/")[2], {})
    needed = schema.get("required", [])
    return found + [f"{name}{'' if name in needed else ' (optional)'}" for name in schema.get("properties", {})]


def _section(document: dict[str, Any], path: str, method: str, operation: dict[str, Any]) -> str:
    fields = "".join(f"<li><code>{escape(one)}</code></li>" for one in _fields(document, operation))
    text = escape(operation.get("description", operation.get("summary", "")))
    return (
        f"<section><h2><code>{method.upper()} {escape(path)}</code></h2><p>{text}</p>"
        f"{f'<ul>{fields}</ul>' if fields else ''}</section>"
    )


def page(document: dict[str, Any]) -> str:
    """Every operation with its fields."""
    sections = "".join(
        _section(document, path, method, operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(document['info']['title'])}: API</title><style>{_STYLE}</style>"
        f"<h1>{escape(document['info']['title'])}: API</h1><p>{escape(document['info']['description'])} Sign in with "
        f"<code>POST /ask/auth/login</code> and send <code>Authorization: Bearer TOKEN</code>, or an API key in its "
        f'place. The machine-readable document is <a href="openapi.json">openapi.json</a>.</p>{sections}</html>'
    )
