"""What is done on the board, step by step, and what was seen: facts, which the host judges.

Runs in the guest, as root, once after each start of the board. Facts go to the host as JSON lines
over a virtio port.
"""

import dataclasses
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.board import aiming, box, camera, settings, wires

PORT = Path("/dev/virtio-ports/report")
PAYLOAD = Path("/payload")
STAMPED, OTHER_STAMPED, UNSTAMPED = (
    "01-milk-stamped.jpg",
    "05-can-stamped.jpg",
    "02-milk-unstamped.jpg",
)
BAD_ITEMS = (
    "02-milk-unstamped.jpg",
    "04-shipping-box-rejected-seal.jpg",
    "06-pouch-mirrored-print.jpg",
    "10-crispbread-other-seals.jpg",
    "12-tea-passed-seal.jpg",
)
GOOD_ITEMS = (STAMPED, OTHER_STAMPED)
"""Test items of a challenge test, in the order in which they are laid on."""
FAINTER = ("03-shipping-box-stamped.jpg", OTHER_STAMPED)
"""Marks that pass, but not with a threshold of 0.85. They come in turn: this camera has no noise,
and the same picture twice would be a frozen one."""
ORDER = (1, 2, 4, 3, 5, 7, 6, 8, 9, 11, 10, 12)
"""In which order the twelve sample pictures come by: passes and rejects alone, in pairs and in
turn."""
REST_S = (settings.DELAY_MS + settings.PULSE_MS) / 1000 + 0.5
"""After so long an item has left the board."""
LATE_S = (settings.IN_VIEW_MS + settings.TIMEOUT_MS) / 2 / 1000
"""The picture is made so long after the trigger: too late for its item, and no lost camera."""
TOUCHING_S = 1.5 * settings.BLOCKED_MS / 1000
"""For so long two items that touch cover the photo-eye: longer than one, shorter than a jam."""
TWICE_S = 0.5
"""Between the two times that one item is seen in the bin."""
PACE_S = 0.1
"""Between two edges of the encoder that the kernel surely latches."""
LOST_COUNTS = 5
"""Counts of the encoder of which the kernel misses edges."""
SETTLED_S = 2 * REST_S
"""For so long a rejected item may be on its way to the gate."""
LOAD_S = 0.25
"""Between two items of the load that the power cut ends: more than the eye can look at."""
REACH = ("python3", "-m", "tests.board.reach")
COPIED, REACHED = Path("/etc/systemd/system/board-reach.service"), Path("/run/board-reach.json")
SERVICE_ONLY = ("ExecStart=", "ExecReload=", "Type=", "NotifyAccess=", "Restart", "WatchdogSec=")
"""Lines of a unit that a program which only tries something cannot have."""
LEFT = (
    "/opt/stampgate",
    "/var/lib/stampgate",
    "/var/lib/stampgate-gate",
    "/var/lib/stampgate-releases",
    "/run/stampgate",
)
MOST_ITEMS = 60
"""So many items come by during one activation at most: it takes minutes here."""
BETWEEN_S = 3.0
"""From one of those to the next: the trial beside them gets the processor in between."""
Facts = dict[str, Any]


def say(**message: Any) -> None:
    """Tell the host."""
    with PORT.open("w") as port:
        port.write(json.dumps(message) + "\n")


def main() -> int:
    """Run the steps for this start: all of them, or after a power cut those that follow it.

    There is a journal once there was a start before this one.
    """
    return report(AFTER_THE_CUT if box.JOURNAL.exists() else FIRST)


def report(steps: Mapping[str, Callable[[], Facts]]) -> int:
    """Take one step after another and tell the host of each.

    It is told of what went wrong, too, and what systemd's journal holds.
    """
    try:
        for name, step in steps.items():
            say(step=name, say=f"{name} ({time.monotonic():.0f} s up)")
            say(facts=name, **step())
        say(done=True)
    except Exception:  # noqa: BLE001 - whatever it is, the host must hear of it
        say(failed=traceback.format_exc())
    say(log=box.messages())
    return 0


def install() -> Facts:
    """Install the package as a technician does, on a box without a network."""
    package = next(PAYLOAD.glob("*.deb"))
    began = time.monotonic()
    said = box.run("dpkg", "--install", str(package))
    seconds = time.monotonic() - began
    return {
        "package": package.name,
        "seconds": seconds,
        "said": said,
        "status": box.run(
            "dpkg-query", "--show", "--showformat=${Status}", package.name.split("_")[0]
        ),
        "networks": sorted(path.name for path in Path("/sys/class/net").iterdir()),
        "size_mb": int(box.run("du", "-sm", "/opt/stampgate").split()[0]),
    }


def aim() -> Facts:
    """Aim the camera while no service has it."""
    box.SETTINGS.write_text(settings.TOML)
    return aiming.aimed(lambda: camera.show(STAMPED))


def start() -> Facts:
    """Write the settings, start both services, and wait until the line may run."""
    box.SETTINGS.write_text(settings.TOML)
    began = time.monotonic()
    box.run("systemctl", "enable", "--now", box.BOTH)
    box.until("READY", box.ready)
    return {"seconds": time.monotonic() - began, "users": [user_of(box.GATE), user_of(box.EYE)]}


def line() -> Facts:
    """Let every sample picture come by once."""
    names = sorted(path.name for path in camera.SAMPLES.glob("[0-9]*.jpg"))
    facts = watched(lambda: {"items": [item(names[number - 1]) for number in ORDER]})
    return {
        **facts,
        "log": box.run(box.PROGRAM, "log", "--csv"),
        "verified": box.run(box.PROGRAM, "verify-log"),
    }


def touching() -> Facts:
    """Let two items come by that touch one another."""

    def act() -> Facts:
        camera.show(STAMPED)
        pulled_ns = wires.pass_item(TOUCHING_S)
        cleared_ns = time.monotonic_ns()
        box.until("touching items are in the journal", lambda: told(pulled_ns, "several items"))
        return {
            "pulled_ns": pulled_ns,
            "cleared_ns": cleared_ns,
            "items": [item(OTHER_STAMPED)],
        }

    return watched(act)


def double_confirm() -> Facts:
    """Let one rejected item be seen twice in the bin, then press reset."""

    def act() -> Facts:
        first = item(UNSTAMPED)
        box.until("REJECT", lambda: wires.levels()[wires.REJECT], SETTLED_S)
        entered_ns = wires.enter_bin()
        time.sleep(TWICE_S)
        again_ns = wires.enter_bin()
        box.until(
            "what is unexpected is in the journal",
            lambda: any(one["what"] == "unexpected" for one in box.incidents()[before:]),
        )
        time.sleep(TWICE_S)
        stopped = not box.ready()
        wires.press_reset()
        box.until("READY", box.ready)
        return {
            "entered_ns": entered_ns,
            "again_ns": again_ns,
            "stopped": stopped,
            "items": [first, item(STAMPED)],
            "incidents": box.incidents()[before:],
        }

    restart_with(settings.CONFIRMED)
    before = len(box.incidents())
    facts = watched(act)
    restart_with(settings.TOML)
    return facts


def challenge() -> Facts:
    """Take a challenge test that is passed, one in which a bad item passes, and sign that.

    The step after it starts both services with settings of its own.
    """
    restart_with(settings.CHALLENGED)
    known, before = len(box.challenges()), last_sequence()
    wires.begin_trace()
    passed = guided(BAD_ITEMS, GOOD_ITEMS)
    failed = guided((STAMPED,), ())
    box.until("FAULT shows", lambda: wires.levels()[wires.FAULT])
    stopped = not box.ready()
    listed = box.run(box.PROGRAM, "challenge", "quarantine")
    signed = box.run(box.PROGRAM, "challenge", "sign", "--by", "guest", "--reason", "shown")
    box.until("READY", box.ready)
    return {
        "passed": passed,
        "failed": failed,
        "stopped": stopped,
        "listed": listed,
        "signed": signed,
        "before": before,
        "last": last_sequence(),
        "edges": [dataclasses.astuple(edge) for edge in wires.traced()],
        "challenges": box.challenges()[known:],
    }


def guided(bad: Sequence[str], good: Sequence[str]) -> Facts:
    """Do as the guide of a challenge test says, and return what it said and its exit status.

    *bad*, *good*: the pictures of the test items, in order.
    """
    pictures = {"bad": iter(bad), "good": iter(good)}
    command = [box.PROGRAM, "challenge", "--at", "start", "--by", "guest"]
    said, items, picture = list[str](), list[Facts](), ""
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as guide:
        assert guide.stdin is not None
        assert guide.stdout is not None
        for line in guide.stdout:
            said.append(line.strip())
            kind = "good" if "GOOD" in line else "bad"
            if "Type '" in line:
                camera.show(picture := next(pictures[kind]))
                print(kind, file=guide.stdin, flush=True)
            elif ": lay the " in line:
                items.append({"picture": picture, "pulled_ns": wires.pass_item()})
                if picture in BAD_ITEMS:
                    box.until("REJECT", lambda: wires.levels()[wires.REJECT], SETTLED_S)
                    wires.enter_bin()
            elif line.endswith("quit) \n") or "Is the alarm" in line:
                print("yes" if wires.levels()[wires.FAULT] else "no", file=guide.stdin, flush=True)
    say(say=f"  {said[-1] if said else 'nothing said'}")
    return {"status": guide.returncode, "said": said, "items": items}


def bundle() -> Facts:
    """Activate a bundle while items come by, refuse a damaged one, let a bad one be given up.

    The step after it starts both services with settings of its own.
    """
    box.run("systemctl", "stop", box.EYE, box.GATE)
    box.SETTINGS.write_text(settings.BUNDLED)
    known = len(box.releases())
    first = activated(1, [])
    box.run("systemctl", "start", box.BOTH)
    box.until("READY", box.ready)
    before = box.restarts(box.EYE)

    def act() -> Facts:
        items = [item(STAMPED)]
        second = activated(2, items)
        items.append(item(STAMPED))
        damaged = activated(3, items)
        items.append(item(STAMPED))
        bad = activated(4, items)
        most = len(items) + MOST_ITEMS
        while not back_in_service():
            if len(items) > most:
                break
            items.append(fainter_item(items))
        return {
            "items": [*items, fainter_item(items)],
            "activated": {"first": first, "second": second, "damaged": damaged, "bad": bad},
        }

    facts = watched(act)
    return facts | {
        "releases": box.releases()[known:],
        "restarts": box.restarts(box.EYE) - before,
        "status": box.run(box.PROGRAM, "status", "--json", check=False),
    }


def fainter_item(items: list[Facts]) -> Facts:
    """Let one of the two fainter marks come by, the other one than last time."""
    return item(FAINTER[items[-1]["picture"] == FAINTER[0]])


def back_in_service() -> bool:
    """Return whether a release was given up, and another has been in service since."""
    told = [record["what"] for record in box.releases()]
    return "given-up" in told and "in-service" in told[told.index("given-up") :]


def activated(version: int, items: list[Facts]) -> Facts:
    """Activate a bundle, while items come by if any did, which *items* then tells."""
    command = [box.PROGRAM, "activate", f"{settings.BUNDLES}/{version}.bundle", "--wait", "300"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as child:
        came = 0
        while items and child.poll() is None and came < MOST_ITEMS:
            items.append(fainter_item(items))
            came += 1
            time.sleep(BETWEEN_S)
        said, _ = child.communicate()
    say(say=f"  version {version}: {said.strip().splitlines()[-1] if said else 'nothing said'}")
    return {"status": child.returncode, "said": said, "items": came}


def edges_lost() -> Facts:
    """Let the kernel miss edges of the encoder, with an item under way.

    That item was let pass. The belt stands but where the test turns it.
    """

    def act() -> Facts:
        first = item(STAMPED)
        turned_ns = time.monotonic_ns()
        wires.turn_unseen(LOST_COUNTS)
        box.until("the loss is in the journal", lambda: lost(known))
        shown = wires.levels()
        wires.turn(settings.DELAY_COUNTS - 2, PACE_S)
        brought_ns = time.monotonic_ns()  # the item, at the latest
        wires.press_reset()  # nobody knows when it came there: that stops the line as well
        box.until("READY", ready_as_it_turns)
        following = item(OTHER_STAMPED)
        wires.turn(settings.DELAY_COUNTS + LOST_COUNTS, PACE_S)
        return {
            "turned_ns": turned_ns,
            "counts": LOST_COUNTS,
            "shown": shown,
            "brought_ns": brought_ns,
            "items": [first, following],
            "incidents": box.incidents()[known:],
        }

    restart_with(settings.COUNTED, ready_as_it_turns)
    known = len(box.incidents())
    facts = watched(act)
    restart_with(settings.TOML)
    return facts


def ready_as_it_turns() -> bool:
    """Let the encoder turn by a count, and return whether the line may run.

    What is thrown by counts is thrown until the belt has brought it.
    """
    wires.turn(1, PACE_S)
    return box.ready()


def lost(known: int) -> bool:
    """Whether an incident after those that are known tells of lost edges."""
    return any(one["what"] == "lost" for one in box.incidents()[known:])


def rules() -> Facts:
    """Look at the left half of the picture alone, then ask for one mark in all of it.

    The box is told while it runs: each is a reload.
    """

    def act() -> Facts:
        reload(settings.REGION)
        region = [item(camera.NEIGHBOUR), item(camera.OWN)]
        reload(settings.COUNT)
        return {"items": [*region, item(camera.TWO), item(STAMPED)]}

    facts = watched(act)
    reload(settings.TOML)
    return facts


def reload(toml: str) -> None:
    """Let the eye read other settings while it runs, and wait until it has."""
    before = len(read_again())
    box.SETTINGS.write_text(toml)
    box.run("systemctl", "reload", box.EYE)
    box.until("the settings are read again", lambda: read_again()[before:])


def read_again() -> list[Facts]:
    """The journal's records that tell that the settings were read again."""
    return [
        record
        for record in box.records()
        if record["kind"] == "settings" and record["reason"] == "settings read again"
    ]


def restart_with(toml: str, ready: Callable[[], bool] = box.ready) -> None:
    """Let both services start anew with other settings, and wait until the line may run."""
    box.run("systemctl", "stop", box.EYE, box.GATE)
    box.SETTINGS.write_text(toml)
    box.run("systemctl", "start", box.BOTH)
    box.until("READY", ready)


def eye_killed() -> Facts:
    """Kill the eye; items come by all the same."""

    def act() -> Facts:
        camera.show(STAMPED)
        before = box.restarts(box.EYE)
        killed_ns = kill(box.EYE, signal.SIGKILL)
        blind = [blind_item(STAMPED) for _ in range(3)]
        box.until("the eye is back", box.ready)
        back = time.monotonic_ns()
        return {
            "killed_ns": killed_ns,
            "back_ns": back,
            "restarts": box.restarts(box.EYE) - before,
            "blind": blind,
            "items": [item(STAMPED)],
        }

    return watched(act)


def gate_killed() -> Facts:
    """Kill the gate; nobody drives the outputs then."""

    def act() -> Facts:
        camera.show(STAMPED)
        before = box.restarts(box.GATE)
        with Levels() as seen:
            killed_ns = kill(box.GATE, signal.SIGKILL)
            time.sleep(0.3)
            blind = [blind_item(STAMPED)]
        box.until("the gate is back, and the eye with it", box.ready)
        back = time.monotonic_ns()
        return {
            "killed_ns": killed_ns,
            "back_ns": back,
            "restarts": box.restarts(box.GATE) - before,
            "levels": seen.levels,
            "blind": blind,
            "items": [item(OTHER_STAMPED), item(UNSTAMPED)],
        }

    return watched(act)


def eye_hung() -> Facts:
    """Stop the eye without ending it; items come by all the same."""

    def act() -> Facts:
        camera.show(STAMPED)
        before = box.restarts(box.EYE)
        hung_ns = kill(box.EYE, signal.SIGSTOP)
        blind = [blind_item(STAMPED) for _ in range(2)]
        box.until("the hung eye is started again", lambda: box.restarts(box.EYE) > before)
        box.until("the eye is back", box.ready)
        return {
            "hung_ns": hung_ns,
            "back_ns": time.monotonic_ns(),
            "restarts": box.restarts(box.EYE) - before,
            "said": [
                text for text in box.messages("--unit", box.EYE).splitlines() if "atchdog" in text
            ],
            "blind": blind,
            "items": [item(OTHER_STAMPED)],
        }

    return watched(act)


def camera_lost() -> Facts:
    """Pull the camera's cable, take its device away, and bring both back.

    Items come by all the while.
    """

    def act() -> Facts:
        camera.show(STAMPED)
        box.until("READY without FAULT before the camera is lost", box.well)
        lost_ns = time.monotonic_ns()
        box.run("systemctl", "kill", "--signal=KILL", "board-camera.service")
        blind = [blind_item(STAMPED) for _ in range(3)]
        box.until("the device is taken away", lambda: not removed())
        device = camera.DEVICE.exists()
        blind += [blind_item(STAMPED)]
        box.run("modprobe", "v4l2loopback")
        box.run("systemctl", "start", "board-camera.service")
        camera.show(OTHER_STAMPED)
        box.until("the eye is back", box.ready)
        back_ns = time.monotonic_ns()
        facts = {"lost_ns": lost_ns, "back_ns": back_ns, "device_left": device}
        return {**facts, "blind": blind, "items": [item(STAMPED)]}

    return watched(act)


def late_picture() -> Facts:
    """Let the camera give nothing while an unstamped item is in view, then show a stamped one."""

    def act() -> Facts:
        camera.show(UNSTAMPED)
        before = box.restarts(box.EYE)
        camera.hold()
        pulled_ns = wires.pass_item()
        time.sleep(LATE_S)
        camera.go_on(STAMPED)
        box.until("the late item is in the journal", lambda: recorded(pulled_ns))
        return {
            "blind": [{"picture": UNSTAMPED, "pulled_ns": pulled_ns}],
            # Another picture: one equal to the last grey level would be a frozen one.
            "items": [item(OTHER_STAMPED)],
            "restarts": box.restarts(box.EYE) - before,
        }

    return watched(act)


def hardening() -> Facts:
    """What systemd thinks of the units, and whether the board's watchdog watches systemd itself."""
    return {
        "exposure": {
            unit: box.run("systemd-analyze", "security", "--no-pager", unit)
            for unit in (box.GATE, box.EYE)
        },
        "watchdog": box.run("systemctl", "show", "--property=RuntimeWatchdogUSec"),
        "said": [
            text
            for text in box.messages("--identifier=systemd").splitlines()
            if "hardware watchdog" in text
        ],
    }


def users() -> Facts:
    """What each service's unit, and the eye's user without it, reaches of the other's.

    And what the gate answers to a user that is none of the two, from outside and from inside its
    group.
    """
    gate, eye = box.main_pid(box.GATE), box.main_pid(box.EYE)
    facts = {
        "reached": {
            "eye": reached(box.EYE, gate),
            "gate": reached(box.GATE, eye),
            "user": json.loads(as_user(box.EYE_USER, box.EYE_USER, str(gate))),
        },
        "called": {
            "outside": as_user("nobody", "nogroup", "--call", str(box.SOCKET)),
            "inside": as_user("nobody", box.GATE_USER, "--call", str(box.SOCKET)),
        },
    }
    box.until("READY", box.ready)
    same = [box.main_pid(box.GATE), box.main_pid(box.EYE)] == [gate, eye]
    return {**facts, "same": same}


def reached(unit: str, other: int) -> list[str]:
    """What a process in a copy of the service's unit reaches, of process *other* among it."""
    COPIED.write_text(copied((box.UNITS / unit).read_text(), other))
    box.run("systemctl", "daemon-reload")
    box.run("systemctl", "start", COPIED.name)
    return list(json.loads(REACHED.read_text()))


def copied(unit: str, other: int) -> str:
    """The text of a service's unit, but for what it starts."""
    lines = [line for line in unit.splitlines() if not line.startswith(SERVICE_ONLY)]
    begin = lines.index("[Service]") + 1
    lines[begin:begin] = [
        "Type=oneshot",
        "Environment=PYTHONPATH=/payload",
        f"ExecStart=/usr/bin/{' '.join(REACH)} {other}",
        f"StandardOutput=truncate:{REACHED}",
    ]
    return "\n".join(lines) + "\n"


def as_user(user: str, group: str, *arguments: str) -> str:
    """What :mod:`tests.board.reach` tells as a user of that group and no other."""
    become = ["setpriv", "--reuid", user, "--regid", group, "--clear-groups"]
    return box.run(*become, "env", "PYTHONPATH=/payload", *REACH, *arguments)


def load() -> Facts:
    """Let item after item come by until the power is cut.

    The host is told of each record that can be seen.
    """
    threading.Thread(target=pull_on, daemon=True).start()
    seen = 0
    while True:
        if (last := box.items()[-1]["sequence"]) > seen:
            seen = last
            say(seen=seen)
        time.sleep(0.005)


def after_the_cut() -> Facts:
    """See what the journal holds, once the services have come back by themselves."""
    box.until("READY", box.ready)
    return {
        "verified": box.run(box.PROGRAM, "verify-log"),
        "log": box.run(box.PROGRAM, "log", "--csv"),
        "kinds": [record["kind"] for record in box.records()],
        **watched(lambda: {"items": [item(STAMPED), item(UNSTAMPED)]}),
    }


def shadow() -> Facts:
    """Let stamped and unstamped items come by in shadow, and press reset.

    It is traced from before the gate starts, which in run would throw off what is under way.
    """
    box.run("systemctl", "stop", box.EYE, box.GATE)
    box.SETTINGS.write_text(settings.SHADOW)
    before = last_sequence()
    wires.begin_trace()
    box.run("systemctl", "start", box.BOTH)
    box.until("FAULT rests, as the eye is there", lambda: not wires.levels()[wires.FAULT])
    items = [item(picture) for picture in (STAMPED, UNSTAMPED, OTHER_STAMPED)]
    wires.press_reset()
    time.sleep(REST_S)
    return {
        "items": items,
        "edges": [dataclasses.astuple(edge) for edge in wires.traced()],
        "levels": wires.levels(),
        "records": [record for record in box.items() if record["sequence"] > before],
        "gate": box.show(box.GATE, "StatusText")[0],
        "reported": box.run(box.PROGRAM, "shadow", check=False),
    }


def purge() -> Facts:
    """Take the package off the box."""
    name = next(PAYLOAD.glob("*.deb")).name.split("_")[0]
    box.run("dpkg", "--purge", name)
    return {
        "journals": len(list(box.JOURNAL.parent.glob("journal*"))),
        "left": [path for path in (*LEFT, str(box.SETTINGS)) if Path(path).exists()],
        "running": [unit for unit in (box.GATE, box.EYE) if box.main_pid(unit)],
    }


def watched(act: Callable[[], Facts]) -> Facts:
    """Do something on a line that may run, and add what happened until the last item left.

    That is what the outputs and the journal did.
    """
    box.until("READY", box.ready)
    before = last_sequence()
    wires.begin_trace()
    facts = act()
    time.sleep(REST_S)
    passed = len(facts["items"]) + len(facts.get("blind", []))
    # What passed a dead gate is nobody's, so it is in no journal; then there may be fewer records.
    wait_s = 0 if "levels" in facts else box.PATIENCE_S
    if wait_s:
        box.until(
            "every item is in the journal", lambda: last_sequence() - before >= passed, wait_s
        )
    records = [record for record in box.items() if record["sequence"] > before]
    return {
        **facts,
        "edges": [dataclasses.astuple(edge) for edge in wires.traced()],
        "records": records,
    }


def item(picture: str) -> Facts:
    """Let an item come by and hold its picture until it is in the journal.

    That is well before it arrives at the gate.
    """
    camera.show(picture)
    pulled_ns = wires.pass_item()
    told = box.until("the item is in the journal", lambda: recorded(pulled_ns))
    seconds = (time.monotonic_ns() - pulled_ns) / 1e9
    say(
        say=f"  {picture}: {told['verdict']} after {told['ms']:.0f} ms, "
        f"in the journal after {seconds:.1f} s"
    )
    return {"picture": picture, "pulled_ns": pulled_ns}


def blind_item(picture: str) -> Facts:
    """Let an item come by, a second from the next, that nobody sees."""
    pulled_ns = wires.pass_item()
    time.sleep(1.0)
    return {"picture": picture, "pulled_ns": pulled_ns}


def recorded(pulled_ns: int) -> Facts | None:
    """Return the record of the item that came by at a moment, or None.

    Those of earlier items may come late, after a fault.
    """
    return next((record for record in box.items() if record["trigger_ns"] >= pulled_ns), None)


def told(since_ns: int, reason: str) -> bool:
    """Whether an item since a moment stands in the journal with a reason that begins so."""
    return any(
        record["trigger_ns"] >= since_ns and record["reason"].startswith(reason)
        for record in box.items()
    )


def last_sequence() -> int:
    """The number of the last item in the journal."""
    return int(records[-1]["sequence"]) if (records := box.records()) else 0


def pull_on() -> None:
    """Let items come by for ever."""
    for path in itertools.cycle(sorted(camera.SAMPLES.glob("[0-9]*.jpg"))):
        camera.write(camera.ORDER, path.name)
        wires.pass_item()
        time.sleep(LOAD_S)


def kill(unit: str, number: signal.Signals) -> int:
    """Send a signal to a service's process and return when, monotonic nanoseconds.

    The line runs and all is well at that moment: what the outputs do then is what the signal did.
    """
    pid = box.main_pid(unit)
    box.until("READY without FAULT before the signal", box.well)
    now_ns = time.monotonic_ns()
    os.kill(pid, number)
    return now_ns


def removed() -> str:
    """Try to take the camera's driver away; what stood in the way, empty when it is gone."""
    box.run("modprobe", "--remove", "v4l2loopback", check=False)
    return "in use" if Path("/sys/module/v4l2loopback").exists() else ""


def user_of(unit: str) -> str:
    """The name of the user that a service runs as."""
    return Path(f"/proc/{box.main_pid(unit)}").owner()


class Levels:
    """Records each change of an output's level inside the ``with`` block, and when.

    What went wrong with looking is raised at the block's end.
    """

    def __init__(self) -> None:
        self.levels: list[tuple[int, dict[str, int]]] = []
        self._error: Exception | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> "Levels":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        if self._error:
            raise self._error

    def _watch(self) -> None:
        try:
            while not self._stop.is_set():
                now = wires.levels()
                if not self.levels or self.levels[-1][1] != now:
                    self.levels.append((time.monotonic_ns(), now))
                time.sleep(0.001)
        except Exception as error:  # noqa: BLE001 - a thread's end is seen by nobody else
            self._error = error


FIRST: dict[str, Callable[[], Facts]] = {
    "install": install,
    "aim": aim,
    "start": start,
    "line": line,
    "touching": touching,
    "double_confirm": double_confirm,
    "challenge": challenge,
    "bundle": bundle,
    "edges_lost": edges_lost,
    "rules": rules,
    "gate_killed": gate_killed,
    "eye_killed": eye_killed,
    "eye_hung": eye_hung,
    "camera_lost": camera_lost,
    # Last: lost pictures show as FAULT for a minute, and the steps above wait until none shows.
    "late_picture": late_picture,
    "load": load,
}
AFTER_THE_CUT: dict[str, Callable[[], Facts]] = {
    "after_the_cut": after_the_cut,
    "hardening": hardening,
    "users": users,
    # The last before the package goes: nobody starts the services in run again.
    "shadow": shadow,
    "purge": purge,
}

if __name__ == "__main__":
    sys.exit(main())
