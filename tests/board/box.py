"""The box on the board as somebody with a shell sees it: package, two services, journal.

Runs in the guest, as root.
"""

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from tests.board import wires

GATE, EYE, BOTH = "stampgate-gate.service", "stampgate-edge.service", "stampgate.target"
PROGRAM = "stampgate-edge"
JOURNAL = Path("/var/log/stampgate/journal.jsonl")
SETTINGS = Path("/etc/stampgate/edge.toml")
SOCKET = Path("/run/stampgate/gate.sock")
EYE_USER, GATE_USER = "stampgate", "stampgate-gate"
UNITS = Path("/usr/lib/systemd/system")
PATIENCE_S = 240.0
"""How long anything may take that is waited for: starting the eye takes about a quarter of that
here."""
BEATS = 8
"""Levels of READY that are looked at, 10 ms apart, to tell whether it beats."""
T = TypeVar("T")


def run(*command: str, check: bool = True) -> str:
    """Run a program and return what it printed.

    Raises RuntimeError with its words when it fails and *check*.
    """
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}: {done.stdout[-2000:]}")
    return done.stdout


def show(unit: str, *names: str) -> list[str]:
    """What systemd knows of a unit."""
    text = run("systemctl", "show", unit, *(f"--property={name}" for name in names))
    known = dict(line.split("=", 1) for line in text.splitlines())
    return [known[name] for name in names]


def main_pid(unit: str) -> int:
    """The process of a service, 0 for none."""
    return int(show(unit, "MainPID")[0])


def restarts(unit: str) -> int:
    """How often systemd has started the service again."""
    return int(show(unit, "NRestarts")[0])


def until(what: str, ask: Callable[[], T | None], patience_s: float = PATIENCE_S) -> T:
    """Poll until the answer is true, and return it.

    Raises TimeoutError that says *what* did not come.
    """
    deadline = time.monotonic() + patience_s
    while not (answer := ask()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {patience_s:g} s")
        time.sleep(0.05)
    return answer


def ready() -> bool:
    """Return whether READY beats and REJECT rests.

    Then the line may run, and nothing that came before it runs is under way.
    """
    seen = []
    for _ in range(BEATS):
        seen.append(wires.levels())
        time.sleep(0.01)
    return {level[wires.READY] for level in seen} == {0, 1} and not any(
        level[wires.REJECT] for level in seen
    )


def well() -> bool:
    """Return whether the line may run and FAULT rests.

    Items without a picture show as FAULT for a minute, while the line runs again.
    """
    return not wires.levels()[wires.FAULT] and ready()


def records() -> list[dict[str, Any]]:
    """The whole lines of the journal's last file."""
    if not JOURNAL.exists():
        return []
    text = JOURNAL.read_text(encoding="utf-8")
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


def items() -> list[dict[str, Any]]:
    """The items among them."""
    return [record for record in records() if record["kind"] == "item"]


def incidents() -> list[dict[str, Any]]:
    """The incidents of the gate among them."""
    return [record for record in records() if record["kind"] == "incident"]


def challenges() -> list[dict[str, Any]]:
    """The records of challenge tests among them."""
    return [record for record in records() if record["kind"] == "challenge"]


def releases() -> list[dict[str, Any]]:
    """The records of the model's release among them."""
    return [record for record in records() if record["kind"] == "release"]


def messages(*arguments: str) -> str:
    """What systemd's journal holds of this boot."""
    return run("journalctl", "--boot", "--no-pager", "--output=short-monotonic", *arguments)
