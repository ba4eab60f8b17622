import contextlib
import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread

import pytest

from edge.clock import Stop, boot_id
from edge.config import Config, load_config
from edge.errors import ConfigError, InputError
from edge.exporters.box_state import BoxState, StateReader
from edge.exporters.counted_journal import CountedJournal
from edge.exporters.metrics_server import MetricsServer
from edge.exporters.packml import State
from edge.exporters.prometheus import render
from edge.exporters.prometheus_exporter import PrometheusExporter, serve_prometheus
from edge.exporters.state_file import StateFile
from edge.exporters.totals import Totals
from edge.record.status import StatusFile
from tests.disk import item, journal
from tests.edge.exporters.journals import START, write_items
from tests.edge.exporters.test_totals import totals_of
from tests.programs import Program, eventually

STATUS = {
    "state": "running",
    "trouble": "",
    "version": "0.1.0",
    "settings_sha256": "5" * 64,
    "model": {"file": "m.onnx", "sha256": "a" * 64, "run_digest": "d"},
    "counters": {"triggers": 9},
    "gate": {"run": "r", "trouble": "", "thrown": 4},
    "queue_depth": 2,
    "p99_ms": 41.0,
    "health": {
        "temperature_c": 51.5, "undervoltage": False, "rss_mb": 100.0, "open_files": 20,
        "journal": {"waiting_lines": 0}, "evidence": {"pictures": 3, "mb": 1.5},
    },
}  # fmt: skip


def values(text: str) -> dict[str, float]:
    """Return the samples of a page by name and labels."""
    lines = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in lines}


def write_status(path: Path, **changes: object) -> None:
    """Write the status file as a service that runs in this process does."""
    StatusFile(path).write({"boot_id": boot_id(), **STATUS, **changes})


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """A settings file with an endpoint on a free port, and a journal of 20 items."""
    path = tmp_path / "edge.toml"
    path.write_text(
        '[journal]\nfile = "journal.jsonl"\nstatus = "status.json"\n'
        f'[prometheus]\nlisten = "127.0.0.1:{free_port()}"\ntextfile = "box.prom"\n'
        'state = "state.json"\n'
    )
    write_items(tmp_path / "journal.jsonl", 20)
    return path


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def exporting(config: Config) -> Iterator[None]:
    """Run the exporter beside the test."""
    stop = Stop()
    thread = Thread(target=serve_prometheus, args=(config, stop))
    thread.start()
    try:
        yield
    finally:
        stop.request("the test is over")
        thread.join()
        stop.close()


def page(config: Config) -> str:
    """Wait until the page is there, and return it."""

    def ask() -> str:
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(f"http://{config.prometheus.listen}/metrics") as answer,
        ):
            return str(answer.read().decode())
        return ""

    return eventually(ask)


def test_a_scrape_gives_the_counts_of_the_journal_and_the_state_of_the_box(settings: Path) -> None:
    """Over HTTP, from the settings file to the page."""
    write_status(settings.parent / "status.json")
    config = load_config(settings)
    with exporting(config):
        found = values(page(config))
        assert found['stampgate_items_total{verdict="pass"}'] == 7
        assert found['stampgate_items_total{verdict="reject"}'] == 7
        assert found['stampgate_reasons_total{verdict="fault",code="fault"}'] == 6
        assert found["stampgate_decision_seconds_count"] == 20
        assert found['stampgate_decision_seconds_bucket{le="0.02"}'] == 11
        assert found["stampgate_temperature_celsius"] == 51.5
        assert found["stampgate_resident_memory_bytes"] == 1e8
        assert found['stampgate_gate_events_total{event="thrown"}'] == 4
        assert found["stampgate_running"] == 1
        written = settings.parent / "box.prom"
        text = eventually(lambda: written.exists() and written.read_text())
        assert 'stampgate_model_info{file="m.onnx",sha256="' + "a" * 64 in text
    assert StateFile(settings.parent / "state.json").load().totals.items == 20


def test_the_page_is_what_prometheus_asks_for(settings: Path) -> None:
    """By its own linter, promtool; every metric has a help text and a unit in its name."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed; apt install prometheus")
    write_status(settings.parent / "status.json", gate={"trouble": 'the "bin" \\ is\nfull'})
    status = StateReader(settings.parent / "status.json", settings.parent / "journal.jsonl")
    totals = totals_of(settings.parent / "journal.jsonl")
    text = render(totals, status.read(totals))
    done = subprocess.run(
        [promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_real_prometheus_scrapes_the_box(settings: Path, tmp_path: Path) -> None:
    """It is asked by its own interface what it has stored."""
    prometheus = shutil.which("prometheus")
    if prometheus is None:
        pytest.skip("prometheus is not installed; apt install prometheus")
    config, port = load_config(settings), free_port()
    (tmp_path / "prometheus.yml").write_text(
        "global: {scrape_interval: 100ms, scrape_timeout: 100ms}\n"
        "scrape_configs:\n- job_name: box\n  static_configs:\n"
        f'  - targets: ["{config.prometheus.listen}"]\n'
    )
    command = [
        prometheus, f"--config.file={tmp_path}/prometheus.yml",
        f"--storage.tsdb.path={tmp_path}/db", f"--web.listen-address=127.0.0.1:{port}",
    ]  # fmt: skip

    def stored() -> str:
        url = f"http://127.0.0.1:{port}/api/v1/query?query=sum(stampgate_items_total)"
        with contextlib.suppress(OSError), urllib.request.urlopen(url) as answer:
            result = json.load(answer)["data"]["result"]
            return str(result[0]["value"][1]) if result else ""
        return ""

    with exporting(config), Program(*command) as program:
        program.until(stored)
        assert stored() == "20"


def test_until_the_journal_is_read_there_is_no_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A counter that climbs from 0 while old records are read would look like a busy day."""
    monkeypatch.setattr("edge.exporters.counted_journal.BATCH", 4)
    path = tmp_path / "journal.jsonl"
    write_items(path, 20)
    with (
        MetricsServer("127.0.0.1", 0) as server,
        CountedJournal(path, StateFile(None)) as counted,
    ):
        exporter = PrometheusExporter(counted, StateReader(None, path), server, None, 15.0)
        steps = 0
        while not server.text:
            assert asked(server, "/metrics")[0] == 503
            assert "bytes of the journal to read" in exporter.said()
            exporter.step()
            steps += 1
        assert steps == 6
        status, body = asked(server, "/metrics")
        assert (status, values(body)["stampgate_journal_records_total"]) == (200, 22)
        assert exporter.said() == "20 items, all read"


def asked(server: MetricsServer, path: str, method: str = "GET") -> tuple[int, str]:
    """Ask the server for a path."""
    connection = HTTPConnection("127.0.0.1", server.server_port)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_nothing_but_the_page_is_served() -> None:
    """No other path, and no other method."""
    with MetricsServer("127.0.0.1", 0) as server:
        server.text = "stampgate_running 1\n"
        assert asked(server, "/metrics?x=1") == (200, server.text)
        assert [asked(server, path)[0] for path in ("/", "/../etc/passwd")] == [404] * 2
        assert [asked(server, "/metrics", m)[0] for m in ("POST", "PUT", "DELETE")] == [501] * 3


def test_readers_that_say_nothing_keep_no_other_reader_out_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """There are only so many at a time, and each has so much time."""
    monkeypatch.setattr("edge.exporters.metrics_server._Handler.timeout", 0.05)
    with MetricsServer("127.0.0.1", 0) as server:
        server.text = "x 1\n"
        silent = [socket.create_connection(("127.0.0.1", server.server_port)) for _ in range(20)]

        def answered() -> bool:
            with contextlib.suppress(OSError):
                return asked(server, "/metrics") == (200, "x 1\n")
            return False

        assert eventually(answered)
        for connection in silent:
            connection.close()


@pytest.mark.parametrize(
    ("status", "runs", "state", "ready"),
    [
        ({}, True, State.EXECUTE, True),
        ({"gate": {"trouble": "the lens is covered"}}, True, State.ABORTED, False),
        ({"gate": {"trouble": "the bin is full; empty it"}}, True, State.HELD, False),
        ({"challenge": {"hold": "a challenge test is due"}}, True, State.HELD, False),
        ({"gate": {}, "trouble": "frozen picture"}, True, State.ABORTED, False),
        ({"gate": {"trouble": ""}, "trouble": "latency: told alone"}, True, State.EXECUTE, True),
        ({"state": "stopped", "boot_id": "another"}, False, State.STOPPED, False),
        ({"boot_id": "another"}, True, State.ABORTED, False),
        ({"written_ns": 0}, True, State.ABORTED, False),
    ],
)  # fmt: skip
def test_the_state_is_told_by_the_names_of_packml(
    tmp_path: Path, status: dict[str, object], runs: bool, state: State, ready: bool
) -> None:
    """Whoever reads only the state knows whether the belt may run."""
    path = tmp_path / "status.json"
    write_status(path, **status)
    last = {"boot_id": boot_id(), "monotonic_ns": time.monotonic_ns(), "sequence": 1}
    found = StateReader(path, tmp_path / "journal.jsonl").read(Totals(runs=runs, last=last))
    assert (found.state, found.ready) == (state, ready)


def test_a_box_without_items_is_idle_and_one_without_a_status_is_known_by_its_journal(
    tmp_path: Path,
) -> None:
    """The journal says whether the last run ended well."""
    path, journal_path = tmp_path / "status.json", tmp_path / "journal.jsonl"
    reader = StateReader(path, journal_path)
    assert reader.read(Totals()).state is State.STOPPED
    assert reader.read(Totals(runs=True)).state is State.ABORTED
    write_status(path)
    assert reader.read(Totals(runs=True)).state is State.IDLE


def test_alarms_sound_and_end(tmp_path: Path) -> None:
    """Each known alarm is there as 0, so that a query on it works before it ever sounded."""
    path = tmp_path / "journal.jsonl"
    with journal(path) as written:
        written.append("start", START)
        written.append("item", item())
        written.append("note", {"code": "disk", "alarm": "begun"})
    found = values(render(totals_of(path), BoxState(State.IDLE)))
    assert found['stampgate_alarm_active{code="disk"}'] == 1
    assert found['stampgate_alarm_active{code="latency"}'] == 0
    assert found['stampgate_alarms_total{code="disk"}'] == 1
    assert found['stampgate_state{state="Idle"}'] == 1
    assert found['stampgate_state{state="Execute"}'] == 0
    assert found["stampgate_last_item_timestamp_seconds"] == 1767355200


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("127.0.0.1:", "127.0.0.1"), "[prometheus] listen must be an address and a port"),
        (("127.0.0.1:", "127.0.0.1:9"), "must be an address and a port"),
        (('textfile = "box.prom"', 'textfile = "box.txt"'), "must end with .prom"),
    ],
)
def test_settings_that_cannot_be_are_refused_in_one_line(
    settings: Path, change: tuple[str, str], said: str
) -> None:
    """Exit status 78: systemd does not start it again."""
    text = settings.read_text().replace(*change)
    settings.write_text(text if change[1] != "127.0.0.1:9" else text.replace(":9", ":99999", 1))
    with pytest.raises(ConfigError) as caught:
        serve_prometheus(load_config(settings))
    assert said in str(caught.value)


def test_an_exporter_without_a_place_to_tell_says_which_setting_is_missing(tmp_path: Path) -> None:
    """As it is installed, it is off."""
    (tmp_path / "edge.toml").write_text("")
    with pytest.raises(ConfigError, match=r"\[prometheus\] listen or textfile must say where"):
        serve_prometheus(load_config(tmp_path / "edge.toml"))


def test_a_port_that_is_taken_is_told(settings: Path) -> None:
    """The next step is to name another."""
    with MetricsServer("127.0.0.1", 0) as server:
        text = settings.read_text()
        begin = text.index("127.0.0.1:")
        end = text.index('"', begin)
        settings.write_text(f"{text[:begin]}127.0.0.1:{server.server_port}{text[end:]}")
        with pytest.raises(InputError, match="cannot be listened on"):
            serve_prometheus(load_config(settings))


def test_a_textfile_that_cannot_be_written_is_told_once_and_the_page_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A disk that is full must not end it."""
    path = tmp_path / "journal.jsonl"
    write_items(path, 3)
    with (
        MetricsServer("127.0.0.1", 0) as server,
        CountedJournal(path, StateFile(None)) as counted,
    ):
        missing = tmp_path / "missing" / "box.prom"
        exporter = PrometheusExporter(counted, StateReader(None, path), server, missing, 0.0)
        for _ in range(3):
            exporter.step()
        assert values(server.text)["stampgate_starts_total"] == 1
    assert capsys.readouterr().err.count("\n") == 1
