"""Take the pictures of one item: one, or a burst of several, each with an exposure of its own."""

from edge.camera import Camera, Capture
from edge.camera.checks import FrameChecks
from edge.camera.turning import turned_capture
from edge.errors import FrameError


def take_pictures(
    camera: Camera, checks: FrameChecks, after_ns: int, number: int, taken: list[Capture]
) -> None:
    """Take *number* pictures from *after_ns* on, monotonic, and add them to *taken*, turned.

    Each begins after the one before had begun for certain, and is checked as a single one is; those
    after the first must begin while the item is in view, [camera] in_view_ms. Raises FrameError or
    CameraError for the first that cannot be trusted; it is in *taken* as far as there is a picture.
    """
    fresh_from_ns = after_ns
    for index in range(number):
        capture = turned_capture(camera.capture(fresh_from_ns), checks.settings)
        taken.append(capture)
        checks.examine(capture, fresh_from_ns)
        if index:
            _check_in_view(capture, after_ns, checks.settings.in_view_ms)
        fresh_from_ns = capture.begun_ns + 1


def _check_in_view(capture: Capture, after_ns: int, in_view_ms: float) -> None:
    """Raise FrameError when a later picture of a burst began once its item might have left."""
    late_ms = (capture.begun_ns - after_ns) / 1e6
    if late_ms > in_view_ms:
        raise FrameError(
            f"late picture: one of the burst began {late_ms:.0f} ms after the trigger, must be "
            f"within {in_view_ms:g} ms, see [camera] in_view_ms; take fewer in [decision] burst",
            capture.name,
        )
