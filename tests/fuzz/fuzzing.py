"""Fuzzers of the parsers that read from outside: a short run in the tests, a long one by name.

A file of this folder, ``test_NAME.py``, names one parser's :class:`Fuzzer` ``FUZZER`` and its short
run::

    FUZZER = Fuzzer("settings", any_toml(), read_it)


    def test_settings_are_read_or_refused() -> None:
        FUZZER.short()

``make fuzz`` runs each of them for longer, and prints how many inputs it tried.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import hypothesis
from hypothesis.strategies import SearchStrategy

SHORT = 60
"""Inputs of a short run."""
ROUND = 500
"""Inputs of a long run between two looks at the clock."""


@dataclass(frozen=True)
class Tried:
    """What a long run did."""

    inputs: int
    seconds: float
    crash: BaseException | None
    """The crash of the smallest input that hypothesis found; it ends the run."""


@dataclass(frozen=True)
class Fuzzer:
    """A parser, what it is given, and what it must not do."""

    name: str
    inputs: SearchStrategy[Any]
    parse: Callable[[Any], object]
    """Gives one input to the parser; catches the refusals that the parser promises, and no other
    error: whatever it raises is a crash. It may assert more of what it read."""

    def _run(self, examples: int, seed: int | None) -> int:
        """Try *examples* inputs; return how many were given, raise the smallest crash."""
        tried = 0

        def one(given: Any) -> None:
            nonlocal tried
            tried += 1
            self.parse(given)

        search = hypothesis.given(self.inputs)(one)
        if seed is not None:
            search = hypothesis.seed(seed)(search)
        search = hypothesis.settings(
            max_examples=examples,
            derandomize=seed is None,
            database=None,
            deadline=None,
            suppress_health_check=list(hypothesis.HealthCheck),
        )(search)
        search()
        return tried

    def short(self) -> None:
        """Try a few inputs, the same each time."""
        self._run(SHORT, None)

    def long(self, seconds: float, seed: int = 0) -> Tried:
        """Try new inputs, a round at least, for *seconds* or until one crashes the parser."""
        begun = time.monotonic()
        inputs = 0
        while True:
            try:
                inputs += self._run(ROUND, seed)
            except Exception as crash:  # noqa: BLE001 - any error that comes out is a crash
                return Tried(inputs, time.monotonic() - begun, crash)
            seed += 1
            if (spent := time.monotonic() - begun) >= seconds:
                return Tried(inputs, spent, None)
