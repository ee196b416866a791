"""Own dashboards, rules and templates: what is read, what is refused and how, and where the files appear."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from components import custom_folder
from configs import custom, deployment, services
from configs.custom.files import MOST
from configs.services import alertmanager
from configs.services.spec import Late, restarts
from configs.settings import read
from localcloud.standins.grafana import provisioning
from tests.fixtures.custom import EXAMPLES, copied, examples, with_examples
from tests.fixtures.full import SOURCE, full, small
from tools import validate
from tools.doctor import custom as doctor

Change = Callable[[Path], object]


def _problems(folder: Path) -> list[str]:
    return list(custom.problems(replace(full(), custom=custom_folder.read(folder, "stacks/full"))))


def _board(**changes: Any) -> Change:
    def change(folder: Path) -> None:
        file = folder / "dashboards" / "shop.json"
        board = {**json.loads(file.read_text()), **changes}
        file.write_text(json.dumps({key: value for key, value in board.items() if value is not None}))

    return change


def _panel(**changes: Any) -> Change:
    def change(folder: Path) -> None:
        file = folder / "dashboards" / "shop.json"
        board = json.loads(file.read_text())
        board["panels"][0] |= changes
        file.write_text(json.dumps(board))

    return change


def _write(name: str, text: str | bytes) -> Change:
    def change(folder: Path) -> None:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())

    return change


def _rule(name: str = "rules/more.yml", group: str = "more", **changes: Any) -> Change:
    rule = {"alert": "More", "expr": "up == 0", "labels": {"severity": "info"}, **changes}
    rule = {key: value for key, value in rule.items() if value is not None}
    return _write(name, yaml.safe_dump({"groups": [{"name": group, "rules": [rule]}]}))


def _link(name: str, target: str) -> Change:
    return lambda folder: (folder / name).symlink_to(folder / target)


def _twice(name: str, other: str) -> Change:
    return lambda folder: (folder / other).write_bytes((folder / name).read_bytes())


REFUSED: dict[str, tuple[Change, str]] = {
    "broken JSON": (_write("dashboards/x.json", '{"a":\n 1,}'), "dashboards/x.json: line 2, column "),
    "a list": (_write("dashboards/x.json", "[]"), "dashboards/x.json: expected a JSON object, got a list"),
    "an answer of the API": (
        _write("dashboards/x.json", '{"dashboard": {}, "meta": {}}'),
        "dashboards/x.json: expected the dashboard itself, this is an answer of Grafana's API",
    ),
    "a dashboard of version 2": (_write("dashboards/x.json", '{"spec": {}}'), "dashboards/x.json: expected a classic"),
    "no uid": (_board(uid=None), "dashboards/shop.json: uid: expected at most 40 letters"),
    "our uid": (_board(uid="fleetwatch-hosts"), "dashboards/shop.json: uid: 'fleetwatch-hosts' is reserved"),
    "no title": (_board(title=""), "dashboards/shop.json: title: expected a text"),
    "no panels": (_board(panels=[]), "dashboards/shop.json: panels: expected at least one panel"),
    "a panel without a place": (
        _panel(gridPos=None),
        "dashboards/shop.json: panels.0.gridPos: expected an object with whole numbers x, y, w and h",
    ),
    "a place without a width": (
        _panel(gridPos={"x": 0, "y": 0, "h": 8}),
        "dashboards/shop.json: panels.0.gridPos: expected an object with whole numbers x, y, w and h",
    ),
    "a text for queries": (_panel(targets="x"), "dashboards/shop.json: panels.0.targets: expected a list of objects"),
    "texts for queries": (_panel(targets=["x"]), "dashboards/shop.json: panels.0.targets: expected a list of objects"),
    "a panel in a row without a place": (
        _panel(type="row", panels=[{"type": "logs"}]),
        "dashboards/shop.json: panels.0.panels.0.gridPos: expected an object",
    ),
    "a text for a row's panels": (_panel(panels="x"), "dashboards/shop.json: panels.0.panels: expected a list"),
    "an export for sharing": (_board(__inputs=[{"name": "DS"}]), "dashboards/shop.json: __inputs: exported for sharin"),
    "an unknown data source": (
        _panel(datasource={"type": "prometheus", "uid": "P1809F7CD0C75ACF3"}),
        "dashboards/shop.json: panel 'Scrape duration': datasource: unknown data source 'P1809F7CD0C75ACF3', expected",
    ),
    "an unknown variable": (
        _panel(datasource={"type": "loki", "uid": "${source}"}),
        "dashboards/shop.json: panel 'Scrape duration': datasource: unknown data source '${source}', expected one of",
    ),
    "broken YAML": (_write("rules/x.yml", "groups: [\n"), "rules/x.yml: line 2, column 1: expected YAML: "),
    "no groups": (_write("rules/x.yml", "rules: []\n"), "rules/x.yml: expected a mapping with a list `groups`"),
    "a key of another program": (
        _write("rules/x.yml", "namespace: x\ngroups: [{name: a, rules: []}]\n"),
        "rules/x.yml: unknown key namespace, expected `groups` alone",
    ),
    "a group twice": (_rule(group="shop"), "rules/shop.yml: group shop: duplicate group, stacks/full/rules/more.yml h"),
    "a group without rules": (
        _write("rules/x.yml", "groups: [{name: a}]\n"),
        "rules/x.yml: group a: rules: expected a list with at least one rule",
    ),
    "an alert of ours": (_rule(alert="DiskUsed"), "rules/more.yml: group more, rule 1 (DiskUsed): DiskUsed is the nam"),
    "the test alert": (_rule(alert="ReceiverTest"), "rules/more.yml: group more, rule 1 (ReceiverTest): ReceiverTest"),
    "an alert twice": (
        _rule(alert="ScrapeSlow", labels={"severity": "warning"}),
        "rules/shop.yml: group shop, rule 2 (ScrapeSlow): duplicate rule, stacks/full/rules/more.yml has one of the sa",
    ),
    "no severity": (_rule(labels={}), "rules/more.yml: group more, rule 1 (More): labels.severity: expected one of cr"),
    "another severity": (_rule(labels={"severity": "page"}), "rules/more.yml: group more, rule 1 (More): labels.sever"),
    "no query": (_rule(expr=None), "rules/more.yml: group more, rule 1 (More): expr: expected a query"),
    "a misspelt key": (_rule(foor="5m"), "rules/more.yml: group more, rule 1 (More): unknown key foor, expected one o"),
    "both kinds": (_rule(record="a"), "rules/more.yml: group more, rule 1 (More): expected exactly one of: alert, rec"),
    "a number for a text": (
        _rule(annotations={"summary": 5}),
        "rules/more.yml: group more, rule 1 (More): annotations: expected a mapping of texts",
    ),
    "a query of lines": (
        _rule("log-rules/x.yml", expr='{job="docker"} |= "x"'),
        "log-rules/x.yml: group more, rule 1 (More): expr: expected a query that gives numbers",
    ),
    "a test for Loki": (_write("log-rules/a_test.yml", "a: 1"), "log-rules/a_test.yml: Loki has no unit tests for rul"),
    "no template": (_write("templates/x.tmpl", "hello"), "templates/x.tmpl: defines no template, expected {{ define"),
    "a template twice": (
        _twice("templates/title.tmpl", "templates/zz.tmpl"),
        "templates/zz.tmpl: template fleetwatch.title is defined in stacks/full/templates/title.tmpl already",
    ),
    "another ending": (_write("rules/x.yaml", "groups: []"), "rules/x.yaml: expected a name of letters, digits, - and"),
    "a name with a space": (_write("dashboards/a b.json", "{}"), "dashboards/a b.json: expected a name of letters"),
    "Latin 1": (_write("rules/x.yml", "# \xfc\n".encode("latin-1")), "rules/x.yml: byte 3: expected UTF-8"),
    "an empty file": (_write("rules/x.yml", "\n"), "rules/x.yml: the file is empty; remove it or fill it"),
    "too large a file": (_write("dashboards/x.json", "x" * (MOST + 1)), "dashboards/x.json: 1"),
    "a line that ends a file": (
        _write("templates/x.tmpl", '{{ define "x" }}\n==> loki.yml <==\n{{ end }}'),
        "templates/x.tmpl: line 2: a line of the form `==> ... <==` cannot be deployed",
    ),
    "a link": (_link("rules/x.yml", "rules/shop.yml"), "rules/x.yml: expected a file, got a symbolic link"),
    "a folder in a folder": (_write("rules/deep/x.yml", "a: 1"), "rules/deep: expected a file, got a folder"),
    "a misspelt folder": (_write("dashboard/x.json", "{}"), "dashboard: expected one of the folders dashboards, rules"),
    "a file for a folder": (_write("x.json", "{}"), "x.json: expected one of the folders dashboards, rules, log-rules"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_one_mistake_in_a_file_is_one_sentence(case: str, tmp_path: Path) -> None:
    folder = copied(tmp_path)
    change, expected = REFUSED[case]
    if case == "a folder in a folder":
        (folder / "rules" / "deep").mkdir()
    change(folder)
    (problem,) = _problems(folder)
    assert problem.startswith(f"stacks/full/{expected}"), problem


def test_duplicate_dashboards_are_named(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    _twice("dashboards/shop.json", "dashboards/zz.json")(folder)
    assert [problem.partition(",")[0] for problem in _problems(folder)] == [
        "stacks/full/dashboards/zz.json: duplicate uid 'shop'",
        "stacks/full/dashboards/zz.json: duplicate title 'Shop'",
    ]


def test_two_severities_of_one_alert_are_no_duplicate(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    _rule(alert="ScrapeSlow", labels={"severity": "critical"})(folder)
    assert _problems(folder) == []


@pytest.mark.parametrize("source", [None, "Prometheus", "-- Mixed --", {"type": "loki", "uid": "loki"}, {"uid": "$ds"}])
def test_known_data_sources_are_accepted(source: Any, tmp_path: Path) -> None:
    folder = copied(tmp_path)
    _board(templating={"list": [{"name": "ds", "type": "datasource", "query": "prometheus"}]})(folder)
    _panel(datasource=source)(folder)
    assert _problems(folder) == []


def test_examples_have_no_problems() -> None:
    assert list(custom.problems(with_examples())) == []
    assert examples().tests, "the example of a test"


def test_no_folder_is_no_problem_unless_a_setting_names_it(tmp_path: Path) -> None:
    assert custom_folder.read(tmp_path / "none", "stacks/none").problems == ()
    (problem,) = custom_folder.read(tmp_path / "none", "stacks/none", required=True).problems
    assert problem == "stacks/none: expected a folder, there is none; make it"
    (tmp_path / "link").symlink_to(EXAMPLES)
    (problem,) = custom_folder.read(tmp_path / "link", "stacks/link").problems
    assert problem.startswith("stacks/link: expected a folder, got a symbolic link")


@pytest.mark.parametrize("name", ["../shared", "/srv/shared", "a b", "", "a//b"])
def test_the_folder_is_beside_the_stack_file(name: str) -> None:
    (problem,) = read(small(hub={"local": {}, "custom": name}), SOURCE)[1]
    assert problem.startswith("hub.custom: expected a folder beside the stack file, such as shared")


def test_stack_file_is_validated_with_its_folder(tmp_path: Path) -> None:
    copied(tmp_path)
    (tmp_path / "Pulumi.full.yaml").write_text("config:\n  fleetwatch:hub: {local: {}}\n")
    assert list(validate.problems(tmp_path / "Pulumi.full.yaml")) == []
    _rule(labels={})(tmp_path / "full")
    (problem,) = validate.problems(tmp_path / "Pulumi.full.yaml")
    assert problem.startswith(f"{tmp_path}/full/rules/more.yml: group more, rule 1 (More): labels.severity: ")
    (tmp_path / "Pulumi.full.yaml").write_text("config:\n  fleetwatch:hub: {local: {}, custom: shared}\n")
    (problem,) = validate.problems(tmp_path / "Pulumi.full.yaml")
    assert problem == f"{tmp_path}/shared: expected a folder, there is none; make it"


def _files() -> dict[str, dict[str, str]]:
    """The rendered files of the hub's services with the examples, by role."""
    context = deployment.context(with_examples(), "hub", "/b", "/var/run/docker.sock")
    late = Late(site="https://m.example")
    return {
        spec.role: {name: file.render(late) for name, file in spec.files.items() if set(file.needs) <= {"site"}}
        for spec in services.hub_specs(context)
    }


def test_files_are_deployed_as_they_are() -> None:
    files = _files()
    assert files["prometheus"]["rules/custom-shop.yml"] == (EXAMPLES / "rules" / "shop.yml").read_text()
    assert files["loki"]["live/rules/fake/custom-checkout.yml"] == (EXAMPLES / "log-rules" / "checkout.yml").read_text()
    assert files["alertmanager"]["custom/title.tmpl"] == (EXAMPLES / "templates" / "title.tmpl").read_text()
    assert files["grafana"]["dashboards-custom/shop.json"] == (EXAMPLES / "dashboards" / "shop.json").read_text()
    (provider,) = yaml.safe_load(files["grafana"]["provisioning/dashboards/custom.yml"])["providers"]
    assert (provider["folder"], provider["options"]["path"]) == ("Custom", "/etc/grafana/dashboards-custom")
    assert not [name for role in files.values() for name in role if name.endswith("_test.yml")]


def test_own_templates_come_after_ours() -> None:
    """The one that is defined last is used."""
    templates = yaml.safe_load(alertmanager.config(with_examples()))["templates"]
    assert templates == ["/etc/alertmanager/fleetwatch.tmpl", "/etc/alertmanager/custom/*.tmpl"]
    assert yaml.safe_load(alertmanager.config(full()))["templates"] == templates[:1]


def test_changed_dashboard_restarts_nothing() -> None:
    context = deployment.context(with_examples(), "hub", "/b", "/var/run/docker.sock")
    (grafana,) = [spec for spec in services.hub_specs(context) if spec.role == "grafana"]
    assert not restarts(grafana.reload, ["dashboards-custom/shop.json", "dashboards/fleetwatch-hub.json"])
    assert restarts(grafana.reload, ["provisioning/dashboards/custom.yml"])


def test_doctor_runs_every_query_and_rule() -> None:
    settings = with_examples()
    found = [(one.place, one.source, one.form, one.expr, one.empty) for one in doctor.panel_queries(settings)]
    assert found == [
        (
            "Shop / Scrape duration",
            "prometheus",
            "range",
            'max by (host, job) (scrape_duration_seconds{host=~".+"})',
            "",
        ),
        ("Shop / Errors", "loki", "lines", '{host=~".+"} | level="error"', "nothing has failed."),
    ]
    rules = [(one.place, one.logs, one.inputs, one.problem) for one in doctor.described_rules(settings)]
    assert rules == [
        ("record shop:scrape_duration_seconds:max", False, ("scrape_duration_seconds",), ""),
        ("alert ScrapeSlow", False, ("shop:scrape_duration_seconds:max",), ""),
        ("alert CheckoutFails", True, ('{job="docker"}',), ""),
    ]


VARIABLES = {
    "list": [
        {"name": "host", "type": "query"},
        {"name": "all", "type": "custom", "includeAll": True},
        {"name": "one", "type": "custom", "query": "a,b", "current": {"value": "b"}},
        {"name": "step", "type": "interval", "query": "1m,5m"},
    ]
}


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        ('up{host="$host"}', 'up{host=~".+"}'),
        ('up{host="${host}",job!="$one"}', 'up{host=~".+",job!="b"}'),
        ('up{host=~"[[host]]"}', 'up{host=~".+"}'),
        ('up{x=~"$all"}', 'up{x=~".+"}'),
        ("rate(x_total[$step])", "rate(x_total[1m])"),
        ("rate(x_total[$__rate_interval])", "rate(x_total[$__rate_interval])"),
        ('up{host!="$host"}', 'up{host!=".+"}'),
    ],
)
def test_variables_are_filled_in(expr: str, expected: str) -> None:
    assert doctor.without_variables(expr, {"templating": VARIABLES}) == expected


def test_grafana_serves_own_dashboards_in_a_separate_folder(tmp_path: Path) -> None:
    """By the reader of provisioning files that stands in for Grafana."""
    for name, text in _files()["grafana"].items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text.replace("/etc/grafana/", f"{tmp_path}/"))
    boards = provisioning.load_dashboards(tmp_path / "provisioning", {})
    assert boards["shop"].folder == "Custom"
    assert boards["fleetwatch-hosts"].folder == "fleetwatch"
