"""What one study in shadow is about: one model, one set of rules, one plan."""

import hashlib
import json

from edge.config import Config
from edge.wiring import judging_settings


def study_name(config: Config, model_digest: str) -> str:
    """Return the name of the study that the box is in with these settings and this model.

    It is the beginning of a SHA-256 over all that a verdict depends on, and the plan: another
    model, other rules or another plan are another study, for which nothing that was shown counts.
    *model_digest*: SHA-256 over all that decides in the model's file.
    """
    judged_by = {"model": model_digest, **judging_settings(config)}
    return hashlib.sha256(json.dumps(judged_by, sort_keys=True).encode()).hexdigest()[:16]
