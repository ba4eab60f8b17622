"""``stampgate-edge status``: state of the service, from its status file or the journal's end."""

import argparse
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge.clock import boot_id
from edge.commands import add_config, config_of
from edge.config import Config
from edge.errors import InputError, JournalError
from edge.printing import print_line, printable
from edge.record.journal_file import (
    LONGEST_LINE,
    last_records,
    open_plain,
    parse_record,
    rotated_files,
)
from edge.record.status import is_running, read_status
from edge.record.telemetry import throttled_words
from edge.shadow.clearance import clearance_words
from edge.vision.proof_summary import UNPROVEN

SHADOW = "shadow: everything is judged, and nothing is thrown off"
SILENT_S = 15.0
"""A service that works writes its status each second; one that has not for so long hangs."""
LAST_BYTES = 4 << 20
"""How much of the journal's end is read when the service does not run."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command and its options."""
    parser.description = (
        "Say how the service is: state, checksum of the settings, counters, last item, latencies, "
        "health. Exit status 0 while it runs without trouble, else 1."
    )
    add_config(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Print the status; return 1 unless the service runs well.

    Raises InputError when its files may not be read.
    """
    config = config_of(arguments)
    try:
        status = _status(config)
    except JournalError as error:
        raise InputError(str(error)) from None
    except OSError as error:
        raise InputError(
            f"{error.filename}: cannot be read ({error.strerror}); try again with sudo"
        ) from None
    for line in [json.dumps(status)] if arguments.json else described(status):
        print_line(line)
    return int(status["state"] != "running")


def described(status: Mapping[str, Any]) -> list[str]:
    """Return the status for people, one line for each thing."""
    lines = [("state", _state(status)), *_mode(status)]
    lines += [
        (name, str(status[name]))
        for name in ("service", "trouble", "note", "version", "settings_sha256")
        if status.get(name)
    ]
    if model := status.get("model"):
        lines.append(("model", f"{model.get('file')} (sha256 {str(model.get('sha256'))[:16]}...)"))
        lines.append(("proof", str(model.get("proof") or UNPROVEN)))
    lines += _release(status.get("release") or {})
    if counters := status.get("counters"):
        lines.append(("counters", _words(counters)))
    gate = status.get("gate", {})
    if gate := {name: gate[name] for name in gate if name not in ("run", "trouble")}:
        lines.append(("gate", _words(gate)))
    if camera := status.get("camera"):
        lines.append(("camera", _words(camera)))
    if seal := status.get("seal"):
        lines.append(("seal", str(seal)))
    if told := _challenge(status.get("challenge") or {}):
        lines.append(("challenge test", told))
    if last := status.get("last"):
        said = f"#{last['sequence']} {last['verdict'].upper()} {last.get('reason', '')}"
        lines.append(("last item", said))
    if status.get("p50_ms") is not None:
        said = "p50 {p50_ms} ms, p99 {p99_ms} ms, worst {worst_ms} ms".format_map(status)
        lines.append(("latency", said))
    if status.get("queue_depth") is not None:
        lines.append(("on the way", f"{status['queue_depth']} items between eye and gate"))
    lines += _health(status.get("health") or {})
    return [printable(f"{name:<15} {text}") for name, text in lines]


def _release(release: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return which release judges, and how it stands; nothing for a bare model file."""
    if not release:
        return []
    said = f"{release.get('id')}, signed by {release.get('signer')}: {release.get('state')}"
    loading = release.get("loading")
    return [("release", f"{said}; {loading} is being loaded" if loading else said)]


def _challenge(challenge: Mapping[str, Any]) -> str:
    """Return how the challenge test stands, in words; empty where none was and none is due."""
    if challenge.get("running"):
        return f"number {challenge.get('number')} runs: {challenge.get('words')}"
    if challenge.get("hold"):
        return "; ".join(filter(None, [str(challenge["hold"]), str(challenge.get("link", ""))]))
    if challenge.get("passed_at") is None:
        return ""
    left = challenge.get("hours_left")
    then = "none is due" if left is None else f"the next is due in {left:.1f} hours"
    return f"passed at item {challenge['passed_at']}, and {then}"


def _state(status: Mapping[str, Any]) -> str:
    if "process" not in status:
        return str(status["state"])
    return f"{status['state']} (process {status['process'][0]}, {_age_s(status):.1f} s ago)"


def _mode(status: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what is said of shadow mode, and of an override of the plan; nothing in plain run."""
    lines = [("mode", SHADOW)] if status.get("mode") == "shadow" else []
    override = clearance_words(status)
    return [*lines, ("below its plan", override)] if override else lines


def _age_s(status: Mapping[str, Any]) -> float:
    return float(time.monotonic_ns() - status["written_ns"]) / 1e9


def _health(line: Mapping[str, Any]) -> list[tuple[str, str]]:
    lines = []
    if line.get("temperature_c") is not None:
        lines.append(("temperature", f"{line['temperature_c']} degrees Celsius"))
    if line.get("throttled") is not None:
        lines.append(("throttled", throttled_words(int(line["throttled"], 16))))
    elif line.get("undervoltage") is not None:
        lines.append(("undervoltage", "yes" if line["undervoltage"] else "no"))
    if line.get("rss_mb") is not None:
        lines.append(("memory", f"{line['rss_mb']} MB, {line.get('open_files')} open files"))
    return lines + [
        (name, _words(line[name])) for name in ("journal", "evidence") if line.get(name)
    ]


def _words(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _status(config: Config) -> dict[str, Any]:
    """Return the running service's status, or what the journal tells of the last one.

    Raises OSError.
    """
    status = read_status(config.path(config.journal.status) if config.journal.status else None)
    if status is not None and is_running(status) and status.get("boot_id") == boot_id():
        return status | ({"state": "silent"} if _age_s(status) > SILENT_S else {})
    return _from_journal(config.path(config.journal.file))


def _from_journal(path: Path) -> dict[str, Any]:
    """Return the status of a service that does not run: its last start and what followed.

    Only the first and the last records of the journal's last file are read.
    """
    status: dict[str, Any] = {"state": "not running, and no journal yet", "trouble": ""}
    for record in _last_records(path):
        started = {"start": record, "continued": record.get("start")}.get(record["kind"])
        if started:
            about = {name: started.get(name) for name in ("version", "settings_sha256", "model")}
            about |= {"service": record["service"]} if record.get("service") else {}
            status = {
                "state": "not running, and no word of why: killed, or the power went",
                "trouble": "",
                **about,
            }
        if record["kind"] == "settings":
            status["settings_sha256"] = record.get("settings_sha256")
        elif record["kind"] == "item":
            status["last"] = {
                name: record.get(name) for name in ("sequence", "verdict", "reason", "code", "ms")
            }
        elif record["kind"] == "stop":
            status |= {"state": f"stopped: {record.get('reason')}", "counters": record["counters"]}
        elif record["kind"] == "health":
            status["health"] = record
        status["seal"] = "on" if "seal" in record else "off"
    return status


def _last_records(path: Path) -> list[dict[str, Any]]:
    """Return the first record of the last file, which says what was started, and those at its end.

    Raises OSError.
    """
    file = path if path.exists() else next(reversed(rotated_files(path)), None)
    if file is None:
        return []
    with open_plain(file) as opened:
        first = parse_record(opened.readline(LONGEST_LINE).rstrip(b"\n"))
    last = [*last_records(file, LAST_BYTES)][::-1]
    return [*([] if first is None or first in last[:1] else [first]), *last]
