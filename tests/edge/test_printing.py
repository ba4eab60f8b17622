"""What comes from outside cannot forge a line, whoever prints it."""

import argparse
import ast
import csv
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.annotate import annotate
from edge.command_line import Command, Program, main
from edge.commands.inspect import Inspected
from edge.commands.status import described
from edge.decision import Box, Finding, Verdict
from edge.errors import InputError
from edge.printing import csv_cell, json_text, print_error, print_line, print_traceback, printable
from edge.record.status import StatusFile, read_status
from edge.reports.lines import short_lines, text_line
from edge.reports.table import COLUMNS, csv_row
from edge.selftest import CheckResult
from tests.house.sources import ROOMS, relative
from tests.paths import ROOT

HOSTILE = {
    "line feed": "a\nstampgate: forged",
    "carriage return": "a\rPASS forged",
    "both": "a\r\nforged",
    "vertical tab and form feed": "a\x0bb\x0cc",
    "separators of C0": "a\x1cb\x1db\x1eb\x1fc",
    "next line, C1": "a\x85forged",
    "line separator": "a\u2028forged",
    "paragraph separator": "a\u2029forged",
    "clear the screen": "\x1b[2J\x1b[Hforged",
    "title of the terminal": "\x1b]0;forged\x07",
    "CSI of one byte": "\x9b2Jforged",
    "NUL, backspace, DEL": "a\0b\b\b\x7fc",
    "right-to-left override": "\u202egnp.ssap",
    "isolates": "a\u2066b\u2067c\u2068d\u2069e",
    "marks of direction": "a\u200eb\u200fc\u061cd",
    "zero width": "pa\u200bss\u200c\u200d\u2060",
    "byte order mark": "\ufeffpass",
    "soft hyphen": "pa\u00adss",
    "a filler that is a letter": "\u3164\u115f\u1160\uffa0",
    "variation selectors": "a\ufe0fb\U000e0101",
    "tags": "a\U000e0041\U000e007f",
    "a blank that is no space": "a\u00a0b\u2003c\u3000d\u2800e",
    "a byte of a file's name": "a\udcffb",
    "half of a pair": "\ud83d",
    "private and unassigned": "\ue000\U0010ffff\u0378",
    "a pile of marks": "Z" + "\u0336" * 40,
    "a mark alone": "\u0301x",
    "annotation": "a\ufff9b\ufffac\ufffb",
}


def is_one_clean_line(text: str) -> bool:
    """Tell whether a terminal shows *text* as it is, on one line."""
    return text.isprintable() and len(text.splitlines()) <= 1 and text.encode() != b""


@pytest.mark.parametrize("kind", HOSTILE)
def test_no_text_forges_a_line_and_what_it_was_can_be_read(kind: str) -> None:
    """Each character that is replaced stands there as its escape."""
    text = HOSTILE[kind]
    shown = printable(text)
    assert is_one_clean_line(shown)
    assert "\\u" in shown.lower()
    assert shown.encode("latin-1", "backslashreplace").decode("unicode_escape") == text


@given(st.text(st.characters(exclude_characters="\\")))
def test_every_text_becomes_one_line_from_which_it_can_be_read_again(text: str) -> None:
    """Without a backslash of its own, to the last character."""
    shown = printable(text)
    assert shown.isprintable()
    back = shown.encode("latin-1", "backslashreplace").decode("unicode_escape")
    assert back == text


@pytest.mark.parametrize(
    "text", ["no qc-tested found", "Stempel für Prüfung \u2713", "日本語", "u\u0308", "Việt", "ไม่"]
)
def test_letters_of_all_languages_stay(text: str) -> None:
    """Composed or not."""
    assert printable(text) == text


@given(st.recursive(st.text() | st.floats(allow_nan=False) | st.none(), st.lists))
def test_json_keeps_every_character_and_shows_none_that_acts(value: object) -> None:
    """Surrogates too, unless two halves make a pair, which JSON cannot tell from the whole."""
    line = json_text(value)
    assert line.isprintable()
    assert line.encode().decode() == line
    assert json_text(json.loads(line)) == line


def test_json_of_a_byte_in_a_name_comes_back() -> None:
    """The journal once wrote a question mark in its place."""
    for text in HOSTILE.values():
        assert json.loads(json_text({"picture": text})) == {"picture": text}


FORMULAS = (
    *(f"{sign}1+1" for sign in "=+-@"),
    *(f"{sign}1+1" for sign in "\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u207a\u2212"),
    *(f"{blank}=1+1" for blank in ("\n", "\r", "\t", " ", "\u00a0", "\ufeff", "\u200b", "\0")),
    "\tx",
    "\rx",
    "\nx",
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    '+\uff1dHYPERLINK("http://x")',
)


@pytest.mark.parametrize("text", [*FORMULAS, *(f"a;{text}" for text in FORMULAS)], ids=ascii)
def test_no_text_is_a_formula_to_a_spreadsheet(text: str) -> None:
    """Neither as the cell nor as the part behind a semicolon; a line of it stays one line."""
    cell = csv_cell(text)
    written = io.StringIO()
    csv.writer(written).writerow([cell])
    assert len(written.getvalue().splitlines()) == 1
    last = str(cell).split(";")[-1]
    assert last.startswith("'")
    assert str(cell).isprintable()


def test_numbers_of_a_spreadsheet_stay_numbers() -> None:
    """A negative corner of a box is no formula."""
    assert [csv_cell(value) for value in (-1.5, -3, True, None)] == [-1.5, -3, True, None]
    assert csv_cell("no a-b; 3 found") == "no a-b; 3 found"


def record(text: str) -> dict[str, object]:
    """An item's record in which every text is *text*."""
    return {
        "v": 1,
        "kind": "item",
        "sequence": 1,
        "verdict": "pass",
        "reason": text,
        "gate": text,
        "wall_time": text,
        "picture": text,
        "evidence": text,
        "findings": [{"label": text, "score": 0.5, "box": [1.0, 2.0, 3.0, 4.0]}],
        text: [text],
    }


def status(text: str) -> dict[str, object]:
    """The status of a service in which every text is *text*."""
    return {
        "state": text,
        "trouble": text,
        "version": text,
        "settings_sha256": text,
        "model": {"file": text, "sha256": text},
        "counters": {text: 1},
        "gate": {text: text},
        "camera": {text: text},
        "last": {"sequence": 1, "verdict": text, "reason": text},
        "health": {"temperature_c": text, "journal": {text: text}, "rss_mb": text},
    }


def inspected(text: str) -> Inspected:
    """A picture that was judged, in which every text is *text*."""
    found = Finding(text, 0.5, Box(1, 2, 3, 4))
    return Inspected(Path(text.replace("\0", "")), Verdict("pass", text, (found,)), 1.0, None)


PRINTERS: dict[str, Callable[[str], list[str]]] = {
    "log": lambda text: short_lines(record(text), width=10_000),
    "log --wide": lambda text: [text_line(record(text))],
    "log, another kind": lambda text: [text_line({**record(text), "kind": text})],
    "log --csv": lambda text: [str(cell) for cell in csv_row(record(text)) if cell is not None],
    "status": lambda text: described(status(text)),
    "inspect": lambda text: [printable(inspected(text).as_line())],
    "inspect --json": lambda text: [json.dumps(inspected(text).as_object())],
    "check": lambda text: [str(CheckResult("ok", text, text))],
}


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("printer", PRINTERS)
def test_no_text_forges_a_line_of_a_command(printer: str, kind: str) -> None:
    """Names of classes and files, reasons, settings, and what the gate says."""
    clean = len(PRINTERS[printer]("clean"))
    lines = PRINTERS[printer](HOSTILE[kind])
    assert [line for line in lines if not line.isprintable()] == []
    assert len(lines) == clean
    assert len("\n".join(lines).splitlines()) == clean


def test_the_heading_of_the_csv_is_ours() -> None:
    """One line."""
    assert all(csv_cell(name) == name for name in COLUMNS)


@pytest.mark.parametrize("kind", HOSTILE)
def test_errors_warnings_and_tracebacks_are_single_lines(
    kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """On standard error, from which the system's journal takes its lines."""
    text = HOSTILE[kind]

    def refuse(_: argparse.Namespace) -> int:
        raise InputError(f"{text}: must be a file")

    module = type(sys)("a_refusing_command")
    module.add_arguments, module.run = lambda _: None, refuse  # type: ignore[attr-defined]
    sys.modules["a_refusing_command"] = module
    program = Program("stampgate", "for a test", {"refuse": Command("a_refusing_command", "it")})
    assert main(program, ["refuse"]) == 1
    print_error("stampgate-edge gate", text)
    print_traceback(ValueError, ValueError(text), None)
    said = capsys.readouterr().err
    assert all(line.isprintable() for line in said.split("\n"))
    assert len(said.splitlines()) == 3
    with pytest.raises(SystemExit):
        main(program, ["refuse", f"--{text}"])
    assert capsys.readouterr().err.splitlines()[-1].startswith("stampgate")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_that_lacks_a_letter_shows_its_escape(
    encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A German word must not end a program whose output is ASCII."""
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", out)
    program = Program("stampgate", "für \u2713", {})
    with pytest.raises(SystemExit):
        main(program, ["--help"])
    print_line("gefunden \u2713")
    out.flush()
    assert b"gefunden \\u2713\n" in out.buffer.getvalue()


@pytest.mark.parametrize("kind", HOSTILE)
def test_the_status_file_keeps_every_text(kind: str, tmp_path: Path) -> None:
    """A surrogate once became a question mark."""
    text = HOSTILE[kind]
    StatusFile(tmp_path / "status.json").write({"trouble": text})
    assert (read_status(tmp_path / "status.json") or {})["trouble"] == text
    assert (tmp_path / "status.json").read_text().rstrip("\n").isprintable()


def test_a_name_on_a_picture_stays_on_its_line() -> None:
    """Pillow would draw a second line of text over what is below."""
    verdict = Verdict("reject", "a\nb", (Finding("c\nd", 0.5, Box(1, 2, 3, 4)),))
    plain = Verdict("reject", "a\\u000ab", (Finding("c\\u000ad", 0.5, Box(1, 2, 3, 4)),))
    frame = np.zeros((64, 64, 3), np.uint8)
    assert annotate(frame, verdict).tobytes() == annotate(frame, plain).tobytes()


ALLOWED = {"edge/printing.py": "it is the one place"}


def test_whatever_is_printed_goes_through_the_one_function() -> None:
    """No ``print``, no ``write`` to a standard stream elsewhere in what is shipped."""
    files = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    found = [
        f"{relative(path)}:{node.lineno}"
        for path in files
        if relative(path) not in ALLOWED
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and writes_raw(node)
    ]
    assert found == []


def writes_raw(call: ast.Call) -> bool:
    """Tell whether a call prints past :mod:`edge.printing`."""
    name = ast.unparse(call.func)
    raw = {"print", "sys.stdout.write", "sys.stderr.write", "sys.stdout.writelines", "pprint"}
    if name == "tqdm.write" or (name.endswith(".write") and of_a_bar(call)):
        return not ast.unparse(call.args[0]).startswith("printable(")
    if name == "tqdm":
        given = [*call.args[1:2], *(word.value for word in call.keywords if word.arg == "desc")]
        return not all(
            isinstance(text, ast.Constant) or ast.unparse(text).startswith("printable(")
            for text in given
        )
    return name in raw


def of_a_bar(call: ast.Call) -> bool:
    """Tell whether a call writes beside a progress bar: only those name their stream."""
    return any(word.arg == "file" for word in call.keywords)


def test_raw_printing_is_found() -> None:
    """The check above, on what it must find."""
    bad = ["print(x)", "sys.stderr.write(x)", "tqdm.write(x)", "tqdm(y, x)", "tqdm(desc=x)"]
    bad.append("bar.write(x, file=sys.stderr)")
    good = ["tqdm.write(printable(x))", "tqdm(y, 'x')", "tqdm(desc=printable(x))", "print_line(x)"]
    parsed = [ast.parse(call, mode="eval").body for call in (*bad, *good)]
    found = [isinstance(call, ast.Call) and writes_raw(call) for call in parsed]
    assert found == [True] * len(bad) + [False] * len(good)
