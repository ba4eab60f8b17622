"""The one way onto a terminal, into a log, a CSV cell and a JSON line, for box and desktop.

A text from outside (a file's name, a class of a model, a value of the settings, a message of the
gate) may hold anything. Printed raw, a line feed forges a line, an escape sequence moves the cursor
or repaints what is above, a bidirectional control shows ``reject`` where ``pass`` stands, and a
lone surrogate ends the program. :func:`printable` replaces all of these by their escapes, so that
what was there can still be read; JSON keeps every character (:func:`json_text`).

Sources: Unicode Technical Report 36 (Unicode security considerations) and Standard Annex 44
(Default_Ignorable_Code_Point); OWASP, "CSV Injection"; ECMA-48 for the controls C0 and C1.
"""

import json
import re
import sys
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any, TextIO

MOST_MARKS = 3
"""Combining marks that may follow one another: Vietnamese and Thai need two; a pile of them is
drawn over the lines above and below."""
UNUSUAL = re.compile(r"[^ -~]+")
"""Runs of what is no plain ASCII letter, sign or space; a line for people has few."""
INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\ufffc"
    "\U000e0000-\U000e0fff]"
)
"""Letters and marks that ``str.isprintable`` lets pass although nothing of them is seen: fillers,
variation selectors, the blank of Braille, the place of an object."""
FORMULA = "=+-@\u2212"
"""What a spreadsheet takes for the beginning of a formula, after NFKC: full-width and small forms
become these. The last is the minus sign."""


def printable(text: object) -> str:
    r"""Return *text* for one line of a terminal or log: what cannot be seen becomes its escape.

    Escaped are controls (C0, DEL and C1), separators of lines and paragraphs, formatting and
    bidirectional controls, zero-width and invisible characters, blanks other than the space,
    surrogates (a byte 0xff in a file's name is ``\udcff``), private and unassigned characters, and
    combining marks without a letter or more than three deep.

    >>> print(printable("a\nb\x1b[2J \u202egnp.exe Grün"))
    a\u000ab\u001b[2J \u202egnp.exe Grün
    """
    return _escaped(str(text), _escape)


def print_line(text: object = "", file: TextIO | None = None, flush: bool = False) -> None:
    """Print exactly one line, made :func:`printable`; *file*: standard output when None."""
    print(printable(text), file=file, flush=flush)


def print_over(text: object, width: int, file: TextIO) -> None:
    """Print *text*, made :func:`printable`, over the line before; *width*: the terminal's columns.

    It is cut to the line, for what runs on into the next one cannot be printed over.
    """
    room = max(1, width - 1)
    line = printable(text)
    shown = line if len(line) <= room else f"{line[: max(0, room - 3)]}..."[:room]
    print(f"\r{shown:<{room}}", end="", file=file, flush=True)


def print_error(program: str, text: object) -> None:
    """Print one line of *program* on standard error, which is the system's journal for a unit."""
    print_line(f"{program}: {text}", sys.stderr, flush=True)


def print_traceback(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Print an error that nobody foresaw, with its traceback; its text cannot forge a line of it.

    It takes the place of ``sys.excepthook``.
    """
    for part in traceback.TracebackException(kind, error, trace).format():
        ours = part.startswith(("Traceback", "  File", "\n"))
        for line in part.splitlines() if ours else [part.rstrip("\n")]:
            print_line(line, sys.stderr)


def show_all_text() -> None:
    """Let a letter that standard output's encoding lacks be printed as its escape.

    Otherwise a German word would end a program whose output is Latin-1 or ASCII.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def csv_cell(value: object) -> object:
    r"""Return *value* for a cell of a spreadsheet: a text is printable, and is no formula.

    A text that begins like a formula gets an apostrophe before it, behind blanks or invisible
    characters too, and behind a semicolon, which parts cells where the comma is the decimal sign.
    Numbers stay as they are.

    >>> for text in ("=1+1", "\n=1", "a;@b", "a-b", -1.5):
    ...     print(csv_cell(text))
    '=1+1
    '\u000a=1
    a;'@b
    a-b
    -1.5
    """
    if value is None or isinstance(value, bool | int | float):
        return value
    return ";".join(map(_guarded, str(value).split(";")))


def json_text(value: Any, *, allow_nan: bool = True) -> str:
    r"""Return *value* as one line of JSON from which every character comes back as it was.

    Letters stand as themselves; what :func:`printable` would escape is escaped by JSON's rules.
    *allow_nan*: whether NaN and infinities, which are no JSON, are written all the same; otherwise
    they raise ValueError.

    >>> print(json_text({"Stempel für": "a\u2028b\udcff\U000e0041"}))
    {"Stempel für": "a\u2028b\udcff\udb40\udc41"}
    """
    return _escaped(json.dumps(value, ensure_ascii=False, allow_nan=allow_nan), _json_escape)


def _guarded(text: str) -> str:
    seen = "".join(c for c in text if c.isprintable() and not INVISIBLE.match(c)).lstrip()
    from unicodedata import normalize  # noqa: PLC0415 - as above

    begins = normalize("NFKC", seen[:1])
    formula = begins != "" and begins[0] in FORMULA
    return f"'{printable(text)}" if formula or text[:1] in ("\t", "\r", "\n") else printable(text)


def _escaped(text: str, escape: Callable[[str], str]) -> str:
    return UNUSUAL.sub(lambda found: _escaped_run(found, escape), text)


def _escaped_run(found: re.Match[str], escape: Callable[[str], str]) -> str:
    """Escape what must be in a run of letters that are no plain ASCII."""
    # A megabyte, which a gate that says nothing unusual never needs.
    from unicodedata import category  # noqa: PLC0415

    shown = []
    marks = 0 if found.start() else MOST_MARKS  # a mark at the very beginning has no letter
    for letter in found[0]:
        marks = marks + 1 if category(letter) in ("Mn", "Me") else 0
        hidden = not letter.isprintable() or INVISIBLE.match(letter) is not None
        shown.append(escape(letter) if hidden or marks > MOST_MARKS else letter)
    return "".join(shown)


def _escape(letter: str) -> str:
    number = ord(letter)
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"


def _json_escape(letter: str) -> str:
    """JSON writes what lies above U+FFFF as two surrogates: RFC 8259, section 7."""
    halves = letter.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{halves[i : i + 4]}" for i in range(0, len(halves), 4))
