"""The page around the changes: its limit, text of others, policies, money, what is missing or broken, and drift."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.preview.record import CHANGES
from tests.preview.recordings import read, recording, step
from tools import __main__ as tools
from tools.affected_stacks import AffectedStacks
from tools.comment import drift, page, records
from tools.comment.model import Record, Violation
from tools.errors import ToolError


def test_a_page_keeps_to_the_limit_and_says_what_was_cut(tmp_path: Path) -> None:
    records = [read(tmp_path, recording(name), f"{name}-{n}") for name in CHANGES for n in range(6)]
    whole, short = page.build(records, limit=0), page.build(records)
    assert len(whole) > page.LIMIT
    assert len(short) <= page.LIMIT
    cut = re.search(r"\*\*Cut: (\d+) of (\d+) details do not fit in a comment", short)
    assert cut
    assert short.count("<details>") == int(cut[2]) - int(cut[1])
    assert whole.count("<details>") == int(cut[2])
    assert "artefact `fleetwatch-preview`" in short
    assert short.count("<details>") == short.count("</details>"), "a detail is shown whole or not at all"


def test_even_the_head_is_cut_when_it_is_too_long() -> None:
    records = [Record(f"stack-{n}", problem="x" * 3000) for n in range(60)]
    text = page.build(records)
    assert len(text) <= page.LIMIT
    assert "Cut here" in text


def test_text_of_others_cannot_break_out(tmp_path: Path) -> None:
    policies = [
        {"policy": "p`|", "resource": "<script>", "message": "@everyone | ![x](https://example.com) </details>"}
    ]
    (tmp_path / "prod.policy.json").write_text(json.dumps(policies))
    content = recording("scrape-interval")
    for one in content["preview"]["steps"]:
        inputs = one.get("newState", {}).get("inputs", {})
        if one["urn"].endswith("db-1-project"):
            shown = inputs["environment"]
            shown["FILES_AGENT"] = shown["FILES_AGENT"].replace("scrape_interval: 5s", "```\n</details># fence")
    text = page.build([read(tmp_path, content)])
    assert "````diff" in text, "a fence longer than the one in the file"
    assert "@everyone" not in text
    assert "![x]" not in text
    assert "&lt;/details&gt;" in text


def test_every_page_begins_with_its_mark() -> None:
    for text in (page.build([]), page.build([], note=page.FORK), page.build([Record("prod", "broken")])):
        assert text.startswith("<!-- fleetwatch preview -->\n")
        assert text.count(page.MARK) == 1


def test_a_preview_that_waits_for_an_approval_is_named_with_its_reason(tmp_path: Path) -> None:
    affected = AffectedStacks(("dev", "qa", "prod"), approval={"qa": "it changes code", "prod": "it changes code"})
    (tmp_path / "dev.preview.json").write_text(json.dumps({"stack": "dev", "problem": "broken"}))
    out = tmp_path / "out.md"
    argv = ["comment", str(tmp_path), "--affected", affected.as_json(), "--out", str(out)]
    tools.main([*argv, "--waiting"])
    text = out.read_text()
    assert "**No preview yet.**" in text
    assert "- `qa`, `prod`: it changes code" in text
    assert re.findall(r"### Stack `(\S+)`", text) == ["dev"]
    tools.main(argv)
    assert "No preview yet" not in out.read_text()
    assert re.findall(r"### Stack `(\S+)`", out.read_text()) == ["dev", "qa", "prod"]


def test_a_fork_is_told_that_there_is_no_preview() -> None:
    text = page.build([], note=page.FORK)
    assert "comes from a fork" in text
    assert "credentials" in text
    assert "No stack is touched" not in text


def test_stacks_stand_in_the_order_of_their_deployment(tmp_path: Path) -> None:
    for stack in ("prod", "qa", "dev", "staging"):
        read(tmp_path, recording("hub-resized"), stack)
    text = page.build(records.read_records(tmp_path))
    assert re.findall(r"### Stack `(\S+)`", text) == ["dev", "staging", "qa", "prod"]
    assert "> - **dev**: `hub-droplet`" in text, "with several stacks a warning says of which it is"


# What is not there, or not right


def test_a_problem_is_a_sentence_in_the_place_of_the_preview(tmp_path: Path) -> None:
    text = page.build([read(tmp_path, {"stack": "prod", "problem": "x: expected y\n  - one\n  - <two>"})])
    assert "**No preview**: x: expected y<br>- one<br>- &lt;two&gt;" in text


def test_a_stack_whose_run_left_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "prod.policy.json").write_text("[]")
    text = page.build(records.read_records(tmp_path))
    assert "**No preview**: its run wrote no record" in text
    assert "**Policies**: no violation." in text


def test_policies_are_listed_with_their_level(tmp_path: Path) -> None:
    (tmp_path / "prod.policy.json").write_text(
        json.dumps([{"policy": "no-latest", "resource": "hub-caddy", "message": "expected a tag", "level": "advisory"}])
    )
    record = read(tmp_path, recording("hub-resized"))
    assert record.policies == (Violation("no-latest", "hub-caddy", "expected a tag", "advisory"),)
    assert "- advisory `no-latest`, `hub-caddy`: expected a tag" in page.build([record])
    assert "Policies" not in page.build([Record("prod")]), "where none were run nothing is claimed"


@pytest.mark.parametrize("broken", ["{", '{"a": 1}', '[{"policy": "x"}]', "[1]"])
def test_a_broken_file_of_policies_is_told(broken: str, tmp_path: Path) -> None:
    (tmp_path / "prod.policy.json").write_text(broken)
    with pytest.raises(ToolError, match=r"prod\.policy\.json: expected"):
        records.read_records(tmp_path)


@pytest.mark.parametrize("broken", ["{", "[]", "{}"])
def test_a_broken_record_is_told(broken: str, tmp_path: Path) -> None:
    (tmp_path / "prod.preview.json").write_text(broken)
    with pytest.raises(ToolError, match=r"prod\.preview\.json: expected"):
        records.read_records(tmp_path)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="expected a folder"):
        records.read_records(tmp_path / "nowhere")


# Money


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (
            {},
            {"monthly_usd": 41.0, "monthly_usd_items": {"hub": 41.0}},
            r"nothing → 41.00 USD \(\*\*\+41.00\*\*\): \+ hub",
        ),
        ({"monthly_usd": 41.0}, {"monthly_usd": 41.0}, r"41.00 USD → 41.00 USD \(unchanged\)"),
        ({"monthly_usd": 41.0}, {}, r"41.00 USD → nothing \(\*\*-41.00\*\*\)"),
        ({}, {"monthly_usd": 0.0, "monthly_usd_items": {"odd": None}}, r"\+ odd \(price unknown\)"),
    ],
)
def test_cost_before_and_after(before: dict[str, Any], after: dict[str, Any], said: str) -> None:
    assert re.search(said, page.build([Record("prod", before=before, after=after)]))


def test_a_stack_without_a_bill_says_nothing_of_money() -> None:
    assert "USD" not in page.build([Record("local")])


# Drift


def test_no_drift_no_issue(tmp_path: Path) -> None:
    same = copy.deepcopy(recording("hub-resized"))
    same["preview"]["steps"] = [one for one in same["preview"]["steps"] if one["op"] == "same"]
    same["preview"]["steps"] += [step("refresh", "docker:index/container:Container::hub-agent", {}, {})]
    assert drift.body([read(tmp_path, same)]) is None


def test_drift_is_told_by_host_and_without_the_mark_of_a_comment(tmp_path: Path) -> None:
    text = drift.body([read(tmp_path, recording("hub-resized"))])
    assert text is not None
    assert text.startswith(f"## {drift.TITLE}")
    assert page.MARK not in text
    assert "`make up` restores" in text


def test_a_stack_that_could_not_be_looked_at_is_no_good_news() -> None:
    assert "cannot be reached" in (drift.body([Record("prod", problem="it cannot be reached")]) or "")
