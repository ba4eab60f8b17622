"""``[prometheus]``, ``[mqtt]`` and ``[modbus]``: what other machines are told."""

from dataclasses import dataclass

from edge.settings import setting

STATE = "How far the journal was read; empty for a file in the folder that systemd gives"


@dataclass(frozen=True)
class PrometheusSettings:
    """Metrics for Prometheus, by 'stampgate-edge exporter prometheus'.

    Off until listen or textfile says where.
    """

    listen: str = setting(
        "",
        "Address and port on which /metrics is served, such as 127.0.0.1:9464; empty for none",
    )
    textfile: str = setting(
        "",
        "File NAME.prom for the textfile collector of node_exporter; empty for none",
        form="path",
    )
    textfile_s: float = setting(
        15.0, "Time between two writes of that file", at_least=1, at_most=3600
    )
    state: str = setting("", STATE, form="path")


@dataclass(frozen=True)
class MqttSettings:
    """Items and states by MQTT (Sparkplug B), by 'stampgate-edge exporter mqtt'.

    Off until broker says where.
    """

    broker: str = setting(
        "",
        "Address and port of the broker, such as broker.plant:8883; empty for none",
    )
    tls: bool = setting(True, "Whether the connection is encrypted by TLS")
    ca_file: str = setting(
        "",
        "Certificates that the broker's is checked against, PEM; empty for the system's",
        form="path",
    )
    certificate: str = setting(
        "", "Our own certificate, PEM, for a broker that asks for it", form="path"
    )
    key: str = setting("", "The key of that certificate, PEM", form="path")
    user: str = setting("", "The user's name at the broker; empty for none")
    password_file: str = setting(
        "", "File with that user's password, which not everybody may read", form="path"
    )
    group: str = setting("stampgate", "Sparkplug's group of this box")
    node: str = setting(
        "",
        "Sparkplug's edge node, one for each line; empty for [service] name, or the computer's",
    )
    device: str = setting("inspection", "Sparkplug's device, which the items are of")
    primary_host: str = setting(
        "", "Host that must be online before anything is sent; empty for none"
    )
    qos: int = setting(
        1,
        "1: the broker acknowledges each item; 0, as Sparkplug asks: what is on its way when a "
        "connection breaks is lost",
        choices=(1, 0),
    )
    in_flight: int = setting(
        50, "Most records that wait for the broker", at_least=1, at_most=10_000
    )
    keepalive_s: int = setting(
        30, "How soon a connection that died is noticed", at_least=5, at_most=3600
    )
    retry_s: float = setting(
        5.0, "Time between two attempts to connect", at_least=0.1, at_most=3600
    )
    state: str = setting("", STATE, form="path")


@dataclass(frozen=True)
class ModbusSettings:
    """Registers for a PLC, by 'stampgate-edge exporter modbus'.

    Off until listen says where.
    """

    listen: str = setting(
        "",
        "Address and port of the Modbus/TCP server, such as 192.168.0.5:502; empty for none",
    )
    unit: int = setting(
        1, "Unit identifier (device id) that it answers to", at_least=1, at_most=247
    )
    state: str = setting("", STATE, form="path")
