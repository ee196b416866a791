"""GitHub: one comment of a pull request and one issue about drift, each kept up to date.

Both carry an invisible mark by which the next run finds them. Repository, address of the API and token come from
the environment that GitHub's runners have (GITHUB_REPOSITORY, GITHUB_API_URL, GITHUB_TOKEN).
"""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

from tools.errors import ToolError
from tools.net import opener_for

PUBLIC = "https://api.github.com"
DRIFT = "<!-- fleetwatch drift -->"
_PAGE = 100
_TIMEOUT = 30  # seconds


class GitHub:
    """A repository. ToolError names the missing variable, or shows what GitHub answers."""

    def __init__(self) -> None:
        self._repository = _needed("GITHUB_REPOSITORY")
        self._token = _needed("GITHUB_TOKEN")
        self._base = (os.environ.get("GITHUB_API_URL") or PUBLIC).rstrip("/")

    def put_comment(self, pull: int, body: str, mark: str) -> str:
        """Create or replace the comment with this mark; `created` or `updated`."""
        for comment in self._every(f"/issues/{pull}/comments"):
            if _is_ours(comment, mark):
                self._call("PATCH", f"/issues/comments/{comment['id']}", {"body": body})
                return "updated"
        self._call("POST", f"/issues/{pull}/comments", {"body": body})
        return "created"

    def put_issue(self, title: str, body: str | None) -> str:
        """The issue about drift: opened or brought up to date with `body`, closed when there is none."""
        found = [
            one for one in self._every("/issues?state=open&") if "pull_request" not in one and _is_ours(one, DRIFT)
        ]
        if body is None:
            for issue in found:
                self._call("POST", f"/issues/{issue['number']}/comments", {"body": "No drift any more."})
                self._call("PATCH", f"/issues/{issue['number']}", {"state": "closed", "state_reason": "completed"})
            return "closed" if found else "nothing to do"
        if found:
            self._call("PATCH", f"/issues/{found[0]['number']}", {"title": title, "body": f"{DRIFT}\n{body}"})
            return "updated"
        self._call("POST", "/issues", {"title": title, "body": f"{DRIFT}\n{body}"})
        return "opened"

    def _every(self, path: str) -> Iterator[dict[str, Any]]:
        """Every page of a list."""
        separator = "" if path.endswith("&") else "?"
        number = 1
        while True:
            page = self._call("GET", f"{path}{separator}per_page={_PAGE}&page={number}")
            yield from page
            if len(page) < _PAGE:
                return
            number += 1

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        url = f"{self._base}/repos/{self._repository}{path}"
        request = urllib.request.Request(
            url,
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {self._token}",
                "X-GitHub-Api-Version": "2022-11-28",
                "User-Agent": "fleetwatch",
            },
        )
        try:
            with opener_for(url).open(request, timeout=_TIMEOUT) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            hint = {
                401: "the token is not valid",
                403: "the token may not do that; the job needs `pull-requests: write` or `issues: write`",
                404: "there is no such thing, or the token may not see it",
            }.get(error.code, "try again later")
            raise ToolError(f"GitHub answers {error.code} to {method} {path}: {hint}.") from None
        except (OSError, ValueError) as error:
            raise ToolError(
                f"GitHub's API at {self._base} cannot be reached: {getattr(error, 'reason', error)}."
            ) from None


def _is_ours(thing: dict[str, Any], mark: str) -> bool:
    """Written by a bot, and begun with the mark: a person who quotes one is not written over."""
    return str(thing.get("body") or "").startswith(mark) and (thing.get("user") or {}).get("type") == "Bot"


def _needed(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise ToolError(f"{name} is not set: expected to run in a job at GitHub, which sets it.")
    return value
