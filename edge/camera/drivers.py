"""The table of the camera drivers: make the one that the settings ask for."""

from edge.camera import Camera
from edge.clock import Clock
from edge.config import Config


def make_camera(config: Config, clock: Clock) -> Camera:
    """Make the camera that the settings ask for; it opens in its ``with`` block.

    Only the driver asked for is imported: start-up is light, and no box carries another's weight.
    """
    settings = config.camera
    if settings.driver == "v4l2":
        from edge.camera.v4l2 import V4l2Camera  # noqa: PLC0415

        return V4l2Camera(settings, clock)
    if settings.driver == "picamera":
        from edge.camera.picamera import PiCamera  # noqa: PLC0415

        return PiCamera(settings, clock)
    if settings.driver == "gstreamer":
        from edge.camera.gstreamer import GStreamerCamera  # noqa: PLC0415

        return GStreamerCamera(settings, clock)
    from edge.camera.replay import ReplayCamera  # noqa: PLC0415

    return ReplayCamera(config.path(settings.folder), settings, clock)
