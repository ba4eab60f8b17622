"""``stampgate-edge status``: how the service is, from its status file, or else from the journal's
end.
"""

import argparse
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge.clock import boot_id
from edge.commands import add_config, config_of
from edge.config import Config
from edge.errors import InputError
from edge.record.journal_file import parse_record, rotated_files
from edge.record.status import is_running, read_status
from edge.record.telemetry import throttled_words

SILENT_S = 15.0
"""A service that works writes its status each second; one that has not for so long hangs."""
LAST_BYTES = 4 << 20
"""How much of the journal's end is looked at when the service does not run."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.description = (
        "Say how the service is: state, checksum of the settings, counters, last item, latencies, health. Exit status "
        "0 while it runs without trouble, else 1."
    )
    add_config(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print it. Raises InputError when the files may not be read."""
    config = config_of(arguments)
    try:
        status = _status(config)
    except OSError as error:
        raise InputError(
            f"{error.filename}: cannot be read ({error.strerror}); try again with sudo"
        ) from None
    print(json.dumps(status) if arguments.json else described(status))
    return int(status["state"] != "running")


def described(status: Mapping[str, Any]) -> str:
    """The status on one line for each thing."""
    lines = [("state", _state(status))]
    lines += [
        (name, str(status[name]))
        for name in ("trouble", "version", "settings_sha256")
        if status.get(name)
    ]
    if model := status.get("model"):
        lines.append(("model", f"{model.get('file')} (sha256 {str(model.get('sha256'))[:16]}...)"))
    if counters := status.get("counters"):
        lines.append(("counters", _words(counters)))
    if gate := {
        name: value
        for name, value in status.get("gate", {}).items()
        if name not in ("run", "trouble")
    }:
        lines.append(("gate", _words(gate)))
    if last := status.get("last"):
        lines.append(
            ("last item", f"#{last['sequence']} {last['verdict'].upper()} {last.get('reason', '')}")
        )
    if status.get("p50_ms") is not None:
        lines.append(
            (
                "latency",
                f"p50 {status['p50_ms']} ms, p99 {status['p99_ms']} ms, worst {status['worst_ms']} ms",
            )
        )
    if status.get("queue_depth") is not None:
        lines.append(("on the way", f"{status['queue_depth']} items between eye and gate"))
    lines += _health(status.get("health") or {})
    return "\n".join(f"{name:<15} {text}" for name, text in lines)


def _state(status: Mapping[str, Any]) -> str:
    if "process" not in status:
        return str(status["state"])
    return f"{status['state']} (process {status['process'][0]}, {_age_s(status):.1f} s ago)"


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
    """What the running service says of itself, or what the journal says of the one that ran last.
    Raises OSError.
    """
    status = read_status(config.path(config.journal.status) if config.journal.status else None)
    if status is not None and is_running(status) and status.get("boot_id") == boot_id():
        return status | ({"state": "silent"} if _age_s(status) > SILENT_S else {})
    return _from_journal(config.path(config.journal.file))


def _from_journal(path: Path) -> dict[str, Any]:
    """The state of a service that does not run, from the last start on, as far as the journal's end
    tells it.
    """
    status: dict[str, Any] = {"state": "not running, and no journal yet", "trouble": ""}
    for record in _last_records(path):
        started = record if record["kind"] == "start" else record.get("start")
        if started:
            about = {name: started.get(name) for name in ("version", "settings_sha256", "model")}
            status = {
                "state": "not running, and no word of why: killed, or the power went",
                "trouble": "",
                **about,
            }
        if record["kind"] == "settings":
            status["settings_sha256"] = record["settings_sha256"]
        elif record["kind"] == "item":
            status["last"] = {
                name: record.get(name) for name in ("sequence", "verdict", "reason", "ms")
            }
        elif record["kind"] == "stop":
            status |= {"state": f"stopped: {record.get('reason')}", "counters": record["counters"]}
        elif record["kind"] == "health":
            status["health"] = record
    return status


def _last_records(path: Path) -> list[dict[str, Any]]:
    """The first record of the last file, which says what was started, and those at its end."""
    file = path if path.exists() else next(reversed(rotated_files(path)), None)
    if file is None:
        return []
    with file.open("rb") as opened:
        lines = [opened.readline()]
        opened.seek(max(opened.tell(), file.stat().st_size - LAST_BYTES))
        lines += opened.readlines()
    return [record for line in lines if (record := parse_record(line.rstrip(b"\n"))) is not None]
