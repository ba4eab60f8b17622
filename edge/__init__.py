"""The box at the line: camera, localizer, decision, gate and journal. Never imports torch."""

__version__ = "0.1.0"
