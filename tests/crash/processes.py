"""Eye and gate as two real processes under load, of which one is killed again and again.

They are forked from this process, which has loaded everything already: a new one stands within
hundredths of a second, so a thousand can be killed in minutes.
"""

import faulthandler
import json
import os
import random
import signal
import socket
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from edge.clock import MonotonicClock
from edge.errors import StampgateError
from edge.gate.client import RemoteGate
from edge.gate.debts import Debts, parse_debts
from edge.gate.keeper import Keeper
from edge.gate.process import GateLoop, serve_gate
from edge.gate.rejects import Arrival, RejectQueue
from edge.gate.unsettled import UnsettledItem
from edge.process.stopping import stop_on_signals
from edge.record.seal import SealKey, set_up
from edge.record.verify import read_records, verify
from edge.record.written import WrittenRecords
from tests.crash.eye import findings_of_seal, is_good, open_eye, settings

TOLD = "told-by-gates"
DELAY_MS = 60.0
PATIENCE_S = 300.0
ALIVE_S = (0.02, 0.3)
"""How long a process lives once it works, before it is killed."""
BETWEEN_S = 0.012
"""Time between two items, seconds; it covers the photo-eye for a tenth of that."""


def run_eye(folder: Path) -> None:
    """Be an eye until a signal."""
    config, clock = settings(folder, DELAY_MS), MonotonicClock()
    written = WrittenRecords(config.path(config.journal.file))
    gate = RemoteGate(config.path(config.gate.socket), "photo-eye", clock, written)
    with stop_on_signals() as stop, open_eye(config, clock, gate) as station:
        while not stop.reason:
            station.pass_item(clock.now_ns() + 20_000_000, stop)
        station.settle_all()


def run_gate(folder: Path) -> None:
    """Be a gate until a signal."""
    tell_what_is_seen(folder)
    serve_gate(settings(folder, DELAY_MS))


class KilledAt:
    """Kills its own process, by SIGKILL, at its message *at*, before or after that is handled."""

    def __init__(self, at: int, when: str) -> None:
        self._at, self._when, self._seen = at, when, 0

    def of_eye(self) -> None:
        """Count what the eye sends and receives."""
        for name in ("_send", "_receive"):
            setattr(RemoteGate, name, self._around(getattr(RemoteGate, name)))

    def of_gate(self) -> None:
        """Count what the gate takes and sends."""
        for name in ("_handle", "_send_outbox"):
            setattr(GateLoop, name, self._around(getattr(GateLoop, name)))

    def _around(self, real: Callable[..., object]) -> Callable[..., object]:
        def counted(*arguments: object) -> object:
            self._seen += 1
            here = self._seen == self._at
            if here and self._when == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            done = real(*arguments)
            if here:
                os.kill(os.getpid(), signal.SIGKILL)
            return done

        return counted


class Processes:
    """The two processes, their folder and the load."""

    def __init__(self, folder: Path, seed: int = 0, *, sealed: bool = False) -> None:
        """*seed*: of the moments of the kills; *sealed*: the journal has a seal."""
        self.folder = folder
        self.items = 0
        self.killed = {"eye": 0, "gate": 0}
        self.seen = self.passed = 0
        self._random = random.Random(seed)
        self._pids: dict[str, int] = {}
        self._verification_key = SealKey.first(bytes(32)) if sealed else None
        if self._verification_key is not None:
            set_up(self.folder / "journal.jsonl", self._verification_key)

    def start(self, name: str, killer: KilledAt | None = None) -> None:
        """Start the eye or the gate."""
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            self._be(name, killer)
        self._pids[name] = pid

    def _be(self, name: str, killer: KilledAt | None) -> None:
        status = 1
        try:
            log = os.open(self.folder / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(log, 2)
            sys.stderr = os.fdopen(os.dup(2), "w")
            faulthandler.register(signal.SIGUSR1, file=sys.stderr)
            if killer is not None:
                (killer.of_eye if name == "eye" else killer.of_gate)()
            (run_eye if name == "eye" else run_gate)(self.folder)
            status = 0
        except StampgateError as error:
            print(error, file=sys.stderr)
            status = error.exit_code
        except BaseException:  # noqa: BLE001 - a process of its own tells it itself
            traceback.print_exc(file=sys.stderr)
        finally:
            sys.stderr.flush()
            os._exit(status)

    def is_alive(self, name: str) -> bool:
        """Tell whether it runs; one that has ended is reaped."""
        pid = self._pids.get(name, 0)
        if pid and os.waitpid(pid, os.WNOHANG)[0]:
            self._pids[name] = pid = 0
        return bool(pid)

    def keep_up(self) -> None:
        """Start whoever does not run, the gate first."""
        if not self.is_alive("gate"):
            self.start("gate")
        if not self.is_alive("eye") and (self.folder / "gate.sock").exists():
            self.start("eye")

    def kill(self, name: str) -> None:
        """Kill it, if it runs."""
        if self.is_alive(name):
            os.kill(self._pids[name], signal.SIGKILL)
            os.waitpid(self._pids.pop(name), 0)
            self.killed[name] += 1

    def pass_item(self) -> bool:
        """Let an item come by; False when there is no gate to see it."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            try:
                for level in (1, 0):
                    edge = json.dumps({"line": "trigger", "level": level}).encode()
                    sender.sendto(edge, str(self.folder / "lines.sock"))
            except OSError:
                return False
        self.items += 1
        return True

    def load_for(self, seconds: float) -> None:
        """Let items come by for a while."""
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s:
            self.keep_up()
            self.pass_item()
            time.sleep(BETWEEN_S)

    def load_until(self, done: Callable[[], bool]) -> None:
        """Let items come by until *done*."""
        deadline_s = time.monotonic() + PATIENCE_S
        while not done():
            assert time.monotonic() < deadline_s, f"nothing happens any more in {self.folder}"
            self.load_for(0.01)

    def kill_under_load(self, name: str) -> None:
        """Let it work, then kill it at any moment."""
        before = self.records()
        self.load_until(lambda: self.records() > before)
        self.load_for(self._random.uniform(*ALIVE_S))
        self.kill(name)

    def kill_at_message(self, name: str, at: int, when: str) -> None:
        """Start it anew, to be killed at that message of its life."""
        self.kill(name)
        if name == "gate":
            self.kill("eye")
        self.start(name, KilledAt(at, when))
        pid = self._pids[name]
        self.load_until(lambda: not self.is_alive(name) or self._pids.get(name) != pid)
        self.killed[name] += 1

    def records(self) -> int:
        """Return how large the journal is: it grows while the eye works."""
        path = self.folder / "journal.jsonl"
        return path.stat().st_size if path.exists() else 0

    def end(self) -> None:
        """Let the eye write down all that is owed, and end both."""
        deadline_s = time.monotonic() + PATIENCE_S
        while self.owed():
            assert time.monotonic() < deadline_s, f"debts are left in {self.folder}"
            self.keep_up()
            time.sleep(0.02)
        for name in ("eye", "gate"):
            if self.is_alive(name):
                os.kill(self._pids[name], signal.SIGTERM)
                os.waitpid(self._pids.pop(name), 0)

    def owed(self) -> int:
        """Return how many items and incidents the gate owes by its file."""
        try:
            owed = parse_debts((self.folder / "gate.sock.debts").read_bytes())
        except FileNotFoundError:
            return 0
        return len(owed.items) + owed.beyond + len(owed.incidents)

    def stop_all(self) -> None:
        """Leave nobody behind."""
        for name in ("eye", "gate"):
            if self.is_alive(name):
                os.kill(self._pids[name], signal.SIGKILL)
                os.waitpid(self._pids.pop(name), 0)

    def findings(self) -> list[str]:
        """Return what is wrong: each item once in the journal, no PASS but of a good item."""
        path = self.folder / "journal.jsonl"
        seal = findings_of_seal(path, self._verification_key, verify(path))
        records = read_records(path)
        items = [record for record in records if record["kind"] == "item"]
        named = Counter((str(r["gate_run"]), int(r["tag"])) for r in items)
        incidents = Counter((r["gate_run"], r["incident"]) for r in records if "incident" in r)
        seen, passed = self._told_by_gates()
        found = seal + [
            f"item {name} has {named[name]} records" for name in seen if named[name] != 1
        ]
        found += [f"item {name} is recorded twice" for name, number in named.items() if number > 1]
        found += [f"incident {name} is recorded twice" for name, n in incidents.items() if n > 1]
        told = {(r["gate_run"], r.get("tag")) for r in records if r["kind"] == "incident"}
        by_name = {(str(r["gate_run"]), int(r["tag"])): r for r in items}
        for name in passed & by_name.keys():
            record = by_name[name]
            why = record["reason"]
            let_pass = (
                record["verdict"] == "pass" or "let the item pass" in why or "may have" in why
            )
            if not (let_pass or name in told):
                found.append(f"item {name} passed, and its record says {record}")
            if not is_good(record["trigger_ns"]):
                found.append(f"item {name} passed without the mark")
        self.passed, self.seen = len(passed), len(seen)
        return found

    def _told_by_gates(self) -> tuple[set[tuple[str, int]], set[tuple[str, int]]]:
        """Return the items that the gates saw, and those that passed, as they wrote it down."""
        found: dict[str, set[tuple[str, int]]] = {"seen": set(), "passed": set()}
        for line in (self.folder / TOLD).read_text().splitlines():
            word, run, tag = line.split()
            found[word].add((run, int(tag)))
        return found["seen"], found["passed"]


def tell_what_is_seen(folder: Path) -> None:
    """Let the gate in this process write down which items it sees, and which it lets by."""
    told = os.open(folder / TOLD, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    run = [""]
    take_over, owe, take_arrivals = Keeper.take_over, Debts.owe, RejectQueue.take_arrivals

    def noted_take_over(keeper: Keeper, debts: Debts, boot: str) -> None:
        run[0] = keeper.run
        take_over(keeper, debts, boot)

    def noted_owe(debts: Debts, item: UnsettledItem) -> None:
        owe(debts, item)
        if not item.run:
            os.write(told, f"seen {run[0]} {item.tag}\n".encode())

    def noted_arrivals(queue: RejectQueue) -> list[Arrival]:
        arrivals = take_arrivals(queue)
        for arrival in arrivals:
            if not arrival.thrown:
                os.write(told, f"passed {run[0]} {arrival.sequence}\n".encode())
        return arrivals

    for kind, name, noted in (
        (Keeper, "take_over", noted_take_over),
        (Debts, "owe", noted_owe),
        (RejectQueue, "take_arrivals", noted_arrivals),
    ):
        setattr(kind, name, noted)
