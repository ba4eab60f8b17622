"""The judge of the emulated board.

Good facts pass every claim, and each thing that may go wrong fails its own.
"""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge.bundles.reading import read_bundle
from edge.bundles.trust import load_trusted_keys
from edge.config import load_config
from edge.errors import BundleError
from edge.sight.inspector import Inspector
from edge.station import rules_for
from edge.vision.localizer import Localizer
from edge.vision.picture_files import read_picture
from tests.board import camera, closer, guest, settings, wires
from tests.board.judge import LATE_MS, Claim, judge, rested
from tests.board.settings import DEBOUNCE_MS, DELAY_MS, PULSE_MS, READY_MS

MS = 1_000_000
STAMPED = frozenset({"stamped.jpg"})
SEEN = 3
Facts = dict[str, Any]
Edges = list[tuple[str, int, int]]


def passing(*items: tuple[str, int]) -> list[Facts]:
    """Items as the board tells of them: picture and moment in ms."""
    return [{"picture": f"{picture}.jpg", "pulled_ns": ms * MS} for picture, ms in items]


def pulse(item_ms: int, late_ms: int = 1) -> Edges:
    """The pulse of the item that came by at a moment."""
    start_ms = item_ms + DEBOUNCE_MS + DELAY_MS + late_ms
    return [("REJECT", 1, start_ms * MS), ("REJECT", 0, (start_ms + PULSE_MS) * MS)]


def beats(from_ms: int, to_ms: int) -> Edges:
    """READY beating, at rest in the end."""
    moments = range(from_ms, to_ms, 2 * READY_MS)
    return [
        edge
        for ms in moments
        for edge in (("READY", 1, ms * MS), ("READY", 0, (ms + READY_MS) * MS))
    ]


def records(*verdicts: str, item_ms: int = 0) -> list[Facts]:
    """Journal records, one item a second."""
    return [
        {
            "sequence": n + 1,
            "verdict": v,
            "reason": "camera lost",
            "trigger_ns": (item_ms + n * 1000 + 6) * MS,
        }
        for n, v in enumerate(verdicts)
    ]


def interrupted(since: str, **more: Any) -> Facts:
    """An eye that was away from 1000 to 2500 ms; an item passed meanwhile and one after."""
    return {
        since: 1000 * MS,
        "back_ns": 2500 * MS,
        "restarts": 1,
        "blind": passing(("stamped", 1500)),
        "items": passing(("stamped", 3000)),
        "edges": sorted(
            [*beats(0, 1050), *pulse(1500), *beats(2500, 20_000)], key=lambda edge: edge[2]
        ),
        "records": records("fault", "pass"),
        **more,
    }


def late() -> Facts:
    """An unstamped item whose picture came too late, and a stamped one after it."""
    facts: Facts = {
        "blind": passing(("unstamped", 1500)),
        "items": passing(("stamped", 3000)),
        "restarts": 0,
        "edges": pulse(1500),
        "records": records("fault", "pass"),
    }
    facts["records"][0]["reason"] = "late picture: it began 1600 ms after the trigger"
    return facts


def pulled(item_ms: int) -> int:
    """When what covered the photo-eye at a moment is at the gate, in ms."""
    return item_ms + DEBOUNCE_MS + DELAY_MS


def touched() -> Facts:
    """Two items that touched from 1000 to 2500 ms, and one at 9000 that passed."""
    swept = [("REJECT", 1, (pulled(1000) + 1) * MS), ("REJECT", 0, pulled(2600) * MS)]
    return {
        "pulled_ns": 1000 * MS,
        "cleared_ns": 2500 * MS,
        "items": passing(("stamped", 9000)),
        "edges": swept,
        "records": [
            {"sequence": n, "verdict": verdict, "reason": reason, "trigger_ns": 0}
            for n, verdict, reason in (
                (1, "reject", "the gate rejects it in any case"),
                (2, "fault", "several items: the photo-eye was blocked"),
                (3, "pass", "found"),
            )
        ],
    }


def seen_twice() -> Facts:
    """A rejected item that the bin saw twice, a sweep by reset, and a stamped item that passed."""
    return {
        "entered_ns": 11_100 * MS,
        "again_ns": 11_700 * MS,
        "stopped": True,
        "items": passing(("unstamped", 1000), ("stamped", 30_000)),
        "edges": [*pulse(1000), ("REJECT", 1, 13_000 * MS), ("REJECT", 0, 23_500 * MS)],
        "incidents": [{"what": "unexpected", "at_ns": 11_701 * MS, "reason": "not rejected"}],
        "records": records("reject", "pass"),
    }


def missed_edges() -> Facts:
    """An item that was let pass, edges that were lost at 5000 ms, and an item after it all."""
    return {
        "turned_ns": 5000 * MS,
        "counts": 5,
        "shown": {"REJECT": 1, "READY": 0, "FAULT": 1},
        "brought_ns": 20_000 * MS,
        "items": passing(("stamped", 1000), ("stamped", 60_000)),
        "incidents": [
            {"what": "lost", "reason": "edges were lost, and so the position"},
            {"what": "thrown", "item": 1, "reason": "edges of the encoder were lost"},
        ],
        "edges": [("REJECT", 1, 5100 * MS), ("REJECT", 0, 21_000 * MS)],
        "records": records("pass", "pass"),
    }


def by_rule() -> Facts:
    """A neighbour's mark, the item's own, two marks and one: the first and third were rejected."""
    told = records("reject", "pass", "reject", "pass")
    for record, code in zip(told, ("missing", "found", "count", "found"), strict=True):
        record["code"] = code
    return {
        "items": passing(("neighbour", 1000), ("own", 4000), ("both", 7000), ("stamped", 9000)),
        "edges": [*pulse(1000), *pulse(7000)],
        "records": told,
    }


def bundled() -> Facts:
    """Two items by release 1, two by 2, three by 4, which rejects all, and one by 2 again."""
    by = ("1", "1", "2", "2", "4", "4", "4", "2")
    records = [
        {"verdict": "reject" if v == "4" else "pass", "release": f"board-{v}-0123456789ab"}
        for v in by
    ]
    told = (
        *(("activated", "1"), ("activated", "2"), ("in-service", "2")),
        *(("probation-passed", "2"), ("refused", ""), ("activated", "4"), ("in-service", "4")),
        *(("given-up", "4"), ("in-service", "2")),
    )
    done = {"status": 0, "said": "well", "items": 1}
    return {
        "items": [{"picture": "stamped.jpg"} for _ in by],
        "records": records,
        "activated": {
            "first": done,
            "second": dict(done),
            "damaged": {"status": 1, "said": "3.bundle: refused: model.onnx", "items": 1},
            "bad": done,
        },
        "releases": [
            {"what": what, "release": f"board-{v}-0123456789ab" if v else "3.bundle"}
            for what, v in told
        ],
        "restarts": 0,
        "status": "{}",
    }


def challenged() -> Facts:
    """A challenge test that was passed by items 3 to 9, and one that failed by item 10."""
    kinds = ("unstamped",) * 4 + ("stamped", "unstamped", "stamped")
    items = passing(*((kind, 10_000 * number) for number, kind in enumerate(kinds, 1)))
    shorter_ms = DELAY_MS - settings.CHALLENGE_DELAY_MS
    pulses = [pulse(10_000 * n - shorter_ms) for n, kind in enumerate(kinds, 1) if kind[0] == "u"]
    right = [{"what": "right", "reason": "got right", "proven_by": "the wires"}] * 7
    ends = (
        ("passed", "all right"),
        ("failed", "a bad item was let pass (item 10)"),
        ("signed", "guest: shown"),
    )
    return {
        "passed": {"status": 0, "said": ["challenge test PASSED"], "items": items},
        "failed": {"status": 1, "said": ["FAILED"], "items": passing(("stamped", 90_000))},
        "stopped": True,
        "listed": "sequence,verdict\r\n10,pass\r\nstampgate-edge: 1 items, 10 to 10, are in it\n",
        "signed": "signed",
        "before": 2,
        "last": 10,
        "edges": [edge for edges in pulses for edge in edges],
        "challenges": [*right, *({"what": what, "reason": why} for what, why in ends)],
    }


def in_shadow() -> Facts:
    """Two items that were judged, and outputs that rest."""
    told = records("pass", "reject")
    for record in told:
        record["mode"] = "shadow"
    return {
        "items": passing(("stamped", 1000), ("unstamped", 4000)),
        "edges": [("REJECT", 0, 10 * MS), ("READY", 0, 10 * MS), ("FAULT", 0, 900 * MS)],
        "levels": {"REJECT": 0, "READY": 0, "FAULT": 0},
        "records": told,
        "gate": "2 items, 1 would be rejected, in shadow; all well",
        "reported": "2 items judged in shadow, 0 with a known truth\nthe plan is not shown yet",
    }


def without_gate() -> Facts:
    """A gate that was away from 1000 to 20 000 ms and swept away what passed meanwhile."""
    sweep = [("REJECT", 1, 2000 * MS), ("REJECT", 0, (2000 + DELAY_MS + PULSE_MS) * MS)]
    return {
        "killed_ns": 1000 * MS,
        "back_ns": 20_000 * MS,
        "restarts": 1,
        "levels": [(900 * MS, {"REJECT": 0, "READY": 1, "FAULT": 0}), (1010 * MS, wires_safe())],
        "blind": passing(("stamped", 1300)),
        "items": passing(("stamped", 21_000), ("unstamped", 22_000)),
        "edges": [*sweep, *pulse(22_000)],
        "records": records("pass", "reject"),
    }


def apart() -> Facts:
    """Two users, each of whom reaches what is its own, and strangers who are refused."""
    return {
        "reached": {
            "eye": ["camera", "journal", "settings"],
            "gate": ["GPIO chip", "settings"],
            "user": ["journal", "settings"],
        },
        "called": {
            "outside": '"Permission denied"',
            "inside": '"process 9 of user 65534 may not be the eye"',
        },
        "same": True,
    }


def good() -> Facts:
    """Facts that prove everything."""
    one_pass = {"items": passing(("stamped", 0), ("unstamped", 1000)), "edges": pulse(1000)}
    log = "sequence,verdict\n1,pass\n2,reject\n"
    one_line = {
        **one_pass,
        "records": records("pass", "reject"),
        "log": log,
        "verified": "j: 3 records, chain whole",
    }
    exposed = "→ Overall exposure level for stampgate.service: 1.3 OK"
    return {
        "install": {
            "package": "it.deb",
            "status": "install ok installed",
            "networks": ["lo"],
            "seconds": 1,
            "size_mb": 1,
        },
        "start": {"users": ["stampgate-gate", "stampgate"], "seconds": 1.0},
        "aim": aimed_well(),
        "line": one_line,
        "touching": touched(),
        "double_confirm": seen_twice(),
        "challenge": challenged(),
        "bundle": bundled(),
        "edges_lost": missed_edges(),
        "rules": by_rule(),
        "shadow": in_shadow(),
        "eye_killed": interrupted("killed_ns"),
        "gate_killed": without_gate(),
        "eye_hung": interrupted("hung_ns", said=["Watchdog timeout"]),
        "late_picture": late(),
        "camera_lost": interrupted("lost_ns", device_left=False)
        | {"edges": with_fault(interrupted("lost_ns"))},
        "after_the_cut": {**copy.deepcopy(one_line), "kinds": ["start"]},
        "hardening": {
            "exposure": {"stampgate-gate.service": exposed},
            "watchdog": "RuntimeWatchdogUSec=15s",
            "said": ["it"],
        },
        "users": apart(),
        "purge": {"journals": 2, "left": [], "running": []},
    }


def aimed_well() -> dict[str, Any]:
    """The aim page with a stamped picture on it."""
    verdict = {"kind": "pass", "reason": "qc-tested found"}
    state = {"width": 640, "height": 480, "figures": {"focus": 210.0}, "verdict": verdict}
    return {"state": state, "is_jpeg": True, "status": 0, "seconds": 70.0}


def wires_safe() -> dict[str, int]:
    """The outputs as their resistors hold them."""
    return {"REJECT": 0, "READY": 0, "FAULT": 1}


def with_fault(facts: Facts) -> Edges:
    """The same edges, with FAULT rising."""
    return [("FAULT", 1, 1200 * MS), *facts["edges"]]


def failed(claims: list[Claim]) -> list[str]:
    """The beginning of each claim that did not hold."""
    return [claim.name for claim in claims if not claim.passed]


def test_good_facts_pass_every_claim() -> None:
    """So what fails below fails for its own reason."""
    assert failed(judge(good(), STAMPED, SEEN)) == []


def drop(facts: Facts, step: str, line: str) -> None:
    """Take the edges of a line away."""
    facts[step]["edges"] = [edge for edge in facts[step]["edges"] if edge[0] != line]


WRONGS: dict[str, tuple[Callable[[Facts], Any], str]] = {
    "a network": (lambda f: f["install"]["networks"].append("eth0"), "dpkg installs"),
    "root": (lambda f: f["start"].update(users=["root", "root"]), "both services start"),
    "one user": (
        lambda f: f["start"].update(users=["stampgate", "stampgate"]),
        "both services start",
    ),
    "an eye with the chip": (
        lambda f: f["users"]["reached"]["eye"].append("GPIO chip"),
        "the eye's unit reaches",
    ),
    "an eye in the gate's memory": (
        lambda f: f["users"]["reached"]["eye"].append("other's memory"),
        "the eye's unit reaches",
    ),
    "an eye that was not tried": (
        lambda f: f["users"]["reached"].update(eye=[]),
        "the eye's unit reaches",
    ),
    "a gate with the journal": (
        lambda f: f["users"]["reached"]["gate"].append("journal"),
        "the gate's unit reaches",
    ),
    "a gate without its chip": (
        lambda f: f["users"]["reached"]["gate"].remove("GPIO chip"),
        "the gate's unit reaches",
    ),
    "a user that may debug": (
        lambda f: f["users"]["reached"]["user"].append("other's debugger"),
        "the eye's user without",
    ),
    "a stranger at the socket": (
        lambda f: f["users"]["called"].update(outside='"no answer"'),
        "a stranger is refused",
    ),
    "a stranger who is welcome": (
        lambda f: f["users"]["called"].update(inside='{"say": "welcome"}'),
        "a stranger is refused",
    ),
    "a stranger who ends the gate": (
        lambda f: f["users"].update(same=False),
        "a stranger is refused",
    ),
    "no pulse": (lambda f: f["line"].update(edges=[]), "stamped items give no pulse"),
    "one pulse more": (
        lambda f: f["line"].update(edges=[*pulse(0), *pulse(1000)]),
        "stamped items give no pulse",
    ),
    "early": (lambda f: f["line"].update(edges=pulse(1000, -2)), "stamped items give no pulse"),
    "late": (
        lambda f: f["line"].update(edges=pulse(1000, LATE_MS + 1)),
        "stamped items give no pulse",
    ),
    "another verdict": (
        lambda f: f["line"]["records"][0].update(verdict="fault"),
        "the journal agrees",
    ),
    "another log": (
        lambda f: f["line"].update(log="sequence,verdict\n1,pass\n2,pass\n"),
        "the journal agrees",
    ),
    "another moment": (
        lambda f: f["line"]["records"][1].update(trigger_ns=0),
        "the journal agrees",
    ),
    "touching, let pass": (lambda f: drop(f, "touching", "REJECT"), "two touching items: REJECT"),
    "touching, only the first": (
        lambda f: f["touching"].update(edges=pulse(1000)),
        "two touching items: REJECT",
    ),
    "touching, late": (
        lambda f: f["touching"].update(
            edges=[("REJECT", 1, pulled(1300) * MS), ("REJECT", 0, pulled(2600) * MS)]
        ),
        "two touching items: REJECT",
    ),
    "touching, no word": (
        lambda f: f["touching"]["records"][1].update(reason="black picture"),
        "two touching items: the journal",
    ),
    "touching, all after": (
        lambda f: f["touching"]["records"][2].update(verdict="reject"),
        "two touching items: the journal",
    ),
    "edges lost, noticed late": (
        lambda f: f["edges_lost"]["edges"].__setitem__(0, ("REJECT", 1, 6001 * MS)),
        "a lost encoder edge: it is noticed",
    ),
    "edges lost, no FAULT": (
        lambda f: f["edges_lost"]["shown"].update(FAULT=0),
        "a lost encoder edge: it is noticed",
    ),
    "edges lost, let pass": (
        lambda f: f["edges_lost"]["edges"].__setitem__(1, ("REJECT", 0, 19_000 * MS)),
        "a lost encoder edge: everything under way",
    ),
    "edges lost, another thrown": (
        lambda f: f["edges_lost"]["incidents"][1].update(item=2),
        "a lost encoder edge: everything under way",
    ),
    "edges lost, no word": (
        lambda f: f["edges_lost"]["incidents"].pop(0),
        "a lost encoder edge: the journal",
    ),
    "edges lost, a pass thrown without a word": (
        lambda f: f["edges_lost"]["incidents"].pop(1),
        "a lost encoder edge: the journal",
    ),
    "edges lost, the next thrown": (
        lambda f: f["edges_lost"]["edges"].extend(pulse(60_000)),
        "a lost encoder edge: the next",
    ),
    "edges lost, the next rejected": (
        lambda f: f["edges_lost"]["records"][1].update(verdict="reject"),
        "a lost encoder edge: the next",
    ),
    "confirmed twice, no word": (
        lambda f: f["double_confirm"].update(incidents=[]),
        "a double confirm: the second",
    ),
    "confirmed once, and told as unexpected": (
        lambda f: f["double_confirm"]["incidents"][0].update(at_ns=11_101 * MS),
        "a double confirm: the second",
    ),
    "confirmed twice, and missing all the same": (
        lambda f: f["double_confirm"]["incidents"].append(
            {"what": "unconfirmed", "at_ns": 14_000 * MS, "reason": ""}
        ),
        "a double confirm: the second",
    ),
    "confirmed twice, and the line runs on": (
        lambda f: f["double_confirm"].update(stopped=False),
        "a double confirm: READY",
    ),
    "confirmed twice, the next thrown": (
        lambda f: f["double_confirm"].update(edges=[*f["double_confirm"]["edges"], *pulse(30_000)]),
        "a double confirm: READY",
    ),
    "READY goes on": (
        lambda f: f["eye_killed"].update(edges=[*beats(0, 20_000)]),
        "kill -9 of the eye: READY",
    ),
    "READY late": (
        lambda f: f["eye_killed"].update(
            edges=[*beats(0, 1600), *pulse(1500), *beats(2700, 20_000)]
        ),
        "kill -9 of the eye: READY",
    ),
    "let pass unseen": (lambda f: drop(f, "eye_killed", "REJECT"), "kill -9 of the eye: items"),
    "not back": (lambda f: f["eye_killed"].update(restarts=0), "kill -9 of the eye: it is back"),
    "aim shows no picture": (lambda f: f["aim"].update(is_jpeg=False), "aim shows"),
    "aim has no focus": (lambda f: f["aim"]["state"]["figures"].update(focus=0), "aim shows"),
    "aim is not ended by Ctrl-C": (lambda f: f["aim"].update(status=-9), "aim shows"),
    "aim does not begin": (lambda f: f.update(aim={"failed": "no line"}), "aim shows"),
    "a neighbour's stamp, let pass": (
        lambda f: f["rules"]["records"][0].update(verdict="pass", code="found"),
        "a region",
    ),
    "no stamp of its own in the region": (
        lambda f: f["rules"]["records"][1].update(verdict="reject", code="missing"),
        "a region",
    ),
    "two marks, let pass": (
        lambda f: f["rules"]["records"][2].update(verdict="pass", code="found"),
        "a count",
    ),
    "two marks, for another reason": (
        lambda f: f["rules"]["records"][2].update(code="missing"),
        "a count",
    ),
    "two marks, no pulse": (lambda f: f["rules"].update(edges=pulse(1000)), "a count"),
    "FAULT before the kill": (
        lambda f: f["gate_killed"]["levels"][0][1].update(FAULT=1),
        "kill -9 of the gate: REJECT",
    ),
    "SAFE before the kill": (
        lambda f: f["gate_killed"].update(levels=[(900 * MS, wires_safe())]),
        "kill -9 of the gate: REJECT",
    ),
    "late and let pass": (
        lambda f: f["late_picture"].update(edges=[], records=records("pass", "pass")),
        "a late picture: items passing meanwhile",
    ),
    "late for another reason": (
        lambda f: f["late_picture"]["records"][0].update(reason="camera timeout"),
        "a late picture: FAULT",
    ),
    "late, and the eye ended": (
        lambda f: f["late_picture"].update(restarts=1),
        "a late picture: the next item",
    ),
    "REJECT stuck": (
        lambda f: f["gate_killed"]["levels"][1][1].update(REJECT=1),
        "kill -9 of the gate: REJECT",
    ),
    "no sweep": (
        lambda f: f["gate_killed"].update(edges=pulse(22_000)),
        "kill -9 of the gate: what was under way",
    ),
    "no watchdog": (lambda f: f["eye_hung"].update(said=[]), "a hung eye: systemd"),
    "no FAULT": (lambda f: drop(f, "camera_lost", "FAULT"), "the camera is gone: FAULT"),
    "a pass": (
        lambda f: f["camera_lost"]["records"][0].update(verdict="pass"),
        "the camera is gone: items",
    ),
    "chain broken": (
        lambda f: f["after_the_cut"].update(verified="no"),
        "power cut under load: the journal",
    ),
    "two lost": (
        lambda f: f["after_the_cut"].update(log="sequence,verdict\n1,pass\n"),
        "power cut under load: at most",
    ),
    "exposed": (
        lambda f: f["hardening"]["exposure"].update(x="exposure level for x: 2.1 OK"),
        "systemd-analyze security",
    ),
    "no hardware": (
        lambda f: f["hardening"].update(watchdog="RuntimeWatchdogUSec=0"),
        "the board's watchdog",
    ),
    "a challenge test that failed": (
        lambda f: f["challenge"]["passed"].update(status=1),
        "a challenge test: bad and good",
    ),
    "a person's word in place of a wire": (
        lambda f: f["challenge"]["challenges"][0].update(proven_by="a person"),
        "a challenge test: bad and good",
    ),
    "a bad test item that was not thrown": (
        lambda f: f["challenge"].update(edges=f["challenge"]["edges"][2:]),
        "a challenge test: bad and good",
    ),
    "a bad box that passed": (
        lambda f: f["challenge"]["failed"].update(status=0),
        "a challenge test that lets a bad item pass",
    ),
    "a line that runs in quarantine": (
        lambda f: f["challenge"].update(stopped=False),
        "a challenge test that lets a bad item pass",
    ),
    "a challenge test that failed by something else": (
        lambda f: f["challenge"]["challenges"][8].update(reason="it was abandoned"),
        "a challenge test that lets a bad item pass",
    ),
    "an item that is not listed": (
        lambda f: f["challenge"].update(last=11),
        "a challenge test: the list",
    ),
    "an item too many listed": (
        lambda f: f["challenge"].update(listed="sequence\n9\n10\n"),
        "a challenge test: the list",
    ),
    "an activation that failed": (
        lambda f: f["bundle"]["activated"]["second"].update(status=1),
        "a bundle: activated",
    ),
    "a restart for a bundle": (lambda f: f["bundle"].update(restarts=1), "a bundle: activated"),
    "an item lost by a change": (lambda f: f["bundle"]["records"].pop(), "a bundle: activated"),
    "no item during an activation": (
        lambda f: f["bundle"]["activated"]["second"].update(items=0),
        "a bundle: activated",
    ),
    "a damaged bundle that is taken": (
        lambda f: f["bundle"]["activated"]["damaged"].update(status=0),
        "a bundle: a damaged one",
    ),
    "a refusal in no journal": (
        lambda f: f["bundle"]["releases"].pop(4),
        "a bundle: a damaged one",
    ),
    "an item that passes by a bad release": (
        lambda f: f["bundle"]["records"][4].update(verdict="pass"),
        "a bundle: a signed one",
    ),
    "a bad release that stays": (
        lambda f: f["bundle"].update(releases=f["bundle"]["releases"][:-2]),
        "a bundle: a signed one",
    ),
    "an edge in shadow": (lambda f: f["shadow"].update(edges=pulse(1000)), "shadow: no edge"),
    "READY in shadow": (
        lambda f: f["shadow"]["edges"].append(("READY", 1, 1000 * MS)),
        "shadow: no edge",
    ),
    "REJECT stuck in shadow": (
        lambda f: f["shadow"]["levels"].update(REJECT=1),
        "shadow: no edge",
    ),
    "nothing traced in shadow": (lambda f: f["shadow"].update(edges=[]), "shadow: no edge"),
    "a gate that does not say so": (
        lambda f: f["shadow"].update(gate="2 items, 1 rejected; all well"),
        "shadow: no edge",
    ),
    "let pass in shadow": (
        lambda f: f["shadow"]["records"][1].update(verdict="pass"),
        "shadow: stamped",
    ),
    "unmarked in shadow": (
        lambda f: f["shadow"]["records"][0].pop("mode"),
        "shadow: stamped",
    ),
    "no figures of shadow": (
        lambda f: f["shadow"].update(reported="no such command"),
        "shadow: what it has shown",
    ),
    "no journal": (lambda f: f["purge"].update(journals=0), "purge leaves"),
}


@pytest.mark.parametrize("name", WRONGS)
def test_what_goes_wrong_fails_its_claim(name: str) -> None:
    """Each claim can fail."""
    facts = copy.deepcopy(good())
    spoil, claim = WRONGS[name]
    spoil(facts)
    assert any(found.startswith(claim) for found in failed(judge(facts, STAMPED, SEEN)))


def test_a_beat_that_comes_late_is_no_rest() -> None:
    """A gate that is held up for 0.3 s at either level, and goes on, has not stopped to beat."""
    beating = [*beats(0, 1100), *beats(1400, 2000)]
    assert rested(beating, 1000 * MS) == (1000 - READY_MS, 0)
    held_up = [edge for edge in beats(0, 3000) if not 1100 * MS < edge[2] < 1400 * MS]
    assert rested(held_up, 1000 * MS) == (2000 - READY_MS, 0)


def test_a_trace_of_the_kernel_is_read_in_the_order_of_time() -> None:
    """It is kept for each processor apart; a line set twice to one level has no edge."""
    text = [
        "# tracer: nop",
        " gate-7 [001] .....    10.000300: gpio_value: 529 set 0",
        " gate-7 [001] .....    10.000400: gpio_value: 529 set 0",
        " gate-7 [000] .....    10.000200: gpio_value: 534 set 1",
    ]
    first, second = ("READY", 1, 10_000_200_000), ("REJECT", 0, 10_000_300_000)
    assert [(edge.line, edge.level, edge.t_ns) for edge in wires.edges_of(text, 512)] == [
        first,
        second,
    ]


def test_the_boards_model_judges_two_items_by_the_boards_rules(tmp_path: Path) -> None:
    """What stands on the board's wires is in its own code: here the rules decide alone."""
    closer.write_pictures(tmp_path / "samples")
    closer.write_model(tmp_path / "board.onnx")
    model = tmp_path / "board.onnx"
    localizer = Localizer(model)
    wanted = {
        settings.REGION: {camera.NEIGHBOUR: "missing", camera.OWN: "found"},
        settings.COUNT: {camera.TWO: "count", "01-milk-stamped.jpg": "found"},
    }
    for toml, codes in wanted.items():
        path = tmp_path / "edge.toml"
        path.write_text(toml.replace(str(settings.MODEL), str(model)))
        inspector = Inspector(localizer, rules_for(load_config(path), localizer))
        told = {
            name: inspector.inspect(read_picture(tmp_path / "samples" / name)).code
            for name in codes
        }
        assert told == codes


def test_the_boards_model_judges_the_boards_pictures_as_they_are_labelled(tmp_path: Path) -> None:
    """With room to both sides of its threshold, so that what the board does else is its own."""
    closer.write_pictures(tmp_path / "samples")
    closer.write_model(tmp_path / "board.onnx")
    localizer = Localizer(tmp_path / "board.onnx")
    for name, box in closer.labelled().items():
        found = localizer.find(read_picture(tmp_path / "samples" / name), 0.01)
        room = (found[0].score if found else 0.0) - localizer.contract.threshold
        assert room > 0.05 if box else room < -0.05, name


def test_the_boards_bundles_are_what_the_step_needs(tmp_path: Path) -> None:
    """Three are whole, one is damaged; the last lets one golden frame pass, and no line's item."""
    pytest.importorskip("cryptography", reason="bundles are signed by the library cryptography")
    from tests.board import bundles  # noqa: PLC0415 - it loads that library's users

    bundles.write_bundles(tmp_path / "bundles")
    keys = load_trusted_keys(tmp_path / "bundles" / "keys")
    for version in bundles.THRESHOLDS:
        path = tmp_path / "bundles" / f"{version}.bundle"
        if version == bundles.DAMAGED:
            with pytest.raises(BundleError):
                read_bundle(path, keys)
            continue
        bundle = read_bundle(path, keys)
        passes = [frame.name for frame in bundle.golden.frames if frame.verdict == "pass"]
        assert len(passes) == (1 if version == 4 else 6)
    closer.write_pictures(tmp_path / "samples")
    bad = read_bundle(tmp_path / "bundles" / "4.bundle", keys)
    (tmp_path / "bad.onnx").write_bytes(bad.member("model.onnx"))
    localizer = Localizer(tmp_path / "bad.onnx")
    seen = localizer.find(read_picture(tmp_path / "samples" / guest.OTHER_STAMPED), 0.01)
    assert seen[0].score < localizer.contract.threshold - 0.04
    (tmp_path / "edge.toml").write_text(settings.BUNDLED)
    assert load_config(tmp_path / "edge.toml").model.bundle == "current"
