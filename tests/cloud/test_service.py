"""The service itself: token, limits, pages, loopback, what is not covered, and taking up a state again."""

from __future__ import annotations

import ipaddress
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from localcloud.cloud.api import Cloud
from localcloud.cloud.server import BadAddress, Server
from localcloud.cloud.store import InUse, Store
from tests.cloud.rig import KEY, Client, FakeMachines, running
from tests.fixtures.full import ROOT

SIZE = {"size": "s-1vcpu-1gb", "image": "debian-12-x64", "region": "fra1"}


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eDp5"}])
def test_without_the_token_nothing_is_answered(cloud: Client, header: dict[str, str]) -> None:
    answer = httpx.get(f"{cloud.server.url}/v2/account", headers=header, trust_env=False)
    assert (answer.status_code, answer.json()) == (
        401,
        {"id": "unauthorized", "message": "Unable to authenticate you"},
    )
    assert "ratelimit-remaining" in answer.headers


def test_the_token_is_a_file_that_only_its_owner_reads(cloud: Client, tmp_path: Path) -> None:
    assert (tmp_path / "state/token").stat().st_mode & 0o777 == 0o600
    cloud.key()
    assert (tmp_path / "state/state.json").stat().st_mode & 0o777 == 0o600


def test_only_loopback_is_served(tmp_path: Path) -> None:
    store = Store(tmp_path)
    cloud = Cloud("x", store, FakeMachines(), ipaddress.IPv4Network("203.0.113.0/24"))
    with pytest.raises(BadAddress, match=r"listens on 127\.0\.0\.1 only, not on 0\.0\.0\.0"):
        Server(cloud, tmp_path, 0, "0.0.0.0")


def test_the_limit_is_told_and_kept(cloud: Client, tmp_path: Path) -> None:
    assert cloud.http.get("/v2/account").headers["ratelimit-limit"] == "5000"
    (tmp_path / "state/limit").write_text("2 60")
    left = [cloud.http.get("/v2/account") for _ in range(3)]
    assert [answer.status_code for answer in left] == [200, 200, 429]
    assert [answer.headers["ratelimit-remaining"] for answer in left] == ["1", "0", "0"]
    assert left[2].json() == {"id": "too_many_requests", "message": "API rate limit exceeded."}
    assert 1 <= int(left[2].headers["Retry-After"]) <= 61
    assert int(left[2].headers["ratelimit-reset"]) > time.time()
    (tmp_path / "state/limit").unlink()
    cloud.get("/v2/account")


def test_the_limit_is_over_with_its_window(cloud: Client, tmp_path: Path) -> None:
    (tmp_path / "state/limit").write_text("1 1")
    cloud.get("/v2/account")
    refused = cloud.http.get("/v2/account")
    assert refused.status_code == 429
    time.sleep(int(refused.headers["Retry-After"]))
    cloud.get("/v2/account")


def test_lists_come_in_pages(cloud: Client) -> None:
    for number in range(5):
        cloud.post("/v2/tags", {"name": f"t{number}"})
    whole = cloud.get("/v2/tags")
    assert (len(whole["tags"]), whole["links"], whole["meta"]) == (5, {}, {"total": 5})
    seen, url = [], "/v2/tags?per_page=2"
    while url:
        page = cloud.get(url)
        seen += [tag["name"] for tag in page["tags"]]
        assert page["meta"] == {"total": 5}
        url = page["links"]["pages"].get("next", "")
    assert seen == [f"t{number}" for number in range(5)]
    assert set(page["links"]["pages"]) == {"first", "prev"}, "clients take a missing `last` for the end"
    assert cloud.get("/v2/tags?page=9")["tags"] == []
    cloud.get("/v2/tags?page=0", code=400)


def test_what_is_not_covered_is_said_aloud(cloud: Client, capfd: pytest.CaptureFixture[str]) -> None:
    answer = cloud.get("/v2/kubernetes/clusters?page=1", code=404)
    assert answer == {"id": "not_found", "message": "The resource you were accessing could not be found."}
    assert "route not covered by the rehearsal cloud: GET /v2/kubernetes/clusters" in capfd.readouterr().err
    cloud.get("/v2/droplets/1", code=404)
    assert "not covered" not in capfd.readouterr().err, "a thing that is missing is not a route that is missing"


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff"])
def test_a_body_that_is_no_object_is_refused(cloud: Client, content: bytes) -> None:
    answer = cloud.http.post("/v2/tags", content=content)
    assert (answer.status_code, answer.json()["id"]) == (400, "bad_request")


def test_machines_that_fail_while_a_client_waits_leave_nothing(cloud: Client, machines: FakeMachines) -> None:
    machines.fail = {"create_vpc": "no such range", "create_volume": "no loop devices"}
    answer = cloud.post("/v2/vpcs", {"name": "one", "region": "fra1", "ip_range": "10.1.0.0/20"}, code=500)
    assert answer["id"] == "server_error"
    assert "no such range" in answer["message"]
    cloud.post("/v2/volumes", {"name": "v", "region": "fra1", "size_gigabytes": 1}, code=500)
    assert cloud.get("/v2/vpcs")["meta"]["total"] == cloud.get("/v2/volumes")["meta"]["total"] == 0
    machines.fail = {}
    cloud.vpc()


def test_everything_is_there_after_a_restart(tmp_path: Path, machines: FakeMachines) -> None:
    def everything(cloud: Client) -> list[str]:
        paths = (
            "account/keys",
            "vpcs",
            "tags",
            "droplets",
            "volumes",
            "reserved_ips",
            "firewalls",
            "domains",
            "projects",
        )
        found = [json.dumps(cloud.get(f"/v2/{path}")) for path in (*paths, "actions")]
        return [text.replace(cloud.server.url, "") for text in found]

    with running(tmp_path, machines) as cloud:
        cloud.key()
        droplet = cloud.droplet(vpc_uuid=cloud.vpc()["id"], tags=["web"])
        rule = {"protocol": "tcp", "ports": "22", "sources": {"tags": ["web"]}}
        cloud.post("/v2/firewalls", {"name": "fw", "tags": ["web"], "inbound_rules": [rule]})
        cloud.post("/v2/reserved_ips", {"droplet_id": droplet["id"]})
        cloud.settle(droplet["id"])
        cloud.post("/v2/domains", {"name": "example.com"})
        before, token = everything(cloud), cloud.server.token
    machines.calls.clear()
    with running(tmp_path, machines) as cloud:
        assert everything(cloud) == before
        assert cloud.server.token == token
        assert [name for name, *_ in machines.calls] == ["firewall"], "rules are set again, nothing else is touched"
        assert cloud.droplet("web-2")["id"] == droplet["id"] + 1, "no id is given twice"


def test_an_action_that_was_in_progress_is_finished_by_the_next_service(tmp_path: Path) -> None:
    first = FakeMachines()
    first.hold = {"create_droplet"}
    with running(tmp_path, first) as cloud:
        made = cloud.post("/v2/droplets", {"name": "web-1", **SIZE})["droplet"]
        assert (made["status"], made["networks"]["v4"]) == ("new", [])
    second = FakeMachines()
    # As Docker says while a child of the killed service is still filling the disk.
    second.fail = {"delete_droplet": "volume is in use"}
    with running(tmp_path, second) as cloud:
        while not second.of("delete_droplet"):
            time.sleep(0.01)
        second.fail = {}
        cloud.settle(made["id"])
        assert cloud.get(f"/v2/droplets/{made['id']}")["droplet"]["status"] == "active"
        names = [name for name, *_ in second.calls]
        assert names.index("delete_droplet") < names.index("create_droplet"), "what was half made is cleared first"
    first.hold = set()  # its thread, which a real end would have taken along


def test_half_made_networks_and_volumes_are_cleared_by_the_next_service(tmp_path: Path) -> None:
    with running(tmp_path, FakeMachines()) as cloud:
        vpc = cloud.vpc()
        volume = cloud.post("/v2/volumes", {"name": "v", "region": "fra1", "size_gigabytes": 1})["volume"]
    state = json.loads((tmp_path / "state.json").read_text())
    state["vpcs"][vpc["id"]]["making"] = state["volumes"][volume["id"]]["making"] = True
    (tmp_path / "state.json").write_text(json.dumps(state))
    machines = FakeMachines()
    with running(tmp_path, machines) as cloud:
        assert machines.calls == [("delete_vpc", vpc["id"]), ("delete_volume", volume["id"])]
        assert cloud.get("/v2/vpcs")["vpcs"] == cloud.get("/v2/volumes")["volumes"] == []


def test_droplets_that_stopped_with_their_machine_are_started_again(tmp_path: Path, machines: FakeMachines) -> None:
    with running(tmp_path, machines) as cloud:
        on, off = cloud.droplet("on")["id"], cloud.droplet("off")["id"]
        cloud.act(off, "power_off")
    machines.up.clear()
    with running(tmp_path, machines) as cloud:
        cloud.settle(on)
        states = {d["name"]: d["status"] for d in cloud.get("/v2/droplets")["droplets"]}
        assert states == {"on": "active", "off": "off"}
        assert machines.up == {on}


def test_one_state_has_one_service(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(InUse, match="another rehearsal cloud is running on this state"):
        Store(tmp_path)
    store.close()
    Store(tmp_path).close()


def _start(*options: str) -> subprocess.Popen[str]:
    argv = [sys.executable, "-m", "localcloud.cloud", "--image", "none", *options]
    return subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ)


def test_the_program_says_where_it_is_and_ends_when_asked(tmp_path: Path) -> None:
    with _start("--name", "t", "--port", "0", "--state", str(tmp_path / "s")) as process:
        try:
            assert process.stdout
            line = process.stdout.readline()
            assert line.startswith("Rehearsal cloud t (stand-in for the DigitalOcean API v2): http://127.0.0.1:")
            token = (tmp_path / "s/token").read_text().strip()
            assert token not in line
            answer = httpx.post(
                f"{line.split()[-1]}/v2/account/keys",
                headers={"Authorization": f"Bearer {token}"},
                json={"name": "k", "public_key": KEY},
                trust_env=False,
            )
            assert answer.status_code == 201
        finally:
            process.terminate()
        assert process.wait(10) == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--address", "0.0.0.0"), "listens on 127.0.0.1 only"),
        (("--internet", "203.0.113.0/28"), "--internet: expected a /24"),
    ],
)
def test_the_program_refuses_in_one_sentence(tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    with _start("--name", "t", "--port", "0", "--state", str(tmp_path), *options) as process:
        _, error = process.communicate(timeout=20)
        assert process.returncode == 2
        assert said in error
        assert "Traceback (most recent" not in error
