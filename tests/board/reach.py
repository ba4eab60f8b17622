"""What a process can reach that is another's: each thing is tried, and told as JSON on stdout.

Runs on the board, in a copy of a service's unit or as its user, as ``python3 -m tests.board.reach
PID`` with the process of the other service; or, with ``--call SOCKET`` in its place, what the gate
answers to somebody who calls there.
"""

import contextlib
import ctypes
import json
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

SEIZE = 0x4206
"""A request of ptrace(2): attach, and do not stop the process."""
HELLO = b'{"say": "hello", "version": 3, "trigger": "photo-eye"}'
LONGEST = 9000


class Vector(ctypes.Structure):
    """``struct iovec`` of process_vm_writev(2)."""

    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


def open_any(pattern: str, root: Path = Path("/")) -> None:
    """Open one of the files to write. Raises OSError."""
    for path in sorted(root.glob(pattern)):
        os.close(os.open(path, os.O_RDWR))
        return
    raise FileNotFoundError(pattern)


def read_any(path: str) -> None:
    """Read a file. Raises OSError."""
    Path(path).read_bytes()


def trace(pid: int) -> None:
    """Attach to the process as a debugger does, until this program ends. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(SEIZE, pid, None, None):
        raise OSError(ctypes.get_errno(), "ptrace")


def write_memory(pid: int) -> None:
    """Write nothing at address 0 of the process; that it may is enough. Raises OSError.

    The kernel looks at the rights before it looks at the address, which nobody has.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    mine, its = Vector(ctypes.addressof(ctypes.create_string_buffer(1)), 1), Vector(None, 1)
    if libc.process_vm_writev(pid, ctypes.byref(mine), 1, ctypes.byref(its), 1, 0) < 0:
        number = ctypes.get_errno()
        if number != 14:  # EFAULT: it was let in, and there is nothing at that address
            raise OSError(number, "process_vm_writev")


def deeds(pid: int) -> dict[str, Callable[[], None]]:
    """What is tried, by name."""
    return {
        "GPIO chip": lambda: open_any("dev/gpiochip*"),
        "camera": lambda: open_any("dev/video*"),
        "journal": lambda: read_any("/var/log/stampgate/journal.jsonl"),
        "settings": lambda: read_any("/etc/stampgate/edge.toml"),
        "other's memory file": lambda: open_any(f"proc/{pid}/mem"),
        "other's memory": lambda: write_memory(pid),
        "other's debugger": lambda: trace(pid),
        "other's signals": lambda: os.kill(pid, 0),
    }


def reached(pid: int) -> list[str]:
    """The names of what could be reached."""
    found = []
    for name, deed in deeds(pid).items():
        with contextlib.suppress(OSError):
            deed()
            found.append(name)
    return found


def called(path: str) -> str:
    """What came of calling the gate as an eye: its answer, or why there was none."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as caller:
        try:
            caller.connect(path)
        except OSError as error:
            return str(error.strerror)
        with contextlib.suppress(OSError):
            caller.send(HELLO)
        for _ in range(2):  # after a hello that was not read the first answer is an error
            with contextlib.suppress(OSError):
                return caller.recv(LONGEST).decode()
    return "no answer"


if __name__ == "__main__":
    print(json.dumps(called(sys.argv[2]) if sys.argv[1] == "--call" else reached(int(sys.argv[1]))))
