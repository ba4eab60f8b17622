"""One connection to an MQTT broker, on paho-mqtt: without a thread, and used once.

A connection that broke is not mended: the next one has a will of its own (Sparkplug counts births),
and what was on its way is read from the journal again. So nothing is kept here but what waits for
its acknowledgement, which the caller bounds.
"""

import contextlib
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.errors import ConfigError
from edge.files import read_bounded

if TYPE_CHECKING:
    from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
    from paho.mqtt.enums import MQTTErrorCode
    from paho.mqtt.properties import Properties
    from paho.mqtt.reasoncodes import ReasonCode

CONNECT_S = 5.0
"""Longest that connecting and the TLS handshake may take, seconds."""
MOST_PASSWORD = 4096


@dataclass(frozen=True)
class Access:
    """How the broker is reached: TLS, user and password.

    *tls*: None for a connection without; *user*: empty for none.
    """

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    user: str = ""
    password: str = ""
    keepalive_s: int = 30


@dataclass(frozen=True)
class Message:
    """A message that came."""

    topic: str
    payload: bytes


class MqttLink:
    """A connection: opened by :meth:`connect`, driven by :meth:`turn`, ended by :meth:`close`.

    *name*: the client's; *will*: topic and payload that the broker sends when we are gone.

    Synchronization: one thread.
    """

    def __init__(self, access: Access, name: str, will: tuple[str, bytes]) -> None:
        self._access = access
        self.connected = False
        """Whether the broker has accepted us."""
        self.lost = ""
        """Why the connection is no more, in words; empty while it is."""
        self.subscribed = 0
        """How many subscriptions the broker has granted."""
        self.acknowledged: set[int] = set()
        """Numbers of messages that the broker has; the caller takes them out."""
        self.received: list[Message] = []
        """Messages that came; the caller takes them out."""
        self._client = new_client(name)
        self._client.connect_timeout = CONNECT_S
        self._client.max_inflight_messages_set(0)  # without a limit: the caller has one
        self._client.will_set(will[0], will[1], qos=1, retain=False)
        if access.user:
            self._client.username_pw_set(access.user, access.password or None)
        if access.tls is not None:
            self._client.tls_set_context(access.tls)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = self._on_publish
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message

    def connect(self) -> None:
        """Open the connection; :attr:`lost` says why there is none."""
        access = self._access
        try:
            self._client.connect(access.host, access.port, access.keepalive_s)
        except (OSError, ValueError) as error:
            self.lost = str(getattr(error, "strerror", None) or error)

    def turn(self, patience_s: float) -> None:
        """Send and receive what there is; wait at most *patience_s* seconds for something."""
        code = self._client.loop(patience_s)
        if code != 0:
            self._note_loss(code)

    def publish(self, topic: str, payload: bytes, qos: int = 0) -> int:
        """Send a message; return its number, which :attr:`acknowledged` will hold."""
        sent = self._client.publish(topic, payload, qos=qos, retain=False)
        if sent.rc != 0:
            self._note_loss(sent.rc)
        return sent.mid

    def subscribe(self, topic: str) -> None:
        """Ask for messages of a topic."""
        self._client.subscribe(topic, qos=1)

    def close(self) -> None:
        """End it, saying so to the broker: it does not send the will."""
        with contextlib.suppress(OSError, ValueError):
            self._client.disconnect()
            while self._client.want_write() and not self.lost:
                self.turn(0.1)
        self.drop()

    def drop(self) -> None:
        """Leave without a word: the broker sends the will."""
        if (sock := self._client.socket()) is not None:
            sock.close()
        self.lost = self.lost or "closed"

    def _note_loss(self, code: "MQTTErrorCode") -> None:
        self.lost = self.lost or str(code).removeprefix("MQTTErrorCode.")

    def _on_connect(
        self, _client: "Client", _data: Any, _flags: "ConnectFlags", code: "ReasonCode",
        _properties: "Properties | None",
    ) -> None:  # fmt: skip
        self.connected = not code.is_failure
        if code.is_failure:
            self.lost = str(code)

    def _on_disconnect(
        self, _client: "Client", _data: Any, _flags: "DisconnectFlags", code: "ReasonCode",
        _properties: "Properties | None",
    ) -> None:  # fmt: skip
        self.connected, self.lost = False, self.lost or str(code)

    def _on_publish(
        self,
        _client: "Client",
        _data: Any,
        number: int,
        _code: "ReasonCode",
        _properties: "Properties",
    ) -> None:
        self.acknowledged.add(number)

    def _on_subscribe(
        self, _client: "Client", _data: Any, _number: int, codes: "list[ReasonCode]",
        _properties: "Properties | None",
    ) -> None:  # fmt: skip
        if any(code.is_failure for code in codes):
            self.lost = "the broker does not let us subscribe to our commands"
        self.subscribed += len(codes)

    def _on_message(self, _client: "Client", _data: Any, message: "MQTTMessage") -> None:
        self.received.append(Message(message.topic, bytes(message.payload)))


def new_client(name: str) -> "Client":
    """Make a client of paho-mqtt. Raises ConfigError where that is not installed."""
    try:
        from paho.mqtt.client import Client, MQTTv311  # noqa: PLC0415 - an extra
        from paho.mqtt.enums import CallbackAPIVersion  # noqa: PLC0415
    except ImportError:
        raise ConfigError(
            "the exporter for MQTT needs paho-mqtt, which is not installed; install the extra: "
            "pip install 'stampgate[mqtt]'"
        ) from None
    return Client(
        CallbackAPIVersion.VERSION2,
        client_id=name,
        clean_session=True,
        protocol=MQTTv311,
        reconnect_on_failure=False,
    )


def tls_context(ca_file: Path | None, certificate: Path | None, key: Path | None) -> ssl.SSLContext:
    """Return how TLS is done: the broker's certificate and name are checked. Raises ConfigError."""
    named = [path for path in (ca_file, certificate, key) if path is not None]
    try:
        context = ssl.create_default_context(cafile=ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if certificate is not None:
            context.load_cert_chain(certificate, key)
    except (OSError, ValueError) as error:  # SSLError is an OSError
        files = ", ".join(map(str, named))
        raise ConfigError(
            f"[mqtt] ca_file, certificate and key ({files}): must be PEM files that belong "
            f"together and can be read ({error.strerror or error}); correct them"
            if isinstance(error, OSError)
            else f"[mqtt] ca_file, certificate and key ({files}): {error}; correct them"
        ) from None
    return context


def password_of(path: Path) -> str:
    """Read a password file: its first line. Raises ConfigError."""
    try:
        mode = path.stat().st_mode
        text = read_bounded(path, MOST_PASSWORD).decode()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "no text"
        raise ConfigError(
            f"[mqtt] password_file {path}: cannot be read ({why}); put the password there"
        ) from None
    if mode & 0o004:
        raise ConfigError(
            f"[mqtt] password_file {path}: must not be readable by everybody; chmod o-r {path}"
        )
    return text.split("\n")[0].rstrip("\r")
