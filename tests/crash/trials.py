"""Each trial breaks one thing in the way of a few items, and says what is wrong afterwards."""

import contextlib
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from tests.crash.injection import ERRORS, MAIN, Injector, Interrupt
from tests.crash.one_thread import Box, Kill, Killed

ENDLESS = 100_000


def inject(
    at: int, error: str, thread: str = MAIN, *, sealed: bool = False
) -> tuple[list[str], Injector]:
    """Raise *error* at call *at* of the second item's way; return what is wrong, and where it was.

    Of four items the third and fourth come while the second is in hand. An eye that ends by it is
    followed by another.
    """
    injector = Injector(at, ERRORS[error], thread)
    with tempfile.TemporaryDirectory(prefix="crash-") as scratch, ExitStack() as closing:
        box = Box(Path(scratch), sealed=sealed)
        closing.callback(box.close)
        with injector.everywhere():
            _first_eye(box, injector)
        injector.armed = False
        with box.eye() as eye:
            eye.work()
            box.arrive()
            eye.work()
            eye.look()
        return box.findings(), injector


def _first_eye(box: Box, injector: Injector) -> None:
    # Whatever is injected ends the eye, or does not.
    with contextlib.suppress(Exception, Interrupt), box.eye() as eye:
        box.pass_items(1)
        eye.work()
        box.pass_items(3)
        injector.armed = True
        eye.look()
        injector.armed = injector.armed and injector.of_another_thread
        eye.work()
        injector.armed = False


def kill(at: int, victim: str, when: str, *, sealed: bool = False) -> tuple[list[str], bool]:
    """Kill at message *at*; return what is wrong, and whether there was such a message."""
    killer = Kill(victim, at, when)
    with tempfile.TemporaryDirectory(prefix="crash-") as scratch, ExitStack() as closing:
        box = Box(Path(scratch), killer, sealed=sealed)
        closing.callback(box.close)
        for _ in range(3):
            try:
                with box.eye() as eye:
                    box.pass_items(3)
                    eye.work()
            except (OSError, Killed):  # the gate is gone, or the eye
                box.pass_items(1)  # without an eye
            box.arrive()
        killer.done = True
        with box.eye() as eye:
            eye.work()
            eye.look()
        return box.findings(), killer.seen >= at


def all_injections(
    errors: list[str], step: int = 1, thread: str = MAIN, *, sealed: bool = False
) -> Iterator[tuple[str, list[str]]]:
    """Yield each injection in words, with what is wrong; every *step*-th call, errors by turns."""
    for at in range(1, ENDLESS, step):
        for error in errors if step == 1 else [errors[at // step % len(errors)]]:
            found, injector = inject(at, error, thread, sealed=sealed)
            if not injector.where:
                return
            yield f"{error} at call {at}, {injector.where}", found


def all_kills(*, sealed: bool = False) -> Iterator[tuple[str, list[str]]]:
    """Yield each kill at a message, in words, with what is wrong."""
    for victim in ("eye", "gate"):
        for when in ("before", "after"):
            for at in range(1, ENDLESS):
                found, was = kill(at, victim, when, sealed=sealed)
                if not was:
                    break
                yield f"{victim} killed {when} message {at}", found
