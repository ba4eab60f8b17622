"""``[service]``: the process itself."""

from dataclasses import dataclass

from edge.settings import setting


@dataclass(frozen=True)
class ServiceSettings:
    """The service and its watchdog."""

    name: str = setting(
        "",
        "Name of line and station, in every record, the CSV, the status and in front of a trouble; "
        "empty for none",
    )
    mode: str = setting(
        "run",
        "run: what bears no mark is thrown off; shadow: everything is judged and written down, and "
        "the gate locks the reject output off",
        choices=("run", "shadow"),
    )
    tick_ms: float = setting(
        500.0,
        "Longest wait for a trigger before the watchdog is told that all is well",
        at_least=10,
        at_most=5000,
    )
