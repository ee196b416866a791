"""The services: each is one value, and what is derived from them follows."""

from __future__ import annotations

import inspect
import subprocess
from dataclasses import fields, replace
from typing import get_args

import pytest

from configs import images, names, services
from configs.services.alertmanager import routing
from configs.services.container import container
from configs.services.context import Context
from configs.services.spec import File, Late, LateField, Service, ServiceSpec, restarts
from configs.settings import load
from configs.settings.alerts import Day
from configs.settings.thresholds import Severity
from tests.fixtures import fleets, rendering
from tests.fixtures.full import SOURCE, full, full_with_alloy, in_bucket, small
from tools.ask_recipes import ASK_RECIPES
from tools.recipes import RECIPES

KNOWN = Late(
    site="https://hub.example",
    hub_ca="-----BEGIN CERTIFICATE-----",
    passwords={"password": "p-s3cret", "password-1": "p1-s3cret", "scrape-password": "scrape-s3cret"},
    scraper={"agent": "$2a$hash"},
    users={name: {name: "$2a$hash"} for name in ("hub", "web-1", "vps-1")},
    admin_password="admin-s3cret",
    ask={name: f"{name}-s3cret" for name in names.ASK_SECRETS},
    private="10.77.0.2",
    proxies=("10.77.0.0/20",),
    authority={"authority/root.crt": "-----BEGIN CERTIFICATE-----", "authority/root.key": "root-s3cret"},
    database={"host": "db.example", "port": "25060", "user": "doadmin", "ca": "-----BEGIN CERTIFICATE-----"},
    database_password="database-s3cret",
    grafana_key="key-s3cret",
)
FLEET = load(
    fleets.hosts(
        **{
            "web-1": {"droplet": {}, "postgres": {"main": {"dsn": "postgresql://watch:x@db:5432/shop"}}},
            "vps-1": {
                "server": {"address": "203.0.113.7"},
                "via": "internet",
                "rotation": 1,
                "logs": {"agent": "alloy"},
                "metrics": {"agent": "vmagent"},
            },
        }
    ),
    SOURCE,
)
SETTINGS = {
    "full": full(),
    "full with alloy": full_with_alloy(),
    "fleet": FLEET,
    "in a bucket": in_bucket(),
    "nodes": fleets.cluster(),
}


def _contexts() -> list[Context]:
    return [rendering.context(settings, name) for settings in SETTINGS.values() for name in settings.hosts]


def _specs(context: Context) -> list[ServiceSpec]:
    return [*(services.hub_specs(context) if context.is_hub else []), *services.edge_specs(context)]


SPECS = {f"{one.settings.env} {one.name} {spec.role}": spec for one in _contexts() for spec in _specs(one)}


@pytest.mark.parametrize("module", [*services.HUB, *services.EDGE], ids=lambda module: module.__name__)
def test_each_registered_module_is_a_service(module: services.ServiceModule) -> None:
    assert isinstance(module.SERVICE, Service)
    assert list(inspect.signature(module.specs).parameters) == ["context"]


def test_every_service_is_made_for_some_of_these_settings() -> None:
    made = {spec.service for spec in SPECS.values()}
    assert made == {module.SERVICE for module in (*services.HUB, *services.EDGE)}


@pytest.mark.parametrize("name", SPECS)
def test_each_container_checks_its_own_health(name: str) -> None:
    health = SPECS[name].health
    assert health.argv, "an empty check is none"
    assert health.timeout < health.interval
    assert health.argv != ("true",)


@pytest.mark.parametrize("name", SPECS)
def test_files_read_the_late_values_that_they_name_and_no_others(name: str) -> None:
    files = {**SPECS[name].files, **SPECS[name].secrets}
    read: set[LateField] = set()
    for path, file in files.items():
        whole = file.render(KNOWN)
        given = {key: getattr(KNOWN, key) for key in file.needs}
        assert file.render(Late(**given)) == whole, f"{path} reads more than it names"
        read |= {key for key in file.needs if _without(file, key) != whole}
    assert read == {key for file in files.values() for key in file.needs}, "some are named and never read"


def _without(file: File, key: LateField) -> str | None:
    try:
        return file.render(replace(KNOWN, **{key: getattr(Late(), key)}))
    except KeyError:
        return None


@pytest.mark.parametrize("name", SPECS)
def test_no_plain_file_needs_a_secret(name: str) -> None:
    for path, file in SPECS[name].files.items():
        assert not {"passwords", "scraper", "users", "admin_password", "authority"} & set(file.needs), path
        assert "s3cret" not in file.render(KNOWN)


def test_secrets_are_in_no_repr() -> None:
    assert "s3cret" not in repr(KNOWN)
    assert not [name for name, spec in SPECS.items() if "s3cret" in repr(spec)]


@pytest.mark.parametrize("name", SPECS)
def test_a_container_is_confined(name: str) -> None:
    spec = SPECS[name]
    made = container(spec, stack="fw", host="web-1", base="/var/lib/fw", image="registry.example.com/x:1")
    assert made.name == f"fw-{spec.role}"
    assert made.labels == {"fleetwatch.stack": "fw", "fleetwatch.host": "web-1", "fleetwatch.role": spec.role}
    assert "no-new-privileges" in made.security_options
    assert made.read_only or spec.role == "grafana"
    assert bool(made.tmpfs) == made.read_only, "a read-only container has a place for temporary files"
    for mount in made.mounts:
        assert mount.read_only == (mount.type == "bind" or mount.target in spec.reads), mount
    mounted = {mount.source: mount.target for mount in made.mounts}
    assert mounted.get(f"/var/lib/fw/{spec.role}/config") == (spec.config_dir if spec.files else None)
    assert (f"/var/lib/fw/{spec.role}/secrets" in mounted) == bool(spec.secrets)
    volumes = {*spec.volumes, *spec.reads.values()}
    assert {volume for volume in mounted if volume.startswith("fw-")} == {f"fw-{one}" for one in volumes}


@pytest.mark.parametrize("name", SPECS)
def test_every_volume_of_an_image_has_a_mount(name: str) -> None:
    """Docker would make an anonymous volume for it."""
    spec, makers = SPECS[name], {**RECIPES, **ASK_RECIPES}
    if spec.service.image not in makers:
        return
    wanted = {change.removeprefix("VOLUME ") for change in makers[spec.service.image]().changes if "VOLUME" in change}
    assert wanted <= {*(volume.path for volume in spec.volumes.values()), *spec.scratch}


def test_late_fields_are_those_of_late() -> None:
    assert set(get_args(LateField)) == {field.name for field in fields(Late)}


def test_each_image_has_a_pin() -> None:
    assert sorted(services.IMAGE_KEYS) == sorted(images.pins())


def test_services_that_share_an_image_name_one_licence() -> None:
    for module in (*services.HUB, *services.EDGE):
        assert module.SERVICE.licence == services.LICENCES[module.SERVICE.image], module.SERVICE.image


def test_a_container_that_pushes_has_the_role_that_its_service_names() -> None:
    pushing = {spec.role: spec.service.pushing for spec in SPECS.values() if spec.service.pushing}
    assert set(pushing) == {"agent", "promtail", "alloy"}
    assert all(role == found.role for role, found in pushing.items())
    assert {role: found.lost for role, found in pushing.items()} == services.LOST


def test_default_images_leave_out_the_alternatives() -> None:
    assert set(services.IMAGE_KEYS) - set(services.DEFAULT_IMAGES) == {"alloy", "vmagent"}


def test_used_images_are_those_of_the_hosts() -> None:
    small_stack = services.used_images(load(small(), SOURCE))
    assert {"prometheus", "promtail", "caddy"} <= set(small_stack)
    assert not {"alloy", "postgres_exporter", "sql_exporter"} & set(small_stack), "no host uses them"
    assert {"alloy", "promtail", "postgres_exporter"} <= set(services.used_images(FLEET))


def test_services_that_share_limits_exclude_each_other_and_have_equal_ones() -> None:
    for modules in (services.HUB, services.EDGE):
        for module in modules:
            default = services.limit_defaults(modules)[module.SERVICE.limits]
            assert default == (module.SERVICE.memory, module.SERVICE.cpus), module.SERVICE.limits
    assert not [one for one in _contexts() if len({spec.service.limits for spec in _specs(one)} & {"logs"}) != 1]


def test_one_limit_of_a_service_leaves_the_other_at_its_default() -> None:
    settings = load(small(hosts={"hub": {"limits": {"cadvisor": {"memory": "512MB"}}}}), SOURCE)
    assert settings.edges["hub"].limits.of("cadvisor") == (512 * 1024**2, 0.3)
    assert settings.edges["hub"].limits.of("agent") == (256 * 1024**2, 0.5)


def test_only_caddy_is_published() -> None:
    found = {spec.role for spec in SPECS.values() if any(port.address != "nodes" for port in spec.ports)}
    assert found == {"caddy"}
    for_nodes = {spec.role for spec in SPECS.values() if any(port.address == "nodes" for port in spec.ports)}
    assert for_nodes == {"thanos-receive", "thanos-rule", "loki", "alertmanager"}


def test_durable_volumes_are_the_hubs() -> None:
    assert services.durable_volumes(FLEET) == [
        "alertmanager",
        "caddy-config",
        "caddy-data",
        "grafana",
        "loki",
        "prometheus",
    ]
    edges = [spec for name, spec in SPECS.items() if spec.service not in [module.SERVICE for module in services.HUB]]
    assert not [spec.role for spec in edges if any(volume.durable for volume in spec.volumes.values())]


def test_what_a_service_depends_on_is_on_the_same_host() -> None:
    for one in _contexts():
        roles = {spec.role for spec in _specs(one)}
        assert all(set(spec.depends_on) <= roles for spec in _specs(one))


def test_words_of_the_routing_are_those_of_the_settings() -> None:
    assert get_args(Day) == routing.DAYS
    assert get_args(Severity) == routing.SEVERITIES


def test_promtail_is_reloaded_for_its_configuration_alone() -> None:
    """It counts a reload of an unchanged configuration as failed, for which the alert ConfigNotRead fires."""
    spec = next(one for one in SPECS.values() if one.role == "promtail")
    for changed, reloads in ({"promtail.yml": True, "password-1": False, "hub-ca.crt": False}).items():
        script = f'docker() {{ echo "docker $*"; }}; CONTAINER=x; {spec.reload}'
        done = subprocess.run(
            ["sh", "-c", script], env={"pending_files": changed}, capture_output=True, text=True, check=True
        )
        assert bool(done.stdout) == reloads, changed


@pytest.mark.parametrize("name", [name for name, spec in SPECS.items() if spec.files or spec.secrets])
def test_new_files_and_secrets_are_read(name: str) -> None:
    """Prometheus' exporters read their one file at each request."""
    assert SPECS[name].reload or set(SPECS[name].secrets) == {"web.yml"}


@pytest.mark.parametrize("role", ["thanos-receive", "thanos-store", "thanos-compact", "loki"])
def test_a_new_key_of_the_bucket_restarts_what_uses_it(role: str) -> None:
    reload = SPECS[f"cluster hub {role}"].reload
    assert restarts(reload, ["s3"])
    assert role != "thanos-receive" or not restarts(reload, ["hashrings.json"])
