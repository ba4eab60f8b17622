"""``[challenge]``: when the line must be tested with test items."""

from dataclasses import dataclass

from edge.settings import setting


@dataclass(frozen=True)
class ChallengeSettings:
    """When a challenge test must have been passed, and who signs after one that was not."""

    every_hours: float = setting(
        0.0,
        "Hours after which the next challenge test must have been passed; later everything since "
        "the last one is in quarantine and READY rests; 0 asks for none by the time",
        at_least=0,
        at_most=168,
        live=True,
    )
    at_start: bool = setting(
        False,
        "READY rests after each start of the service until a challenge test was passed",
        live=True,
    )
    at_changeover: bool = setting(
        False,
        "READY rests after a change of settings or model until a challenge test was passed",
        live=True,
    )
    item_s: float = setting(
        300.0,
        "Longest wait for a test item that was announced, and for a person's answer; then the "
        "challenge test has failed",
        at_least=5,
        at_most=3600,
        live=True,
    )
    sign_group: str = setting(
        "stampgate-sign",
        "Group whose members may sign, beside root: release what is in quarantine, and let READY "
        "beat again",
        live=True,
    )
    socket: str = setting(
        "/run/stampgate/challenge.sock",
        "Unix socket where 'stampgate-edge challenge' reaches the service; empty for none",
        form="path",
    )
