"""The exporter for MQTT by Sparkplug B: births, items, states; the journal is what it forwards.

A record counts as told when the broker has acknowledged it (PUBACK), in the journal's order; only
then does the cursor go behind it. After a broken connection, or a restart, the records behind the
cursor are sent again: those whose acknowledgement was lost come twice, with the same ``Item/Id``,
the SHA-256 of the record's line, by which a receiver drops the second. What is sent while the end
of the journal has not been reached since the birth is marked as historical, with the time at which
it was written.
"""

import json
import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge.clock import Stop
from edge.config import Config
from edge.errors import ConfigError
from edge.exporters.addresses import address_of
from edge.exporters.box_state import StateReader
from edge.exporters.journal_follower import Entry, JournalFollower
from edge.exporters.mqtt_link import Access, Message, MqttLink, password_of, tls_context
from edge.exporters.running import run
from edge.exporters.sparkplug import (
    NAMESPACE,
    SEQUENCES,
    Metric,
    Topics,
    asks_for_rebirth,
    payload,
)
from edge.exporters.sparkplug_metrics import (
    BIRTHS,
    NODE,
    Values,
    counts,
    device_birth,
    node_birth,
    node_values,
    record_metrics,
)
from edge.exporters.state_file import Kept, StateFile, state_path
from edge.exporters.totals import Totals
from edge.printing import print_error
from edge.record.times import present
from edge.sections.exporters import MqttSettings

POLL_S = 0.1
"""Time between two looks at the journal, seconds."""
STATE_S = 1.0
"""Time between two looks at the box's state."""
SAVE_S = 5.0
"""Time between two writes of the state file: what was acknowledged since is sent again after a
crash."""
LAST_S = 5.0
"""How long acknowledgements are waited for at the end."""
LONGEST_RETRY_S = 60.0
INT64 = NODE["Status/StateCurrent"]


@dataclass
class _Sent:
    """A record that was read; *number*: of its message, None where it makes none."""

    entry: Entry
    number: int | None


class MqttExporter:
    """What is done at each step.

    *path*: the journal; *connect*: makes a link with a will, by the number of the birth.

    Synchronization: one thread.
    """

    def __init__(
        self,
        settings: MqttSettings,
        path: Path,
        states: StateReader,
        state: StateFile,
        topics: Topics,
        connect: Callable[[tuple[str, bytes]], MqttLink],
    ) -> None:
        self._settings, self._path, self._states, self._topics = settings, path, states, topics
        self._state, self._connect = state, connect
        self._kept = state.load()
        self._changed, self._saved_s = False, time.monotonic()
        self._link: MqttLink | None = None
        self._follower: JournalFollower | None = None
        self._sending = Totals()
        self._flight: deque[_Sent] = deque()
        self._born = self._live = False
        self._host_online = not settings.primary_host
        self._host_time = 0
        self._sequence = 0
        self._values: Values = {}
        self._state_s = self._next_s = 0.0
        self._retry_s, self._told = settings.retry_s, ""

    def step(self) -> float:
        """Do what is due; return when it must be called again, in seconds."""
        if self._link is None:
            wait_s = self._next_s - time.monotonic()
            if wait_s > 0:
                return min(wait_s, STATE_S)
            self._begin()
        if self._link is not None:
            self._link.turn(0.0 if self._has_more() else POLL_S)
            self._take_acknowledged()
            self._answer()
            self._go_on()
        self._save_if_due()
        return 0.0 if self._link is not None else min(self._retry_s, STATE_S)

    def _go_on(self) -> None:
        """Do what the connection allows: be born, tell, or see that it is no more."""
        if self._link is None:  # the host has gone, and we with it
            return
        if self._link.lost:
            self._lose(self._link.lost)
        elif self._born:
            self._tell_state()
            self._forward()
        elif self._link.subscribed >= self._subscriptions and self._host_online:
            self._give_birth()

    def said(self) -> str:
        """Return how it stands, for systemd."""
        kept = self._kept
        there = "connected" if self._born else self._told or "waiting for the host"
        return f"item {kept.cursor.sequence} is the last that the broker has; {there}"

    def end(self) -> None:
        """Wait a little for what is on its way, say that the node goes, and keep the cursor."""
        deadline_s = time.monotonic() + LAST_S
        while self._link is not None and self._flight and time.monotonic() < deadline_s:
            self._link.turn(POLL_S)
            self._take_acknowledged()
            if self._link.lost:
                break
        self._depart()
        self._save()

    @property
    def _subscriptions(self) -> int:
        return 2 if self._settings.primary_host else 1

    def _has_more(self) -> bool:
        return self._born and not self._live and len(self._flight) < self._settings.in_flight

    def _begin(self) -> None:
        """Connect; the number of this birth is on the disk before, so that none comes twice."""
        self._kept.births = (self._kept.births + 1) % SEQUENCES
        self._save()
        self._link = self._connect((self._topics.of("NDEATH"), self._death()))
        self._link.connect()
        if not self._link.lost:
            self._link.subscribe(self._topics.of("NCMD"))
            if self._settings.primary_host:
                self._link.subscribe(f"{NAMESPACE}/STATE/{self._settings.primary_host}")

    def _death(self) -> bytes:
        now_ms = time.time_ns() // 1_000_000
        return payload(now_ms, [Metric(BIRTHS, INT64, self._kept.births, now_ms)])

    def _answer(self) -> None:
        """Do what messages ask for: a new birth, or waiting for the host."""
        link = self._link
        if link is None:
            return
        messages, link.received = link.received, []
        for message in messages:
            if link.lost:
                return
            if message.topic == self._topics.of("NCMD"):
                if self._born and asks_for_rebirth(message.payload):
                    self._give_birth(again=True)
            else:
                self._note_host(message)

    def _note_host(self, message: Message) -> None:
        """Take note of whether the primary host is online; one that went makes the node go, too."""
        try:
            said = json.loads(message.payload)
            online, moment = said["online"], said["timestamp"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return
        if type(online) is not bool or type(moment) is not int or moment < self._host_time:
            return
        self._host_online, self._host_time = online, moment
        if not online and self._born:
            self._depart()
            self._next_s = time.monotonic() + self._settings.retry_s

    def _give_birth(self, *, again: bool = False) -> None:
        """Publish both birth certificates; *again*: because a host asked, in the same session."""
        now_ms = time.time_ns() // 1_000_000
        if not again:
            self._follower = JournalFollower(self._path, self._kept.cursor)
            self._sending = Totals.from_object(self._kept.totals.as_object())
            self._live = False
        self._sequence, self._retry_s, self._told = 0, self._settings.retry_s, ""
        self._values = node_values(self._states.read(self._sending), self._sending)
        self._publish("NBIRTH", node_birth(self._values, self._kept.births, now_ms), now_ms)
        self._publish("DBIRTH", device_birth(self._sending, now_ms), now_ms)
        self._born, self._state_s = True, time.monotonic()

    def _forward(self) -> None:
        """Send the records that come next, as many as may be on their way."""
        assert self._follower is not None
        room = self._settings.in_flight - len(self._flight)
        if room <= 0:
            return
        entries, now = self._follower.read(room), present()
        if self._follower.lost == "another journal":
            self._sending, self._kept.totals = Totals(), Totals()
        self._follower.lost = ""
        for entry in entries:
            self._sending.take(entry)
            metrics = record_metrics(entry, self._sending, now, historical=not self._live)
            number = None
            if metrics is not None:
                number = self._publish("DDATA", metrics, now.wall_ns // 1_000_000, record=True)
            self._flight.append(_Sent(entry, number))
        if len(entries) < room and not self._live:
            self._live = True
            now_ms = now.wall_ns // 1_000_000
            self._publish("DDATA", counts(self._sending, now_ms), now_ms)
        self._take_acknowledged()

    def _tell_state(self) -> None:
        """Publish what has changed in the box's state."""
        if time.monotonic() - self._state_s < STATE_S:
            return
        self._state_s, now_ms = time.monotonic(), time.time_ns() // 1_000_000
        values = node_values(self._states.read(self._sending), self._sending)
        changed = [name for name in NODE if values[name] != self._values[name]]
        self._values = values
        if changed:
            metrics = [Metric(name, NODE[name], values[name], now_ms) for name in changed]
            self._publish("NDATA", metrics, now_ms)

    def _publish(
        self, message: str, metrics: list[Metric], now_ms: int, *, record: bool = False
    ) -> int:
        """Publish a message with the next sequence number; return its own number."""
        assert self._link is not None
        content = payload(now_ms, metrics, self._sequence)
        self._sequence = (self._sequence + 1) % SEQUENCES
        qos = self._settings.qos if record else 0
        return self._link.publish(self._topics.of(message), content, qos)

    def _take_acknowledged(self) -> None:
        """Go behind the records that the broker has, in their order."""
        assert self._link is not None
        has = self._link.acknowledged
        while self._flight and (self._flight[0].number is None or self._flight[0].number in has):
            sent = self._flight.popleft()
            self._kept.totals.take(sent.entry)
            self._kept.cursor, self._changed = sent.entry.cursor, True
        has.intersection_update({sent.number for sent in self._flight})

    def _lose(self, why: str) -> None:
        """Note that the connection broke; what was on its way is read again."""
        said = f"[mqtt] broker {self._settings.broker}: {why}"
        if said != self._told:
            self._told = said
            print_error("stampgate-edge", f"warning: {said}; tried again, nothing is lost")
        if self._link is not None:
            self._link.drop()
        self._forget()
        self._next_s = time.monotonic() + self._retry_s
        self._retry_s = min(2 * self._retry_s, max(LONGEST_RETRY_S, self._settings.retry_s))

    def _depart(self) -> None:
        """Publish the death certificate, and end the connection in good order."""
        if self._link is not None:
            if self._born and not self._link.lost:
                self._link.publish(self._topics.of("NDEATH"), self._death())
            self._link.close()
        self._forget()

    def _forget(self) -> None:
        if self._follower is not None:
            self._follower.close()
        self._link, self._follower, self._born = None, None, False
        self._host_online = not self._settings.primary_host
        self._flight.clear()

    def _save_if_due(self) -> None:
        if self._changed and time.monotonic() - self._saved_s >= SAVE_S:
            self._save()

    def _save(self) -> None:
        self._state.save(Kept(self._kept.cursor, self._kept.totals, self._kept.births))
        self._changed, self._saved_s = False, time.monotonic()


def serve_mqtt(config: Config, stop: Stop | None = None) -> None:
    """Run the exporter until SIGTERM or SIGINT; *stop*: in their place. Raises StampgateError."""
    settings = config.mqtt
    topics, access = topics_of(config), access_of(config)
    path = state_path(settings.state, config.folder, "mqtt")
    if path is None:
        raise ConfigError(
            "[mqtt] state must name a file that keeps how far the broker has the journal; set it"
        )
    journal = config.path(config.journal.file)
    states = StateReader(
        config.path(config.journal.status) if config.journal.status else None, journal
    )
    name = f"stampgate {topics.group} {topics.node}"
    exporter = MqttExporter(
        settings,
        journal,
        states,
        StateFile(path),
        topics,
        lambda will: MqttLink(access, name, will),
    )
    try:
        run(exporter.step, exporter.said, stop)
    finally:
        exporter.end()


def topics_of(config: Config) -> Topics:
    """Return the topics by the settings. Raises ConfigError."""
    settings = config.mqtt
    node = settings.node or config.service.name or socket.gethostname()
    for name, text in (("group", settings.group), ("node", node), ("device", settings.device)):
        if not text or set(text) & set("/+#\0"):
            raise ConfigError(
                f"[mqtt] {name} must be a name without /, + and #, not {text!r}; correct it there"
            )
    return Topics(settings.group, node, settings.device)


def access_of(config: Config) -> Access:
    """Return how the broker is reached by the settings. Raises ConfigError."""
    settings = config.mqtt
    if not settings.broker:
        raise ConfigError(
            "[mqtt] broker must say where the broker is, such as broker.plant:8883; set it in "
            f"{config.source or 'the settings'}"
        )
    host, port = address_of(settings.broker, "[mqtt] broker")
    files = (settings.ca_file, settings.certificate, settings.key)
    tls = None
    if settings.tls:
        tls = tls_context(*(config.path(name) if name else None for name in files))
    elif any(files):
        raise ConfigError("[mqtt] ca_file, certificate and key need tls = true; correct it there")
    password = password_of(config.path(settings.password_file)) if settings.password_file else ""
    if password and not settings.user:
        raise ConfigError("[mqtt] password_file needs a user; set one there")
    return Access(host, port, tls, settings.user, password, settings.keepalive_s)
