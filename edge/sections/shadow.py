"""``[shadow]``: watching beside the person who still looks."""

from dataclasses import dataclass

from edge.settings import setting


@dataclass(frozen=True)
class ShadowSettings:
    """Shadow mode: the box judges every item and throws none, until it has shown its error rates.

    Needs ``[service] mode = "shadow"``.
    """

    plan: str = setting(
        "",
        "The agreed plan, as 'stampgate plan' takes it, such as \"fa<1% fr<5% @95%\": with one, "
        "mode run is refused until shadow has shown it; empty for none",
    )
    ready_beats: bool = setting(
        False,
        "Whether READY beats in shadow, for a belt that runs only while it does; otherwise it "
        "rests, because nothing is thrown off",
    )
    log: str = setting(
        "/var/log/stampgate/shadow.jsonl",
        "What people say of items in shadow, and who says it: JSON lines, chained as the journal",
        form="path",
    )
    taken_sees: str = setting(
        "left",
        "What the photo-eye [lines] taken sees: left, the items that people left on the belt, one "
        "that is missing there was taken out; taken, the items that they took out",
        choices=("left", "taken"),
    )
    taken_earliest_ms: float = setting(
        1000.0,
        "Shortest time that an item can take from its trigger to that photo-eye",
        at_least=0,
        at_most=600_000,
    )
    taken_ms: float = setting(
        2000.0,
        "Longest time that it can take; best less than the time between two items after the "
        "shortest, as an edge that may be for either tells of none",
        above=0,
        at_most=600_000,
    )
    taken_earliest_counts: int = setting(
        0,
        "Fewest encoder counts that it can take, where they stand in for the time",
        at_least=0,
        at_most=10**7,
    )
    taken_counts: int = setting(
        0,
        "Most encoder counts that it can take; above 0 they stand in for taken_ms",
        at_least=0,
        at_most=10**7,
    )
    taken_apart_ms: float = setting(
        0.0,
        "Edges of that photo-eye that follow one another faster are one item; 0 counts each",
        at_least=0,
        at_most=10_000,
    )
