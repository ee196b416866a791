"""A Prometheus and a Loki with the seeded fleet, as processes on loopback. Nothing outlives the block.

The blocks are made by promtool once for each content of seed.py and kept in the cache.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from tests.ask import seed, seed_logs
from tools import gobuild
from tools.net import free_port, without_proxy
from tools.paths import cache_dir

_OPENER = without_proxy()
UNUSED = 7 * 86400  # seconds; older blocks are removed from the cache
LOKI = """
auth_enabled: false
analytics: {reporting_enabled: false}
server: {http_listen_address: 127.0.0.1, http_listen_port: %(port)d, grpc_listen_address: 127.0.0.1,
         grpc_listen_port: %(grpc)d, log_level: error}
common:
  path_prefix: %(folder)s
  replication_factor: 1
  instance_addr: 127.0.0.1
  ring: {instance_addr: 127.0.0.1, kvstore: {store: inmemory}}
  storage: {filesystem: {chunks_directory: %(folder)s/chunks, rules_directory: %(folder)s/rules}}
schema_config:
  configs: [{from: 2024-01-01, store: tsdb, object_store: filesystem, schema: v13, index: {prefix: i_, period: 24h}}]
limits_config: {reject_old_samples: false, allow_structured_metadata: true, max_query_length: 0, volume_enabled: true,
                discover_service_name: [], discover_log_levels: false, ingestion_rate_mb: 50,
                ingestion_burst_size_mb: 100}
ingester: {wal: {enabled: false}, lifecycler: {min_ready_duration: 1s}, max_chunk_age: 87600h,
           chunk_idle_period: 87600h}
querier: {query_ingesters_within: 0s}
frontend: {address: 127.0.0.1, encoding: protobuf}
"""


def blocks() -> Path:
    """The folder with the TSDB blocks of the seed."""
    key = hashlib.sha256(Path(seed.__file__).read_bytes()).hexdigest()[:12]
    place = cache_dir("ask-seed") / key
    if place.is_dir():
        os.utime(place)
        return place
    remove_unused(place.parent)
    with tempfile.TemporaryDirectory(dir=place.parent) as beside:
        text, made = Path(beside) / "fleet.om", Path(beside) / "blocks"
        with text.open("w") as out:
            seed.write(out)
        command = [str(gobuild.program("promtool")), "tsdb", "create-blocks-from", "openmetrics", "-q"]
        command += ["--max-block-duration=24h", str(text), str(made)]
        subprocess.run(command, check=True, capture_output=True, timeout=600)
        os.rename(made, place)
    return place


def remove_unused(folder: Path) -> None:
    """Remove the blocks that no checkout has used for UNUSED seconds: each has those of its own seed."""
    for old in folder.iterdir():
        if time.time() - old.stat().st_mtime > UNUSED:
            shutil.rmtree(old, ignore_errors=True)


def _answers(url: str) -> bool:
    try:
        with _OPENER.open(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


@contextlib.contextmanager
def _process(argv: list[str], ready: str, log: Path) -> Iterator[None]:
    with log.open("w") as out:
        running = subprocess.Popen(argv, stdout=out, stderr=out, start_new_session=True)
    try:
        deadline = time.monotonic() + 90
        while not _answers(ready):
            if running.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{argv[0]} is not ready: {log.read_text()[-2000:]}")
            time.sleep(0.3)
        yield
    finally:
        if running.poll() is None:
            os.kill(running.pid, signal.SIGKILL)
        running.wait(timeout=30)


@contextlib.contextmanager
def prometheus(folder: Path, *flags: str) -> Iterator[str]:
    """The address of a Prometheus with the seed, started with more `flags`."""
    data = folder / "prometheus"
    shutil.copytree(blocks(), data, copy_function=os.link)
    (folder / "prometheus.yml").write_text("global: {}\n")
    port = free_port()
    argv = [str(gobuild.program("prometheus")), f"--config.file={folder}/prometheus.yml"]
    argv += [f"--storage.tsdb.path={data}", f"--web.listen-address=127.0.0.1:{port}"]
    argv += ["--storage.tsdb.retention.time=100y", "--log.level=error", "--query.max-samples=20000000", *flags]
    with _process(argv, f"http://127.0.0.1:{port}/-/ready", folder / "prometheus.log"):
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def loki(folder: Path) -> Iterator[str]:
    """The address of a Loki with the seed's lines."""
    port, grpc = free_port(), free_port()
    config = folder / "loki.yml"
    config.write_text(LOKI % {"port": port, "grpc": grpc, "folder": folder / "loki"})
    argv = [str(gobuild.program("loki")), f"-config.file={config}"]
    base = f"http://127.0.0.1:{port}"
    with _process(argv, f"{base}/ready", folder / "loki.log"):
        sent = 0
        for batch in seed_logs.batches():
            sent += sum(len(one["values"]) for one in batch)
            body = json.dumps({"streams": batch}).encode()
            request = urllib.request.Request(f"{base}/loki/api/v1/push", body, {"Content-Type": "application/json"})
            with _OPENER.open(request, timeout=30):
                pass
        if (found := _lines(base)) != sent:  # empty answers would equal empty references
            raise RuntimeError(f"Loki has {found} of {sent} log lines: expected all, see its limits in LOKI")
        yield base


def _lines(base: str) -> int:
    """How many log lines of the seed a query finds."""
    query = urllib.parse.urlencode({"query": f'sum(count_over_time({{env="{seed.ENV}"}}[25h]))', "time": seed.AT})
    with _OPENER.open(f"{base}/loki/api/v1/query?{query}", timeout=30) as answer:
        found = json.load(answer)["data"]["result"]
    return int(found[0]["value"][1]) if found else 0


@contextlib.contextmanager
def fleet() -> Iterator[tuple[str, str]]:
    """The addresses of both."""
    with tempfile.TemporaryDirectory(dir=cache_dir("ask-runs")) as name:
        folder = Path(name)
        with prometheus(folder) as metrics, loki(folder) as logs:
            yield metrics, logs
