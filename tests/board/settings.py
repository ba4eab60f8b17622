"""The settings of the box on the board, and the numbers of them that the judge needs.

An emulated processor needs seconds for a picture: the way to the gate is longer than on a real
line, so that several items are on it all the same. All else is as it would be there, the checks of
every picture among it.
"""

from pathlib import Path

from tests.board import camera, wires

MODEL = Path("/payload/board.onnx")
BUNDLES = Path("/payload/bundles")
ROW_ITEMS = 3
"""In the probation of a release so many items running without a pass bring the one before back."""

DELAY_MS, PULSE_MS, DEBOUNCE_MS = 10_000, 300, 5
"""A gate that is held up for longer than a pulse stops the line, and here 0.3 s may happen."""
SILENT_MS = 5000
"""How long the eye may say nothing before READY rests: longer than to judge a picture here."""
READY_MS = 25
CONFIRM_MS = 3000
"""The latest that a rejected item is seen in the bin."""
IN_VIEW_MS = 1200
"""How long an item counts as in view: far longer than on a real line, as an emulated camera is held
up now and then."""
TIMEOUT_MS = 2000
BLOCKED_MS = 1000
"""The longest that one item covers the photo-eye; here it takes 60 ms and the kernel's own time."""
DELAY_COUNTS = 24
"""From the photo-eye to the gate where the encoder is wired, two edges a count."""

TOML = f"""\
[camera]
driver = "v4l2"
device = "{camera.DEVICE}"
width = {camera.WIDTH}
height = {camera.HEIGHT}
# Fewer than are shown: on an emulated processor some of them come late.
frames_per_second = {camera.PICTURES_PER_SECOND - 2}
pixel_format = "MJPG"
lag_ms = 0
timeout_ms = {TIMEOUT_MS}
in_view_ms = {IN_VIEW_MS}

[trigger]
kind = "photo-eye"
debounce_ms = {DEBOUNCE_MS}
latest_ms = 1000
blocked_ms = {BLOCKED_MS}

[gate]
driver = "process"
reject_delay_ms = {DELAY_MS}
pulse_ms = {PULSE_MS}
# The belt runs on: each pulse is for an item, and nothing is thrown as READY begins.
ready_stops_belt = false
ready_ms = {READY_MS}
eye_silent_ms = {SILENT_MS}

[lines]
driver = "gpiod"
chip = "{wires.CHIP}"
trigger = "{wires.PHOTO_EYE}"
reset = "{wires.RESET}"
reject = "{wires.REJECT}"
ready = "{wires.READY}"
fault = "{wires.FAULT}"

[model]
file = "{MODEL}"
# A model of this board alone; the step with a bundle has a signed one.
allow_unsigned = true

[decision]
# The camera shows a stamp whether an item is there or not, which a rail with one does, too.
idle_look_s = 0

[evidence]
keep_free_mb = 50
"""

BUNDLED = TOML.replace(
    f"""file = "{MODEL}"
# A model of this board alone; the step with a bundle has a signed one.
allow_unsigned = true
""",
    f"""bundle = "current"
keys = "{BUNDLES}/keys"
trial_s = 900.0
probation_items = 4
probation_row = {ROW_ITEMS}
""",
)
"""The same with a signed release of the model."""

DECISION = "[decision]\n"
REGION = TOML.replace(
    DECISION,
    f"{DECISION}region = [[0, 0], [{camera.WIDTH // 2}, 0], "
    f"[{camera.WIDTH // 2}, {camera.HEIGHT}], [0, {camera.HEIGHT}]]\n",
)
"""The same, looking at the left half of the picture alone."""
COUNT = TOML.replace(DECISION, f"{DECISION}count = 1\n")
"""The same, asking for one mark and no more."""

SHADOW = TOML + '\n[service]\nmode = "shadow"\n\n[shadow]\nplan = "fa<5% @95%"\n'
"""The same in shadow: judged, and nothing thrown off. READY rests."""

CONFIRMED = TOML.replace(
    f"pulse_ms = {PULSE_MS}\n", f"pulse_ms = {PULSE_MS}\nconfirm_ms = {CONFIRM_MS}\n"
).replace("[lines]\n", f'[lines]\nconfirm = "{wires.CONFIRM}"\n')
"""The same with a photo-eye at the reject bin, which the other steps have not."""

CHALLENGE_DELAY_MS, CHALLENGE_CONFIRM_MS = 4500, 1000
"""Of the step with a challenge test: an item takes 2.6 s here, and seven follow one another."""
CHALLENGED = CONFIRMED.replace(
    f"reject_delay_ms = {DELAY_MS}\n", f"reject_delay_ms = {CHALLENGE_DELAY_MS}\n"
).replace(f"confirm_ms = {CONFIRM_MS}\n", f"confirm_ms = {CHALLENGE_CONFIRM_MS}\n")
"""The same with a photo-eye at the reject bin and a shorter way to the gate."""

COUNTED = (
    TOML.replace(f"blocked_ms = {BLOCKED_MS}\n", "")
    .replace(
        f"pulse_ms = {PULSE_MS}\n",
        f"pulse_ms = {PULSE_MS}\nreject_delay_counts = {DELAY_COUNTS}\nstandstill_ms = 0\n",
    )
    .replace("[lines]\n", f'[lines]\nencoder_a = "{wires.ENCODER}"\n')
)
"""The same with an encoder, which the other steps have not, and a delay in its counts; the belt of
this step stands most of the time."""
