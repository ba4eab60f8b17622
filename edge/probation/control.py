"""The release in the service: which one runs, its probation, and the change to another.

The store (:mod:`edge.releases.store`) is root's, and is looked at once a second. What was done
there goes into the journal; another release is loaded beside the one that judges
(:mod:`edge.probation.loading`), and takes its place between two items. What the service decides
itself, it keeps in its own state: a release that fails its probation is given up, and the one
before it comes back.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from edge.clock import Clock, boot_id
from edge.config import Config
from edge.decision import Kind
from edge.errors import ConfigError, InputError, ModelError
from edge.probation.loading import Loading
from edge.probation.watch import Probation
from edge.releases.active import active_id, is_given_up, service_state
from edge.releases.release import Release, read_release
from edge.releases.state import write_state
from edge.releases.store import Action, Pointer, pointer_stamp, read_pointer
from edge.vision.localizer import Localizer

LOOK_NS = 10**9
"""Least time between two looks at the store, nanoseconds."""
GIVEN_UP = "the release is given up, and the one before it is being loaded"

Record = Mapping[str, Any]
"""The fields of a ``release`` record."""


class Releases:
    """The release that the service runs.

    Synchronization: the one thread of the station; :class:`~edge.probation.loading.Loading` has
    one of its own.
    """

    def __init__(
        self,
        config: Config,
        clock: Clock,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Look which release is to run. Raises ConfigError or ModelError where there is none."""
        self._config, self._clock, self._wall = config, clock, wall
        self._store = config.path(config.model.releases)
        self._state_file = config.path(config.model.state)
        self._stamp = pointer_stamp(self._store)
        self._pointer = read_pointer(self._store)
        self._state = service_state(self._state_file).of(self._pointer.activation)
        self._records: list[Record] = []
        self._looked_ns = clock.now_ns()
        self._loading: Loading | None = None
        self._trouble = ""
        self.probation: Probation | None = None
        self._begin_run()
        self.running = self._read_active()
        self._expired = has_expired(self.running.expires, wall())

    @property
    def trouble(self) -> str:
        """What people must see to, in words; empty when there is nothing."""
        told = []
        if is_given_up(self._pointer, self._state):
            told.append(
                f"the release {self._pointer.current} was given up: {self._state.why}; "
                f"{self.running.id} runs; activate another"
            )
        if self._expired:
            told.append(
                f"the release {self.running.id} has expired on {self.running.expires}; it goes on "
                "until you activate a newer one"
            )
        return "; ".join(filter(None, [*told, self._trouble]))

    @property
    def refusal(self) -> str:
        """Why no item may pass now; empty when they may."""
        if self.running.id != self._pointer.current:
            return ""
        return GIVEN_UP if is_given_up(self._pointer, self._state) else ""

    @property
    def about(self) -> dict[str, Any]:
        """The release as the status file and the start record have it."""
        release, loading = self.running, self._loading
        return {
            "id": release.id,
            "name": release.name,
            "version": release.version,
            "model_id": release.model_id,
            "signer": release.signer,
            "proof": release.proof,
            "expires": release.expires,
            "state": self._words(),
            **({"loading": loading.release.id} if loading is not None else {}),
        }

    def load(self) -> Localizer:
        """Load the release of a start; one that cannot be is given up for the one before.

        Raises ModelError when that cannot be loaded either.
        """
        try:
            return Localizer.of(self._config)
        except ModelError as error:
            self.give_up(str(error))
            return Localizer.of(self._config)

    def give_up(self, why: str) -> None:
        """Take the release before, in place of the one that runs, before the first item.

        Raises ModelError where there is none.
        """
        self._give_up(why)
        self.running = self._read_active()

    def begin(self) -> None:
        """Begin the probation, once the model is loaded and the first item can come."""
        settings = self._config.model
        if not self.is_on_probation:
            self.probation = None
        elif not settings.probation_items:
            self._keep(result="passed", open=False)
            self.probation = None
        else:
            self.probation = Probation(settings, self._clock.now_ns())

    def adopt(self, config: Config) -> None:
        """Apply changed settings."""
        self._config = config
        if self.probation is not None:
            self.probation.settings = config.model

    def item(self, answer: Kind | None, *, late: bool) -> None:
        """Count an item for the probation, as :meth:`Probation.item` does."""
        if self.probation is not None:
            self.probation.item(answer, late=late)

    def fail(self, why: str) -> bool:
        """End the probation as failed; return whether there was one."""
        if self.probation is None:
            return False
        self.probation.fail(why)
        return True

    def take_records(self) -> Iterator[Record]:
        """Yield the fields of ``release`` records that are to be written, each once.

        What stands in the store is told until its record was taken.
        """
        actions = self._pointer.actions
        if actions and (lost := actions[0].number - self._state.told - 1) > 0:
            why = f"{lost} actions before were forgotten by the store, and stand in no record"
            yield {"what": "forgotten", "release": "", "reason": why}
        for action in actions:
            if action.number > self._state.told:
                yield _action_fields(action)
                self._keep(told=action.number)
        while self._records:
            yield self._records.pop(0)

    def step(self) -> Localizer | None:
        """Do what is due between two items; return a model that takes the place of the present.

        The caller calls :meth:`swapped` or :meth:`refused` for it. Raises ModelError when the
        release failed its probation and there is none before it.
        """
        self._end_probation()
        if self._clock.now_ns() - self._looked_ns >= LOOK_NS:
            self._look()
        loading = self._loading
        if loading is None or not loading.ended:
            return None
        if loading.localizer is None or loading.release.id != self._wanted:
            self._loading = None
            if loading.localizer is None:
                self.refused(loading.why)
            return None
        return loading.localizer

    def swapped(self) -> Record:
        """Take note that the loaded release judges from the next item on; return its record."""
        assert self._loading is not None
        self.running, self._loading = self._loading.release, None
        if self.is_on_probation:
            self._keep(open=True, boot=boot_id())
        self.begin()
        why = f"judges from the next item on; {self._words()}"
        return {"what": "in-service", "release": self.running.id, "reason": why}

    def refused(self, why: str) -> None:
        """Give up the release that was loaded: it cannot run here. Raises ModelError."""
        self._loading = None
        self._give_up(why)
        self._aim()

    def end(self, *, well: bool) -> None:
        """End the run; *well*: whether it was stopped, or by an error that is not the model's."""
        if self._loading is not None:
            self._loading.wait()
        if well and self._state.open:
            self._keep(open=False)

    @property
    def _wanted(self) -> str:
        """The id of the release that should judge; that which runs where none can be told."""
        try:
            return active_id(self._store, self._pointer, self._state)
        except ConfigError:
            return ""

    def _words(self) -> str:
        if is_given_up(self._pointer, self._state):
            return "back in service"
        return self.probation.words if self.probation is not None else "in service"

    @property
    def is_on_probation(self) -> bool:
        """Whether the release that runs is the current one, and has to prove itself."""
        return self._pointer.probation and not self._state.result

    def _begin_run(self) -> None:
        """Count this start for the probation; a release that kills the eye is given up here."""
        if not self.is_on_probation:
            return
        self._state = self._state.begun(boot_id())
        if self._state.kills >= self._config.model.probation_kills:
            self._give_up(f"the eye was killed {self._state.kills} times in its probation")
        else:
            self._keep()

    def _read_active(self) -> Release:
        """Read the release that is to run; a current one that is damaged is given up.

        Raises ConfigError where there is none.
        """
        wanted = active_id(self._store, self._pointer, self._state)
        try:
            return read_release(self._store / wanted)
        except ConfigError as error:
            if wanted != self._pointer.current or not self._pointer.previous:
                raise
            self._give_up(str(error))
            return read_release(self._store / self._pointer.previous)

    def _end_probation(self) -> None:
        probation = self.probation
        result = probation and probation.result(self._clock.now_ns())
        if not result:
            return
        self.probation = None
        if result.passed:
            self._keep(result="passed", open=False)
            self._tell("probation-passed", self.running.id, result.words)
        else:
            self._give_up(result.words)
            self._aim()

    def _give_up(self, why: str) -> None:
        """Give the current release up. Raises ModelError where there is none before it."""
        pointer, before = self._pointer, self._pointer.previous
        known, self.probation = is_given_up(pointer, self._state), None
        if not known:
            self._state = self._state.failed(why)
            self._keep(open=False)
            self._tell("given-up", pointer.current, why, back=before)
        if known or not before:
            raise ModelError(
                f"the release {before if known else pointer.current} cannot go on ({why}), and "
                "there is no other to take its place; activate another bundle"
            )

    def _look(self) -> None:
        """Look whether somebody changed the store."""
        self._looked_ns = self._clock.now_ns()
        self._expired = has_expired(self.running.expires, self._wall())
        stamp = pointer_stamp(self._store)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            pointer = read_pointer(self._store)
        except ConfigError as error:
            self._trouble = f"{error}; {self.running.id} goes on"
            return
        self._trouble = ""
        self._take_pointer(pointer)

    def _take_pointer(self, pointer: Pointer) -> None:
        before, self._pointer = self._pointer, pointer
        if pointer.activation != before.activation:
            self._state = self._state.of(pointer.activation)
            self.probation = None
            self._keep()
            self._aim()

    def _aim(self) -> None:
        """Begin to load the release that is wanted, if it is another than that which runs."""
        wanted = self._wanted
        if wanted == self.running.id:
            self._loading = None
            self.begin()
            return
        try:
            release = read_release(self._store / wanted)
        except ConfigError as error:
            self._give_up(str(error))
            return
        self._loading = Loading(self._config, release)

    def _keep(self, **changes: Any) -> None:
        """Bring the state onto the disk; where that fails it is trouble, and counts anyhow."""
        self._state = dataclasses.replace(self._state, **changes)
        try:
            write_state(self._state_file, self._state)
        except InputError as error:
            self._trouble = f"[model] state {error}"

    def _tell(self, what: str, release: str, reason: str, **fields: Any) -> None:
        self._records.append({"what": what, "release": release, "reason": reason, **fields})


def has_expired(expires: str, now: datetime) -> bool:
    """Tell whether the moment *expires*, ISO 8601 and empty for never, is over.

    >>> has_expired("2026-01-02T00:00:00+00:00", datetime(2026, 1, 2, tzinfo=UTC))
    True
    """
    return bool(expires) and now >= datetime.fromisoformat(expires)


def _action_fields(action: Action) -> dict[str, Any]:
    """Return what a ``release`` record says of an action of the store."""
    return {
        "what": action.what,
        "reason": action.reason,
        "release": action.release,
        "by": action.by,
        "action": action.number,
        "at": action.time,
        **({"downgrade": True} if action.downgrade else {}),
    }
