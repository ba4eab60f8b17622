"""Judges the facts from the board, claim by claim.

Pure: no board, no files, so each claim can be seen to fail.
"""

import csv
import io
import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.board.settings import (
    CHALLENGE_DELAY_MS,
    DEBOUNCE_MS,
    DELAY_MS,
    PULSE_MS,
    ROW_ITEMS,
    SILENT_MS,
)
from tests.board.wires import FAULT, READY, REJECT

LATE_MS = 250
"""A pulse may begin this much late, on an emulated processor with other work, and never early."""
DROP_MS = 500
"""READY must rest so soon after the eye was killed."""
REST_MS = 1000
"""READY rests when it keeps its level for so long. An emulated processor that is held up for 0.3 s
delays a beat, and goes on."""
RELEASED_MS = 500
"""The outputs must be safe so soon after the gate was killed; they are looked at about every two
milliseconds."""
NOTICED_MS = 1000
"""Lost edges must be noticed so soon after the first of them; the belt stands meanwhile."""
SAFE = {REJECT: 0, READY: 0, FAULT: 1}
TOLD_LEVELS = 8
"""Changes of the outputs' levels that a claim which did not hold tells of."""
EXPOSURE = 2.0
"""Of ``systemd-analyze security``, at most."""
Facts = Mapping[str, Any]
Pulse = tuple[int, int]


@dataclass(frozen=True)
class Claim:
    """One sentence about the box, whether it held, and its figures."""

    name: str
    passed: bool
    figures: str


def judge(facts: Mapping[str, Facts], stamped: frozenset[str], seen: int) -> list[Claim]:
    """Judge all claims.

    *facts*: by step. *stamped*: names of the pictures that must pass. *seen*: the last item that
    was seen in the journal before the power was cut.
    """
    return [
        *installed(facts["install"], facts["start"]),
        *aimed(facts["aim"]),
        *line(facts["line"], stamped),
        *touching(facts["touching"], stamped),
        *double_confirm(facts["double_confirm"], stamped),
        *challenged(facts["challenge"], stamped),
        *bundled(facts["bundle"], stamped),
        *edges_lost(facts["edges_lost"], stamped),
        *ruled(facts["rules"]),
        *eye_killed(facts["eye_killed"], stamped),
        *gate_killed(facts["gate_killed"], stamped),
        *eye_hung(facts["eye_hung"], stamped),
        *late_picture(facts["late_picture"], stamped),
        *camera_lost(facts["camera_lost"], stamped),
        *power_cut(facts["after_the_cut"], stamped, seen),
        *hardened(facts["hardening"]),
        *separated(facts["users"]),
        *shadowed(facts["shadow"], stamped),
        *purged(facts["purge"]),
    ]


def installed(install: Facts, start: Facts) -> list[Claim]:
    """The package, put in by dpkg without a network."""
    whole = install["status"] == "install ok installed" and install["networks"] == ["lo"]
    figures = (
        f"{install['package']}: {install['seconds']:.0f} s, "
        f"{install['size_mb']} MB in /opt/stampgate"
    )
    users = start["users"]
    return [
        Claim("dpkg installs the package without a network", whole, figures),
        Claim(
            "both services start, each as a user of its own",
            users == ["stampgate-gate", "stampgate"],
            f"{start['seconds']:.1f} s",
        ),
    ]


def aimed(facts: Facts) -> list[Claim]:
    """The aim page, on the kernel's video device, before the service has it."""
    state, ended = facts.get("state", {}), facts.get("status") == 0
    figures, verdict = state.get("figures") or {}, state.get("verdict") or {}
    shown = facts.get("is_jpeg") and figures.get("focus", 0) > 0 and verdict.get("kind") == "pass"
    told = (
        f"{state['width']} x {state['height']}, focus {figures['focus']:.0f}, {verdict['reason']}, "
        f"{facts['seconds']:.0f} s"
        if shown
        else facts.get("failed") or f"{state}"[:200]
    )
    name = "aim shows the camera's picture with focus and verdict, and ends on Ctrl-C"
    return [Claim(name, bool(shown and ended), told)]


def line(facts: Facts, stamped: frozenset[str]) -> list[Claim]:
    """Items in, pulses out, and the journal beside them."""
    items, records = facts["items"], facts["records"]
    unstamped = [item for item in items if item["picture"] not in stamped]
    pulses = pulses_of(facts["edges"])
    told = [(r["sequence"], r["verdict"]) for r in records]
    wanted = [("pass" if item["picture"] in stamped else "reject") for item in items]
    agrees = [verdict for _, verdict in told] == wanted and logged(facts["log"])[
        -len(told) :
    ] == told
    moments = [
        (r["trigger_ns"] - i["pulled_ns"]) / 1e6 for r, i in zip(records, items, strict=False)
    ]
    close = all(DEBOUNCE_MS <= ms <= DEBOUNCE_MS + LATE_MS for ms in moments)
    return [
        Claim(
            "stamped items give no pulse, unstamped ones one each, in order, "
            "at the configured delay",
            bool(unstamped) and fits(unstamped, pulses),
            f"{len(items)} items, {len(pulses)} pulses; {spread(unstamped, pulses)}",
        ),
        Claim(
            "the journal agrees item by item",
            agrees and close and "chain whole" in facts["verified"],
            facts["verified"].partition("\n")[0].rpartition(": ")[2],
        ),
    ]


def touching(facts: Facts, stamped: frozenset[str]) -> list[Claim]:
    """Two items that touch, and one after them."""
    edges = [facts["pulled_ns"], facts["cleared_ns"]]
    first_ns, last_ns = (t_ns + (DEBOUNCE_MS + DELAY_MS) * 1e6 for t_ns in edges)
    pulses = pulses_of(facts["edges"])
    whole = any(
        first_ns <= rise <= first_ns + LATE_MS * 1e6 and last_ns <= fall for rise, fall in pulses
    )
    reasons = [r["reason"] for r in facts["records"] if r["verdict"] == "fault"]
    recorded = any(reason.startswith("several items") for reason in reasons)
    return [
        Claim(
            "two touching items: REJECT from the first edge to the last",
            whole,
            f"{len(pulses)} pulses, {widths_ms(pulses)} ms for {(last_ns - first_ns) / 1e6:.0f}",
        ),
        Claim(
            "two touching items: the journal says so, and the next item passes",
            recorded and goes_on(facts, pulses, stamped),
            next(iter(reasons), "no fault")[:60],
        ),
    ]


def double_confirm(facts: Facts, stamped: frozenset[str]) -> list[Claim]:
    """One rejected item that is seen twice in the bin."""
    pulses = pulses_of(facts["edges"])
    told = [(incident["what"], incident["at_ns"]) for incident in facts["incidents"]]
    at_ns = [t_ns for what, t_ns in told if what == "unexpected"]
    one = len(at_ns) == 1 and 0 <= at_ns[0] - facts["again_ns"] <= LATE_MS * 1e6
    others = sorted({what for what, _ in told} - {"unexpected", "swept"})
    return [
        Claim(
            "a double confirm: the second is unexpected, and the journal says when",
            one and not others,
            f"{len(at_ns)} unexpected; others: {', '.join(others) or 'none'}",
        ),
        Claim(
            "a double confirm: READY rests until reset, and the next item passes",
            bool(facts["stopped"]) and goes_on(facts, pulses, stamped),
            ", ".join(verdicts(facts)),
        ),
    ]


def challenged(facts: Facts, stamped: frozenset[str]) -> list[Claim]:
    """A challenge test that is passed, one that fails, and the signature that follows it."""
    passed, failed = facts["passed"], facts["failed"]
    told = [(one["what"], one["reason"]) for one in facts["challenges"]]
    ended = [one for one in told if one[0] in ("passed", "failed", "signed")]
    right = [one["proven_by"] for one in facts["challenges"] if one["what"] == "right"]
    bad = [item for item in passed["items"] if item["picture"] not in stamped]
    pulses = pulses_of(facts["edges"])
    late = [
        (rise - item["pulled_ns"]) / 1e6 - DEBOUNCE_MS - CHALLENGE_DELAY_MS
        for item, (rise, _) in zip(bad, pulses, strict=False)
    ]
    thrown = len(bad) == len(pulses) == 5 and all(0 <= ms <= LATE_MS for ms in late)
    rows = [row["sequence"] for row in csv.DictReader(io.StringIO(facts["listed"]))]
    since = facts["before"] + len(passed["items"])
    wanted = [str(number) for number in range(since + 1, facts["last"] + 1)]
    return [
        Claim(
            "a challenge test: bad and good items and the alarm, each proven by the wires",
            passed["status"] == 0 and right == ["the wires"] * 7 and thrown,
            f"{len(right)} items right, {len(pulses)} pulses; {passed['said'][-1][:60]}",
        ),
        Claim(
            "a challenge test that lets a bad item pass fails: READY rests until it is signed",
            failed["status"] == 1
            and [what for what, _ in ended] == ["passed", "failed", "signed"]
            and ended[1][1].startswith("a bad item was let pass")
            and bool(facts["stopped"]),
            f"'{ended[1][1] if len(ended) > 1 else 'nothing failed'}'",
        ),
        Claim(
            "a challenge test: the list of the quarantine is right to the item",
            bool(wanted) and [row for row in rows if row.isdecimal()] == wanted,
            f"{', '.join(wanted)} of {facts['last']}",
        ),
    ]


def bundled(facts: Facts, stamped: frozenset[str]) -> list[Claim]:
    """A bundle activated while items come by, a damaged one, and one that is bad on the line."""
    told = [(one["what"], version_of(one["release"])) for one in facts["releases"]]
    judged = [
        (item["picture"] in stamped, record["verdict"], version_of(record.get("release", "")))
        for item, record in zip(facts["items"], facts["records"], strict=False)
    ]
    versions = [version for _, _, version in judged]
    well = [one for one in judged if one[2] != "4"]
    by_bad = [verdict for _, verdict, version in judged if version == "4"]
    done = facts["activated"]
    swapped = ["1", "2", "4", "2"]
    all_told = len(facts["items"]) == len(facts["records"]) and facts["restarts"] == 0
    right = all_told and all((verdict == "pass") == good for good, verdict, _ in well)
    return [
        Claim(
            "a bundle: activated between two items while they come by, and nothing restarts",
            right
            and done["first"]["status"] == done["second"]["status"] == 0
            and done["second"]["items"] > 0
            and [
                one for one, before in zip(versions, ["", *versions], strict=False) if one != before
            ]
            == swapped,
            f"{done['second']['items']} items during it; releases {', '.join(versions)}",
        ),
        Claim(
            "a bundle: a damaged one is refused in one line, and the release before goes on",
            done["damaged"]["status"] == 1
            and len(done["damaged"]["said"].strip().splitlines()) == 1
            and any(what == "refused" for what, _ in told),
            done["damaged"]["said"].strip()[:90],
        ),
        Claim(
            "a bundle: a signed one that rejects all is given up by itself, and passes nothing",
            ("given-up", "4") in told
            and told[-1] == ("in-service", "2")
            and ROW_ITEMS <= len(by_bad) <= ROW_ITEMS + 4
            and "pass" not in by_bad
            and versions[-1] == "2",
            f"after {len(by_bad)} items; {', '.join(f'{what} {v}' for what, v in told)}",
        ),
    ]


def version_of(release: str) -> str:
    """Return the version in the name of a release.

    >>> version_of("board-4-0123456789ab")
    '4'
    """
    return release.split("-")[1] if release.count("-") > 1 else ""


def edges_lost(facts: Facts, stamped: frozenset[str]) -> list[Claim]:
    """Edges of the encoder that the kernel did not latch, with an item under way."""
    pulses, turned_ns = pulses_of(facts["edges"]), facts["turned_ns"]
    told = {(one["what"], one["reason"].partition(",")[0]) for one in facts["incidents"]}
    latest_ns = turned_ns + NOTICED_MS * 1e6
    noticed = [(rise, fall) for rise, fall in pulses if turned_ns <= rise <= latest_ns]
    swept = [fall for _, fall in noticed if facts["brought_ns"] <= fall]
    first, following = facts["items"]
    thrown = {one["item"] for one in facts["incidents"] if one["what"] == "thrown"}
    let_pass = [r["sequence"] for r in facts["records"] if r["verdict"] == "pass"]
    after = [rise for rise, _ in pulses if rise >= following["pulled_ns"]]
    late_ms = [(rise - turned_ns) / 1e6 for rise, _ in noticed]
    return [
        Claim(
            "a lost encoder edge: it is noticed at once, and FAULT shows",
            bool(noticed) and facts["shown"][FAULT] == 1,
            f"{facts['counts']} counts; REJECT after {late_ms[0]:.0f} ms" if late_ms else "never",
        ),
        Claim(
            "a lost encoder edge: everything under way is rejected, what had passed as well",
            bool(swept) and first["picture"] in stamped and let_pass[:1] == sorted(thrown)[:1],
            f"REJECT for {widths_ms(pulses)} ms",
        ),
        Claim(
            "a lost encoder edge: the journal says so",
            {("lost", "edges were lost")} <= told and bool(thrown),
            ", ".join(sorted({what for what, _ in told})) or "no incident",
        ),
        Claim(
            "a lost encoder edge: the next item passes",
            following["picture"] in stamped
            and verdicts(facts) == ["pass", "pass"]
            and not thrown & set(let_pass[1:])
            and not after,
            ", ".join(verdicts(facts)),
        ),
    ]


def goes_on(facts: Facts, pulses: Sequence[Pulse], stamped: frozenset[str]) -> bool:
    """Return whether the last item, a stamped one, passed without a pulse."""
    last = facts["items"][-1]
    due_ns = last["pulled_ns"] + (DEBOUNCE_MS + DELAY_MS) * 1e6
    thrown = any(rise <= due_ns + LATE_MS * 1e6 and due_ns < fall for rise, fall in pulses)
    return last["picture"] in stamped and verdicts(facts)[-1:] == ["pass"] and not thrown


def widths_ms(pulses: Sequence[Pulse]) -> str:
    """The pulses' widths, in whole milliseconds.

    >>> widths_ms([(0, 2_000_000), (0, 30_000_000)])
    '2/30'
    """
    return "/".join(f"{(fall - rise) / 1e6:.0f}" for rise, fall in pulses)


def ruled(facts: Facts) -> list[Claim]:
    """Two items each: in and out of a region, and too many and as many marks as are asked for."""
    codes = [record["code"] for record in facts["records"]]
    told = verdicts(facts)
    items = facts["items"]
    pulses = pulses_of(facts["edges"])
    wrong = [item for item, verdict in zip(items, told, strict=False) if verdict != "pass"]
    fitting = len(told) == len(items) and fits(wrong, pulses)
    claims = (
        ("a region: a neighbour's stamp outside of it does not let an item pass", 0, "missing"),
        ("a count: an item with two marks where one is asked for is rejected", 2, "count"),
    )
    return [
        Claim(
            name,
            fitting
            and told[first : first + 2] == ["reject", "pass"]
            and codes[first : first + 2] == [code, "found"],
            f"{', '.join(codes[first : first + 2])}; {spread(wrong, pulses)}",
        )
        for name, first, code in claims
    ]


def shadowed(facts: Facts, stamped: frozenset[str]) -> list[Claim]:
    """Items in shadow, and what they show of the plan."""
    items, told = facts["items"], verdicts(facts)
    wanted = ["pass" if item["picture"] in stamped else "reject" for item in items]
    rises = dict.fromkeys((REJECT, READY), 0)
    for line, level, _ in facts["edges"]:
        if line in rises:
            rises[line] += level
    traced = any(line == FAULT for line, _, _ in facts["edges"])
    marked = {record.get("mode") for record in facts["records"]} == {"shadow"}
    still = rises == {REJECT: 0, READY: 0} and facts["levels"][REJECT] == 0
    reported = facts["reported"]
    return [
        Claim(
            "shadow: no edge of REJECT and READY from before the start on, with a reset",
            traced and still and "would be rejected, in shadow" in facts["gate"],
            f"{rises[REJECT]} of REJECT, {rises[READY]} of READY; {facts['gate'][:60]}",
        ),
        Claim(
            "shadow: stamped and unstamped items are judged, and the journal says in which mode",
            {"pass", "reject"} <= set(wanted) and told == wanted and marked,
            ", ".join(told),
        ),
        Claim(
            "shadow: what it has shown of the plan is told",
            f"{len(items)} items judged in shadow" in reported
            and "the plan is not shown yet" in reported,
            reported.strip().rpartition("\n")[2][:80],
        ),
    ]


def eye_killed(facts: Facts, stamped: frozenset[str]) -> list[Claim]:
    """The eye is killed by SIGKILL."""
    drop_ms, level = rested(facts["edges"], facts["killed_ns"])
    back = facts["restarts"] == 1 and verdicts(facts)[-1:] == ["pass"]
    return [
        Claim(
            "kill -9 of the eye: READY drops",
            level == 0 and drop_ms <= DROP_MS,
            f"after {drop_ms:.0f} ms",
        ),
        unseen("kill -9 of the eye", facts, stamped),
        Claim(
            "kill -9 of the eye: it is back by itself, and lets pass",
            back,
            f"after {back_s(facts, 'killed_ns')}",
        ),
    ]


def gate_killed(facts: Facts, stamped: frozenset[str]) -> list[Claim]:
    """The gate is killed by SIGKILL."""
    levels, killed_ns = facts["levels"], facts["killed_ns"]
    safe = [t_ns for t_ns, seen in levels if t_ns >= killed_ns and seen == SAFE]
    well = [seen[FAULT] == 0 for t_ns, seen in levels if t_ns < killed_ns][-1:]
    safe_ms = (safe[0] - killed_ns) / 1e6 if safe and well == [True] else float("inf")
    others = "" if safe and well == [True] else f"; seen were {told_levels(levels, killed_ns)}"
    pulses = pulses_of(facts["edges"])
    sweep = pulses[0] if pulses else (0, 0)
    due_ns = facts["blind"][0]["pulled_ns"] + DELAY_MS * 1e6
    last_ns = (
        facts["killed_ns"] + (DELAY_MS + PULSE_MS) * 1e6
    )  # then the last item that the dead gate saw has left
    swept = sweep[0] <= due_ns < sweep[1] and last_ns <= sweep[1]
    unstamped = [item for item in facts["items"] if item["picture"] not in stamped]
    back = (
        facts["restarts"] == 1
        and verdicts(facts) == ["pass", "reject"]
        and fits(unstamped, pulses[1:])
    )
    return [
        Claim(
            "kill -9 of the gate: REJECT and READY fall, FAULT rises",
            safe_ms <= RELEASED_MS,
            f"all by {safe_ms:.0f} ms, by their pull resistors{others}",
        ),
        Claim(
            "kill -9 of the gate: what was under way is rejected by the next gate",
            swept,
            f"REJECT high for {(sweep[1] - sweep[0]) / 1e6:.0f} ms",
        ),
        Claim(
            "kill -9 of the gate: both are back by themselves",
            back,
            f"after {back_s(facts, 'killed_ns')}",
        ),
    ]


def eye_hung(facts: Facts, stamped: frozenset[str]) -> list[Claim]:
    """The eye is stopped by SIGSTOP, and so hangs."""
    drop_ms, level = rested(facts["edges"], facts["hung_ns"])
    back = facts["restarts"] == 1 and bool(facts["said"]) and verdicts(facts)[-1:] == ["pass"]
    in_time = level == 0 and drop_ms <= SILENT_MS + DROP_MS
    return [
        Claim(
            "a hung eye: READY drops",
            in_time,
            f"after {drop_ms:.0f} ms (eye_silent_ms {SILENT_MS})",
        ),
        unseen("a hung eye", facts, stamped),
        Claim(
            "a hung eye: systemd's watchdog starts it again",
            back,
            f"READY after {back_s(facts, 'hung_ns')}",
        ),
    ]


def late_picture(facts: Facts, stamped: frozenset[str]) -> list[Claim]:
    """The video device makes its picture when the item has gone, and it shows a stamped one."""
    first = facts["records"][0]["reason"] if facts["records"] else ""
    named = first.startswith("late picture") and facts["restarts"] == 0
    return [
        Claim("a late picture: FAULT, and the journal says why", named, f"'{first[:60]}'"),
        unseen("a late picture", facts, stamped),
        Claim(
            "a late picture: the next item is judged, by the same eye",
            verdicts(facts)[1:] == ["pass"] and facts["restarts"] == 0,
            f"{facts['restarts']} restarts",
        ),
    ]


def camera_lost(facts: Facts, stamped: frozenset[str]) -> list[Claim]:
    """The camera's cable pulled, then its device gone."""
    raised = [
        t_ns
        for line, level, t_ns in facts["edges"]
        if line == FAULT and level and t_ns > facts["lost_ns"]
    ]
    first = facts["records"][0]["reason"] if facts["records"] else ""
    after = f"FAULT after {(raised[0] - facts['lost_ns']) / 1e6:.0f} ms" if raised else "never"
    named = bool(raised) and "camera" in first and not facts["device_left"]
    back = verdicts(facts)[-1:] == ["pass"]
    return [
        Claim(
            "the camera is gone: FAULT, and the journal says why", named, f"{after}; '{first[:60]}'"
        ),
        unseen("the camera is gone", facts, stamped),
        Claim(
            "the camera is gone: when it is there again, all goes on",
            back,
            f"{back_s(facts, 'lost_ns')} in all",
        ),
    ]


def power_cut(facts: Facts, stamped: frozenset[str], seen: int) -> list[Claim]:
    """The power cut under load, and the same disk after it."""
    kept = [sequence for sequence, _ in logged(facts["log"])]
    lost = max(0, seen - kept[-1]) if kept else seen
    whole = "chain whole" in facts["verified"] and kept == list(range(1, len(kept) + 1))
    found = facts["verified"].partition("\n")[0].rpartition(": ")[2]
    pulses = pulses_of(facts["edges"])
    unstamped = [item for item in facts["items"] if item["picture"] not in stamped]
    repaired = ", a torn line taken off" if "repair" in facts["kinds"] else ""
    return [
        Claim("power cut under load: the journal's chain is whole", whole, found + repaired),
        Claim(
            "power cut under load: at most the one line in writing is lost",
            seen > 0 and lost <= 1,
            f"item {seen} was seen, {kept[-1] if kept else 0} is there",
        ),
        Claim(
            "power cut under load: after the start all goes on",
            verdicts(facts) == ["pass", "reject"] and fits(unstamped, pulses),
            "a stamped and an unstamped item judged right",
        ),
    ]


def hardened(facts: Facts) -> list[Claim]:
    """What systemd says of the units and the watchdog."""
    found = {
        unit: float(re.findall(r"exposure level for \S+: ([\d.]+)", t)[0])
        for unit, t in facts["exposure"].items()
    }
    figures = ", ".join(f"{unit.partition('.')[0]} {value}" for unit, value in found.items())
    seconds = re.fullmatch(r"RuntimeWatchdogUSec=(\d+)s", facts["watchdog"].strip())
    watched = seconds is not None and int(seconds[1]) <= 15 and bool(facts["said"])
    return [
        Claim(
            "systemd-analyze security of both is at most 2.0",
            max(found.values()) <= EXPOSURE,
            figures,
        ),
        Claim("the board's watchdog watches systemd", watched, facts["watchdog"].strip()),
    ]


def separated(facts: Facts) -> list[Claim]:
    """Two users: what each reaches of the other's, and who may call the gate."""
    reached, called = facts["reached"], facts["called"]
    outside, inside = called["outside"], called["inside"]
    refused = "Permission denied" in outside and "may not be the eye" in inside
    return [
        Claim(
            "the eye's unit reaches camera and journal, neither GPIO chip nor the gate's process",
            set(reached["eye"]) == {"camera", "journal", "settings"},
            f"reached: {', '.join(reached['eye']) or 'nothing'}",
        ),
        Claim(
            "the gate's unit reaches the GPIO chip, neither camera nor journal nor the eye",
            set(reached["gate"]) == {"GPIO chip", "settings"},
            f"reached: {', '.join(reached['gate']) or 'nothing'}",
        ),
        Claim(
            "the eye's user without its unit reaches neither GPIO chip nor the gate's process",
            set(reached["user"]) == {"journal", "settings"},
            f"reached: {', '.join(reached['user']) or 'nothing'}",
        ),
        Claim(
            "a stranger is refused on the gate's socket, by its mode and by its user",
            refused and bool(facts["same"]),
            f"'{outside.strip()[:40]}', '{inside.strip()[:90]}'",
        ),
    ]


def purged(facts: Facts) -> list[Claim]:
    """The package is purged."""
    clean = not facts["left"] and not facts["running"] and facts["journals"] > 0
    return [
        Claim(
            "purge leaves the journal and nothing else",
            clean,
            f"{facts['journals']} journal files left",
        )
    ]


def unseen(name: str, facts: Facts, stamped: frozenset[str]) -> Claim:
    """Items that no eye could judge are rejected, each by its pulse.

    They stand in the journal as faults.
    """
    blind = facts["blind"]
    rejected = sorted(
        [*blind, *(i for i in facts["items"] if i["picture"] not in stamped)],
        key=lambda i: i["pulled_ns"],
    )
    pulses = pulses_of(facts["edges"])
    told = verdicts(facts)[: len(blind)]
    held = bool(blind) and fits(rejected, pulses) and told == ["fault"] * len(blind)
    return Claim(
        f"{name}: items passing meanwhile are rejected",
        held,
        f"{len(blind)} items, {spread(rejected, pulses)}",
    )


def pulses_of(edges: Sequence[Sequence[Any]]) -> list[Pulse]:
    """Each time that REJECT was high, from and to, in monotonic nanoseconds.

    >>> pulses_of([("REJECT", 1, 5), ("READY", 0, 6), ("REJECT", 0, 7)])
    [(5, 7)]
    """
    levels = [(level, t_ns) for line, level, t_ns in edges if line == REJECT]
    rises, falls = ([t_ns for level, t_ns in levels if level == wanted] for wanted in (1, 0))
    return [(rise, next(fall for fall in falls if fall > rise)) for rise in rises]


def fits(rejected: Sequence[Facts], pulses: Sequence[Pulse]) -> bool:
    """Return whether the pulses are those of these items, in order, each when it is due.

    There is one for each and no other.
    """
    if len(rejected) != len(pulses):
        return False
    late = late_ms(rejected, pulses)
    return all(0 <= ms <= LATE_MS for ms in late)


def late_ms(rejected: Sequence[Facts], pulses: Sequence[Pulse]) -> list[float]:
    """Return by how much each pulse came late, in milliseconds.

    It is due debouncing and delay after its item covered the photo-eye.
    """
    due_ms = DEBOUNCE_MS + DELAY_MS
    return [(p[0] - i["pulled_ns"]) / 1e6 - due_ms for i, p in zip(rejected, pulses, strict=False)]


def spread(rejected: Sequence[Facts], pulses: Sequence[Pulse]) -> str:
    """Say how the delays lie, and the pulses' widths."""
    if len(rejected) != len(pulses) or not pulses:
        return f"{len(pulses)} pulses for {len(rejected)} items"
    delays = [ms + DEBOUNCE_MS + DELAY_MS for ms in late_ms(rejected, pulses)]
    widths = [(end - start) / 1e6 for start, end in pulses]
    return (
        f"delay {three(delays)} ms for {DEBOUNCE_MS} + {DELAY_MS}, "
        f"width {three(widths)} ms for {PULSE_MS}"
    )


def three(values: Sequence[float]) -> str:
    """Least, median and greatest.

    >>> three([3.0, 1.0, 2.0])
    '1.0/2.0/3.0'
    """
    return f"{min(values):.1f}/{statistics.median(values):.1f}/{max(values):.1f}"


def rested(edges: Sequence[Sequence[Any]], after_ns: int) -> tuple[float, int]:
    """When READY stopped to beat, in ms after a moment, and at which level it then stayed."""
    beats = [(t_ns, level) for line, level, t_ns in edges if line == READY]
    for (t_ns, level), (next_ns, _) in zip(beats, [*beats[1:], (2**63, 0)], strict=True):
        if next_ns > after_ns and next_ns - t_ns > REST_MS * 1e6:
            return max(0.0, (t_ns - after_ns) / 1e6), level
    return float("inf"), 1


def told_levels(levels: Sequence[tuple[int, Mapping[str, int]]], from_ns: int) -> str:
    """The last changes of the outputs' levels, each with its ms from a moment, for a person.

    >>> told_levels([(3_000_000, {"REJECT": 0, "READY": 1, "FAULT": 0})], 1_000_000)
    '2 ms: REJECT 0 READY 1 FAULT 0'
    """
    return ", ".join(
        f"{(t_ns - from_ns) / 1e6:.0f} ms: " + " ".join(f"{name} {seen[name]}" for name in SAFE)
        for t_ns, seen in levels[-TOLD_LEVELS:]
    )


def verdicts(facts: Facts) -> list[str]:
    """The verdicts in the journal, in order."""
    return [record["verdict"] for record in facts["records"]]


def logged(text: str) -> list[tuple[int, str]]:
    """Sequence and verdict of each line of ``stampgate-edge log --csv``."""
    return [(int(row["sequence"]), row["verdict"]) for row in csv.DictReader(io.StringIO(text))]


def back_s(facts: Facts, since: str) -> str:
    """How long it took until READY beat again."""
    return f"{(facts['back_ns'] - facts[since]) / 1e9:.1f} s"
