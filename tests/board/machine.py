"""The emulated machine: starts it, hears what the guest says, and cuts its power."""

import json
import queue
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

START_S = 400.0
"""How long the guest may take until its first word."""
STEP_S: Mapping[str, float] = {"install": 900.0, "bundle": 1500.0}
USUAL_STEP_S = 600.0
"""How long a step may take; the guest itself gives up earlier and says why."""
OFF_S = 60.0
Message = dict[str, Any]


class HungError(Exception):
    """The machine said nothing for too long."""


class Machine:
    """An arm64 machine of two cores without a network, on inside its ``with`` block.

    Leaving it cuts the power.

    *disk*: a qcow2 file in writeback mode. What the guest has not flushed (fsync, fdatasync) may
    lie in QEMU's own memory, the places of newly written blocks above all; a killed QEMU loses it,
    as a card loses its cache. *payload*: a second disk, for reading only. *console*: file for what
    the kernel and systemd print.

    Synchronization: one thread; another reads what the guest says.
    """

    def __init__(self, boot: Path, disk: Path, payload: Path, console: Path) -> None:
        self._command = [
            *(
                "qemu-system-aarch64",
                "-M",
                "virt",
                "-cpu",
                "cortex-a72",
                "-accel",
                "tcg,thread=multi",
            ),
            *(
                "-smp",
                "2",
                "-m",
                "1536",
                "-nodefaults",
                "-display",
                "none",
                "-nic",
                "none",
                "-no-reboot",
            ),
            *("-kernel", str(boot / "vmlinuz"), "-initrd", str(boot / "initrd.img")),
            *(
                "-append",
                "console=ttyAMA0 root=/dev/vda rw loglevel=4 systemd.show_status=0 mitigations=off",
            ),
            *("-drive", f"if=virtio,format=qcow2,cache=writeback,file={disk}"),
            *("-drive", f"if=virtio,format=raw,readonly=on,file={payload}"),
            *("-device", "virtio-rng-pci", "-device", "i6300esb", "-device", "virtio-serial-pci"),
            *(
                "-chardev",
                "stdio,id=report,signal=off",
                "-device",
                "virtserialport,chardev=report,name=report",
            ),
            *("-serial", f"file:{console}"),
        ]
        self._lines: queue.Queue[str] = queue.Queue()
        self._process: subprocess.Popen[str] | None = None
        self._reader = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        pipe = subprocess.PIPE  # for stdin, too: at its end QEMU would take the port for closed
        self._process = subprocess.Popen(self._command, stdin=pipe, stdout=pipe, text=True)
        self._reader.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.cut_power()

    def cut_power(self) -> None:
        """Kill the machine: the guest cannot do anything about it."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def messages(self) -> Iterator[Message]:
        """Yield what the guest says until the machine is off. Raises HungError, naming the step."""
        step, deadline = "starting", time.monotonic() + START_S
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise HungError(f"the board hangs in step '{step}'") from None
            if not line:
                return
            message = json.loads(line)
            if "step" in message:
                step = message["step"]
                deadline = time.monotonic() + STEP_S.get(step, USUAL_STEP_S)
            elif "log" in message:
                step, deadline = "switching off", time.monotonic() + OFF_S
            yield message

    def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put("")
