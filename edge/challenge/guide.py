"""The terminal's guide through a challenge test: it says what to do, and asks the service.

It decides nothing: what a test item proves is the service's own finding.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from edge.errors import InputError

POLL_S = 0.25
"""Between two looks at what has become of an item."""
WORDS = {"bad": ("bad", "b"), "good": ("good", "g")}
ENDED = ("passed", "failed")
YES, NO, QUIT = ("yes", "y"), ("no", "n"), ("quit", "q")
SHOWN = {"bad": "BAD (without the mark)", "good": "GOOD (with the mark)"}


class Service(Protocol):
    """The running service, as :class:`edge.challenge.link.Caller` reaches it."""

    def ask(self, say: str, **fields: Any) -> dict[str, Any]:
        """Ask, and return the reply; ``why`` is empty when it was done. Raises InputError."""


def guide(
    service: Service,
    occasion: str,
    by: str,
    ask: Callable[[str], str],
    say: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Guide a person through one test, and return whether it was passed.

    *ask*: shows a question and returns what was typed; EOFError when there is nobody to type.
    Ctrl-C and the end of the input abandon the test, and an abandoned test has failed. Raises
    InputError when it cannot begin, or the service goes.
    """
    view = service.ask("start", occasion=occasion, by=by)
    if view["why"]:
        raise InputError(f"the challenge test does not begin: {view['why']}")
    say(f"challenge test {view['number']} has begun; keep products off the belt until it has ended")
    try:
        while view["step"] not in ENDED:
            view = _step(service, view, ask, say, sleep)
    except (KeyboardInterrupt, EOFError):
        view = _abandoned(service)
    return _end(view, say)


def _abandoned(service: Service) -> dict[str, Any]:
    """Abandon the test, and return how it ended; a reply that was on its way comes before that."""
    view = service.ask("abandon")
    for _ in range(2):
        if view.get("step") not in ENDED:
            view = service.ask("state")
    return view


def _step(
    service: Service,
    view: Mapping[str, Any],
    ask: Callable[[str], str],
    say: Callable[[str], None],
    sleep: Callable[[float], None],
) -> dict[str, Any]:
    """Do what comes next, and return how it stands then."""
    if view["question"]:
        said = _answered(f"{view['question']} (yes, no, or quit) ", (*YES, *NO), ask, say)
        return _asked(service, say, "abandon" if not said else "answer", yes=said in YES)
    if view["step"] != "announce":
        sleep(POLL_S)
        after = service.ask("state")
        _tell_change(view, after, say)
        return after
    kind = str(view["kind"])
    place = f"item {view['done'] + 1} of {view['of']}"
    text = f"{place}: have the {SHOWN[kind]} one at hand. Type {kind!r}, then lay it on (or quit): "
    if not _answered(text, WORDS[kind], ask, say):
        return service.ask("abandon")
    after = _asked(service, say, "announce", kind=kind)
    if not after["why"]:
        say(f"{place}: lay the {kind.upper()} one on the belt now, and nothing else")
    return after


def _answered(
    text: str, words: tuple[str, ...], ask: Callable[[str], str], say: Callable[[str], None]
) -> str:
    """Ask until one of *words* was typed, and return it; empty for quit. A typo changes nothing."""
    while True:
        said = ask(text).strip().lower()
        if said in words:
            return said
        if said in QUIT:
            return ""
        say(f"please type one of {', '.join((*words, *QUIT))}, not {said[:20]!r}")


def _asked(
    service: Service, say: Callable[[str], None], word: str, **fields: Any
) -> dict[str, Any]:
    view = service.ask(word, **(fields if word != "abandon" else {}))
    if view["why"]:
        say(f"not taken: {view['why']}")
    return view


def _tell_change(
    before: Mapping[str, Any], after: Mapping[str, Any], say: Callable[[str], None]
) -> None:
    if after["step"] == "way" and before["step"] == "item":
        say("seen at the photo-eye; it is on its way to the gate")
    if after["done"] > before["done"]:
        say(f"item {after['done']} of {after['of']}: right")


def _end(view: Mapping[str, Any], say: Callable[[str], None]) -> bool:
    passed = view.get("step") == "passed"
    say("challenge test PASSED" if passed else f"challenge test FAILED: {_why(view)}")
    if view["quarantined"]:
        say(
            f"items from {view['first_in_doubt']} on are in quarantine and READY rests: keep them "
            "apart ('stampgate-edge challenge quarantine' lists them), find the cause, then "
            "somebody with the right signs: 'stampgate-edge challenge sign --by NAME --reason TEXT'"
        )
    elif view["hold"]:
        say(f"READY still rests: {view['hold']}")
    return passed


def _why(view: Mapping[str, Any]) -> str:
    return str(view.get("words", "it is not known how it ended")).removeprefix("failed: ")
