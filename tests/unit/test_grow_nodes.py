"""The script that looks for blocks on a node, and the Loki that reads the bucket alone."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import yaml

from configs.settings import load
from tests.fixtures.fleets import CLUSTER, HUB, fleet
from tools import hub_node, lines_reader


def test_the_reader_of_lines_has_nothing_that_writes() -> None:
    settings = load(fleet({**HUB, "storage": {"kind": "bucket", "bucket": CLUSTER["bucket"]}}), "test")
    made = yaml.safe_load(lines_reader.config(settings, {}))
    assert not {"compactor", "ruler"} & set(made)
    assert made["common"]["storage"]["s3"]["bucketnames"] == "acme"
    assert lines_reader.FLAGS[0] == "-target=querier"


def test_what_is_not_in_the_list_of_uploads_is_found(tmp_path: Path) -> None:

    names = ["01M8M91B4GPSSFMXR128A7WMBB", "01M8M91B4GPSSFMXR128A7WMCC", "01M8M91B4GPSSFMXR128A7WMDD"]
    for name in names:
        (tmp_path / "default-tenant" / name).mkdir(parents=True)
    for name in names[:2]:
        (tmp_path / "default-tenant" / name / "meta.json").write_text("{}")
    (tmp_path / "default-tenant/thanos.shipper.json").write_text(json.dumps({"uploaded": names[:1]}))
    script = hub_node.LEFT.replace(hub_node.TENANTS, str(tmp_path))
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.split() == names[1:2], "a block without meta.json is not complete"
