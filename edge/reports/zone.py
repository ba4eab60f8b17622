"""The time zone in which people are shown times: that of this machine, or one that is named.

The journal is in UTC. A local time is always shown with its offset, for on the day when the clocks
go back an hour comes twice.
"""

from datetime import UTC, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Zone:
    """A time zone by its name in the IANA database, such as Europe/Berlin; empty: this machine's.

    Raises ValueError for a name that is not known.
    """

    def __init__(self, name: str = "") -> None:
        self.name = name
        try:
            _ = self._info
        except (KeyError, ValueError, OSError):
            raise ValueError(name) from None

    @cached_property
    def _info(self) -> ZoneInfo | None:
        return ZoneInfo(self.name) if self.name else None

    def local(self, time_ns: int) -> datetime | None:
        """Return a time, nanoseconds UTC, as local time; None for one of no calendar.

        >>> Zone("Europe/Berlin").local(1_792_890_000_000_000_000).isoformat()
        '2026-10-25T02:00:00+01:00'
        """
        try:
            return (EPOCH + timedelta(microseconds=time_ns // 1000)).astimezone(self._info)
        except (OverflowError, ValueError, OSError):
            return None

    def time_ns(self, moment: datetime, *, later: bool = False) -> int:
        """Return a moment as nanoseconds UTC; one without an offset is taken as local time.

        *later*: of a local time that comes twice, the second; else the first. One that the clocks
        skip is as long after the skip. Raises OverflowError for a moment of no calendar.
        """
        if moment.tzinfo is None:
            moment = moment.replace(fold=int(later), tzinfo=self._info)
            moment = moment.astimezone() if self._info is None else moment
        return (moment.astimezone(UTC) - EPOCH) // timedelta(microseconds=1) * 1000


HERE = Zone()
"""The time zone of this machine."""


def shown(moment: datetime, timespec: str = "seconds") -> str:
    """Return a local time with its offset, such as ``2026-12-01 14:03:07+01:00``."""
    return moment.isoformat(" ", timespec)


def offset_of(moment: datetime) -> str:
    """Return the offset of a local time, such as ``UTC+01:00``.

    It does not begin with its sign, which a spreadsheet would take for a formula.
    """
    return f"UTC{moment.isoformat()[-6:]}" if moment.utcoffset() is not None else ""
