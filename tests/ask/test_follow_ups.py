"""What a follow-up keeps, replaces and adds. Other sentences than those of the questions."""

from __future__ import annotations

import pytest

from tests.ask.offline import query


@pytest.mark.parametrize(
    ("before", "question", "parts"),
    [
        ("memory of all hosts", "over 70%", ("node_memory_MemAvailable_bytes", "> 0.7")),
        ("cpu of web-2", "by container", ("container_cpu_usage_seconds_total", 'host="web-2"')),
        ("requests of blog", "per minute", ('job="blog"', "* 60")),
        ("p99 latency of blog", "and the shop?", ("0.99", 'job="shop"')),
        ("memory of shop-api", "on web-2", ('container="shop-api"', 'host="web-2"')),
        ("cpu of all hosts", "only the top 2 over 20%", ("topk(2", "> 0.2")),
    ],
)
def test_follow_ups(before: str, question: str, parts: tuple[str, ...]) -> None:
    text = query(question, before)
    assert text
    assert all(part in text for part in parts)
