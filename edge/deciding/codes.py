"""The codes of the reasons: one stable word each, for programs that read the journal.

The words beside a code may change from release to release; a code keeps its meaning.
"""

from edge.decision import FOUND, MISSING, NOT_JUDGED

UNSURE = "unsure"
FORBIDDEN = "forbidden"
COUNT = "count"
TOO_SMALL = "too-small"
TOO_LARGE = "too-large"
CUT_OFF = "cut-off"
OUT_OF_PLACE = "out-of-place"
FIXED_MARK = "fixed-mark"
NO_ROOM = "no-room"
GATE = "gate-"
"""Begins the code of an item that the gate did not let pass: what the gate said follows."""
STANDING_MARK = "standing-mark"
CHALLENGE = "challenge-"
"""Begins the code of an item that may not pass because of a challenge test."""
GIVEN_UP = "release-given-up"

CODES = (
    FOUND,
    MISSING,
    UNSURE,
    FORBIDDEN,
    COUNT,
    TOO_SMALL,
    TOO_LARGE,
    CUT_OFF,
    OUT_OF_PLACE,
    FIXED_MARK,
    NOT_JUDGED,
    NO_ROOM,
    STANDING_MARK,
    GIVEN_UP,
    *(f"{CHALLENGE}{why}" for why in ("due", "quarantine", "unannounced")),
    *(f"{GATE}{outcome}" for outcome in ("late", "unknown", "kept", "gone")),
)
"""All of them: of verdicts, and of the notes that the journal holds beside them."""
