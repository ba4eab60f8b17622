"""The steps on the board with a libcamera camera, and the facts that the host judges.

Runs in the guest, as root. Facts go to the host as JSON lines over a virtio port.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.board import box
from tests.board.guest import install, report, say
from tests.board.picamera import settings

PYTHON = "/opt/stampgate/current/bin/python"
AS_SERVICE = (
    "runuser",
    "--user",
    "stampgate",
    "--group",
    "stampgate",
    "--supp-group",
    "video",
    "--",
)
"""As the unit's user and groups."""
DRIVER = Path("/sys/bus/platform/drivers/vimc")
PATIENT = Path("/etc/systemd/system/stampgate-edge.service.d/board.conf")
"""vimc takes one of the two emulated processors for itself: a look may take longer than the unit's
watchdog lets."""
ITEMS = 5
SOME_PICTURES_S = 1.0
Facts = dict[str, Any]


def main() -> int:
    """Do everything."""
    return report(STEPS)


def install_beside() -> Facts:
    """Install the package, on a box that has picamera2 as apt would have left it: compiled."""
    box.run("python3", "-m", "compileall", "-q", "/usr/lib/python3/dist-packages")
    facts = install()
    box.SETTINGS.write_text(settings.TOML)
    asks = (
        "import sys, importlib.metadata as m, libcamera; "
        "print(*sys.version_info[:2], m.version('picamera2'))"
    )
    return {
        **facts,
        "versions": box.run(PYTHON, "-c", asks).split(),
        "kernel": box.run("uname", "-r").strip(),
    }


def pictures() -> Facts:
    """Take pictures by the driver."""
    return told(take("pictures"))


def refused() -> Facts:
    """Ask the driver for a control that this camera lacks."""
    return told(take("refused"))


def impatient() -> Facts:
    """Wait for a picture for too short a time."""
    return told(take("impatient"))


def unplugged() -> Facts:
    """Take the camera away while the driver has it open, and bring it back."""
    process = take("unplugged")
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(SOME_PICTURES_S)
    gone_ns = time.monotonic_ns()
    device = unplug()
    facts = told(process)
    plug(device)
    return {**facts, "gone_ns": gone_ns}


def service() -> Facts:
    """Run the service for some items, and stop it."""
    PATIENT.parent.mkdir(parents=True)
    PATIENT.write_text("[Service]\nWatchdogSec=60\n")
    box.run("systemctl", "daemon-reload")
    began = time.monotonic()
    box.run("systemctl", "enable", "--now", box.EYE)
    started_s = time.monotonic() - began
    say(say=f"  the service has started after {started_s:.0f} s")
    box.until("items", lambda: len(box.items()) >= ITEMS)
    files = Path(f"/proc/{box.main_pid(box.EYE)}/fd")
    opened = sorted(
        {
            str(path.readlink())
            for path in files.iterdir()
            if str(path.readlink()).startswith("/dev/")
        }
    )
    user, restarts = Path(f"/proc/{box.main_pid(box.EYE)}").owner(), box.restarts(box.EYE)
    began = time.monotonic()
    box.run("systemctl", "stop", box.EYE)
    stopped_s = time.monotonic() - began
    return {
        "started_s": started_s,
        "stopped_s": stopped_s,
        "restarts": restarts,
        "result": box.show(box.EYE, "Result", "ExecMainStatus"),
        "user": user,
        "opened": opened,
        **written(),
    }


def service_unplugged() -> Facts:
    """Take the camera away from the running service, and bring it back."""
    before = box.items()[-1]["sequence"]
    box.run("systemctl", "start", box.EYE)
    box.until("an item", lambda: box.items()[-1]["sequence"] > before)
    restarts = box.restarts(box.EYE)
    device = unplug()
    box.until("the eye ends", lambda: box.restarts(box.EYE) > restarts)
    last = box.items()[-1]["sequence"]
    plug(device)
    box.until(
        "it goes on",
        lambda: box.items()[-1]["sequence"] > last and box.items()[-1]["verdict"] == "reject",
    )
    box.run("systemctl", "stop", box.EYE)
    return written()


def written() -> Facts:
    """What the service has written down: its items, and what the gate did."""
    edges = [json.loads(line) for line in settings.EDGES.read_text().splitlines()]
    return {"records": box.items(), "edges": edges, "verified": box.run(box.PROGRAM, "verify-log")}


def check() -> Facts:
    """Let the box test itself, as the service's user."""
    said = box.run(*AS_SERVICE, box.PROGRAM, "check", "--config", str(box.SETTINGS), check=False)
    return {"said": said.splitlines()}


def take(deed: str) -> "subprocess.Popen[str]":
    """Start a process that uses the driver."""
    command = (*AS_SERVICE, PYTHON, "-m", "tests.board.picamera.takes", deed)
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def told(process: "subprocess.Popen[str]") -> Facts:
    """What such a process told in the end, how it ended, and what else was printed."""
    try:
        out, errors = process.communicate(timeout=box.PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        out, errors = process.communicate()
        raise RuntimeError(f"it does not end: {out[-500:]} {errors[-2000:]}") from None
    if not out:
        raise RuntimeError(f"exit {process.returncode}: {errors[-2000:]}")
    facts = json.loads(out.splitlines()[-1])
    return {
        **facts,
        "status": process.returncode,
        "ended_ns": time.monotonic_ns(),
        "printed": errors[-2000:],
    }


def unplug() -> str:
    """Unbind the camera's driver in the kernel, whoever has it open; returns the device's name."""
    device = next(path.name for path in DRIVER.glob("vimc.*"))
    (DRIVER / "unbind").write_text(device)
    return device


def plug(device: str) -> None:
    """Bring it back."""
    (DRIVER / "bind").write_text(device)
    box.run("udevadm", "settle")


STEPS: dict[str, Callable[[], Facts]] = {
    "install": install_beside,
    "pictures": pictures,
    "refused": refused,
    "impatient": impatient,
    "unplugged": unplugged,
    "service": service,
    "service_unplugged": service_unplugged,
    "check": check,
}

if __name__ == "__main__":
    sys.exit(main())
