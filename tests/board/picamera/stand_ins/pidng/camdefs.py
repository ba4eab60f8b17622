"""Stands in for PiDNG's cameras."""


class Picamera2Camera:
    """Never made."""
