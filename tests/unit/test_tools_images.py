"""The offline images: what goes into the tar and what makes an image new. Needs neither Docker nor the network."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tools import droplet_recipe, images, net
from tools.ask_recipes import ASK_RECIPES
from tools.assemble import RECIPE_LABEL
from tools.builds import BUILDS
from tools.debs import in_usr
from tools.errors import ToolError
from tools.images_for_tests import TEST_RECIPES
from tools.paths import CHECKOUT
from tools.recipes import RECIPES
from tools.rootfs import RootFs


def _tar(fill: Callable[[RootFs], object]) -> dict[str, tarfile.TarInfo]:
    out = io.BytesIO()
    root = RootFs(out)
    fill(root)
    root.close()
    out.seek(0)
    return {member.name: member for member in tarfile.open(fileobj=out).getmembers()}


def test_owners_and_modes_do_not_depend_on_who_runs_it(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"x")
    program.chmod(0o600)

    def fill(root: RootFs) -> None:
        root.dir("loki/rules", 10001, 0o750)
        root.file("usr/bin/loki", program)

    entries = _tar(fill)
    assert (entries["loki/rules"].uid, entries["loki/rules"].mode) == (10001, 0o750)
    assert (entries["usr/bin/loki"].uid, entries["usr/bin/loki"].mode) == (0, 0o755)
    assert entries["usr/bin"].isdir(), "a parent is made on the way"


def test_the_first_entry_for_a_path_wins() -> None:
    def fill(root: RootFs) -> None:
        root.text("etc/passwd", "ours")
        root.text("etc/passwd", "the package's, longer")

    assert _tar(fill)["etc/passwd"].size == len("ours")


def test_a_program_that_binds_low_ports_carries_the_capability(tmp_path: Path) -> None:
    program = tmp_path / "caddy"
    program.write_bytes(b"x")
    entry = _tar(lambda root: root.file("usr/bin/caddy", program, capability=True))["usr/bin/caddy"]
    assert "SCHILY.xattr.security.capability" in entry.pax_headers


@pytest.mark.parametrize(
    ("name", "place"), [("bin/sh", "usr/bin/sh"), ("lib64/ld.so", "usr/lib64/ld.so"), ("etc/hosts", "etc/hosts")]
)
def test_old_places_are_led_into_usr(name: str, place: str) -> None:
    assert in_usr(name) == place


@pytest.mark.parametrize("key", sorted({**RECIPES, **ASK_RECIPES, **TEST_RECIPES}))
def test_every_recipe_has_a_stable_key_and_a_name_of_our_own(key: str) -> None:
    make = {**RECIPES, **ASK_RECIPES, **TEST_RECIPES}[key]
    assert make().key() == make().key()
    assert make().ref.startswith("fleetwatch.local/"), "the vendor's name would hide the vendor's image later"
    assert '"' not in make().differs, "it becomes a quoted label"
    assert set(make().programs.values()) <= set(BUILDS)


def test_stand_ins_say_so_in_their_names_and_in_the_table() -> None:
    assert RECIPES["grafana"]().tag.startswith("grafana-stand-in:")
    assert RECIPES["sql_exporter"]().tag.startswith("sql-exporter-stand-in:")
    assert set(images.STAND_INS) == {"grafana", "sql_exporter"}
    assert all(kind.startswith("stand-in, not ") for kind in images.STAND_INS.values())


def test_rehearsal_has_the_engine_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    for engine, key in (("", "droplet"), ("28", "droplet-28"), ("28-containerd", "droplet-28-containerd")):
        monkeypatch.setenv(droplet_recipe.ENGINE, engine)
        assert droplet_recipe.droplet_key() == key
    monkeypatch.setenv(droplet_recipe.ENGINE, "27")
    with pytest.raises(ToolError, match="FLEETWATCH_REHEARSAL_ENGINE: expected 28, 28-containerd, or nothing"):
        droplet_recipe.droplet_key()


def test_loki_has_no_shell_like_the_vendors() -> None:
    recipe = RECIPES["loki"]()
    assert not recipe.busybox
    assert not recipe.packages


def test_an_unknown_image_key_names_the_known_ones() -> None:
    with pytest.raises(ToolError, match="No image is known as nonsense; expected some of: caddy"):
        images.get(["nonsense"])


def test_an_image_without_an_offline_build_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "pins", lambda: {"pond_exporter": "registry.example.com/pond_exporter:1.0.3"})
    monkeypatch.setattr(images, "_labels", lambda _refs: {})
    monkeypatch.setattr(net, "reachable", lambda _url: False)
    expected = (
        r"registry\.example\.com/pond_exporter:1\.0\.3 for pond_exporter cannot be pulled here and has no offline build"
    )
    with pytest.raises(ToolError, match=expected):
        images.get(["pond_exporter"])


@pytest.mark.parametrize(("reachable", "fails"), [(True, False), (True, True), (False, False)])
def test_assistants_image_is_built_from_its_dockerfile_where_the_base_can_be_pulled(
    monkeypatch: pytest.MonkeyPatch, reachable: bool, fails: bool
) -> None:
    ran: list[list[str]] = []
    assembled: list[str] = []

    def run(argv: list[str], *, what: str, cwd: Path, env: Mapping[str, str]) -> None:
        assert (what, cwd, env["DOCKER_BUILDKIT"]) == ("docker build of ask", CHECKOUT, "1")
        ran.append(argv)
        if fails:
            raise ToolError("no network")

    monkeypatch.setattr(images, "run", run)
    monkeypatch.setattr(images, "_labels", lambda _refs: {})
    monkeypatch.setattr(images, "assemble", lambda recipe: assembled.append(recipe.ref))
    monkeypatch.setattr(net, "reachable", lambda url: reachable and "docker" in url)
    (made,) = images.get(["ask"])
    recipe = ASK_RECIPES["ask"]()
    assert made.ref == recipe.ref
    assert bool(ran) == reachable
    assert all(f"{RECIPE_LABEL}={recipe.key()}" in argv and recipe.ref in argv for argv in ran)
    assert assembled == ([] if reachable and not fails else [recipe.ref])


def test_offline_can_be_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEETWATCH_OFFLINE", "1")
    net.reachable.cache_clear()
    assert not net.reachable("http://127.0.0.1:9/")
    net.reachable.cache_clear()
