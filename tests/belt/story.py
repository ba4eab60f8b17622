"""A history in words, for whoever looks for the cause of a finding."""

from collections.abc import Iterator

from tests.belt.history import History
from tests.belt.proof import findings
from tests.belt.world import MS


def story(history: History) -> Iterator[str]:
    """Tell a history that has run: the line, its items, the journal, the troubles, the findings."""
    yield f"plan      {history.plan}"
    yield f"happened  {', '.join(history.happened) or 'nothing'}"
    for item in history.products:
        zone = ", ".join(f"{t_ns / MS:g} {'throws' if on else 'lets'}" for t_ns, on in item.zone)
        end = "thrown" if item.thrown_ns else "passed" if item.passed_ns else "gone or on the belt"
        seen = ", ".join(f"{t_ns / MS:g}" for t_ns in item.seen)
        yield (
            f"item {item.number:<4} {'stamped' if item.stamped else 'UNSTAMPED'}, {end}; at "
            f"{item.front}, long {item.length}; seen at {seen or '-'}; device: {zone or '-'}"
            f"{'; valve fails' if item.valve_failed else ''}{'; hands' if item.touched else ''}"
        )
    for r in history.journal.records:
        yield (
            f"{r.t_ns / MS:<9g} {r.kind} {r.verdict}, tag {r.tag} of {r.run}, "
            f"at {r.trigger_ns / MS:g}: {r.reason}"
        )
    for t_ns, text in history.gate.troubles:
        yield f"{t_ns / MS:<9g} the gate shows: {text or 'all well'}"
    for begin_ns, end_ns in history.gate.dead[1:]:
        yield f"{begin_ns / MS:<9g} no gate until {end_ns / MS:g}"
    for found in findings(history) or ["nothing wrong"]:
        yield f"found     {found}"
