"""The box's settings: one frozen dataclass a section, read once at the start from ``edge.toml``.

Defaults, bounds and sentences stand in the fields alone; the sample file, the checks and the
documentation are made from them. A relative path in the file is relative to the file's own folder.
"""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.errors import ConfigError
from edge.settings import comment, key_text, read_section, sample_section, setting, shown
from edge.settings_file import read_toml

DEFAULT_MODEL = Path(__file__).parent / "default" / "model.onnx"
"""The packaged model that finds the project's own QC TESTED seal."""
DEFAULT_NAME = "default"
"""Name of :data:`DEFAULT_MODEL` where a model file is asked for."""


@dataclass(frozen=True)
class CameraSettings:
    """The camera, or the files that stand in for one."""

    driver: str = setting(
        "replay",
        "What takes the pictures: replay shows files, v4l2 is for USB, picamera for a Raspberry "
        "Pi's ribbon cable, gstreamer for a Jetson's",
        choices=("replay", "v4l2", "picamera", "gstreamer"),
    )
    folder: str = setting(
        "/var/lib/stampgate/frames",
        "replay: folder of pictures, shown in the order of their names, or a film file",
        form="path",
    )
    pictures_per_second: float = setting(
        2.0,
        "replay: how fast they are shown; 0 shows the next as soon as it is asked for",
        at_least=0,
        at_most=1000,
    )
    loop: bool = setting(
        False, "replay: begin again after the last picture; otherwise the run ends there, cleanly"
    )
    timeout_ms: float = setting(
        1000.0,
        "How long to wait for a picture after a trigger; without one the item is a FAULT, and a "
        "real camera is lost",
        above=0,
        at_most=2000,
    )
    in_view_ms: float = setting(
        0.0,
        "How long after its trigger an item is still whole in view: a picture that began later is "
        "a FAULT; 0 takes one and a quarter pictures, and lag_ms",
        at_least=0,
        at_most=10_000,
    )
    device: str = setting(
        "",
        "Which camera: v4l2 its path under /dev/v4l/by-id, or by-path for one of several alike, "
        "picamera its number; empty takes the only one",
        form="path",
    )
    width: int = setting(
        1280, "Width of the camera's picture, in pixels", at_least=16, at_most=8192
    )
    height: int = setting(
        960, "Height of the camera's picture, in pixels", at_least=16, at_most=8192
    )
    frames_per_second: float = setting(
        30.0, "How many pictures a second the camera takes", above=0, at_most=1000
    )
    pixel_format: str = setting(
        "MJPG",
        "v4l2: how the camera sends its pixels; YUYV is exact, MJPG needs less of the bus",
        choices=("MJPG", "YUYV"),
    )
    shade_step_above: float = setting(
        8.0,
        "v4l2, MJPG: a picture is damaged when all behind some block is lighter, darker or tinted "
        "by more than so many grey levels, as after a lost byte; 0 switches this off. Pictures "
        "of less than 60 blocks a row, 960 pixels, are not looked at",
        at_least=0,
        at_most=16,
    )
    exposure_us: float = setting(
        0.0,
        "Exposure time in microseconds, fixed and checked; 0 leaves it automatic, for trying out "
        "only",
        at_least=0,
        at_most=1_000_000,
    )
    gain: float = setting(
        0.0,
        "Gain, fixed and checked: picamera a factor from 1, v4l2 the camera's own number; 0 leaves "
        "it automatic",
        at_least=0,
        at_most=10_000,
    )
    colour_gains: tuple[float, ...] = setting(
        (0.0, 0.0),
        "picamera: gains of red and blue (white balance), fixed and checked; 0 leaves it automatic",
        at_least=0,
        at_most=32,
    )
    controls: tuple[str, ...] = setting(
        (),
        'More controls of v4l2 or picamera, each "name=number", fixed and checked, such as '
        '"focus_absolute=30"',
    )
    lag_ms: float = setting(
        40.0,
        "v4l2 and gstreamer: how long before its time stamp a picture's exposure may have ended; "
        "about one picture",
        at_least=0,
        at_most=1000,
    )
    pipeline: str = setting(
        "nvarguscamerasrc sensor-id=0 ! video/x-raw(memory:NVMM), width={width}, height={height}, "
        "framerate={frames_per_second}/1, format=NV12 ! nvvidconv ! video/x-raw, format=RGBA",
        "gstreamer: what takes the pictures, up to but without the sink; the names in braces are "
        "filled in",
        form="lines",
    )
    rotate: int = setting(
        0,
        "By how many degrees the picture is turned clockwise; region, boxes, records and evidence "
        "are in the pixels of the turned picture",
        choices=(0, 90, 180, 270),
        live=True,
    )
    flip: str = setting(
        "none",
        "How the picture is mirrored after that: left with right, top with bottom; a model finds "
        "marks as they were shown to it, never mirrored ones",
        choices=("none", "left-right", "top-bottom"),
        live=True,
    )
    allow_repeats: bool = setting(
        False,
        "Allow a picture to equal the one before to the last grey level; true only to replay "
        "drawings",
    )
    damaged_above: float = setting(
        0.05,
        "It is trouble when a greater share of the last 100 pictures is damaged, lost or misdated; "
        "1 switches this off",
        at_least=0,
        at_most=1,
    )
    drift_above: float = setting(
        2.0,
        "It is trouble when pictures are so many times brighter or darker than the first ones; 0 "
        "switches this off",
        at_least=0,
        at_most=100,
        live=True,
    )
    black_below: float = setting(
        16.0,
        "A picture whose brightest hundredth is darker is black, a FAULT; 0 switches this off",
        at_least=0,
        at_most=255,
        live=True,
    )
    covered_below: float = setting(
        8.0,
        "A picture whose strongest edges (grey levels) are weaker shows a covered lens, a FAULT; 0 "
        "switches this off",
        at_least=0,
        at_most=255,
        live=True,
    )
    overexposed_above: float = setting(
        0.9,
        "A picture of which a greater share is white, level 250 or more, is overexposed, a FAULT; "
        "1 switches this off",
        above=0,
        at_most=1,
        live=True,
    )


@dataclass(frozen=True)
class TriggerSettings:
    """The trigger, which tells that an item is in front of the camera."""

    kind: str = setting(
        "every-frame",
        "every-frame: each new picture is an item; interval: one item each interval_ms; photo-eye: "
        "a line of the gate",
        choices=("every-frame", "interval", "photo-eye"),
    )
    interval_ms: float = setting(
        500.0, "Time between items of an interval trigger", at_least=1, at_most=3_600_000
    )
    debounce_ms: float = setting(
        5.0,
        "How long the photo-eye must be steady before it counts; the delay runs from then",
        at_least=0,
        at_most=1000,
    )
    spacing_ms: float = setting(
        0.0,
        "photo-eye: items that follow one another faster cannot be told apart, and all are "
        "rejected; 0 allows any",
        at_least=0,
        at_most=10_000,
        live=True,
    )
    blocked_ms: float = setting(
        0.0,
        "photo-eye: the longest that one item covers it; longer is several that touch, and all are "
        "rejected; twice is a jam; 0 takes half of [gate] reject_delay_ms",
        at_least=0,
        at_most=60_000,
        live=True,
    )
    blocked_counts: int = setting(
        0,
        "The same in encoder counts, where the reject delay is in counts; 0 takes half of that",
        at_least=0,
        at_most=10**7,
        live=True,
    )
    off_delay_ms: float = setting(
        0.0,
        "photo-eye: clear for less than this, it still sees the item before (one with holes, or "
        "transparent)",
        at_least=0,
        at_most=10_000,
        live=True,
    )
    off_delay_counts: int = setting(
        0,
        "The same in encoder counts, where the reject delay is in counts; above 0 they stand in "
        "for off_delay_ms",
        at_least=0,
        at_most=10**7,
        live=True,
    )
    latest_ms: float = setting(
        100.0,
        "Longest that an item may wait for the eye, once the gate saw it; later it has moved on "
        "and is a FAULT",
        above=0,
        at_most=10_000,
    )


@dataclass(frozen=True)
class GateSettings:
    """The reject output: it throws an item off the belt unless an answer in time cancels that."""

    driver: str = setting(
        "simulated",
        "simulated: inside the eye, only records transitions; process: 'stampgate-edge gate', "
        "which outlives the eye",
        choices=("simulated", "process"),
    )
    reject_delay_ms: float = setting(
        500.0,
        "Time from the trigger until the item is at the gate; a later answer rejects",
        above=0,
        at_most=60_000,
    )
    reject_delay_counts: int = setting(
        0,
        "Encoder counts from the trigger to the gate; above 0 they stand in for the time",
        at_least=0,
        at_most=10**7,
    )
    ready_stops_belt: bool = setting(
        True,
        "Whether the belt stops when READY rests: when it beats again, with a delay in time, all "
        "between photo-eye and gate is rejected, as it comes later than reckoned",
        live=True,
    )
    belt_start_ms: float = setting(
        1000.0,
        "Longest from READY's first beat until a belt that it had stopped runs at its speed: what "
        "comes to the photo-eye meanwhile is rejected, too",
        at_least=0,
        at_most=60_000,
        live=True,
    )
    standstill_ms: float = setting(
        1000.0,
        "From how long on a belt stands still, by an encoder: with one track it may have run back, "
        "and everything under way is rejected; with a delay in time that stops the production "
        "line; 0 never",
        at_least=0,
        at_most=60_000,
        live=True,
    )
    pulse_ms: float = setting(
        50.0,
        "How long the reject line is high; pulses that overlap or touch become one",
        above=0,
        at_most=10_000,
        live=True,
    )
    merge_gap_ms: float = setting(
        0.0,
        "Pulses less than this apart become one; for a valve that needs time; not by counts",
        at_least=0,
        at_most=1000,
        live=True,
    )
    pulse: str = setting(
        "rejects",
        "rejects: a pulse throws an item off; accepts: a pulse lets it pass, and silence throws it "
        "off",
        choices=("rejects", "accepts"),
    )
    confirm_ms: float = setting(
        1000.0,
        "Longest that a rejected item may take to the confirm input, where there is one; best "
        "below the time between two items",
        above=0,
        at_most=60_000,
        live=True,
    )
    confirm_earliest_ms: float = setting(
        20.0,
        "Shortest that it can take: what shows there sooner is not this item",
        at_least=0,
        at_most=60_000,
        live=True,
    )
    confirm_counts: int = setting(
        0,
        "Most encoder counts that it may take; above 0 they stand in for confirm_ms",
        at_least=0,
        at_most=10**7,
    )
    confirm_earliest_counts: int = setting(
        0,
        "Fewest encoder counts that it can take, where they stand in for the time",
        at_least=0,
        at_most=10**7,
    )
    confirm_apart_ms: float = setting(
        0.0,
        "Edges of the confirm input that follow one another faster are one item seen again; 0 "
        "counts each",
        at_least=0,
        at_most=10_000,
        live=True,
    )
    ready_ms: float = setting(
        25.0,
        "READY changes its level this often while all is well, and rests low else",
        at_least=1,
        at_most=200,
    )
    eye_silent_ms: float = setting(
        1000.0,
        "READY rests when the eye has said nothing for so long",
        at_least=100,
        at_most=10_000,
    )
    socket: str = setting(
        "/run/stampgate/gate.sock",
        "Socket on which the gate's process listens for the eye",
        form="path",
    )
    eye_user: str = setting(
        "stampgate",
        "User whose process may be the eye, beside the gate's own and root; one that this computer "
        "lacks is nobody",
    )
    gate_user: str = setting(
        "stampgate-gate",
        "User whose process the eye takes for the gate, beside its own and root",
    )
    debts: str = setting(
        "/var/lib/stampgate-gate/gate.debts",
        "Where a gate that ends leaves what stands in no journal yet, for a new boot; until then, "
        "and where that folder is missing, it is beside the socket; empty for nowhere",
        form="path",
    )
    record: str = setting(
        "",
        "File to which simulated lines add every transition as a JSON line; empty for none",
        form="path",
    )


@dataclass(frozen=True)
class LinesSettings:
    """The wires of the gate's process: names of the chip's lines; empty for one that is missing."""

    driver: str = setting(
        "simulated",
        "simulated: no wires, outputs go to [gate] record, inputs come by socket; gpiod: the "
        "kernel's GPIO lines",
        choices=("simulated", "gpiod"),
    )
    chip: str = setting("", "Label of the GPIO chip; empty for whichever has these line names")
    trigger: str = setting("", "Input: the photo-eye")
    encoder_a: str = setting("", "Input: the belt's encoder")
    encoder_b: str = setting("", "Input: its second track, which tells forward from back")
    confirm: str = setting("", "Input: a photo-eye at the bin that sees each rejected item")
    bin_full: str = setting("", "Input: high while the bin is full")
    reset: str = setting("", "Input: the button that ends a fault")
    taken: str = setting(
        "", "Input: in shadow, a photo-eye behind the people, which tells what they took out"
    )
    reject: str = setting("", "Output: moves the flap or the valve")
    ready: str = setting("", "Output: a square wave while the production line may run")
    fault: str = setting("", "Output: high while something is wrong")
    active_low: tuple[str, ...] = setting(
        (), 'Which of the above work upside down, e.g. ["trigger", "fault"]'
    )
    pull: str = setting(
        "as-is",
        "Pull resistors of the inputs, in the chip",
        choices=("as-is", "up", "down", "disabled"),
    )
    inputs: str = setting(
        "",
        "Socket on which simulated lines take edges of their inputs; empty for none",
        form="path",
    )


@dataclass(frozen=True)
class ModelSettings:
    """The model that finds the marks."""

    file: str = setting(
        DEFAULT_NAME,
        "ONNX file made by 'stampgate export', or default for the one in the package",
        form="path",
    )
    sha256: str = setting(
        "",
        "SHA-256 that the file must have, as sha256sum prints it; empty takes any that is whole",
    )
    golden_every_s: float = setting(
        3600.0,
        "How long after the last time the model must judge the golden pictures in its file again, "
        "while no item comes",
        at_least=1,
        at_most=86_400,
    )
    threads: int = setting(1, "Processor cores that one inference may use", at_least=1, at_most=64)


@dataclass(frozen=True)
class DecisionSettings:
    """When an item passes."""

    required: tuple[str, ...] = setting(
        (),
        "Class names that must all be found; an empty list asks for every class of the model that "
        "is not forbidden",
        live=True,
    )
    forbidden: tuple[str, ...] = setting(
        (),
        "Class names that reject an item wherever they are found, whatever else it shows",
        live=True,
    )
    count: tuple[str, ...] = setting(
        (),
        'How many marks one picture must show: 1, "2", "at least 1", "at most 3" or "1 to 3" for '
        'each required class, or ["class = 2"] for one of them; empty for at least 1',
        form="counts",
        live=True,
    )
    min_score: float = setting(
        0.0,
        "Least score of a mark that counts; 0 takes the model's own threshold, below which it "
        "cannot be",
        at_least=0,
        at_most=1,
        live=True,
    )
    no_call_from: float = setting(
        0.0,
        "No-call band: from this score up to the one that counts nobody can tell, and an item "
        "whose verdict hangs on it is rejected as not sure; 0 for no band",
        at_least=0,
        at_most=1,
        live=True,
    )
    region: tuple[tuple[float, float], ...] = setting(
        (),
        "Corners [x, y] of the part of the picture that is looked at, in camera pixels after "
        "[camera] rotate and flip; nothing outside it counts; empty for all of it",
        form="points",
        at_least=0,
        at_most=8192,
        live=True,
    )
    mark_least_px: float = setting(
        0.0,
        "Least length of a mark's shorter side, in camera pixels; a smaller one does not count; 0 "
        "for any",
        at_least=0,
        at_most=8192,
        live=True,
    )
    mark_greatest_px: float = setting(
        0.0,
        "Greatest length of a mark's longer side, in camera pixels; a larger one does not count; 0 "
        "for any",
        at_least=0,
        at_most=8192,
        live=True,
    )
    mark_angle_deg: float = setting(
        0.0,
        "Greatest angle of a mark; needs a model that gives it, which none of this release does, "
        "so that anything but 0 is refused",
        at_least=0,
        at_most=180,
        live=True,
    )
    place: tuple[float, float, float, float] = setting(
        (0.0, 0.0, 0.0, 0.0),
        "Left, top, right and bottom of where a mark's centre must be, in camera pixels, on an "
        "item at its trigger; all 0 for anywhere",
        at_least=0,
        at_most=8192,
        live=True,
    )
    place_px_per_ms: tuple[float, float] = setting(
        (0.0, 0.0),
        "How many pixels an item moves in the picture in a millisecond, to the right and down: the "
        "place goes with it until the picture begins",
        at_least=-1000,
        at_most=1000,
        live=True,
    )
    burst: int = setting(
        1,
        "Pictures taken of each item, one after the other; any of them in doubt is a FAULT",
        at_least=1,
        at_most=5,
        live=True,
    )
    burst_needed: int = setting(
        0,
        "How many of an item's pictures must pass; 0 for all of them",
        at_least=0,
        at_most=5,
        live=True,
    )
    idle_look_s: float = setting(
        10.0,
        "photo-eye: how often the box looks for marks while no item is there, with any camera but "
        "replay; 0 for never",
        at_least=0,
        at_most=3600,
        live=True,
    )
    fixed_marks: str = setting(
        "not-counted",
        "Whether a mark counts where one is seen while no item is there; it is trouble either way",
        choices=("not-counted", "counted"),
        live=True,
    )


@dataclass(frozen=True)
class ImagingSettings:
    """Whether the camera is good: bounds of its picture, and how far it may be from its reference.

    Those of the picture count in 'stampgate-edge check' and 'calibrate', those of the reference in
    the service and in 'check'.
    """

    soft_below: float = setting(
        30.0,
        "A picture with less focus is soft: 100 is a step between two pixels, a blur of 2 pixels "
        "(standard deviation) leaves 25 of it; 0 switches this off",
        at_least=0,
        at_most=1000,
    )
    dark_below: float = setting(
        35.0,
        "A picture with a lower mean level (0 to 255) is dark; 0 switches this off",
        at_least=0,
        at_most=255,
    )
    bright_above: float = setting(
        245.0,
        "A picture with a higher mean level is overexposed; 255 switches this off",
        at_least=0,
        at_most=255,
    )
    white_above: float = setting(
        0.75,
        "A picture of which a greater share is white, level 250 or more, is overexposed, too; 1 "
        "switches this off",
        above=0,
        at_most=1,
    )
    shake_above_px: float = setting(
        3.0,
        "A camera whose pictures lie further apart, in pixels from one to the next, shakes; 0 "
        "switches this off",
        at_least=0,
        at_most=1000,
    )
    reference: str = setting(
        "/var/lib/stampgate/reference.json",
        "File that 'stampgate-edge calibrate' keeps the place's reference in; nothing is compared "
        "where there is none; empty for none",
        form="path",
    )
    compare_s: float = setting(
        5.0,
        "How often the service compares a picture with the reference, between items; 0 for never",
        at_least=0,
        at_most=3600,
        live=True,
    )
    moved_above_px: float = setting(
        10.0,
        "It is trouble when the surround lies further from its place in the reference, in pixels",
        above=0,
        at_most=1000,
        live=True,
    )
    light_above: float = setting(
        1.5,
        "It is trouble when a part of the surround is so many times brighter or darker than in the "
        "reference",
        above=1,
        at_most=100,
        live=True,
    )
    softer_above: float = setting(
        0.25,
        "It is trouble when focus or contrast of the surround has fallen by this share, or by more "
        "than half of it for long",
        at_least=0.05,
        at_most=0.95,
        live=True,
    )


@dataclass(frozen=True)
class JournalSettings:
    """The journal, in which every decision is written down."""

    file: str = setting(
        "/var/log/stampgate/journal.jsonl",
        "The journal, JSON lines; files that are full lie beside it, numbered",
        form="path",
    )
    mark: str = setting(
        "/var/lib/stampgate/journal.mark",
        "File, apart from the journal, that keeps how far it was written, so that missing records "
        "show; beside it where that folder is missing; empty for none",
        form="path",
    )
    sync: str = setting(
        "every-line",
        "every-line: each record is on the disk before the next item; grouped: passes wait for "
        "others, rejects never",
        choices=("every-line", "grouped"),
        live=True,
    )
    group_items: int = setting(
        20,
        "Most records that a power cut may cost when grouped, the one in writing included",
        at_least=1,
        at_most=1000,
        live=True,
    )
    group_ms: float = setting(
        1000.0,
        "Longest that a record waits for others when grouped",
        at_least=1,
        at_most=60_000,
        live=True,
    )
    patience_ms: float = setting(
        250.0,
        "How long an item waits for a slow disk before it goes on and its record waits",
        above=0,
        at_most=10_000,
        live=True,
    )
    memory_kb: int = setting(
        4096,
        "Memory for records that wait for the disk; what does not fit is counted",
        at_least=64,
        at_most=1_048_576,
        live=True,
    )
    file_items: int = setting(
        100_000,
        "Items after which a new file begins; one also begins after a day of running",
        at_least=1,
        at_most=10**9,
        live=True,
    )
    health_s: float = setting(
        60.0, "Time between two lines about the box's health", at_least=1, at_most=3600, live=True
    )
    status: str = setting(
        "/run/stampgate/status.json",
        "File that 'stampgate-edge status' reads, best in memory; empty for none",
        form="path",
    )


@dataclass(frozen=True)
class EvidenceSettings:
    """Pictures kept to show what was decided: every reject and fault, and some passes."""

    folder: str = setting(
        "/var/log/stampgate/evidence",
        "Folder that holds them and nothing else; empty for none",
        form="path",
    )
    limit_mb: int = setting(
        2000, "Room they may take; the oldest goes first", at_least=1, at_most=10_000_000, live=True
    )
    keep_free_mb: int = setting(
        500,
        "Room on the disk that is left to others; below it, the oldest picture goes",
        at_least=0,
        at_most=10_000_000,
        live=True,
    )
    pass_rate: float = setting(
        0.01,
        "Share of the passes that are kept, drawn by item number and seed",
        at_least=0,
        at_most=1,
        live=True,
    )
    seed: int = setting(
        1,
        "Which passes are drawn; the same seed draws the same numbers",
        at_least=0,
        at_most=10**9,
        live=True,
    )
    quality: int = setting(85, "JPEG quality", at_least=1, at_most=95, live=True)
    patience_ms: float = setting(
        100.0,
        "How long a record waits for its picture to be written, to carry its SHA-256",
        at_least=0,
        at_most=10_000,
        live=True,
    )


ALARM_CODES = (
    "rejects-in-a-row",
    "reject-rate-high",
    "reject-rate-low",
    "near-misses",
    "latency",
    "no-items",
    "temperature",
    "power",
    "disk",
)
"""The codes of the alarms, as ``[alarms] fault``, ``status`` and the journal have them."""


@dataclass(frozen=True)
class AlarmSettings:
    """When the line or the box is in trouble that no single item shows."""

    rejects_in_a_row: int = setting(
        10,
        "It is trouble when so many items running do not pass, until three running do; 0 never",
        at_least=0,
        at_most=5000,
        live=True,
    )
    window_items: int = setting(
        200,
        "How many of the last items the rates of rejects and of near misses are counted over",
        at_least=20,
        at_most=5000,
        live=True,
    )
    reject_rate: float = setting(
        0.0,
        "The agreed share of items that do not pass; 0 learns it from the first learn_items",
        at_least=0,
        at_most=0.5,
        live=True,
    )
    near_rate: float = setting(
        0.0,
        "The agreed share of items near the threshold; 0 learns it from the first learn_items",
        at_least=0,
        at_most=0.5,
        live=True,
    )
    near_band: float = setting(
        0.1,
        "How close to the least score that counts the deciding score is near it, on either side",
        at_least=0,
        at_most=0.5,
        live=True,
    )
    learn_items: int = setting(
        1000,
        "First items, after a change of model or [decision], from which a rate that is not agreed "
        "is learnt; 0 learns none",
        at_least=0,
        at_most=1_000_000,
        live=True,
    )
    run_length_items: int = setting(
        10_000_000,
        "Items between two false alarms of these rates, on average and at least, at the normal "
        "rate",
        at_least=1000,
        at_most=10**12,
        live=True,
    )
    no_item_min: float = setting(
        0.0,
        "It is trouble when no item comes for so many minutes while the line should run; 0 never",
        at_least=0,
        at_most=10_000,
        live=True,
    )
    running_hours: tuple[str, ...] = setting(
        (),
        'When the line should run, by the local clock, such as "Mon-Fri 06:00-22:00"; empty for '
        "always",
        live=True,
    )
    latency_share: float = setting(
        0.9,
        "It is trouble when 5 of 100 answers take this share of [gate] reject_delay_ms or more; 0 "
        "never",
        at_least=0,
        at_most=1,
        live=True,
    )
    temperature_above: float = setting(
        80.0,
        "It is trouble when the box is hotter, in degrees Celsius, until 5 below; 0 never",
        at_least=0,
        at_most=120,
        live=True,
    )
    disk_below_mb: int = setting(
        200,
        "It is trouble when less room is free on the journal's disk; 0 never",
        at_least=0,
        at_most=10_000_000,
        live=True,
    )
    fault: tuple[str, ...] = setting(
        (),
        "Which alarms raise the FAULT output too; others are told by status alone",
        choices=ALARM_CODES,
        live=True,
    )


@dataclass(frozen=True)
class ChallengeSettings:
    """When a challenge test must have been passed, and who signs after one that was not."""

    every_hours: float = setting(
        0.0,
        "Hours after which the next challenge test must have been passed; later everything since "
        "the last one is in quarantine and READY rests; 0 asks for none by the time",
        at_least=0,
        at_most=168,
        live=True,
    )
    at_start: bool = setting(
        False,
        "READY rests after each start of the service until a challenge test was passed",
        live=True,
    )
    at_changeover: bool = setting(
        False,
        "READY rests after a change of settings or model until a challenge test was passed",
        live=True,
    )
    item_s: float = setting(
        300.0,
        "Longest wait for a test item that was announced, and for a person's answer; then the "
        "challenge test has failed",
        at_least=5,
        at_most=3600,
        live=True,
    )
    sign_group: str = setting(
        "stampgate-sign",
        "Group whose members may sign, beside root: release what is in quarantine, and let READY "
        "beat again",
        live=True,
    )
    socket: str = setting(
        "/run/stampgate/challenge.sock",
        "Unix socket where 'stampgate-edge challenge' reaches the service; empty for none",
        form="path",
    )


@dataclass(frozen=True)
class ServiceSettings:
    """The service and its watchdog."""

    name: str = setting(
        "",
        "Name of line and station, in every record, the CSV, the status and in front of a trouble; "
        "empty for none",
    )
    mode: str = setting(
        "run",
        "run: what bears no mark is thrown off; shadow: everything is judged and written down, and "
        "the gate locks the reject output off",
        choices=("run", "shadow"),
    )
    tick_ms: float = setting(
        500.0,
        "Longest wait for a trigger before the watchdog is told that all is well",
        at_least=10,
        at_most=5000,
    )


@dataclass(frozen=True)
class ShadowSettings:
    """Shadow mode: the box judges every item and throws none, until it has shown its error rates.

    Needs ``[service] mode = "shadow"``.
    """

    plan: str = setting(
        "",
        "The agreed plan, as 'stampgate plan' takes it, such as \"fa<1% fr<5% @95%\": with one, "
        "mode run is refused until shadow has shown it; empty for none",
    )
    ready_beats: bool = setting(
        False,
        "Whether READY beats in shadow, for a belt that runs only while it does; otherwise it "
        "rests, because nothing is thrown off",
    )
    log: str = setting(
        "/var/log/stampgate/shadow.jsonl",
        "What people say of items in shadow, and who says it: JSON lines, chained as the journal",
        form="path",
    )
    taken_sees: str = setting(
        "left",
        "What the photo-eye [lines] taken sees: left, the items that people left on the belt, one "
        "that is missing there was taken out; taken, the items that they took out",
        choices=("left", "taken"),
    )
    taken_earliest_ms: float = setting(
        1000.0,
        "Shortest time that an item can take from its trigger to that photo-eye",
        at_least=0,
        at_most=600_000,
    )
    taken_ms: float = setting(
        2000.0,
        "Longest time that it can take; best less than the time between two items after the "
        "shortest, as an edge that may be for either tells of none",
        above=0,
        at_most=600_000,
    )
    taken_earliest_counts: int = setting(
        0,
        "Fewest encoder counts that it can take, where they stand in for the time",
        at_least=0,
        at_most=10**7,
    )
    taken_counts: int = setting(
        0,
        "Most encoder counts that it can take; above 0 they stand in for taken_ms",
        at_least=0,
        at_most=10**7,
    )
    taken_apart_ms: float = setting(
        0.0,
        "Edges of that photo-eye that follow one another faster are one item; 0 counts each",
        at_least=0,
        at_most=10_000,
    )


@dataclass(frozen=True)
class Config:
    """All settings, and the folder that relative paths start from."""

    camera: CameraSettings = field(default_factory=CameraSettings)
    trigger: TriggerSettings = field(default_factory=TriggerSettings)
    gate: GateSettings = field(default_factory=GateSettings)
    lines: LinesSettings = field(default_factory=LinesSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    decision: DecisionSettings = field(default_factory=DecisionSettings)
    imaging: ImagingSettings = field(default_factory=ImagingSettings)
    journal: JournalSettings = field(default_factory=JournalSettings)
    evidence: EvidenceSettings = field(default_factory=EvidenceSettings)
    alarms: AlarmSettings = field(default_factory=AlarmSettings)
    challenge: ChallengeSettings = field(default_factory=ChallengeSettings)
    service: ServiceSettings = field(default_factory=ServiceSettings)
    shadow: ShadowSettings = field(default_factory=ShadowSettings)
    folder: Path = Path()
    source: Path | None = field(default=None, compare=False)
    """The file that it was read from; None where there is none."""

    def path(self, text: str) -> Path:
        """Return the path of the file that *text* in the settings names."""
        return self.folder / text

    def model_file(self) -> Path:
        """Return the path of the model's file."""
        return DEFAULT_MODEL if self.model.file == DEFAULT_NAME else self.path(self.model.file)

    def checksum(self) -> str:
        """Return the SHA-256, in hex, of all settings as sorted JSON.

        Layout and comments of the file do not count.
        """
        import hashlib  # noqa: PLC0415 - OpenSSL takes 4 MB, and the gate's process does without

        settings = {name: dataclasses.asdict(getattr(self, name)) for name in SECTIONS}
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


SECTIONS: dict[str, type[Any]] = {
    "camera": CameraSettings,
    "trigger": TriggerSettings,
    "gate": GateSettings,
    "lines": LinesSettings,
    "model": ModelSettings,
    "decision": DecisionSettings,
    "imaging": ImagingSettings,
    "journal": JournalSettings,
    "evidence": EvidenceSettings,
    "alarms": AlarmSettings,
    "challenge": ChallengeSettings,
    "service": ServiceSettings,
    "shadow": ShadowSettings,
}


HEAD = (
    "The settings of stampgate-edge; this file is what 'stampgate-edge config' prints. A key left "
    "out keeps the value shown here. A relative path starts from this file's folder. After "
    "'systemctl reload stampgate-gate stampgate-edge' a change of a key marked [reload] counts "
    "from the next item on. Any other needs a restart; a file that changes one is refused whole "
    "until then."
)
"""How the sample file begins, as a comment."""


def load_config(path: Path) -> Config:
    """Read and check ``edge.toml``.

    Raises ConfigError with one line for the first thing that is wrong.
    """
    return config_from(read_toml(path), path)


def config_from(tables: Mapping[str, Any], path: Path) -> Config:
    """Check the *tables* of the settings file *path* into a Config. Raises ConfigError."""
    for name, table in tables.items():
        if name not in SECTIONS:
            known = ", ".join(SECTIONS)
            raise ConfigError(
                f"{path}: has no section [{key_text(name)}]; its sections are {known}"
            )
        if not isinstance(table, dict):
            raise ConfigError(
                f"{path}: [{name}] must be a section, not {shown(table)}; correct it there"
            )
    sections = {
        name: read_section(kind, tables.get(name, {}), f"{path}: [{name}]")
        for name, kind in SECTIONS.items()
    }
    return Config(**sections, folder=path.absolute().parent, source=path.absolute())


def sample() -> str:
    """Return a commented ``edge.toml`` with every key at its default."""
    head = "\n".join([*comment(HEAD), ""])
    return "\n".join([head, *(sample_section(name, kind) for name, kind in SECTIONS.items())])
