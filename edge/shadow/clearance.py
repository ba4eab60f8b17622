"""Whether the box may run: a plan that is agreed must have been shown in shadow, or overridden."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from edge.config import Config
from edge.errors import ConfigError, InputError, JournalError
from edge.rates.plan import Plan
from edge.record.journal_file import last_item
from edge.shadow.identity import study_name
from edge.shadow.observed import Shadow, read_shadow
from edge.shadow.report import missing_words, report_lines
from edge.shadow.statements import Statements, read_statements, say_clearance
from edge.shadow.study import figures_of, is_shown
from edge.wiring import is_shadow, plan_of

OVERRIDE = "'stampgate-edge shadow override --by NAME --reason TEXT'"


@dataclass(frozen=True)
class Clearance:
    """Why the box may run although a plan is agreed.

    *how*: ``shown`` or ``override``; *by*, *reason*: of an override.
    """

    how: str
    by: str = ""
    reason: str = ""


def clearance_fields(config: Config, model_digest: str) -> dict[str, Any]:
    """Return what the start record says of why the box may run; nothing where no plan is agreed.

    Raises ConfigError where the plan is not shown, and nobody has overridden it.
    """
    plan = plan_of(config)
    if plan is None or is_shadow(config):
        return {}
    clearance = find_clearance(config, study_name(config, model_digest), plan)
    by = {"by": clearance.by, "reason": clearance.reason} if clearance.by else {}
    return {"cleared": {"how": clearance.how, **by}}


def clearance_words(fields: Mapping[str, Any]) -> str:
    """Return who let the box run below its plan and why, by a start record; empty for nobody."""
    cleared = fields.get("cleared") or {}
    if cleared.get("how") != "override":
        return ""
    return f"by override of {cleared.get('by')}: {cleared.get('reason')}"


def find_clearance(config: Config, study: str, plan: Plan) -> Clearance:
    """Return why the box may run with this study.

    A clearance that was written down before is taken at its word, unless items or truths have come
    since: to read a journal of many days takes a while. Raises ConfigError.
    """
    refused = f'{config.source or "the settings"}: [service] mode "run" is refused'
    try:
        said = read_statements(config)
        if _still_holds(config, said, study):
            return Clearance("shown")
        if (override := said.overrides.get(study)) is not None:
            return Clearance("override", str(override.get("by")), str(override.get("reason")))
        shadow = read_shadow(config)
    except InputError as error:
        raise ConfigError(
            f"{refused}: plan {plan} must be shown in shadow, and what was said cannot be read: "
            f'{error}; set mode = "shadow", or {OVERRIDE}'
        ) from None
    figures = figures_of(shadow, said, study)
    if not is_shown(figures, plan):
        raise ConfigError(
            f"{refused}: plan {plan} must be shown in shadow: {missing_words(figures, plan)}; set "
            f'mode = "shadow" and go on, or {OVERRIDE}'
        )
    note_clearance(config, study, plan, shadow, said)
    return Clearance("shown")


def note_clearance(
    config: Config, study: str, plan: Plan, shadow: Shadow, said: Statements
) -> None:
    """Write down that the plan is shown, unless that stands there already.

    Where it cannot be written, the next start counts again.
    """
    if not _still_holds(config, said, study):
        lines = report_lines(figures_of(shadow, said, study), plan)
        with suppress(JournalError, InputError):
            say_clearance(config, study, shadow.last_item, lines)


def _still_holds(config: Config, said: Statements, study: str) -> bool:
    """Return whether a clearance is as new as all truths and all items in shadow."""
    clearance = said.clearances.get(study)
    if clearance is None or study in said.truths_since:
        return False
    try:
        last = last_item(config.path(config.journal.file))
    except OSError:
        return False
    if last is None or last.get("mode") != "shadow":
        return last is not None
    return bool(last["sequence"] <= clearance.get("last_item", 0))
