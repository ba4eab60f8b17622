"""``[reports]``: the reports that are written after each shift."""

from dataclasses import dataclass

from edge.settings import setting


@dataclass(frozen=True)
class ReportSettings:
    """The reports of shifts, ``stampgate-edge report --due``, which a timer asks for."""

    shifts: tuple[str, ...] = setting(
        (),
        "Shifts after each of which a report is written, by the local clock, such as "
        '"Mon-Fri 06:00-14:00" or "22:00-06:00"; empty for no reports',
    )
    folder: str = setting("/var/lib/stampgate/reports", "Folder of the reports", form="path")
    keep: int = setting(
        200, "How many reports are kept; the oldest shift goes first", at_least=1, at_most=100_000
    )
