"""A settings file of any kind and content is read in no time, or refused in one line with 78."""

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.config import load_config, sample
from edge.errors import ConfigError
from edge.settings_file import MAX_BYTES, MAX_DOTS, read_toml
from edge.wiring import load_checked

LONG_ARRAY = "[" * 5000 + "]" * 5000
CONTENTS: dict[str, tuple[bytes, str]] = {
    "400 digits": (b"[gate]\npulse_ms = 1" + b"0" * 400, "[gate] pulse_ms must be above 0"),
    "400 digits, whole number": (b"[model]\nthreads = 1" + b"0" * 400, "threads must be at least"),
    "309 digits and a point": (b"[gate]\npulse_ms = 1" + b"0" * 308 + b".0", "pulse_ms must be"),
    "5,000 digits": (b"[gate]\npulse_ms = 1" + b"0" * 5000, "a number has thousands of digits"),
    "5,000 hex digits": (b"[gate]\npulse_ms = 0x" + b"f" * 5000, "not one too long to show"),
    "64 bits": (b"[evidence]\nseed = 9223372036854775808", "seed must be at least 0"),
    "1e999": (b"[gate]\npulse_ms = 1e999", "and at most 10000, not Infinity"),
    "infinite": (b"[gate]\npulse_ms = -inf", "and at most 10000, not -Infinity"),
    "no number": (b"[gate]\npulse_ms = nan", "and at most 10000, not NaN"),
    "true for a number": (b"[gate]\npulse_ms = true", "must be a number, not true"),
    "1 for true": (b"[camera]\nloop = 1", "must be true or false, not 1"),
    "a date": (b"[gate]\npulse_ms = 2026-11-30", 'must be a number, not "2026-11-30"'),
    "a table": (b"[gate.pulse_ms]\nx = 1", 'must be a number, not {"x": 1}'),
    "tables for a section": (b"[[gate]]\npulse_ms = 1", "[gate] must be a section, not ["),
    "deep array": (b"[camera]\nloop = " + LONG_ARRAY.encode(), "nested too deeply"),
    "deep inline table": (b"[camera]\nloop = " + b"{a=" * 3000, "nested too deeply"),
    "deep key": (b"[camera]\n" + b".".join([b"a"] * 9000) + b" = 1", f"more than {MAX_DOTS} dots"),
    "deep section": (b"[" + b".".join([b"a"] * 9000) + b"]", f"more than {MAX_DOTS} dots"),
    "NUL in a path": (b'[journal]\nfile = "a\\u0000b"', "without control characters"),
    "escape in a name": (b'[decision]\nrequired = ["\\u001b[2J"]', "without control characters"),
    "line end in a path": (b'[model]\nfile = "a\\nb"', "one line without control characters"),
    "5,000 bytes of path": (b'[journal]\nfile = "' + b"a/" * 2500 + b'"', "a path of at most"),
    "300 bytes of name": (b'[model]\nfile = "' + "ä".encode() * 150 + b'"', "a path of at most"),
    "5,000 letters": (b'[lines]\nchip = "' + b"a" * 5000 + b'"', "at most 4000 characters"),
    "BOM": (b"\xef\xbb\xbf" + sample().encode(), "it begins with a byte-order mark"),
    "UTF-16": (sample().encode("utf-16"), "not UTF-16 nor binary"),
    "UTF-16 without a mark": (sample().encode("utf-16-le"), "not UTF-16 nor binary"),
    "UTF-32": (sample()[:900].encode("utf-32"), "not UTF-16 nor binary"),
    "Latin-1": ("# für\n".encode("latin-1"), "can't decode byte 0xfc"),
    "NUL": (b"[gate]\0\n", "not UTF-16 nor binary"),
    "binary": (os.urandom(3000), "must be TOML in UTF-8"),
    "the same key twice": (b"[gate]\npulse_ms = 1\npulse_ms = 1", "Cannot overwrite a value"),
    "the same section twice": (b"[gate]\n[gate]\n", "Cannot declare"),
    "a key of 9,000 letters": (b"[gate]\n" + b"a" * 9000 + b" = 1", 'has no key "aaaa'),
    "an unknown section with an escape": (b'["\\u001b[2J"]\n', 'has no section ["\\u001b[2J"]'),
    "a key near a known one": (b"[gate]\nplse_ms = 1", "; the nearest is pulse_ms"),
    "too long": (b"# " + b"a" * MAX_BYTES, f"longer than {MAX_BYTES} bytes"),
}


@pytest.mark.parametrize("what", CONTENTS)
def test_odd_content_is_refused_in_one_short_line(tmp_path: Path, what: str) -> None:
    """Nobody sees a traceback, and the line is short enough to be read."""
    content, why = CONTENTS[what]
    path = tmp_path / "edge.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_checked(path)
    said = str(caught.value)
    assert caught.value.exit_code == 78
    assert why in said
    assert said.isprintable()
    assert len(said) - len(str(path)) < 900
    assert not isinstance(caught.value.__cause__, Exception)


def test_a_line_of_dots_that_is_a_comment_is_read(tmp_path: Path) -> None:
    """People draw lines with them."""
    (tmp_path / "edge.toml").write_text(f"# {'.' * 300}\n  # {'.' * 300}\n[gate]\n")
    assert load_config(tmp_path / "edge.toml").gate.pulse_ms == 50.0


def test_a_pipeline_may_have_several_lines(tmp_path: Path) -> None:
    """It is the one text that may: it is long."""
    (tmp_path / "edge.toml").write_text('[camera]\npipeline = """\na !\n\tb"""\n')
    assert load_config(tmp_path / "edge.toml").camera.pipeline == "a !\n\tb"


def fifo(path: Path) -> None:
    """A FIFO, which would wait for a writer."""
    os.mkfifo(path)


def listening_socket(path: Path) -> None:
    """A socket's file."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


KINDS: dict[str, tuple[Callable[[Path], object], str]] = {
    "nothing": (lambda _: None, "No such file or directory"),
    "folder": (Path.mkdir, "Is a directory"),
    "FIFO": (fifo, "a FIFO, not a file"),
    "socket": (listening_socket, "a socket, not a file"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "a device, not a file"),
    "link to itself": (lambda path: path.symlink_to(path), "Too many levels of symbolic links"),
    "memory": (lambda path: path.symlink_to("/proc/self/mem"), "Input/output error"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_file_is_refused_and_nobody_waits(tmp_path: Path, kind: str) -> None:
    """A FIFO has no writer, /dev/zero no end."""
    make, why = KINDS[kind]
    make(tmp_path / "edge.toml")
    with pytest.raises(ConfigError, match=rf"edge\.toml: cannot be read \({why}\)"):
        read_toml(tmp_path / "edge.toml")


@pytest.mark.parametrize("name", ["a\0b", "a" * 300, "a/" * 3000])
def test_a_name_that_no_file_can_have_is_refused(name: str) -> None:
    """The command line may hold a long one."""
    with pytest.raises(ConfigError, match=r"cannot be read \([^)]+\)"):
        read_toml(Path(name))


def test_the_dearest_file_costs_little(tmp_path: Path) -> None:
    """Processor time: the gate has nothing else to do it with."""
    line = ".".join(["a"] * MAX_DOTS) + "{} = 1\n"
    (tmp_path / "edge.toml").write_text("".join(map(line.format, range(300))))
    before = time.process_time()
    with pytest.raises(ConfigError, match="has no section"):
        load_config(tmp_path / "edge.toml")
    assert time.process_time() - before < 20
