"""A new exporter is one module, one line of the registry and its image's pin: everything else follows.

The copy that has one writes the generated pages again, as docs/architecture.md says, and the tests of what is derived
from the registry run in it.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.contract.test_tree import FILES
from tests.fixtures.full import ROOT

MODULE = '''\
"""An exporter that this test invents."""

from __future__ import annotations

from configs.services.context import Context
from configs.services.spec import MB, Network, ScrapeJob, Service, ServiceSpec, http_check

SERVICE = Service(
    image="pond_exporter", licence="ISC", limits="pond_exporter", memory=32 * MB, cpus=0.1, jobs=("pond",)
)


def specs(context: Context) -> list[ServiceSpec]:
    """One on every host."""
    return [
        ServiceSpec(
            role="pond-exporter",
            service=SERVICE,
            limits=context.edge_limits(SERVICE),
            command=("--listen=:9999",),
            networks=(Network("edge"),),
            health=http_check("http://127.0.0.1:9999/"),
            scrape=ScrapeJob(name="pond", interval=15, port=9999, series=10),
        )
    ]
'''
PIN = "registry.example.com/pond_exporter:1.0.3"
# Runs in the changed copy: registers the program's resources and prints what became of the exporter.
PROGRAM = """\
import json
import pytest
from configs import disk
from configs.settings import describe, load, read
from tests.component import program
from tests.fixtures.full import SOURCE, small

limited = {"hub": {"limits": {"pond_exporter": {"memory": "48MB"}}}}
run = program.run(small(hosts=limited), pytest.MonkeyPatch())
container = run.services["hub-pond-exporter"]
taken = small(hosts={"hub": {"apps": {"pond": {"target": "x:1"}}}})
print(json.dumps({
    "image": container["image"], "memory": container["mem_limit"], "cpus": container["cpus"],
    "agent": run.files("hub")["agent/config/prometheus.yml"],
    "roles": run.exports["hosts"][0]["hub"]["runs"], "jobs": run.exports["jobs"][0]["hub"],
    "page": describe.markdown(), "refused": read(taken, SOURCE)[1],
    "samples": disk.samples_per_second(load(small(), SOURCE)),
}))
"""
# The same for the tools.
TOOLS = """\
import json
from configs.settings import load
from policy import images as policy, records
from tests.fixtures.full import SOURCE, small
from tools import images, licences, net, sbom, up
from tools.errors import ToolError

settings = load(small(), SOURCE)
ref = images.pins()["pond_exporter"]
container = {"image": ref, "name": "pond"}
net.reachable = lambda url: False
images._labels = lambda refs: {}
try:
    refused = str(images.get(["pond_exporter"]))
except ToolError as problem:
    refused = str(problem)
bill = {item["bom-ref"]: item for item in sbom._images()}
print(json.dumps({
    "usual": images.PARTS, "required": up.required_images(settings), "refused": refused,
    "licences": list(licences.problems()), "page": licences.page(), "bill": bill["image-pond_exporter"],
    "policy": list(policy.pinned(records.Record(records.CONTAINER, "pond", container), "prod")),
}))
"""
DERIVED = (
    "test_alerts_doc", "test_docs", "test_services", "test_settings_doc", "test_tools_images",
    "test_tools_stack_settings", "test_tools_supply",
)  # fmt: skip


def _generators() -> list[str]:
    """The commands of the table in docs/architecture.md, with this Python: the copy has no virtualenv."""
    table = (ROOT / "docs" / "architecture.md").read_text().partition("## Generated pages")[2].partition("\n## ")[0]
    commands = re.findall(r"\| `([^`]+)` \|$", table, re.MULTILINE)
    assert len(commands) == 4, commands
    python = shlex.quote(sys.executable)
    return [
        one.replace(".venv/bin/python", python).replace("make licences", f"{python} -m tools licences")
        for one in commands
    ]


def _outcome(folder: Path, script: str) -> dict[str, Any]:
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project") / "copy"
    for file in FILES:
        copy = folder / file.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)
    (folder / "configs/services/pond_exporter.py").write_text(MODULE)
    registry = folder / "configs/services/__init__.py"
    line = '    "sql_exporter",\n'
    assert registry.read_text().count(line) == 1
    registry.write_text(registry.read_text().replace(line, f'{line}    "pond_exporter",\n'))
    with (folder / "configs/images.yaml").open("a") as pins:
        pins.write(f"pond_exporter: {PIN}\n")
    return folder


def test_it_is_run_limited_scraped_summarised_and_documented(project: Path) -> None:
    found = _outcome(project, PROGRAM)
    assert found["image"] == PIN
    assert (found["memory"], found["cpus"]) == (48 * 1024**2, 0.1), "the memory as given, the cores as the service says"
    assert "- job_name: pond\n" in found["agent"]
    assert "fleetwatch-pond-exporter:9999" in found["agent"]
    assert "pond-exporter" in found["roles"]
    assert found["jobs"]["pond"] == 15, "the gate and `make status` expect it"
    assert "| `pond_exporter` |" in found["page"]
    assert "`pond_exporter`" in found["page"].partition("## images")[2]
    assert [problem for problem in found["refused"] if "pond" in problem], "an app cannot take its job's name"
    known = "import json; from configs import disk; from configs.settings import load; "
    known += "from tests.fixtures.full import SOURCE, small; "
    known += "print(json.dumps({'samples': disk.samples_per_second(load(small(), SOURCE))}))"
    assert found["samples"] == pytest.approx(_outcome(ROOT, known)["samples"] + 10 / 15)


def test_the_tools_pull_check_and_list_it(project: Path) -> None:
    found = _outcome(project, TOOLS)
    assert "pond_exporter" in found["usual"]
    assert "pond_exporter" in found["required"]
    assert found["refused"].startswith(f"The image {PIN} for pond_exporter cannot be pulled here")
    assert found["policy"] == [], "the pin is one that the project's own policy accepts"
    assert found["licences"] == []
    assert "| pond_exporter | ISC |" in found["page"]
    assert found["bill"]["licenses"] == [{"license": {"id": "ISC"}}]


def test_generated_pages_follow_and_the_tests_of_the_registry_pass(project: Path) -> None:
    for command in _generators():
        done = subprocess.run(["sh", "-c", command], cwd=project, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    assert "pond-exporter" in (project / "docs" / "architecture.md").read_text()
    files = [f"tests/unit/{name}.py" for name in DERIVED]
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not integration", *files]
    done = subprocess.run(argv, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:]
