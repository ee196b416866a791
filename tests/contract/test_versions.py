"""One thing has one version: image pins, offline builds, go.mod files, requirements, locks and what the pages show.

tests/contract/test_tree.py holds builds against go.mod; here is everything that is written elsewhere.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from configs import images
from tests.contract.test_tree import FILES
from tests.fixtures.full import ROOT
from tools import audit, licences
from tools.builds import BUILDS
from tools.dependency_lock import FILES as SOURCES
from tools.gobuild import TOOLCHAIN
from tools.registry import Reference

# What a text calls a part -> its image pin.
NAMES = {
    "caddy": "caddy", "prometheus": "prometheus", "promtool": "prometheus", "loki": "loki", "logcli": "loki",
    "grafana": "grafana", "alertmanager": "alertmanager", "amtool": "alertmanager", "alloy": "alloy",
    "cadvisor": "cadvisor", "node-exporter": "node_exporter", "node_exporter": "node_exporter",
    "postgres-exporter": "postgres_exporter", "postgres_exporter": "postgres_exporter",
}  # fmt: skip
# Places that speak of another version on purpose.
OTHER = {
    ("tools/offline/alloy-syntax/go.mod", "alloy"): "Alloy's language is a module with a version of its own",
    ("tools/offline/prometheus/go.mod", "prometheus"): "Prometheus 3.16.0 is the Go module v0.316.0 (test_tree.py)",
    ("tools/offline/blocks/go.mod", "prometheus"): "the same module, for the drill of a large restore",
    ("README.md", "prometheus"): "shows an offline build, which is ahead of the pinned image (configs/images.yaml)",
    ("docs/figures.md", ""): "figures say what was measured then",
    ("docs/upgrade.md", ""): "says from which version on something holds",
}
_MENTION = re.compile(
    rf"\b({'|'.join(NAMES)})(?:/v\d+|/lib|/syntax)?(?:[:@ ]|: )v?(\d+\.\d+\.\d+)(?![\d.])", re.IGNORECASE
)
LOCKS = tuple(str(source.with_suffix(".txt")) for source in SOURCES)
# (lock, package) that have to be another version than the program's.
APART = {
    ("policy/requirements.txt", "protobuf"): "pulumi-policy takes none newer than 5, the program has 6",
    ("policy/requirements.txt", "googleapis-common-protos"): "1.76 wants protobuf 6",
}


def _pinned(key: str) -> str:
    found = re.search(r"\d+\.\d+\.\d+", Reference.parse(images.pins()[key]).tag)
    assert found, key
    return found[0]


def _texts() -> dict[str, str]:
    """Everything that people or tools read a version from; tests make up versions of their own."""
    wanted = {".md", ".py", ".sh", ".yaml", ".mod", ".in", ".json", ".go", ".template"}
    found = {str(path.relative_to(ROOT)): path for path in FILES if path.suffix in wanted or path.name == "Makefile"}
    return {
        name: path.read_text()
        for name, path in found.items()
        if not name.startswith(("tests/", "configs/dashboards")) and (name, "") not in OTHER
    }


def _locked(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==([^\s;\\]+) [;\\]", (ROOT / name).read_text(), re.MULTILINE))


def test_every_version_of_a_part_that_is_written_somewhere_is_the_pinned_one() -> None:
    mentions, wrong = 0, []
    for name, text in _texts().items():
        for found in _MENTION.finditer(text):
            part, version = found[1].lower(), found[2]
            if (name, part) in OTHER or "// indirect" in text[found.start() :].splitlines()[0]:
                continue
            mentions += 1
            if version != _pinned(NAMES[part]):
                wrong.append(f"{name}: {found[0]}, configs/images.yaml says {_pinned(NAMES[part])}")
    assert mentions > 15, "the expression finds nothing any more"
    assert not wrong


def test_the_expression_sees_a_version_that_is_another() -> None:
    said = "fleetwatch.local/caddy:2.11.8-offline, Prometheus 3.14.0 and github.com/grafana/loki/v3 v3.7.7"
    assert [found.groups() for found in _MENTION.finditer(said)] == [
        ("caddy", "2.11.8"),
        ("Prometheus", "3.14.0"),
        ("loki", "3.7.7"),
    ]


def test_locks_hold_what_the_requirements_ask_for() -> None:
    for lock in LOCKS:
        asked = (ROOT / lock).with_suffix(".in").read_text()
        for name, version in re.findall(r"^([a-z0-9._-]+)==(\S+)", asked, re.MULTILINE):
            assert _locked(lock).get(name) == version, f"{lock} is behind its .in file: `make lock`"


@pytest.mark.parametrize("lock", LOCKS[1:])
def test_what_two_locks_share_has_one_version(lock: str) -> None:
    ours, other = _locked(LOCKS[0]), _locked(lock)
    assert len(ours) > 50
    assert other
    shared = {name for name in set(ours) & set(other) if (lock, name) not in APART}
    differ = {name: (ours[name], other[name]) for name in shared if ours[name] != other[name]}
    assert not differ, f"{lock} and {LOCKS[0]}: `make lock`"


def test_every_lock_is_audited_and_the_packs_licences_are_looked_at_too() -> None:
    assert set(audit.AUDITED) == set(LOCKS), "one that is not asked about is vulnerable in silence"
    assert set(licences.locked()) >= set(_locked("requirements.txt")) | set(_locked("policy/requirements.txt"))


def test_every_locked_package_has_hashes() -> None:
    for lock in LOCKS:
        text = (ROOT / lock).read_text()
        entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
        bare = [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry]
        assert not bare, f"{lock}: {bare}"
        assert len(entries) == len(re.findall(r"^[a-z0-9._-]+==", text, re.MULTILINE)), (
            f"{lock}: what is no exact version?"
        )


def test_the_readme_shows_the_locked_engine_and_plugins() -> None:
    readme, locked = (ROOT / "README.md").read_text(), _locked("requirements.txt")
    shown = re.search(r"^Pulumi (\S+) \(", readme, re.MULTILINE)
    assert shown
    assert shown[1] == locked["pulumi"] == BUILDS["pulumi"].version
    plugins = re.search(r"^Provider plugins: (.*)$", readme, re.MULTILINE)
    assert plugins
    for name, version in re.findall(r"(\w+) (\d+\.\d+\.\d+)", plugins[1]):
        assert version == locked[f"pulumi-{name}"], f"README.md shows {name} {version}"


def test_the_go_that_is_fetched_builds_every_module() -> None:
    for module in sorted((ROOT / "tools" / "offline").glob("*/go.mod")):
        wanted = re.search(r"^go (\d+)\.(\d+)(?:\.(\d+))?$", module.read_text(), re.MULTILINE)
        assert wanted, module
        need = tuple(int(part or 0) for part in wanted.groups())
        assert tuple(map(int, TOOLCHAIN.split(".")))[:3] >= need, f"{module.parent.name} needs Go {need}"


def test_the_database_of_the_tests_is_of_one_major_version() -> None:
    texts = {name: text for name, text in _texts().items() if name.startswith(("tools/", "stacks/"))}
    del texts["tools/ask_recipes.py"]  # the assistant's database, which is no test's
    found = {
        (Path(name).name, version)
        for name, text in texts.items()
        for version in re.findall(r"\bpostgres(?:ql)?[:-](\d\d)\b", text)
    }
    assert len(found) >= 3
    assert len({version for _, version in found}) == 1, found
