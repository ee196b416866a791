"""What holds for the whole tree: which way the arrows go, how large files are, and what may be written in them."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from configs import images
from configs.validation import validate
from tests.fixtures import rendering
from tests.fixtures.full import ROOT
from tests.fixtures.stackfiles import STACK_FILES, from_file
from tools import recipes
from tools.builds import BUILDS


def _tracked() -> list[Path]:
    """What is, or would be, in the repository; a checkout without git counts whole."""
    asked = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in asked.stdout.splitlines() if (ROOT / name).is_file()]


FILES = _tracked()
MODULES = [path for path in FILES if path.suffix == ".py"]
OURS = ("ask", "components", "configs", "localcloud", "policy", "tests", "tools")
# Folder -> what its modules may not import. Arrows go one way: __main__ -> components -> configs.
FORBIDDEN = {
    "ask": {
        "pulumi",
        "pulumi_docker",
        "pulumi_command",
        "pulumi_random",
        "components",
        "configs",
        "localcloud",
        "policy",
        "tools",
        "tests",
    },
    "configs": {
        "pulumi",
        "pulumi_docker",
        "pulumi_command",
        "pulumi_random",
        "components",
        "localcloud",
        "policy",
        "tools",
        "tests",
    },
    "components": {"localcloud", "policy", "tools", "tests"},
    "localcloud": {"components", "policy", "tests", "tools"},
    "policy": {"pulumi", "components", "localcloud", "tools", "tests"},
    "tools": {"tests"},
}
# Longer than a screenful or two, each for a reason.
LONG = {
    "requirements.txt": "written by `make lock`",
    "tests/app/requirements.txt": "written by `make lock`",
    "localcloud/standins/plugins/digitalocean_tables.py": "one table for each resource, one line for each property",
    "configs/services/spec.py": "the whole of a service as one value, declared field by field",
    "configs/catalogue/phrasings.py": "a table of the phrasings of each panel",
    "tests/cloud/facts.py": "a table of the fields of each answer of the API",
    "tests/ask/seed.py": "a table of the series of the seeded fleet",
    "localcloud/standins/plugins/docker_container.py": "one resource in both directions, one line for each field",
    "tests/unit/test_settings_traps.py": "a table of the values that a program on a host would refuse",
    "tests/unit/test_settings_secrets.py": "a table of the places at which a secret may be written by mistake",
    "configs/dashboards/hosts.py": "one dashboard, declared panel by panel",
    "configs/dashboards/postgres.py": "one dashboard, declared panel by panel",
    "configs/dashboards/timescale.py": "one dashboard, declared panel by panel",
    "configs/render/level_formats.py": "a table of formats, each with its source and an example line",
    "components/hub.py": "one component and its wiring; what a cluster adds is in components/nodes.py and its siblings",
    "configs/settings/receivers.py": "one model for each kind of receiver, declared field by field",
    "tests/unit/test_custom_files.py": "a table of the mistakes in own files",
    "tools/recipes.py": "one recipe for each image, declared field by field",
    "tests/integration/fleet.py": "one rig for the fleet's whole story; to be divided when it grows",
    "tests/integration/test_log_rules.py": "one Loki for every rule about lines; to be divided when it grows",
    "tests/unit/test_sql_standin.py": "one database played for every question to the stand-in",
    "tests/unit/test_grafana_standin.py": "one rig for every page of the stand-in; to be divided when it grows",
}


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_arrows_go_one_way(folder: str) -> None:
    wrong = {
        _name(path): _imports(path) & FORBIDDEN[folder]
        for path in MODULES
        if _name(path).startswith(folder + "/") and _imports(path) & FORBIDDEN[folder]
    }
    assert not wrong, f"{folder} must not know about these"


def test_the_entry_imports_components_and_configs_alone() -> None:
    assert _imports(ROOT / "__main__.py") & set(OURS) == {"components", "configs"}


def test_the_policy_imports_little_of_configs_and_one_module_of_it_the_engine() -> None:
    """Its rules have to run where there is no engine, and in the pack's virtualenv, which has none of our packages."""
    ours, engine = set(), set()
    for path in MODULES:
        if _name(path).startswith("policy/"):
            text = path.read_text()
            ours |= set(re.findall(r"^(?:from|import) (configs[\w.]*(?: import names)?)", text, re.MULTILINE))
            engine |= {_name(path)} if "pulumi_policy" in _imports(path) else set()
    assert ours == {"configs import names", "configs.deploy.reading"}
    assert engine == {"policy/__main__.py"}


def test_every_module_says_what_it_is() -> None:
    written = {path: text for path in MODULES if (text := path.read_text())}  # an empty __init__.py has nothing to say
    silent = [_name(path) for path, text in written.items() if not ast.get_docstring(ast.parse(text))]
    assert not silent, "the first line of a module says what it is for"


def test_files_are_short() -> None:
    suffixes = {".py", ".sh", ".yaml", ".go"}
    long = {
        _name(path): lines
        for path in FILES
        if path.suffix in suffixes and (lines := len(path.read_text().splitlines())) > 250 and _name(path) not in LONG
    }
    assert not long, "a file of more than 250 lines does more than one thing: divide it, or give a reason in LONG"


def test_no_machine_of_ours_is_named() -> None:
    """Package mirrors and absolute paths of the machine that somebody worked on do not belong into the project."""
    mirror = re.compile(
        r"https?://[\w.-]*(mirror|artifactory|nexus|devpi|registry-proxy|proxpi|athens)[\w.-]*", re.IGNORECASE
    )
    paths = re.compile(r"(?<![\w.$}~-])/(work|farm|root|tmp/brief|home/[a-z]+)(?=[/\s\"'`]|$)", re.MULTILINE)
    allowed = {"/home/somebody"}  # the made-up user of the component tests
    # The home of root on any host is what these are about.
    about_root = {(name, "/root") for name in ("configs/log_paths.py", "tests/unit/test_settings_log_paths.py")}
    index = re.compile(r"^\s*(--index-url|--extra-index-url|index-url\s*=)", re.MULTILINE)
    wrong = []
    for path in FILES:
        if path.suffix in {".sum", ".png"} or path == Path(__file__):
            continue
        text = path.read_text(errors="replace")
        hits = [m.group(0) for pattern in (mirror, paths, index) for m in pattern.finditer(text)]
        wrong += [
            f"{_name(path)}: {hit}" for hit in hits if hit not in allowed and (_name(path), hit) not in about_root
        ]
    assert not wrong


def _tag(key: str) -> str:
    return images.pins()[key].partition("@")[0].rpartition(":")[2].removeprefix("v").removesuffix("-alpine")


def test_images_and_offline_builds_name_one_version() -> None:
    known = {
        "promtail": "the library in Loki's module is at Loki's version, the last image is older",
        "postgres_exporter": "Debian's, because no module builds it",
        "prometheus": "3.16.0 is served as a module; its image was not seen yet (configs/images.yaml)",
    }
    for key in ("caddy", "prometheus", "loki", "alertmanager", "cadvisor", "node_exporter", "promtail", "vmagent"):
        offline = BUILDS[key].version.removeprefix("v")
        assert (offline == _tag(key)) is (key not in known), (
            f"{key}: configs/images.yaml says {_tag(key)}, the offline build {offline}"
        )
    assert "debian" in recipes.RECIPES["postgres_exporter"]().ref, known["postgres_exporter"]


MODULE_OF = {
    "caddy": ("github.com/caddyserver/caddy/v2", "{}"),
    "loki": ("github.com/grafana/loki/v3", "{}"),
    "alertmanager": ("github.com/prometheus/alertmanager", "{}"),
    "node_exporter": ("github.com/prometheus/node_exporter", "{}"),
    "cadvisor": ("github.com/google/cadvisor/lib", "{}"),
    "prometheus": ("github.com/prometheus/prometheus", "0.{0}{1:02}.{2}"),
    "pulumi": ("github.com/pulumi/pulumi/sdk/v3", "{}"),
    "alloy-syntax": ("github.com/grafana/alloy/syntax", "{}"),
    "docker-compose": ("github.com/docker/compose/v2", "{}"),
    "actionlint": ("github.com/rhysd/actionlint", "{}"),
}


@pytest.mark.parametrize("build", MODULE_OF)
def test_a_build_answers_with_the_version_that_go_mod_compiles(build: str) -> None:
    module, form = MODULE_OF[build]
    version = BUILDS[build].version.removeprefix("v")
    # Prometheus 3.16.0 is the Go module v0.316.0.
    expected = form.format(*map(int, version.split("."))) if "0.{" in form else version
    text = (ROOT / "tools" / "offline" / BUILDS[build].folder / "go.mod").read_text()
    found = re.search(rf"^(?:require )?\s*{re.escape(module)} v(\S+)", text, re.MULTILINE)
    assert found, f"go.mod of {build} does not require {module}"
    assert found[1] == expected, "the build would claim a version that it is not"


def test_the_engine_and_its_sdk_are_of_one_version() -> None:
    pinned = re.search(r"^pulumi==(\S+)", (ROOT / "requirements.in").read_text(), re.MULTILINE)
    assert pinned
    assert pinned[1] == BUILDS["pulumi"].version


@pytest.mark.parametrize("path", STACK_FILES, ids=lambda path: path.name)
def test_every_stack_file_loads(path: Path) -> None:
    settings = from_file(path)
    assert validate(settings, machine=None, cloud=None, encrypted=None) == []
    for host in settings.hosts:
        assert yaml.safe_load(rendering.agent_config(settings, host))
        assert yaml.safe_load(rendering.promtail_config(settings, host))


def test_there_is_a_stack_file_to_load() -> None:
    assert [path.name for path in STACK_FILES] != [], "an empty list would pass every test above"
