"""A new exporter is one module, one line of the registry and its image's pin: everything else follows."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.full import ROOT

MODULE = '''\
"""An exporter that this test invents."""

from __future__ import annotations

from configs.services.context import Context
from configs.services.spec import MB, Network, ScrapeJob, Service, ServiceSpec, http_check

SERVICE = Service(image="pond_exporter", limits="pond_exporter", memory=32 * MB, cpus=0.1, jobs=("pond",))


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
container = run.containers["hub-pond-exporter"].plain()
taken = small(hosts={"hub": {"apps": {"pond": {"target": "x:1"}}}})
print(json.dumps({
    "image": container["image"], "memory": container["memory"], "cpus": container["cpus"],
    "agent": run.commands["hub-agent-config"].plain()["stdin"],
    "roles": run.exports["hosts"][0]["hub"]["runs"], "jobs": run.exports["jobs"][0]["hub"],
    "page": describe.markdown(), "refused": read(taken, SOURCE)[1],
    "samples": disk.samples_per_second(load(small(), SOURCE)),
}))
"""


def _outcome(folder: Path, script: str) -> dict[str, Any]:
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    skip = shutil.ignore_patterns("__pycache__")
    for name in ("configs", "components", "tests", "stacks"):
        shutil.copytree(ROOT / name, folder / name, ignore=skip)
    shutil.copyfile(ROOT / "__main__.py", folder / "__main__.py")
    (folder / "configs/services/pond_exporter.py").write_text(MODULE)
    registry = folder / "configs/services/__init__.py"
    line = '    "sql_exporter",\n'
    assert registry.read_text().count(line) == 1
    registry.write_text(registry.read_text().replace(line, f'{line}    "pond_exporter",\n'))
    with (folder / "configs/images.yaml").open("a") as pins:
        pins.write("pond_exporter: registry.example.com/pond_exporter:1.0\n")
    return folder


def test_it_is_run_limited_scraped_summarised_and_documented(project: Path) -> None:
    found = _outcome(project, PROGRAM)
    assert found["image"] == "registry.example.com/pond_exporter:1.0"
    assert (found["memory"], found["cpus"]) == (48, "0.1"), "the memory as given, the cores as the service says"
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
