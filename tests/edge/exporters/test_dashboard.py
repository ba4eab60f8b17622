"""docs/grafana/stampgate.json and the queries of docs/integration.md ask for what is there."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from edge.exporters.box_state import StateReader
from edge.exporters.prometheus import render
from tests.edge.exporters.journals import write_items
from tests.edge.exporters.test_prometheus import write_status
from tests.edge.exporters.test_totals import totals_of
from tests.paths import ROOT

DASHBOARD = ROOT / "docs" / "grafana" / "stampgate.json"
PAGE = (ROOT / "docs" / "integration.md").read_text()


def panels() -> list[dict[str, Any]]:
    """Return the panels of the dashboard."""
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return found


def queries() -> list[str]:
    """Return every query of the dashboard and of the page."""
    shown = re.findall(r"^    ((?:stampgate_|increase|rate).*)$", PAGE, re.MULTILINE)
    assert len(shown) == 3
    return [target["expr"] for panel in panels() for target in panel["targets"]] + shown


@pytest.fixture
def served(tmp_path: Path) -> str:
    """A page as a box serves it."""
    write_items(tmp_path / "journal.jsonl", 3)
    write_status(tmp_path / "status.json", service="packing 2", mode="run", worst_ms=50.0)
    totals = totals_of(tmp_path / "journal.jsonl")
    state = StateReader(tmp_path / "status.json", tmp_path / "journal.jsonl").read(totals)
    return render(totals, state)


def test_the_dashboard_is_one_that_grafana_imports() -> None:
    """Each panel has a place of its own, a title and a query; the data source is asked for."""
    board = json.loads(DASHBOARD.read_text())
    assert {"uid", "title", "schemaVersion", "templating", "panels"} <= set(board)
    assert [variable["name"] for variable in board["templating"]["list"]] == [
        "datasource",
        "instance",
    ]
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        at = panel["gridPos"]
        place = {(at["x"] + i, at["y"] + j) for i in range(at["w"]) for j in range(at["h"])}
        assert not taken & place
        assert max(x for x, _ in place) < 24
        taken |= place
        assert panel["title"]
        assert panel["targets"]
    assert len({panel["id"] for panel in panels()}) == len(panels())


def test_every_query_asks_for_metrics_that_are_served(served: str) -> None:
    """A metric that is renamed would leave an empty panel."""
    there = set(re.findall(r"^(stampgate_\w+)", served, re.MULTILINE))
    asked = {name for query in queries() for name in re.findall(r"stampgate_\w+", query)}
    assert len(asked) > 8
    assert asked <= there


def test_every_metric_that_is_served_is_explained(served: str) -> None:
    """By its name in the page's table, without the prefix."""
    names = re.findall(r"^# TYPE stampgate_(\w+)", served, re.MULTILINE)
    assert len(names) > 30
    assert [name for name in names if not re.search(rf"`{name}[`{{]", PAGE)] == []


def test_prometheus_understands_every_query(tmp_path: Path) -> None:
    """By its own checker, as rules."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed; apt install prometheus")
    rules = [
        {"record": f"test:{n}", "expr": query.replace("$instance", ".*")}
        for n, query in enumerate(queries())
    ]
    path = tmp_path / "rules.yml"
    path.write_text(json.dumps({"groups": [{"name": "test", "rules": rules}]}))  # YAML holds JSON
    done = subprocess.run(
        [promtool, "check", "rules", path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
