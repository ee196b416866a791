"""Terms that people use for a value: verbs, idioms, fractions, other languages, and what is no misspelling.

Other sentences than those of the questions.
"""

from __future__ import annotations

import pytest

from ask import grammar, lexicon, words
from tests.ask.offline import query


@pytest.mark.parametrize(
    ("question", "part"),
    [
        ("cpu load of vps-1 please", "node_cpu_seconds_total"),
        ("is memory burned anywhere", "node_memory_MemAvailable_bytes"),
        ("the three worst ram hogs among all containers", "topk(3, max by (env, host, container)"),
        ("how much data does vps-1 send per second", "node_network_transmit_bytes_total"),
        ("how many bytes per second does the mailer container receive", "container_network_receive_bytes_total"),
        ("errors of the network interface on hub", "node_network_receive_errs_total"),
        ("how many requests were handled by blog today", 'job="blog"'),
        ("how outdated is the continuous aggregate", "continuous_aggregate_lag"),
        ("lag of the continuous aggregate hourly", 'view="public.hourly"'),
        ("is anything on fire", "ALERTS"),
        ("how many days until web-2 runs out of space", "deriv("),
        ("how many times did nginx restart since monday", "changes(container_start_time_seconds"),
        ("wie lange läuft web-2 schon", "node_boot_time_seconds"),
        ("wie viel speicher hat db-2 noch frei", "node_memory_MemAvailable_bytes"),
        ("conexiones de la base de datos main", "pg_stat_database_numbackends"),
        ("tasa de errores de blog", 'status=~"5.."'),
        ("iowait of web-1", "node_pressure_io_waiting_seconds_total"),
        ("which alert has been firing longest", "topk(1, time() - "),
        ("failed orders per hour since yesterday", "* 3600"),
        ("the last 20 errors of mailer", '{container="mailer"} | level=~"error|fatal"'),
        ("any 404 of blog", 'status="404"'),
        ("disks over two thirds full", "> 0.667"),
        ("server mit freiem speicherplatz unter 20 gb", "node_filesystem_avail_bytes"),
        ("qué contenedores se han reiniciado desde ayer", "changes(container_start_time_seconds"),
    ],
)
def test_how_people_ask(question: str, part: str) -> None:
    assert part in query(question)


@pytest.mark.parametrize("question", ["how many users do we have", "the oldest party on web-1", "ports of the hub"])
def test_ordinary_words_are_not_corrected(question: str) -> None:
    assert query(question) == ""


def test_ordinary_words_are_not_in_the_vocabulary() -> None:
    assert [word for word in lexicon.ORDINARY if words.is_known(word)] == []


@pytest.mark.parametrize(
    ("text", "value"), [("over half", 0.5), ("below a quarter", 0.25), ("over three quarters", 0.75)]
)
def test_fractions_are_bounds(text: str, value: float) -> None:
    found = grammar.parse(f"memory {text}", False, True).threshold
    assert found is not None
    assert (found.value, found.kind) == (value, "share")


def test_a_quarter_of_an_hour_is_no_bound() -> None:
    assert grammar.parse("latency over a quarter of an hour", False, True).threshold is None
