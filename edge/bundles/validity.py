"""Whether a bundle may be activated now: its times, and its version beside those before.

The clock of a box may be wrong. Whoever asks says what time it is, as far as that is known; the
journal, the build date and the clock give bounds of it (:mod:`edge.releases`).
"""

from datetime import datetime

from edge.bundles.manifest import time_text
from edge.bundles.reading import Bundle
from edge.errors import BundleError


def check_time(bundle: Bundle, now: datetime) -> None:
    """Refuse a bundle that is expired or not yet valid at *now*, UTC. Raises BundleError."""
    if now >= bundle.expires:
        raise BundleError(
            f"{bundle.path}: expired at {time_text(bundle.expires)}, and it is {time_text(now)}; "
            "ask for a newer bundle, or set the clock when it is wrong"
        )
    if now < bundle.not_before:
        raise BundleError(
            f"{bundle.path}: not valid before {time_text(bundle.not_before)}, and it is "
            f"{time_text(now)}; wait until then, or set the clock when it is wrong"
        )


def check_version(bundle: Bundle, newest: int) -> None:
    """Refuse a bundle that is older than the *newest* of its name. Raises BundleError."""
    if bundle.version < newest:
        raise BundleError(
            f"{bundle.path}: version {bundle.version} of {bundle.name} is older than version "
            f"{newest}, which was here before; ask for a newer bundle"
        )
