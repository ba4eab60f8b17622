"""Checks of the box itself: disk space and speed, clocks, watchdogs, power and temperature."""

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edge.clock import boot_id, clock_synced
from edge.config import Config
from edge.record.seal import Seal
from edge.record.telemetry import telemetry, throttled_words
from edge.record.volatile import LOST_WITH_POWER, volatile_storage
from edge.selftest import CheckResult, State

WRITES, WRITE_BYTES = 20, 4096
"""Number of writes that time the disk, and bytes of each; one record of the journal is smaller."""
MB = 1_000_000
COARSE_S = 1e-3
"""Coarsest resolution of a clock that is fine enough for a gate, seconds."""
HOT_C = 80.0
"""Degrees Celsius at which a Raspberry Pi begins to slow down (its documentation, "frequency
management")."""
THROTTLED_NOW = 0xF
"""Bits of the Raspberry Pi firmware on the present state; those above are on the past."""
PATIENCE_S = 10.0
"""Time limit for an answer of systemd, seconds."""
EYE_UNIT, GATE_UNIT = "stampgate-edge.service", "stampgate-gate.service"


def disk(config: Config, root: Path = Path("/")) -> Iterator[CheckResult]:
    """Check the disks of journal and evidence: room, permission, time of a synchronised write.

    A journal in memory fails. *root*: where ``/proc`` and ``/sys`` are.
    """
    journal = config.path(config.journal.file)
    reason = volatile_storage(journal.parent, root)
    yield _folder("journal disk", journal.parent, config, reason and f"{reason}: {LOST_WITH_POWER}")
    if journal.exists() and not os.access(journal, os.R_OK | os.W_OK):
        text = f"{journal}: may not be written; chown it to the eye's user"
        yield CheckResult("FAIL", "journal file", text)
    if config.evidence.folder:
        folder = _nearest(config.path(config.evidence.folder))
        result = _folder("evidence disk", folder, config)
        reason = volatile_storage(folder, root)
        if reason and result.state == "ok":
            text = f"{folder}: {reason}: the pictures are lost with the power; name a disk"
            result = CheckResult("WARN", "evidence disk", f"{text} in [evidence] folder")
        yield result


def _folder(what: str, folder: Path, config: Config, unsafe: str = "") -> CheckResult:
    """Check one disk; *unsafe*: why what is written there will not stay, which fails."""
    try:
        times_ms = _write_times_ms(folder)
        space = os.statvfs(folder)
    except OSError as error:
        why = f"cannot be written ({error.strerror}); make room or permission there"
        return CheckResult("FAIL", what, f"{folder}: {why}")
    free_mb = space.f_bavail * space.f_frsize / MB
    if unsafe:
        return CheckResult("FAIL", what, f"{folder}: {unsafe}; name a disk in [journal] file")
    text = f"{folder}: {free_mb:.0f} MB free"
    text += f", a record takes {statistics.median(times_ms):.1f} ms to be safe"
    text += f", the slowest of {WRITES} {max(times_ms):.1f} ms"
    if free_mb < config.evidence.keep_free_mb:
        least = f"[evidence] keep_free_mb {config.evidence.keep_free_mb}"
        return CheckResult("WARN", what, f"{text}; no pictures are kept below {least}: make room")
    if max(times_ms) > config.journal.patience_ms:
        least = f"[journal] patience_ms {config.journal.patience_ms:g}"
        cure = f"above {least} records wait in memory: use a faster disk"
        return CheckResult("WARN", what, f"{text}; {cure}")
    return CheckResult("ok", what, text)


def _write_times_ms(folder: Path) -> list[float]:
    """Time :data:`WRITES` synchronised writes as the journal's, milliseconds. Raises OSError."""
    times_ms = []
    with tempfile.NamedTemporaryFile(prefix=".stampgate-check-", dir=folder) as file:
        for _ in range(WRITES):
            began_s = time.monotonic()
            os.write(file.fileno(), b"x" * WRITE_BYTES)
            os.fdatasync(file.fileno())
            times_ms.append((time.monotonic() - began_s) * 1000)
    return times_ms


def seal(config: Config) -> Iterator[CheckResult]:
    """Say whether the journal is sealed, and whether the service can use the key."""
    journal = config.path(config.journal.file)
    key = Seal(journal)
    key.open()
    if key.trouble:
        yield CheckResult("FAIL", "seal", key.trouble)
    elif key.key is None:
        text = "off: who is root here can write the journal anew unseen; see 'seal-setup'"
        yield CheckResult("ok", "seal", text)
    else:
        text = f"on: {key.key.name}, its next record is {key.key.number}"
        yield CheckResult("ok", "seal", text)
    key.close()


def _nearest(folder: Path) -> Path:
    """Return the folder, or the nearest one above, in which the service will make it."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def clock() -> Iterator[CheckResult]:
    """Check the resolution of the monotonic clock and the synchronisation of the wall clock."""
    resolution_s = time.get_clock_info("monotonic").resolution
    text = f"monotonic in steps of {resolution_s * 1e9:g} ns, boot {boot_id()}"
    if resolution_s > COARSE_S:
        limit = f"must be finer than {COARSE_S * 1000:g} ms"
        yield CheckResult("FAIL", "clock", f"{text}; {limit}: use another kernel")
    else:
        yield CheckResult("ok", "clock", text)
    if clock_synced():
        yield CheckResult("ok", "wall clock", "synchronised")
    else:
        why = "decisions do not depend on it, but the journal's times do"
        yield CheckResult("WARN", "wall clock", f"not synchronised: {why}; see timedatectl")


def watchdog(config: Config, root: Path = Path("/")) -> Iterator[CheckResult]:
    """Check the watchdogs of both units, and the hardware watchdog of the box.

    *root*: where ``/run`` and ``/sys`` are.
    """
    if (root / "run/systemd/system").is_dir():
        for unit in (EYE_UNIT, *((GATE_UNIT,) if config.gate.driver == "process" else ())):
            yield _unit(unit)
    else:
        text = "systemd does not run here: nobody restarts a process that hangs"
        yield CheckResult("WARN", "watchdog", text)
    yield _hardware(root)


def _unit(unit: str) -> CheckResult:
    says = _systemctl("show", unit, "--property=LoadState,ActiveState,WatchdogUSec")
    text = f"{unit}: watchdog {says.get('WatchdogUSec', '?')}, {says.get('ActiveState', '?')}"
    what = "watchdog"
    if "LoadState" not in says:
        text = f"{unit}: systemd does not answer this user; try again with sudo"
        return CheckResult("FAIL", what, text)
    if says["LoadState"] != "loaded":
        return CheckResult("FAIL", what, f"{unit}: is {says['LoadState']}; install it")
    if says.get("WatchdogUSec") in (None, "0", "infinity"):
        cure = "must have one: set WatchdogSec=10 in the unit"
        return CheckResult("FAIL", what, f"{text}; {cure}")
    return CheckResult("ok", what, text)


def _hardware(root: Path) -> CheckResult:
    """Check the hardware watchdog, the chip that resets a box whose kernel hangs.

    A timeout that the chip does not grant leaves the box without any (systemd#27427).
    """
    what = "hardware watchdog"
    devices = sorted((root / "sys/class/watchdog").glob("watchdog*"))
    if not devices:
        cure = "on a Raspberry Pi set dtparam=watchdog=on"
        return CheckResult("WARN", what, f"none here: a kernel that hangs stays so; {cure}")
    for device in devices:
        if _text(device / "state") == "active":
            text = f"resets the box after {_text(device / 'timeout')} s"
            return CheckResult("ok", what, f"{_text(device / 'identity')}: {text}")
    cure = "set RuntimeWatchdogSec=15 in a drop-in of systemd, and start the box again"
    text = f"is not running, so a kernel that hangs stays so; {cure}"
    return CheckResult("WARN", what, f"{_text(devices[0] / 'identity')}: {text}")


def power(root: Path = Path("/")) -> Iterator[CheckResult]:
    """Check temperature and power supply, as far as the kernel shows them."""
    shown = telemetry(root)
    hot_c = shown["temperature_c"]
    if hot_c is None:
        yield CheckResult("ok", "temperature", "not shown by this box")
    elif hot_c >= HOT_C:
        text = f"{hot_c} degrees Celsius, must be below {HOT_C:g}: the box slows down; cool it"
        yield CheckResult("WARN", "temperature", text)
    else:
        yield CheckResult("ok", "temperature", f"{hot_c} degrees Celsius")
    yield _supply(shown["throttled"], shown["undervoltage"])


def _supply(bits: str | None, undervoltage: bool | None) -> CheckResult:
    cure = "use the supply made for the computer, with a short cable, and cool the box"
    if bits is None:
        text = {
            None: "not shown by this box",
            False: "no undervoltage",
            True: f"undervoltage now; {cure}",
        }
        return CheckResult("FAIL" if undervoltage else "ok", "power", text[undervoltage])
    ever = int(bits, 16)
    ever_text = f"throttled: {throttled_words(ever)}"
    if not ever:
        return CheckResult("ok", "power", ever_text)
    state: State = "FAIL" if ever & THROTTLED_NOW else "WARN"
    return CheckResult(state, "power", f"{ever_text}; {cure}")


def _systemctl(*arguments: str) -> dict[str, str]:
    """Ask systemd for properties, by name; empty when it does not answer."""
    command = ["systemctl", *arguments]
    how: dict[str, Any] = {"capture_output": True, "text": True, "timeout": PATIENCE_S}
    try:
        done = subprocess.run(command, check=False, **how)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return {}
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return "?"
