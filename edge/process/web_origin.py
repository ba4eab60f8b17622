"""Where a request of a browser comes from, by its headers ``Host``, ``Origin`` and Fetch metadata.

A page of another site that the same browser shows can send requests to this computer too, and a
name of its own that it lets resolve to this computer (DNS rebinding) is no host that we are called
by. Sources: RFC 9110, section 7.2 (Host); RFC 6454 (Origin); W3C, Fetch Metadata Request Headers;
OWASP, Cross-Site Request Forgery Prevention.
"""

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

LOCAL_NAMES = frozenset(("localhost", "127.0.0.1", "::1"))


def is_loopback(host: str) -> bool:
    """Tell whether an address reaches this computer alone.

    >>> is_loopback("localhost"), is_loopback("127.0.0.2"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    return host.lower() == "localhost" or (
        is_address(host) and ipaddress.ip_address(host).is_loopback
    )


def host_name(header: str) -> str:
    """Return the name in a ``Host`` header, without port and brackets, in lower case.

    >>> host_name("[::1]:8377"), host_name("Box.local"), host_name("[::1")
    ('::1', 'box.local', '')
    """
    try:
        return (urlsplit(f"//{header}").hostname or "").lower()
    except ValueError:
        return ""


def is_address(name: str) -> bool:
    """Tell whether a name is a number, of IPv4 or IPv6."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def is_same_site(headers: Mapping[str, str]) -> bool:
    """Tell whether a request comes from our page, as far as the browser says.

    *headers*: by the names that RFC 9110 gives them.
    """
    origin, site = headers.get("Origin"), headers.get("Sec-Fetch-Site")
    ours = origin is None or origin_host(origin) == headers.get("Host", "").lower()
    return ours and site in (None, "same-origin", "none")


def origin_host(origin: str) -> str:
    """Return name and port of an ``Origin`` header, in lower case; empty where it names none.

    >>> origin_host("http://Box:8377"), origin_host("null"), origin_host("http://[::1")
    ('box:8377', '', '')
    """
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""
