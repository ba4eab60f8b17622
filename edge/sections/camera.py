"""``[camera]``: what takes the pictures."""

from dataclasses import dataclass

from edge.settings import setting


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
