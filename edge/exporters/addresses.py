"""Addresses in the settings: a host and a port in one text."""

import re

from edge.errors import ConfigError
from edge.settings import shown

FORM = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.%\w]+)\]|(?P<host>[^\s:\[\]]+)):(?P<port>\d{1,5})")


def address_of(text: str, setting: str) -> tuple[str, int]:
    """Return host and port; *setting*: its name, for the message. Raises ConfigError.

    >>> address_of("[::1]:502", "[modbus] listen"), address_of("10.0.0.5:502", "[modbus] listen")
    (('::1', 502), ('10.0.0.5', 502))
    """
    found = FORM.fullmatch(text)
    if found is None or not 0 <= int(found["port"]) < 65_536:
        raise ConfigError(
            f"{setting} must be an address and a port, such as 127.0.0.1:9464 or [::1]:9464, not "
            f"{shown(text)}; correct it there"
        )
    return found["six"] or found["host"], int(found["port"])
