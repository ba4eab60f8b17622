"""Cameras that stand in for one in tests: always ready, and well unless a test says otherwise."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType, TracebackType
from typing import Self

from edge.camera import Capture
from edge.clock import SimulatedClock, Stop
from edge.vision.preprocess import Frame


class CameraDouble:
    """All of a camera but its pictures, which :meth:`capture` of each double gives."""

    facts: Mapping[str, float] = MappingProxyType({})
    trouble = ""

    def __init__(self) -> None:
        self._shown = 0
        """How many pictures were asked for."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    @property
    def ended(self) -> bool:
        """Never be at an end."""
        return False

    def wait(self, until_ns: int, stop: Stop) -> bool:
        """Have a picture ready at any time."""
        return not stop.reason

    def check(self) -> None:
        """Be well."""

    def capture(self, after_ns: int) -> Capture:
        """Give the picture of the item of that moment."""
        raise NotImplementedError


class ScriptedCamera(CameraDouble):
    """Gives what its script says, one entry an item: a picture, or an error to raise."""

    def __init__(
        self,
        clock: SimulatedClock,
        script: Sequence[Frame | Exception],
        *,
        old: bool = False,
        stuck: bool = False,
    ) -> None:
        """*old*: each picture is from before its item; *stuck*: its count stands still."""
        super().__init__()
        self._clock, self._script, self._old, self._stuck = clock, script, old, stuck

    @property
    def ended(self) -> bool:
        """True when the script is at its end."""
        return self._shown == len(self._script)

    def capture(self, after_ns: int) -> Capture:
        """Give the next entry."""
        entry = self._script[self._shown]
        self._shown += 1
        if isinstance(entry, Exception):
            raise entry
        t_ns = after_ns - 1 if self._old else self._clock.now_ns()
        return Capture(entry, t_ns, 1 if self._stuck else self._shown, f"frame {self._shown}")
