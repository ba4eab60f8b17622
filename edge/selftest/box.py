"""The box itself: room and speed of its disk, its clock, its watchdogs, its power and temperature."""

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from edge.clock import boot_id, clock_synced
from edge.config import Config
from edge.record.telemetry import telemetry, throttled_words
from edge.selftest import CheckResult

WRITES, WRITE_BYTES = 20, 4096
"""How often, and how much at once, the disk is written to; one record of the journal is smaller."""
MB = 1_000_000
COARSE_S = 1e-3
"""A clock that cannot tell two milliseconds apart is too coarse for a gate."""
HOT_C = 80.0
"""Degrees Celsius at which a Raspberry Pi begins to slow down (its documentation, "frequency
management")."""
THROTTLED_NOW = 0xF
"""The bits of the Raspberry Pi firmware that say how it is now; those above say how it was."""
PATIENCE_S = 10.0
"""How long systemd may take for an answer."""
EYE_UNIT, GATE_UNIT = "stampgate-edge.service", "stampgate-gate.service"


def disk(config: Config) -> Iterator[CheckResult]:
    """Room for journal and evidence, whether it can be written, and how long that takes."""
    journal = config.path(config.journal.file)
    yield _folder("journal disk", journal.parent, config)
    if journal.exists() and not os.access(journal, os.R_OK | os.W_OK):
        yield CheckResult(
            "FAIL", "journal file", f"{journal}: may not be written; chown it to the service's user"
        )
    if config.evidence.folder:
        yield _folder("evidence disk", _nearest(config.path(config.evidence.folder)), config)


def _folder(what: str, folder: Path, config: Config) -> CheckResult:
    try:
        times_ms = _write_times_ms(folder)
        space = os.statvfs(folder)
    except OSError as error:
        return CheckResult(
            "FAIL",
            what,
            f"{folder}: cannot be written ({error.strerror}); make room or permission there",
        )
    free_mb = space.f_bavail * space.f_frsize / MB
    said = f"{folder}: {free_mb:.0f} MB free, a record takes {statistics.median(times_ms):.1f} ms to be safe, "
    said += f"the slowest of {WRITES} {max(times_ms):.1f} ms"
    if free_mb < config.evidence.keep_free_mb:
        least = f"[evidence] keep_free_mb {config.evidence.keep_free_mb}"
        return CheckResult("WARN", what, f"{said}; no pictures are kept below {least}: make room")
    if max(times_ms) > config.journal.patience_ms:
        least = f"[journal] patience_ms {config.journal.patience_ms:g}"
        return CheckResult(
            "WARN", what, f"{said}; above {least} records wait in memory: use a faster disk"
        )
    return CheckResult("ok", what, said)


def _write_times_ms(folder: Path) -> list[float]:
    """How long it takes to bring so many bytes onto the disk as the journal does, again and again,
    in milliseconds.
    """
    times_ms = []
    with tempfile.NamedTemporaryFile(prefix=".stampgate-check-", dir=folder) as file:
        for _ in range(WRITES):
            began_s = time.monotonic()
            os.write(file.fileno(), b"x" * WRITE_BYTES)
            os.fdatasync(file.fileno())
            times_ms.append((time.monotonic() - began_s) * 1000)
    return times_ms


def _nearest(folder: Path) -> Path:
    """The folder, or the one above in which the service will make it."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def clock() -> Iterator[CheckResult]:
    """The clock that all is timed by, and the one on the wall."""
    resolution_s = time.get_clock_info("monotonic").resolution
    said = f"monotonic in steps of {resolution_s * 1e9:g} ns, boot {boot_id()}"
    if resolution_s > COARSE_S:
        yield CheckResult(
            "FAIL",
            "clock",
            f"{said}; must be finer than {COARSE_S * 1000:g} ms: use another kernel",
        )
    else:
        yield CheckResult("ok", "clock", said)
    if clock_synced():
        yield CheckResult("ok", "wall clock", "synchronised")
    else:
        yield CheckResult(
            "WARN",
            "wall clock",
            "not synchronised: decisions do not depend on it, but the journal's times do; see timedatectl",
        )


def watchdog(config: Config, root: Path = Path("/")) -> Iterator[CheckResult]:
    """Who starts a new process, or the whole box, when one hangs. *root*: where ``/run`` and
    ``/sys`` are.
    """
    if (root / "run/systemd/system").is_dir():
        for unit in (EYE_UNIT, *((GATE_UNIT,) if config.gate.driver == "process" else ())):
            yield _unit(unit)
    else:
        yield CheckResult(
            "WARN", "watchdog", "systemd does not run here: nobody restarts a process that hangs"
        )
    yield _hardware(root)


def _unit(unit: str) -> CheckResult:
    says = _systemctl("show", unit, "--property=LoadState,ActiveState,WatchdogUSec")
    said = f"{unit}: watchdog {says.get('WatchdogUSec', '?')}, {says.get('ActiveState', '?')}"
    if "LoadState" not in says:
        return CheckResult(
            "FAIL", "watchdog", f"{unit}: systemd does not answer this user; try again with sudo"
        )
    if says["LoadState"] != "loaded":
        return CheckResult("FAIL", "watchdog", f"{unit}: is {says['LoadState']}; install it")
    if says.get("WatchdogUSec") in (None, "0", "infinity"):
        return CheckResult(
            "FAIL", "watchdog", f"{said}; must have one: set WatchdogSec=10 in the unit"
        )
    return CheckResult("ok", "watchdog", said)


def _hardware(root: Path) -> CheckResult:
    """The chip that resets a box whose kernel hangs. A time it does not grant means none at all
    (systemd#27427).
    """
    what, cure = (
        "hardware watchdog",
        "set RuntimeWatchdogSec=15 in a drop-in of systemd, and start the box again",
    )
    devices = sorted((root / "sys/class/watchdog").glob("watchdog*"))
    if not devices:
        return CheckResult(
            "WARN",
            what,
            "none here: a kernel that hangs stays so; on a Raspberry Pi set dtparam=watchdog=on",
        )
    for device in devices:
        if _text(device / "state") == "active":
            return CheckResult(
                "ok",
                what,
                f"{_text(device / 'identity')}: resets the box after {_text(device / 'timeout')} s",
            )
    return CheckResult(
        "WARN",
        what,
        f"{_text(devices[0] / 'identity')}: is not running, so a kernel that hangs stays so; {cure}",
    )


def power(root: Path = Path("/")) -> Iterator[CheckResult]:
    """Temperature and supply, as far as the board shows them."""
    shown = telemetry(root)
    hot_c = shown["temperature_c"]
    if hot_c is None:
        yield CheckResult("ok", "temperature", "not shown by this board")
    elif hot_c >= HOT_C:
        yield CheckResult(
            "WARN",
            "temperature",
            f"{hot_c} degrees Celsius, must be below {HOT_C:g}: the box slows down; cool it",
        )
    else:
        yield CheckResult("ok", "temperature", f"{hot_c} degrees Celsius")
    yield _supply(shown["throttled"], shown["undervoltage"])


def _supply(bits: str | None, undervoltage: bool | None) -> CheckResult:
    cure = "use the supply made for the board, with a short cable, and cool the box"
    if bits is None:
        said = {
            None: "not shown by this board",
            False: "no undervoltage",
            True: f"undervoltage now; {cure}",
        }
        return CheckResult("FAIL" if undervoltage else "ok", "power", said[undervoltage])
    ever = int(bits, 16)
    said_ever = f"throttled: {throttled_words(ever)}"
    if ever & THROTTLED_NOW:
        return CheckResult("FAIL", "power", f"{said_ever}; {cure}")
    return (
        CheckResult("WARN", "power", f"{said_ever}; {cure}")
        if ever
        else CheckResult("ok", "power", said_ever)
    )


def _systemctl(*arguments: str) -> dict[str, str]:
    """Ask systemd; its properties by name, none when it does not answer."""
    command = ["systemctl", *arguments]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return {}
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return "?"
