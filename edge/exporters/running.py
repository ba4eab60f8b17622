"""An exporter as a process: asked for its next step until SIGTERM, at the lowest priority."""

import contextlib
import os
from collections.abc import Callable

from edge.clock import Stop
from edge.process.notify import Notifier
from edge.process.stopping import stop_on_signals

Step = Callable[[], float]
"""Does what is due and returns in how many seconds it must be called again at the latest."""


def run(step: Step, said: Callable[[], str], stop: Stop | None = None) -> None:
    """Call *step* until SIGTERM or SIGINT; *said*: the status for systemd, asked after each.

    *stop*: in place of the signals.
    """
    give_way()
    with (
        contextlib.nullcontext(stop) if stop is not None else stop_on_signals() as ending,
        Notifier() as notifier,
    ):
        notifier.ready(said())
        while not ending.reason:
            ending.wait(step())
            notifier.alive(said())
        notifier.stopping(ending.reason)


def give_way() -> None:
    """Let this process run only while no other has anything to do (sched(7), SCHED_IDLE).

    The unit says so, too; this is for whoever starts it by hand.
    """
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
