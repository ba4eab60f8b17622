"""The settings of the box on the board with a libcamera camera.

And of them the numbers that the judge needs.

All is as on a real line, but for the delay. More pictures a second are asked for than come, as of a
camera in the dark, and every check of a picture is on, that it must differ from the one before
among them: vimc writes the time into each.
"""

from pathlib import Path

from tests.board.settings import MODEL

WIDTH, HEIGHT = 320, 240
PICTURES_PER_SECOND = 30
TIMEOUT_MS = 2000
IN_VIEW_MS = 2000
"""vimc gives 3 to 8 pictures a second, and the test holds each scene as long as it asks."""
INTERVAL_MS, DELAY_MS, PULSE_MS = 12_000, 8000, 100
EDGES = Path("/var/log/stampgate/edges.jsonl")
"""Where the simulated gate writes down what it does to its line."""

TOML = f"""\
[camera]
driver = "picamera"
width = {WIDTH}
height = {HEIGHT}
frames_per_second = {PICTURES_PER_SECOND}
timeout_ms = {TIMEOUT_MS}
in_view_ms = {IN_VIEW_MS}

[trigger]
kind = "interval"
interval_ms = {INTERVAL_MS}

[gate]
driver = "simulated"
reject_delay_ms = {DELAY_MS}
pulse_ms = {PULSE_MS}
record = "{EDGES}"

[model]
file = "{MODEL}"

[evidence]
keep_free_mb = 50
"""
