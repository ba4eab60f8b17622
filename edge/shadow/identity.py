"""What one study in shadow is about: one model, one set of rules, one plan."""

import hashlib
import json
from typing import Any

from edge.config import Config
from edge.wiring import is_shadow, judging_settings, plan_of


def study_name(config: Config, model_digest: str) -> str:
    """Return the name of the study that the box is in with these settings and this model.

    It is the beginning of a SHA-256 over all that a verdict depends on, and the plan: another
    model, other rules or another plan are another study, for which nothing that was shown counts.
    *model_digest*: SHA-256 over all that decides in the model's file.
    """
    judged_by = {"model": model_digest, **judging_settings(config)}
    return hashlib.sha256(json.dumps(judged_by, sort_keys=True).encode()).hexdigest()[:16]


def study_fields(config: Config, model_digest: str) -> dict[str, Any]:
    """Return what the journal says of the study: nothing in run without a plan."""
    plan = plan_of(config)
    if plan is None and not is_shadow(config):
        return {}
    agreed = {"plan": str(plan)} if plan is not None else {}
    study = study_name(config, model_digest)
    return {"mode": config.service.mode, "study": study, **agreed}
