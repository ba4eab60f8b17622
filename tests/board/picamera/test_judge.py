"""The judge of the board with a libcamera camera.

Good facts pass every claim, and each fault fails its own.
"""

from collections.abc import Callable
from itertools import cycle
from typing import Any

import pytest

from tests.board.judge import Claim
from tests.board.picamera.judge import PRIMARIES, judge
from tests.board.picamera.scene import BARS, PATTERNS
from tests.board.picamera.settings import DELAY_MS, HEIGHT, PULSE_MS, WIDTH

MS = 1_000_000
Facts = dict[str, Any]


def colours(pattern: str) -> list[list[int]]:
    """The eighths of a picture of a pattern."""
    names = BARS if pattern == "bars" else (pattern,) * 8
    return [[190 * lit for lit in PRIMARIES[name]] for name in names]


def takes(number: int = 20) -> list[Facts]:
    """Pictures as they should be, one each second."""
    return [
        {
            "pattern": pattern,
            "after_ns": n * 1000 * MS,
            "t_ns": (n * 1000 + 60) * MS,
            "came_ns": (n * 1000 + 130) * MS,
            "sequence": 3 * n + 2,
            "shape": [HEIGHT, WIDTH, 3],
            "type": "uint8",
            "colours": colours(pattern),
        }
        for n, pattern in zip(range(number), cycle(PATTERNS), strict=False)
    ]


def lost(since: str, said: str) -> Facts:
    """A driver that gave up and ended."""
    return {
        since: 0,
        "failed_ns": 900 * MS,
        "ended_ns": 2000 * MS,
        "taken": 3,
        "said": said,
        "status": 0,
    }


def edges(number: int) -> list[Facts]:
    """One pulse for each item, as the simulated gate writes them down."""
    due_ms = [n * 1000 + DELAY_MS + 2 for n in range(number)]
    moments = [
        (n + 1, level, ms + late)
        for n, ms in enumerate(due_ms)
        for level, late in ((1, 0), (0, PULSE_MS))
    ]
    told = [
        {"line": "reject", "level": level, "t_ns": ms * MS, "sequence": n}
        for n, level, ms in moments
    ]
    return [{"line": "reject", "level": 0, "t_ns": 0, "sequence": None}, *told]


def records() -> list[Facts]:
    """Three items, one each second."""
    return [record(n + 1, "reject", "none found", n * 1000 * MS) for n in range(3)]


def record(sequence: int, verdict: str, reason: str, trigger_ns: int = 0) -> Facts:
    """One item's record, as far as the judge reads it."""
    return {
        "sequence": sequence,
        "verdict": verdict,
        "reason": reason,
        "trigger_ns": trigger_ns,
    }


def in_service() -> Facts:
    """The service at work: three items, three rejects."""
    return {
        "user": "stampgate",
        "opened": ["/dev/dma_heap/linux,cma", "/dev/media0", "/dev/video2"],
        "started_s": 20.0,
        "stopped_s": 9.0,
        "restarts": 0,
        "result": ["success", "0"],
        "records": records(),
        "edges": edges(3),
        "verified": "journal: 4 records, chain whole",
    }


def good() -> Facts:
    """Facts that prove everything."""
    return {
        "install": {
            "status": "install ok installed",
            "networks": ["lo"],
            "seconds": 1.0,
            "versions": ["3", "13", "0.3.38"],
            "kernel": "6.12",
        },
        "pictures": {"takes": takes(), "buffers": 4, "skipped": 30, "closing_s": 0.5, "status": 0},
        "refused": {"said": "[camera] controls: this camera has no ExposureTime, only Brightness"},
        "impatient": lost("began_ns", "camera timeout: no picture within 5 ms; check"),
        "unplugged": {
            **lost("gone_ns", "camera timeout: no picture within 2000 ms; check"),
            "status": -6,
        },
        "service": in_service(),
        "service_unplugged": {
            "records": [
                *records(),
                record(4, "fault", "camera timeout: no picture; check"),
                record(5, "reject", "none found"),
            ],
            "edges": edges(5),
            "verified": "journal: 9 records, chain whole",
        },
        "check": {
            "said": [
                "ok   camera            picamera: opened in 900 ms",
                (
                    "WARN pictures          10 fresh ones of 320 x 240, 15.0 a second, "
                    "must be about 30"
                ),
            ]
        },
    }


def failed(claims: list[Claim]) -> list[str]:
    """The names of the claims that did not hold."""
    return [claim.name for claim in claims if not claim.passed]


def test_good_facts_pass_every_claim() -> None:
    """So what fails below fails for its own reason."""
    claims = judge(good())
    assert failed(claims) == []
    assert all(claim.figures for claim in claims)


def each_take(facts: Facts, change: Callable[[Facts], Any]) -> None:
    """Change something about every picture."""
    for take in facts["pictures"]["takes"]:
        change(take)


def one_behind(facts: Facts) -> None:
    """Let each picture show what the one before should have shown."""
    shown = [take["colours"] for take in facts["pictures"]["takes"]]
    for take, colours_before in zip(facts["pictures"]["takes"][1:], shown, strict=False):
        take["colours"] = colours_before


SHOWS, BEGAN, LENT = (
    "each shows what was put",
    "each began after its trigger",
    "lent buffers are given back",
)
WRONGS: dict[str, tuple[Callable[[Facts], Any], set[str]]] = {
    "a network": (lambda f: f["install"]["networks"].append("eth0"), {"dpkg installs"}),
    "not whole": (
        lambda f: f["install"].update(status="install ok half-configured"),
        {"dpkg installs"},
    ),
    "blue first": (
        lambda f: each_take(f, lambda t: t.update(colours=[c[::-1] for c in t["colours"]])),
        {SHOWS},
    ),
    "one behind": (one_behind, {SHOWS}),
    "begun before": (lambda f: f["pictures"]["takes"][7].update(t_ns=6999 * MS), {BEGAN}),
    "another clock": (lambda f: each_take(f, lambda t: t.update(t_ns=t["t_ns"] + 10**18)), {BEGAN}),
    "four channels": (
        lambda f: f["pictures"]["takes"][3].update(shape=[HEIGHT, WIDTH, 4]),
        {"pictures are"},
    ),
    "counted twice": (lambda f: f["pictures"]["takes"][3].update(sequence=8), {"counts advance"}),
    "too few": (lambda f: f["pictures"].update(takes=takes(8)), {SHOWS, LENT}),
    "closing hangs": (lambda f: f["pictures"].update(closing_s=60.0), {LENT}),
    "exposure taken": (
        lambda f: f["refused"].update(said="opened"),
        {"a control that the camera lacks"},
    ),
    "waits on": (lambda f: f["impatient"].update(failed_ns=60_000 * MS), {"a wait ends by itself"}),
    "does not end": (
        lambda f: f["unplugged"].update(ended_ns=200_000 * MS),
        {"the camera is taken away"},
    ),
    "no heap": (lambda f: f["service"]["opened"].pop(0), {"the hardened unit opens"}),
    "let pass": (lambda f: f["service"]["records"][1].update(verdict="pass"), {"items are judged"}),
    "chain broken": (lambda f: f["service"].update(verified="no"), {"items are judged"}),
    "no pulse": (lambda f: f["service"].update(edges=edges(2)), {"each is thrown off"}),
    "early": (lambda f: f["service"]["edges"][1].update(t_ns=0), {"each is thrown off"}),
    "aborted": (lambda f: f["service"].update(result=["signal", "6"]), {"stopping it"}),
    "restarted": (lambda f: f["service"].update(restarts=1), {"items are judged"}),
    "narrow": (
        lambda f: f["service"]["edges"][2].update(t_ns=(DELAY_MS + 3) * MS),
        {"each is thrown off"},
    ),
    "another fault": (
        lambda f: f["service_unplugged"]["records"][3].update(reason="model"),
        {"the camera is taken from"},
    ),
    "one let pass": (lambda f: f["service_unplugged"].update(edges=edges(4)), {"no item of both"}),
    "stays away": (
        lambda f: f["service_unplugged"]["records"][-1].update(verdict="fault"),
        {"the camera is taken from"},
    ),
    "not opened": (
        lambda f: f["check"].update(said=["FAIL camera            camera lost"]),
        {"the self-test"},
    ),
}


@pytest.mark.parametrize("name", WRONGS)
def test_what_goes_wrong_fails_its_claim_and_no_other(name: str) -> None:
    """Each claim can fail."""
    facts = good()
    spoil, claims = WRONGS[name]
    spoil(facts)
    found = failed(judge(facts))
    assert len(found) == len(claims)
    assert {claim for claim in claims if any(name.startswith(claim) for name in found)} == claims
