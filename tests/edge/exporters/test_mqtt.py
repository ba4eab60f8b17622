import contextlib
import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import paho.mqtt.client as paho
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from paho.mqtt.enums import CallbackAPIVersion

from edge.clock import Stop
from edge.config import load_config
from edge.errors import ConfigError
from edge.exporters.box_state import StateReader
from edge.exporters.mqtt_exporter import MqttExporter, serve_mqtt
from edge.exporters.mqtt_link import Message, MqttLink
from edge.exporters.sparkplug import Metric, Topics, asks_for_rebirth, payload
from edge.exporters.sparkplug_metrics import COUNTS, INCIDENT, ITEM, NODE, moment_ms
from edge.exporters.state_file import StateFile
from edge.record.times import Now
from edge.record.verify import read_records
from edge.sections.exporters import MqttSettings
from tests.disk import item, journal
from tests.edge.exporters.journals import START, read_all, write_items
from tests.edge.exporters.sparkplug_reader import PAYLOAD, Read, command, read
from tests.edge.exporters.test_prometheus import free_port, write_status
from tests.programs import PATIENCE_S, Program, eventually

TOPICS = Topics("plant", "box", "line")
ITEMS_KIND = "DDATA"


class Broker:
    """Stands in for a broker, and for the link to it: everything that is published is kept.

    *acknowledges*: whether it acknowledges at once; *refuses*: why it takes no connection, if so.
    """

    def __init__(self) -> None:
        self.acknowledges, self.refuses = True, ""
        self.said: list[tuple[Read, int]] = []
        self.wills: list[Read] = []
        self.links: list[Link] = []

    def connect(self, will: tuple[str, bytes]) -> MqttLink:
        self.wills.append(read(*will))
        self.links.append(Link(self))
        return self.links[-1]

    def kinds(self) -> list[str]:
        return [one.kind for one, _ in self.said]

    def items(self, kind: str = "Item/Number") -> list[Any]:
        return [one.values[kind] for one, _ in self.said if "Item/Number" in one.values
                and one.kind == ITEMS_KIND]  # fmt: skip


class Link(MqttLink):
    """A connection to the stand-in."""

    def __init__(self, broker: Broker) -> None:
        self._broker, self._number = broker, 0
        self.connected, self.lost, self.subscribed = False, "", 0
        self.acknowledged: set[int] = set()
        self.received: list[Message] = []
        self.unacknowledged: list[int] = []

    def connect(self) -> None:
        self.lost = self._broker.refuses

    def turn(self, patience_s: float) -> None:
        if self._broker.acknowledges:
            self.acknowledged.update(self.unacknowledged)
            self.unacknowledged.clear()

    def publish(self, topic: str, payload: bytes, qos: int = 0) -> int:
        self._number += 1
        self._broker.said.append((read(topic, payload), qos))
        if qos == 0:
            self.acknowledged.add(self._number)
        else:
            self.unacknowledged.append(self._number)
        return self._number

    def subscribe(self, topic: str) -> None:
        self.subscribed += 1

    def close(self) -> None:
        self.drop()

    def drop(self) -> None:
        self.lost = self.lost or "closed"


Make = Callable[..., MqttExporter]


@pytest.fixture
def broker() -> Broker:
    """A broker that takes everything."""
    return Broker()


@pytest.fixture
def make(tmp_path: Path, broker: Broker) -> Iterator[Make]:
    """Makes exporters of the journal ``journal.jsonl`` that keep their state."""
    made: list[MqttExporter] = []

    def exporter(**changes: Any) -> MqttExporter:
        path = tmp_path / "journal.jsonl"
        settings = replace(MqttSettings(retry_s=0.0), **changes)
        states = StateReader(tmp_path / "status.json", path)
        state = StateFile(tmp_path / "state.json")
        made.append(MqttExporter(settings, path, states, state, TOPICS, broker.connect))
        return made[-1]

    yield exporter
    for one in made:
        one._forget()


def steps(exporter: MqttExporter, count: int) -> None:
    """Take some steps."""
    for _ in range(count):
        exporter.step()


def test_a_node_is_born_before_it_tells_anything(
    tmp_path: Path, make: Make, broker: Broker
) -> None:
    """NBIRTH, then DBIRTH, each with every metric that will ever come; then the items, in order."""
    write_items(tmp_path / "journal.jsonl", 5)
    write_status(tmp_path / "status.json")
    steps(make(), 3)
    births = [one for one, _ in broker.said[:2]]
    assert [one.kind for one in births] == ["NBIRTH", "DBIRTH"]
    assert set(births[0].values) == {"bdSeq", "Node Control/Rebirth", *NODE}
    assert set(births[1].values) == {*ITEM, *INCIDENT, *COUNTS}
    assert births[0].values["bdSeq"] == broker.wills[0].values["bdSeq"] == 1
    assert births[0].values["Properties/Model SHA256"] == "a" * 64
    assert births[0].values["Properties/Settings SHA256"] == "5" * 64
    assert births[0].values["Status/State"] == "Idle"
    assert births[1].values["Item/Number"] is None
    assert broker.items() == [1, 2, 3, 4, 5]
    assert [one.seq for one, _ in broker.said] == list(range(len(broker.said)))
    assert {qos for one, qos in broker.said if one.kind != ITEMS_KIND} == {0}


def test_an_item_says_what_its_record_says(tmp_path: Path, make: Make, broker: Broker) -> None:
    """With the SHA-256 of its line, by which it is found in the journal, and its own time."""
    path = tmp_path / "journal.jsonl"
    with journal(path) as written:
        written.append("start", START)
        found = [{"label": "seal", "score": 0.75, "box": [1, 2, 3, 4]}]
        written.append(
            "item",
            item("reject", code="count", gate="in-time", ms=41.5, findings=found,
                 evidence="7.jpg", evidence_sha256="e" * 64),
        )  # fmt: skip
        written.append("incident", {"what": "thrown", "reason": "belt ran back", "item": 1})
    steps(make(), 3)
    told = [one for one, _ in broker.said if one.kind == ITEMS_KIND]
    assert {name: told[0].values[name] for name in ITEM} == {
        "Item/Number": 1,
        "Item/Id": read_all(path)[1].cursor.sha256,
        "Item/Verdict": "reject",
        "Item/Code": "count",
        "Item/Reason": "for a test",
        "Item/Gate": "in-time",
        "Item/Label": "seal",
        "Item/Score": 0.75,
        "Item/Latency ms": 41.5,
        "Item/Evidence": "7.jpg",
        "Item/Evidence SHA256": "e" * 64,
        "Item/Clock Synchronised": read_records(path)[1]["clock_synced"],
    }
    assert {name: told[0].values[name] for name in COUNTS} == {
        **dict.fromkeys(COUNTS, 0), "Counts/Processed": 1, "Counts/Defective": 1,
        "Counts/Reject": 1,
    }  # fmt: skip
    assert told[1].values["Incident/What"] == "thrown"
    assert told[1].values["Incident/Item"] == 1


def test_what_was_written_before_is_historical_and_what_comes_is_not(
    tmp_path: Path, make: Make, broker: Broker
) -> None:
    """The old ones have their own time."""
    path = tmp_path / "journal.jsonl"
    write_items(path, 4)
    exporter = make(in_flight=2)
    steps(exporter, 8)
    with journal(path) as written:
        written.append("start", START)
        written.append("item", item())
    steps(exporter, 3)
    told = [one for one, _ in broker.said if "Item/Number" in one.values and one.kind == "DDATA"]
    assert [one.historical for one in told] == [True] * 4 + [False]
    # An unsynchronised clock of this boot is repaired: see the test of times below.
    assert all(one.times["Item/Number"] <= one.timestamp for one in told)
    last = [one for one, _ in broker.said if one.kind == "DDATA" and set(one.values) == set(COUNTS)]
    assert [one.values["Counts/Processed"] for one in last] == [4]
    assert not last[0].historical


def test_the_cursor_goes_behind_a_record_only_when_the_broker_has_it(
    tmp_path: Path, make: Make, broker: Broker
) -> None:
    """After a crash, what was not acknowledged comes again, with the same name."""
    write_items(tmp_path / "journal.jsonl", 30)
    broker.acknowledges = False
    first = make(in_flight=10)
    steps(first, 5)
    first._save()
    assert broker.items() == list(range(1, 11))
    assert StateFile(tmp_path / "state.json").load().totals.items == 0
    broker.acknowledges = True
    second = make()
    steps(second, 5)
    second.end()
    assert broker.items() == [*range(1, 11), *range(1, 31)]
    assert len(set(broker.items("Item/Id"))) == 30
    kept = StateFile(tmp_path / "state.json").load()
    assert (kept.totals.items, kept.births) == (30, 2)
    assert broker.kinds()[-1] == "NDEATH"


def test_a_broken_connection_is_made_anew_with_a_new_birth(
    tmp_path: Path, make: Make, broker: Broker, capsys: pytest.CaptureFixture[str]
) -> None:
    """And a new number of it, which its will has, too; it is told once."""
    write_items(tmp_path / "journal.jsonl", 4)
    broker.refuses = "Connection refused"
    exporter = make()
    steps(exporter, 5)
    assert broker.said == []
    assert exporter.said().endswith("Connection refused")
    broker.refuses = ""
    steps(exporter, 3)
    broker.links[-1].lost = "Keep alive timeout"
    steps(exporter, 4)
    births = [one for one, _ in broker.said if one.kind == "NBIRTH"]
    assert [one.values["bdSeq"] for one in births] == [6, 7]
    assert [will.values["bdSeq"] for will in broker.wills] == list(range(1, 8))
    assert [one.seq for one in births] == [0, 0]
    assert broker.items() == [1, 2, 3, 4]
    assert capsys.readouterr().err.splitlines() == [
        "stampgate-edge: warning: [mqtt] broker : Connection refused; tried again, nothing is lost",
        "stampgate-edge: warning: [mqtt] broker : Keep alive timeout; tried again, nothing is lost",
    ]


def test_births_and_sequences_go_round_after_255(
    tmp_path: Path, make: Make, broker: Broker
) -> None:
    """Both are one byte."""
    write_items(tmp_path / "journal.jsonl", 300)
    exporter = make(in_flight=400)
    exporter._kept.births = 255
    steps(exporter, 3)
    assert broker.said[0][0].values["bdSeq"] == 0
    assert [one.seq for one, _ in broker.said][254:258] == [254, 255, 0, 1]


def test_a_host_may_ask_for_a_new_birth_and_for_nothing_else(
    tmp_path: Path, make: Make, broker: Broker
) -> None:
    """It is of the same session, begins with 0, and costs no item."""
    path = tmp_path / "journal.jsonl"
    write_items(path, 2)
    exporter = make()
    steps(exporter, 3)
    ncmd = TOPICS.of("NCMD")
    for content in (
        command("Node Control/Rebirth", False),
        command("Node Control/Reboot", True),
        b"\xff\xff garbage",
    ):
        broker.links[-1].received.append(Message(ncmd, content))
    steps(exporter, 2)
    assert broker.kinds().count("NBIRTH") == 1
    broker.links[-1].received.append(Message(ncmd, command("Node Control/Rebirth", True)))
    write_items(path, 2)
    steps(exporter, 2)
    births = [one for one, _ in broker.said if one.kind == "NBIRTH"]
    assert [(one.values["bdSeq"], one.seq) for one in births] == [(1, 0), (1, 0)]
    assert broker.items() == [1, 2, 3, 4]
    assert broker.said[broker.kinds().index("NBIRTH", 1) + 1][0].values["Counts/Processed"] == 2


def test_nothing_is_told_before_the_primary_host_is_there(
    tmp_path: Path, make: Make, broker: Broker
) -> None:
    """When it goes, the node goes; an old message of its going counts for nothing."""
    write_items(tmp_path / "journal.jsonl", 3)
    exporter = make(primary_host="scada")

    def state(online: object, moment: object) -> None:
        content = json.dumps({"online": online, "timestamp": moment}).encode()
        broker.links[-1].received.append(Message("spBv1.0/STATE/scada", content))
        steps(exporter, 2)

    steps(exporter, 3)
    assert broker.said == []
    for wrong in ("yes", None):
        state(wrong, 1)
    assert broker.said == []
    state(True, 100)
    assert broker.kinds()[:2] == ["NBIRTH", "DBIRTH"]
    state(False, 50)
    assert "NDEATH" not in broker.kinds()
    state(False, 100)
    assert broker.kinds()[-1] == "NDEATH"
    assert len(broker.links) == 2
    state(True, 200)
    assert broker.kinds().count("NBIRTH") == 2
    assert broker.items() == [1, 2, 3]


def test_the_state_of_the_box_is_told_when_it_changes(
    tmp_path: Path, make: Make, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And only what has changed."""
    monkeypatch.setattr("edge.exporters.mqtt_exporter.STATE_S", 0.0)
    write_items(tmp_path / "journal.jsonl", 1)
    write_status(tmp_path / "status.json")
    exporter = make()
    steps(exporter, 4)
    assert "NDATA" not in broker.kinds()
    write_status(tmp_path / "status.json", gate={"trouble": "the bin is full"})
    steps(exporter, 3)
    told = [one.values for one, _ in broker.said if one.kind == "NDATA"]
    assert told == [
        {
            "Status/State": "Held",
            "Status/StateCurrent": 11,
            "Status/Ready": False,
            "Status/Fault": True,
            "Status/Fault Words": "the bin is full",
            "Status/Held Words": "the bin is full",
        }
    ]


@hypothesis_settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_no_history_of_losses_and_crashes_costs_an_item_or_brings_one_out_of_order(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Each session gives the items from the first that was not acknowledged on, without a gap."""
    folder = tmp_path_factory.mktemp("m")
    path, broker, state = folder / "journal.jsonl", Broker(), StateFile(folder / "state.json")
    settings = MqttSettings(retry_s=0.0, in_flight=data.draw(st.integers(1, 8)))
    states = StateReader(None, path)

    made: list[MqttExporter] = []

    def make() -> MqttExporter:
        made.append(MqttExporter(settings, path, states, state, TOPICS, broker.connect))
        return made[-1]

    make()
    try:
        for _ in range(data.draw(st.integers(1, 6))):
            write_items(path, data.draw(st.integers(0, 5)), file_items=data.draw(st.integers(2, 5)))
            broker.acknowledges = data.draw(st.booleans())
            steps(made[-1], data.draw(st.integers(0, 6)))
            what = data.draw(st.sampled_from(["go on", "lose", "crash", "stop"]))
            if what == "lose" and made[-1]._link is not None:
                made[-1]._link.lost = "lost"
            elif what in ("crash", "stop"):
                broker.acknowledges |= what == "stop"
                if what == "stop":
                    made[-1].end()
                made[-1]._forget()
                make()
        broker.acknowledges = True
        steps(made[-1], 80)
        made[-1].end()
    finally:
        for one in made:
            one._forget()
    records = [record for record in read_records(path) if record["kind"] == "item"]
    numbers, seen = broker.items(), 0
    for number in numbers:
        assert number <= seen + 1
        seen = max(seen, number)
    assert seen == len(records)
    names = dict(zip(numbers, broker.items("Item/Id"), strict=True))
    assert len(set(broker.items("Item/Id"))) == len(names) == len(records)
    assert state.load().totals.items == len(records)


@given(
    name=st.text(), integer=st.integers(-(2**63), 2**63 - 1), number=st.floats(allow_nan=False),
    flag=st.booleans(), text=st.text(), time_ms=st.integers(0, 2**63), seq=st.integers(0, 255),
)  # fmt: skip
def test_any_payload_is_read_as_it_was_meant(
    name: str, integer: int, number: float, flag: bool, text: str, time_ms: int, seq: int
) -> None:
    """By Google's protobuf."""
    kinds = ((4, integer), (10, number), (11, flag), (12, text))
    metrics = [Metric(name, kind, value, time_ms, flag) for kind, value in kinds]
    metrics += [Metric(name, kind, None, time_ms) for kind, _ in kinds]
    found = PAYLOAD.FromString(payload(time_ms, metrics, seq))
    assert (found.timestamp, found.seq) == (time_ms, seq)
    assert [metric.name for metric in found.metrics] == [name] * 8
    assert found.metrics[0].long_value == integer % 2**64
    assert found.metrics[1].double_value == number
    assert found.metrics[2].boolean_value is flag
    assert found.metrics[3].string_value == text
    assert [metric.is_null for metric in found.metrics] == [False] * 4 + [True] * 4
    assert [metric.is_historical for metric in found.metrics] == [flag] * 4 + [False] * 4


@given(st.binary(max_size=60))
def test_no_garbage_is_a_command(content: bytes) -> None:
    """And none ends the exporter."""
    assert asks_for_rebirth(content) is (b"Node Control/Rebirth" in content)


def test_a_time_that_was_written_before_the_clock_was_set_is_repaired() -> None:
    """Where the record is of this boot, by the monotonic clock; else it is what the box said."""
    record = {"kind": "item", "sequence": 1, "boot_id": "b", "monotonic_ns": 5_000_000_000,
              "wall_time": "1970-01-01T00:00:09.000+00:00", "clock_synced": False}  # fmt: skip
    now = Now("b", 65_000_000_000, 1_800_000_000_000_000_000, True)
    assert moment_ms(record, now) == 1_800_000_000_000 - 60_000
    assert moment_ms(record, replace(now, boot_id="another")) == 9000
    assert moment_ms({**record, "clock_synced": True}, now) == 9000


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    """Settings of an exporter to a broker on a free port, without TLS."""
    path = tmp_path / "edge.toml"
    path.write_text(
        '[journal]\nfile = "journal.jsonl"\nstatus = "status.json"\n'
        f'[mqtt]\nbroker = "127.0.0.1:{free_port()}"\ntls = false\nretry_s = 0.1\n'
        'group = "plant"\nnode = "box"\ndevice = "line"\nstate = "state.json"\n'
    )
    return path


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("broker =", "user =", "[mqtt] broker must say where the broker is"),
        ("127.0.0.1:", "127.0.0.1/", "[mqtt] broker must be an address and a port"),
        ('node = "box"', 'node = "a/b"', "[mqtt] node must be a name without /"),
        ('group = "plant"', 'group = "#"', "[mqtt] group must be a name without /"),
        ("tls = false", 'tls = true\nca_file = "no.pem"', "[mqtt] ca_file, certificate and key"),
        ("tls = false", 'tls = false\nca_file = "no.pem"', "need tls = true"),
        ("tls = false", 'tls = false\nuser = "u"\npassword_file = "no"', "cannot be read"),
        ("tls = false", 'tls = false\nuser = "u"\npassword_file = "open"', "readable by everybody"),
        ("tls = false", 'tls = false\npassword_file = "secret"', "needs a user"),
        ('state = "state.json"', 'state = ""', "[mqtt] state must name a file"),
    ],
)
def test_settings_of_mqtt_that_cannot_be_are_refused_in_one_line(
    settings_file: Path, old: str, new: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit status 78, before anything is connected to."""
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    for name, mode in (("open", 0o644), ("secret", 0o600)):
        (settings_file.parent / name).write_text("password\n")
        (settings_file.parent / name).chmod(mode)
    settings_file.write_text(settings_file.read_text().replace(old, new))
    with pytest.raises(ConfigError) as caught:
        serve_mqtt(load_config(settings_file))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_paho_one_line_says_what_to_install(
    settings_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit status 78: another start would not find it either."""
    monkeypatch.setitem(sys.modules, "paho.mqtt.client", None)
    with pytest.raises(ConfigError, match=r"pip install 'stampgate\[mqtt\]'"):
        serve_mqtt(load_config(settings_file))


class Host:
    """A host of a real broker: it has a session that the broker keeps, and takes all in order."""

    def __init__(self, port: int, **login: Any) -> None:
        self.said: list[Read] = []
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id="host", clean_session=False
        )
        if login:
            self._client.username_pw_set(login["user"], login["password"])
        self._client.on_message = self._take
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", port)
        self._client.subscribe("spBv1.0/plant/#", qos=1)
        self._client.loop_start()

    def _take(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        if "/NCMD/" not in message.topic:
            self.said.append(read(message.topic, bytes(message.payload)))

    def send(self, topic: str, content: bytes) -> None:
        self._client.publish(topic, content)

    def items(self) -> dict[str, int]:
        told = [one for one in self.said if one.values.get("Item/Number") is not None]
        return {one.values["Item/Id"]: one.values["Item/Number"] for one in told}

    def births(self) -> list[int]:
        return [one.values["bdSeq"] for one in self.said if one.kind == "NBIRTH"]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@contextlib.contextmanager
def mosquitto(folder: Path, port: int, more: Sequence[str] = ()) -> Iterator[Program]:
    """Run the real broker, which keeps its sessions over a restart."""
    program = shutil.which("mosquitto") or shutil.which("/usr/sbin/mosquitto")
    if program is None:
        pytest.skip("mosquitto is not installed; apt install mosquitto")
    lines = [
        f"listener {port} 127.0.0.1", "allow_anonymous true", "persistence true",
        f"persistence_location {folder}/", "autosave_interval 1",
        "autosave_on_changes true", "user root",
        "max_queued_messages 0", *more,
    ]  # fmt: skip
    (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")
    with Program(program, "-c", folder / "mosquitto.conf") as running:
        running.hear("running")
        yield running


@contextlib.contextmanager
def exporting(settings: Path) -> Iterator[None]:
    """Run the exporter beside the test."""
    stop = Stop()
    thread = Thread(target=serve_mqtt, args=(load_config(settings), stop))
    thread.start()
    try:
        yield
    finally:
        stop.request("the test is over")
        thread.join(PATIENCE_S)
        stop.close()


def port_of(settings: Path) -> int:
    """Return the broker's port by the settings."""
    found = re.search(r'broker = "[^"]+:(\d+)"', settings.read_text())
    assert found is not None
    return int(found[1])


def test_a_broker_that_is_killed_and_comes_back_costs_no_item(
    tmp_path: Path, settings_file: Path
) -> None:
    """The real one: before, while it is gone the line goes on, and after; each item once."""
    path, port = tmp_path / "journal.jsonl", port_of(settings_file)
    write_items(path, 20)
    with contextlib.ExitStack() as stack:
        with mosquitto(tmp_path, port) as broker:
            host = Host(port)
            stack.callback(host.close)
            stack.enter_context(exporting(settings_file))
            eventually(lambda: len(host.items()) == 20)
            broker.kill()
        for _ in range(4):  # ten minutes of the line, in little time
            write_items(path, 150, file_items=100)
        with mosquitto(tmp_path, port):
            eventually(lambda: len(host.items()) == 620)
            births = host.births()
            host.send("spBv1.0/plant/NCMD/box", command("Node Control/Rebirth", True))
            eventually(lambda: len(host.births()) > len(births))
            write_items(path, 3)
            eventually(lambda: len(host.items()) == 623)
        assert sorted(host.items().values()) == list(range(1, 624))
    late = [one for one in host.said if one.values.get("Item/Number") in range(21, 621)]
    assert all(one.historical for one in late)
    last = next(one for one in host.said if one.values.get("Item/Number") == 623)
    assert not last.historical
    assert host.births() == sorted(host.births())


def test_a_node_that_goes_says_so_and_one_that_is_cut_off_has_a_will(
    tmp_path: Path, settings_file: Path
) -> None:
    """Both with the number of their birth."""
    port = port_of(settings_file)
    write_items(tmp_path / "journal.jsonl", 2)
    with mosquitto(tmp_path, port):
        host = Host(port)
        with exporting(settings_file):
            eventually(lambda: len(host.items()) == 2)
        deaths = eventually(lambda: [one for one in host.said if one.kind == "NDEATH"])
        birth = next(one for one in host.said if one.kind == "NBIRTH")
        assert [one.values for one in deaths] == [{"bdSeq": birth.values["bdSeq"]}]
        assert deaths[0].seq is None
        host.close()


def test_user_and_password_are_given_and_a_wrong_one_is_told(
    tmp_path: Path, settings_file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The broker says why; the exporter goes on trying, and nothing is lost."""
    port, secret = port_of(settings_file), tmp_path / "secret"
    passwd = shutil.which("mosquitto_passwd")
    if passwd is None:
        pytest.skip("mosquitto is not installed; apt install mosquitto")
    with Program(passwd, "-c", "-b", tmp_path / "users", "box", "right") as made:
        assert made.ended().returncode == 0
    secret.write_text("wrong\n")
    secret.chmod(0o600)
    text = settings_file.read_text().replace(
        "tls = false", 'tls = false\nuser = "box"\npassword_file = "secret"'
    )
    settings_file.write_text(text)
    write_items(tmp_path / "journal.jsonl", 2)
    more = ["allow_anonymous false", f"password_file {tmp_path}/users"]
    with mosquitto(tmp_path, port, more):
        said: list[str] = []
        with exporting(settings_file):

            def refused() -> bool:
                said.append(capfd.readouterr().err)
                return "authori" in "".join(said).lower()

            assert eventually(refused)
        secret.write_text("right\n")
        with exporting(settings_file):
            host = Host(port, user="box", password="right")
            eventually(lambda: json.loads((tmp_path / "state.json").read_text())["births"] >= 2)
            write_items(tmp_path / "journal.jsonl", 1)
            eventually(lambda: 3 in host.items().values())
            host.close()


# paho leaves the socket of a handshake that failed to Python's collector, which closes it.
@pytest.mark.filterwarnings("ignore:Exception ignored in.*SSLSocket")
@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
def test_tls_checks_the_brokers_certificate(
    tmp_path: Path, settings_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that the given authority has not signed is refused."""
    monkeypatch.setattr("edge.exporters.mqtt_exporter.SAVE_S", 0.0)
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed; apt install openssl")
    for name in ("a", "b"):
        with Program(
            openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-keyout", tmp_path / f"{name}.key", "-out", tmp_path / f"{name}.pem",
            "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
        ) as made:  # fmt: skip
            assert made.ended().returncode == 0
    port = port_of(settings_file)
    text = settings_file.read_text()
    write_items(tmp_path / "journal.jsonl", 2)
    more = [f"certfile {tmp_path}/a.pem", f"keyfile {tmp_path}/a.key"]
    state = StateFile(tmp_path / "state.json")
    with mosquitto(tmp_path, port, more):
        settings_file.write_text(text.replace("tls = false", 'ca_file = "b.pem"'))
        with exporting(settings_file):
            eventually(lambda: state.load().births >= 3)
        assert state.load().totals.items == 0
        settings_file.write_text(text.replace("tls = false", 'ca_file = "a.pem"'))
        with exporting(settings_file):
            eventually(lambda: state.load().totals.items == 2)
