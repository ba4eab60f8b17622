import os
import resource
import socket
from pathlib import Path

import pytest

from edge.process.notify import Notifier
from tests.programs import PATIENCE_S


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_hears_each_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, abstract: bool
) -> None:
    """On a real socket, by a name in the file system or an abstract one."""
    address = f"@stampgate-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind("\0" + address[1:] if abstract else address)
        systemd.settimeout(PATIENCE_S)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        with Notifier() as notifier:
            notifier.ready("watching")
            notifier.alive("1 item")
            notifier.reloading(1_234_567_890)
            notifier.stopping("SIGTERM")
        heard = [systemd.recv(4096).decode() for _ in range(4)]
    assert heard == [
        "READY=1\nSTATUS=watching",
        "WATCHDOG=1\nSTATUS=1 item",
        "RELOADING=1\nMONOTONIC_USEC=1234567",
        "STOPPING=1\nSTATUS=SIGTERM",
    ]


def test_without_systemd_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same program runs on a desk."""
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    with Notifier() as notifier:
        notifier.ready("watching")


def test_a_supervisor_that_is_gone_does_not_stop_the_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens at the address."""
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    with Notifier() as notifier:
        notifier.alive("1 item")


def test_a_supervisor_that_does_not_listen_does_not_stop_the_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its queue is full after some datagrams; the next thousand are dropped, not waited with.

    The kernel counts how often the thread gave the processor up to wait; time says nothing here.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        with Notifier() as notifier:
            before = resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw
            for item in range(1000):
                notifier.alive(f"{item} items")
            notifier.stopping("SIGTERM")
            waits = resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw - before
        assert waits < 500


@pytest.mark.parametrize(
    ("usec", "pid", "expected"),
    [
        ("10000000", None, 10**10),
        ("10000000", "self", 10**10),
        ("10000000", "1", None),
        ("", None, None),
        ("0", None, None),
    ],
)
def test_the_watchdogs_patience_is_read_if_it_is_meant_for_us(
    monkeypatch: pytest.MonkeyPatch, usec: str, pid: str | None, expected: int | None
) -> None:
    """WATCHDOG_PID names another process when a wrapper inherited the variables.

    See sd_watchdog_enabled(3).
    """
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.setenv("WATCHDOG_USEC", usec)
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    if pid is not None:
        monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()) if pid == "self" else pid)
    with Notifier() as notifier:
        assert notifier.watchdog_ns == expected
