"""The messages between eye and gate, as JSON over a Unix socket that keeps message boundaries.

SOCK_SEQPACKET (unix(7)) delivers each message once, whole and in order, and tells at once when the
other end is gone. The eye begins with :class:`Hello`, the gate answers :class:`Welcome` or
:class:`Refused`. Either side closes the connection on a message that is not exactly one of these.

=========  ================================  ====================================================
the eye    which means                       the gate answers
=========  ================================  ====================================================
Hello      I speak this version              Welcome, or Refused and closes the connection
Expect     an item is here now               Expected, with the tag it has given it
Answer     cancel its reject, or do not      Answered, with what that did
Withdraw   reject it after all               nothing
Settle     it is written down                nothing, or the next Missed if there is one
Recorded   that incident is written down     nothing, or the next Incident if there is one
Beat       heartbeat, and what is wrong here Beaten, with its counters and what is wrong there
=========  ================================  ====================================================

Unasked the gate sends ItemSeen, an item is at the photo-eye now, Missed, one has passed that nobody
judged, and Incident, something happened that no item's record tells.

Whoever is at the other end may be damaged or hostile: each message has at most :data:`LONGEST`
bytes, each number its bounds, and each text is one printable line, so none can forge a line of a
log, end a process or reach the journal as something else.
"""

import dataclasses
import json
import re
import typing
from dataclasses import dataclass
from typing import Any

from edge.printing import printable
from edge.strict_json import RepeatedKeyError, each_once

VERSION = 4
LONGEST = 8192
"""Bytes of one message."""
TEXT_KEPT = 400
"""Characters of a text in a message."""
GREATEST = 2**63 - 1
"""Greatest number in a message; none is below 0."""
RUN = re.compile("[0-9]{1,10}-[0-9]{1,19}")
"""A gate's run: its process and when it began, monotonic nanoseconds."""
COUNTERS_AT_MOST = 64
"""Counters in one message."""


@dataclass(frozen=True)
class Hello:
    """The eye is there and ready.

    *trigger*, *mode*: the [trigger] kind and the [service] mode it was started with.
    *hold*: why the production line must not run, in the eye's words; empty when it may.
    """

    version: int
    trigger: str
    mode: str = "run"
    hold: str = ""


@dataclass(frozen=True)
class Welcome:
    """The gate accepts this eye.

    *run* names this life of the gate, whose tags begin at 1; *mode*: its [service] mode.
    """

    version: int
    run: str
    mode: str = "run"


@dataclass(frozen=True)
class Refused:
    """The gate refuses this eye, and closes the connection."""

    why: str


@dataclass(frozen=True)
class Expect:
    """The eye saw an item come: *t_ns*, monotonic nanoseconds."""

    t_ns: int


@dataclass(frozen=True)
class Expected:
    """The item is entered, as REJECT, under this tag."""

    tag: int


@dataclass(frozen=True)
class ItemSeen:
    """An item is at the photo-eye: judge it."""

    tag: int
    t_ns: int


@dataclass(frozen=True)
class Missed:
    """An item has passed that nobody judged; it was rejected, and must be written down.

    *run*, *seen_as*: the life of the gate that saw it, and its tag there, where that is not this
    one; else empty and 0.
    """

    tag: int
    t_ns: int
    why: str
    run: str = ""
    seen_as: int = 0


@dataclass(frozen=True)
class Incident:
    """Something happened at the gate that no item's record tells, and must be written down.

    *number* counts from 1 in each life of the gate. *what*: one word, such as ``thrown``; *tag*:
    the item concerned, 0 for none; *t_ns*: when, in monotonic nanoseconds; *why*: in a sentence;
    *run*: the life of the gate whose number and tag these are, where that is not this one.
    """

    number: int
    what: str
    tag: int
    t_ns: int
    why: str
    run: str = ""


@dataclass(frozen=True)
class Answer:
    """The eye's answer: cancel the reject, or let it stand."""

    tag: int
    cancel: bool


@dataclass(frozen=True)
class Answered:
    """The effect of the answer: an :data:`edge.gate.rejects.Outcome`."""

    tag: int
    outcome: str


@dataclass(frozen=True)
class Withdraw:
    """Reject the item after all."""

    tag: int


@dataclass(frozen=True)
class Settle:
    """The item is written down."""

    tag: int


@dataclass(frozen=True)
class Recorded:
    """The incident of that number is written down."""

    number: int


@dataclass(frozen=True)
class Beat:
    """Heartbeat of the eye; *trouble*: the text for the FAULT output, empty for none.

    *hold*: why the production line must not run, so that READY rests; empty when it may.
    """

    trouble: str
    hold: str = ""


@dataclass(frozen=True)
class Beaten:
    """Heartbeat of the gate: its counters, and what is wrong there, empty for nothing."""

    counters: dict[str, int]
    trouble: str


FromEye = Hello | Expect | Answer | Withdraw | Settle | Recorded | Beat
FromGate = Welcome | Refused | Expected | ItemSeen | Missed | Incident | Answered | Beaten
_KINDS: dict[str, type[Any]] = {
    "seen" if kind is ItemSeen else kind.__name__.lower(): kind
    for kind in (*typing.get_args(FromEye), *typing.get_args(FromGate))
}
_WORDS = {kind: word for word, kind in _KINDS.items()}


def word_of(message: FromEye | FromGate) -> str:
    """Return the word that names a message on the wire.

    >>> word_of(ItemSeen(7, 12))
    'seen'
    """
    return _WORDS[type(message)]


def encode(message: FromEye | FromGate) -> bytes:
    """Encode a message; a text that is too long is cut, and what does not print is escaped.

    >>> encode(Answer(7, True))
    b'{"say": "answer", "tag": 7, "cancel": true}'
    """
    said = {"say": word_of(message), **dataclasses.asdict(message)}
    cut = {
        key: clean_text(value) if isinstance(value, str) else value for key, value in said.items()
    }
    return json.dumps(cut).encode()


def clean_text(text: str) -> str:
    """Return a text as a message may hold it: printable, and not too long."""
    return printable(text[:TEXT_KEPT])[:TEXT_KEPT]


def decode(datagram: bytes) -> FromEye | FromGate:
    """Decode a message: a known word, its keys, each once and no other, each value in its bounds.

    Raises ValueError that names the mistake, in one printable line.
    """
    if len(datagram) > LONGEST:
        raise ValueError(f"a message must have at most {LONGEST} bytes")
    try:
        said = json.loads(datagram.decode(), object_pairs_hook=each_once, parse_int=_whole_number)
    except _MalformedError:
        raise
    except RepeatedKeyError as error:
        raise ValueError(f"a message must name each key once: {error}") from None
    except (ValueError, RecursionError):
        raise ValueError(f"a message must be JSON in UTF-8, not {datagram[:60]!r}") from None
    word = said.pop("say", None) if isinstance(said, dict) else None
    kind = _KINDS.get(word) if isinstance(word, str) else None
    if kind is None:
        raise ValueError(f"a message must say one of {', '.join(_KINDS)}, not {datagram[:60]!r}")
    types = _TYPES[kind]
    if kind is Hello and set(said) != set(types) and _is_of_another_version(said):
        return Hello(said["version"], "")
    if set(said) != set(types) or not all(_fits(value, types[key]) for key, value in said.items()):
        raise ValueError(f"{word} must hold {_wanted(types)}, not {datagram[:120]!r}")
    message: FromEye | FromGate = kind(**said)
    return message


def _is_of_another_version(said: dict[str, Any]) -> bool:
    """Tell whether an eye of another version says hello, to be refused with a reason."""
    version = said.get("version")
    return type(version) is int and version != VERSION and _fits(version, int)


class _MalformedError(ValueError):
    """JSON that no message may be."""


def _whole_number(text: str) -> int:
    """Read a whole number. Raises _MalformedError for more digits than any bound has."""
    if len(text) > len(str(-GREATEST)):
        raise _MalformedError(f"a message must hold numbers of 0 to {GREATEST}")
    return int(text)


_TYPES: dict[type[Any], dict[str, Any]] = {
    kind: {field.name: field.type for field in dataclasses.fields(kind)} for kind in _WORDS
}
_COUNTER = re.compile("[a-z][a-z_]{0,39}")
_IN_WORDS = {
    int: f"a number of 0 to {GREATEST}",
    str: f"a printable text of at most {TEXT_KEPT} characters",
    bool: "true or false",
    dict[str, int]: f"at most {COUNTERS_AT_MOST} named numbers",
}


def _wanted(types: dict[str, Any]) -> str:
    """Return in words what a message must hold."""
    return ", ".join(f"{name} ({_IN_WORDS[kind]})" for name, kind in types.items())


def _fits(value: Any, kind: Any) -> bool:
    """Tell whether *value* is of exactly this type and in its bounds: True is no number here."""
    if kind is int:
        return type(value) is int and 0 <= value <= GREATEST
    if kind is str:
        return type(value) is str and len(value) <= TEXT_KEPT and printable(value) == value
    if kind is bool:
        return type(value) is bool
    return (
        type(value) is dict
        and len(value) <= COUNTERS_AT_MOST
        and all(_COUNTER.fullmatch(name) and _fits(count, int) for name, count in value.items())
    )
