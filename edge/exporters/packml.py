"""The box's state by the names of PackML (ISA-TR88.00.02).

PackML knows seventeen states of a machine; an inspection box is in five of them. The numbers are
those of its tag ``Status.StateCurrent``.
"""

from enum import IntEnum


class State(IntEnum):
    """A state of PackML that the box can be in."""

    STOPPED = 2
    """The service does not run: it was stopped, or has never been started."""
    IDLE = 4
    """It runs, and no item has come for a while."""
    EXECUTE = 6
    """Items come and are judged."""
    ABORTED = 9
    """FAULT, or a service that is silent or was killed: what comes is rejected."""
    HELD = 11
    """It runs and waits for people: the bin is full, the photo-eye blocked, a test is due."""

    @property
    def title(self) -> str:
        """Its name as PackML writes it.

        >>> State.EXECUTE.title
        'Execute'
        """
        return self.name.capitalize()
