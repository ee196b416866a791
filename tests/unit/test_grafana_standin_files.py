"""What the Grafana stand-in makes of grafana.ini and provisioning files, of units and of time ranges."""

from __future__ import annotations

from pathlib import Path

import pytest

from localcloud.standins.grafana.config import ConfigProblem, load_config
from localcloud.standins.grafana.provisioning import Store
from localcloud.standins.grafana.timerange import BadRange, parse_range
from localcloud.standins.grafana.units import show

PASSWORD = "not-a-real-password"


def write_files(folder: Path) -> dict[str, str]:
    """A small good set of files; returns the environment that names them."""
    files = {
        "password": PASSWORD + "\n",
        "grafana.ini": "; a comment\napp_mode = production\n[server]\nhttp_port = 3000\n[auth.google]\nenabled = true\n"
        f"[security]\nadmin_password = $__file{{{folder}/password}}\n",
        "provisioning/datasources/all.yaml": "datasources: [{name: Loki, type: loki, url: 'http://${LOKI_HOST}:3100'}]",
        "provisioning/dashboards/all.yaml": f"providers: [{{options: {{path: {folder}/boards}}}}]",
        "boards/test.json": '{"uid": "a", "title": "A", "panels": []}',
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    paths = {"GF_PATHS_CONFIG": str(folder / "grafana.ini"), "GF_PATHS_PROVISIONING": str(folder / "provisioning")}
    return paths | {"LOKI_HOST": "loki.example"}


def test_a_good_set_is_read_with_variables_of_the_environment_filled_in(tmp_path: Path) -> None:
    env = write_files(tmp_path)
    store = Store(load_config(env).provisioning, env)
    assert [source.url for source in store.sources.values()] == ["http://loki.example:3100"]
    assert list(store.dashboards) == ["a"]


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("provisioning/datasources/all.yaml", "datasources: [", "not valid YAML"),
        ("provisioning/datasources/all.yaml", "datasources: [{name: a, type: mysql, url: 'http://a'}]", "got 'mysql'"),
        ("provisioning/datasources/all.yaml", "datasources: [{name: a, type: loki, url: a}]", "expected http"),
        ("provisioning/dashboards/all.yaml", "providers: [{options: {path: /nowhere}}]", "no such folder: /nowhere"),
        ("boards/test.json", "{", "not valid JSON"),
        ("boards/test.json", '{"uid": "a", "title": "A"}', "list of panels"),
        ("grafana.ini", "[security]\nadmin_password = $__file{/nowhere/x}\n", "/nowhere/x"),
        ("grafana.ini", "[server]\nhttp_port = many\n", "http_port: expected a port"),
        ("grafana.ini", "[security\nadmin_password = hush\n", "not a valid ini file"),
    ],
)
def test_a_bad_file_ends_the_start_with_its_name_and_the_reason(
    tmp_path: Path, file: str, content: str, said: str
) -> None:
    env = write_files(tmp_path)
    (tmp_path / file).write_text(content)
    with pytest.raises(ConfigProblem) as caught:
        Store(load_config(env).provisioning, env)
    assert str(tmp_path / file) in str(caught.value) or "/nowhere" in str(caught.value)
    assert said in str(caught.value)
    assert "hush" not in str(caught.value)


def test_what_is_not_covered_is_listed_and_the_password_is_not_shown(tmp_path: Path) -> None:
    config = load_config(write_files(tmp_path))
    assert config.not_covered == ("[auth.google] login by this provider",)
    assert config.admin_password == PASSWORD
    assert PASSWORD not in repr(config)


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    env = write_files(tmp_path)
    env |= {"GF_SERVER_HTTP_PORT": "3999", "GF_SECURITY_ADMIN_PASSWORD__FILE": str(tmp_path / "other")}
    (tmp_path / "other").write_text("other-word\n")
    config = load_config(env)
    assert (config.http_port, config.admin_password) == (3999, "other-word")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.425, "percentunit", "42.5%"),
        (1536, "bytes", "1.5 KiB"),
        (90, "s", "1.5 min"),
        (0.012, "s", "12 ms"),
        (1234567, "short", "1.23 Mil"),
        (3, "none", "3"),
        (float("nan"), "s", "NaN"),
        (2.5, "suffix: cores", "2.5 cores"),
    ],
)
def test_units_read_like_grafanas(value: float, unit: str, text: str) -> None:
    assert show(value, unit) == text


def test_time_ranges_are_relative_or_absolute_and_never_backwards() -> None:
    assert parse_range("now-1h", "now", 10_000.0).seconds == 3600
    assert parse_range("1700000000000", "1700000060000").seconds == 60
    for bad in (("now", "now-1h"), ("yesterday", "now"), ("now-1x", "now")):
        with pytest.raises(BadRange, match="time range"):
            parse_range(*bad)
