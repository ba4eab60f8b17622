"""Aims the camera on the board as a technician with a browser does, before the service starts.

Runs in the guest, as root. Whatever goes wrong is among the facts: the steps after it go on.
"""

import json
import re
import signal
import subprocess
import time
import traceback
import urllib.request
from collections.abc import Callable
from typing import Any

from tests.board import box

KEY = re.compile(r'name="stampgate-key" content="([^"]+)"')
JPEG = b"\xff\xd8\xff"
Facts = dict[str, Any]


def aimed(show: Callable[[], None]) -> Facts:
    """Start ``aim``, look at its page, ask for state and picture, and press Ctrl-C.

    *show*: shows the camera a stamped item.
    """
    began = time.monotonic()
    command = [box.PROGRAM, "aim", "--config", str(box.SETTINGS), "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as aiming:
        try:
            show()
            assert aiming.stdout is not None
            facts = looked(aiming.stdout.readline().split()[1])
            aiming.send_signal(signal.SIGINT)
            status = aiming.wait(box.PATIENCE_S)
            return {**facts, "status": status, "seconds": time.monotonic() - began}
        except Exception:  # noqa: BLE001 - the claim fails by it, and the next step is taken
            return {"failed": traceback.format_exc(limit=2)}
        finally:
            aiming.kill()


def looked(address: str) -> Facts:
    """Return the page's state of a judged picture, and whether that picture is a JPEG."""
    found = KEY.search(got(address, "", "").decode())
    assert found is not None

    def judged() -> Any:
        content = got(address, "state?after=0", found[1])
        state = json.loads(content) if content else {}
        return state if state.get("verdict") and state.get("figures") else None

    state = box.until("the aim page has judged a picture", judged)
    picture = got(address, f"picture?number={state['number']}", found[1])
    return {"state": state, "is_jpeg": picture.startswith(JPEG)}


def got(address: str, path: str, key: str) -> bytes:
    """Return what the page's server answers."""
    asked = urllib.request.Request(address + path, headers={"Stampgate-Key": key})
    with urllib.request.urlopen(asked, timeout=box.PATIENCE_S) as answer:
        content: bytes = answer.read()
        return content
