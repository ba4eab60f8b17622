"""Stands in for PiDNG's writer."""


class PICAM2DNG:
    """Never made."""
