import ctypes
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from edge.camera import controls, videodev

STRUCTS: dict[str, tuple[Any, dict[str, str]]] = {
    "struct v4l2_capability": (videodev.Capability, {"card": "card", "device_caps": "device_caps"}),
    "struct v4l2_format": (
        videodev.Format,
        {
            "width": "fmt.pix.width",
            "pixelformat": "fmt.pix.pixelformat",
            "bytesperline": "fmt.pix.bytesperline",
        },
    ),
    "struct v4l2_streamparm": (
        videodev.StreamParameters,
        {
            "numerator": "parm.capture.timeperframe.numerator",
            "denominator": "parm.capture.timeperframe.denominator",
        },
    ),
    "struct v4l2_requestbuffers": (videodev.RequestBuffers, {"count": "count", "memory": "memory"}),
    "struct v4l2_buffer": (
        videodev.Buffer,
        {
            "bytesused": "bytesused",
            "flags": "flags",
            "seconds": "timestamp.tv_sec",
            "microseconds": "timestamp.tv_usec",
            "sequence": "sequence",
            "memory": "memory",
            "offset": "m.offset",
            "length": "length",
        },
    ),
    "struct v4l2_control": (videodev.Control, {"value": "value"}),
    "struct v4l2_queryctrl": (
        videodev.QueryControl,
        {"minimum": "minimum", "step": "step", "flags": "flags"},
    ),
}
NUMBERS = {
    **{
        f"VIDIOC_{name}": getattr(videodev, name)
        for name in (
            "QUERYCAP",
            "S_FMT",
            "REQBUFS",
            "QUERYBUF",
            "QBUF",
            "DQBUF",
            "STREAMON",
            "STREAMOFF",
        )
    },
    **{
        f"VIDIOC_{name}": getattr(videodev, name)
        for name in ("S_PARM", "G_CTRL", "S_CTRL", "QUERYCTRL")
    },
    "V4L2_BUF_TYPE_VIDEO_CAPTURE": videodev.CAPTURE,
    "V4L2_MEMORY_MMAP": videodev.MMAP,
    "V4L2_CAP_VIDEO_CAPTURE": videodev.CAN_CAPTURE,
    "V4L2_CAP_STREAMING": videodev.CAN_STREAM,
    "V4L2_BUF_FLAG_ERROR": videodev.FLAG_ERROR,
    "V4L2_BUF_FLAG_TIMESTAMP_MASK": videodev.CLOCK_MASK,
    "V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC": videodev.CLOCK_MONOTONIC,
    "V4L2_BUF_FLAG_TSTAMP_SRC_MASK": videodev.SOURCE_MASK,
    "V4L2_BUF_FLAG_TSTAMP_SRC_SOE": videodev.SOURCE_EXPOSURE,
    "V4L2_CTRL_FLAG_DISABLED": videodev.CONTROL_DISABLED,
    "V4L2_CID_BRIGHTNESS": controls.CONTROLS["brightness"],
    "V4L2_CID_CONTRAST": controls.CONTROLS["contrast"],
    "V4L2_CID_SATURATION": controls.CONTROLS["saturation"],
    "V4L2_CID_HUE": controls.CONTROLS["hue"],
    "V4L2_CID_AUTO_WHITE_BALANCE": controls.CONTROLS["white_balance_automatic"],
    "V4L2_CID_GAMMA": controls.CONTROLS["gamma"],
    "V4L2_CID_AUTOGAIN": controls.CONTROLS["gain_automatic"],
    "V4L2_CID_GAIN": controls.CONTROLS["gain"],
    "V4L2_CID_POWER_LINE_FREQUENCY": controls.CONTROLS["power_line_frequency"],
    "V4L2_CID_WHITE_BALANCE_TEMPERATURE": controls.CONTROLS["white_balance_temperature"],
    "V4L2_CID_SHARPNESS": controls.CONTROLS["sharpness"],
    "V4L2_CID_BACKLIGHT_COMPENSATION": controls.CONTROLS["backlight_compensation"],
    "V4L2_CID_EXPOSURE_AUTO": controls.CONTROLS["auto_exposure"],
    "V4L2_CID_EXPOSURE_ABSOLUTE": controls.CONTROLS["exposure_time_absolute"],
    "V4L2_CID_EXPOSURE_AUTO_PRIORITY": controls.CONTROLS["exposure_dynamic_framerate"],
    "V4L2_CID_FOCUS_ABSOLUTE": controls.CONTROLS["focus_absolute"],
    "V4L2_CID_FOCUS_AUTO": controls.CONTROLS["focus_automatic_continuous"],
    "V4L2_CID_ZOOM_ABSOLUTE": controls.CONTROLS["zoom_absolute"],
    "V4L2_EXPOSURE_MANUAL": controls.MANUAL["exposure_time_absolute"][1],
}


def ours() -> dict[str, int]:
    """Every size, place and number as this package has it, under its C expression."""
    found = dict(NUMBERS)
    for name, (kind, fields) in STRUCTS.items():
        found[f"sizeof({name})"] = ctypes.sizeof(kind)
        found |= {
            f"offsetof({name}, {path})": getattr(kind, field).offset
            for field, path in fields.items()
        }
    return found


def the_kernels(names: list[str], folder: Path) -> dict[str, int]:
    """The same as the C compiler reads them in the kernel's own header."""
    compiler = shutil.which("cc")
    if compiler is None or not Path("/usr/include/linux/videodev2.h").exists():
        pytest.skip("needs a C compiler and the kernel's headers; apt install gcc linux-libc-dev")
    prints = "".join(f'printf("%llu\\n", (unsigned long long)({name}));\n' for name in names)
    heads = "".join(
        f"#include <{head}>\n"
        for head in ("stdio.h", "stddef.h", "sys/time.h", "linux/videodev2.h")
    )
    source = folder / "layout.c"
    source.write_text(f"{heads}int main(void) {{\n{prints}return 0; }}\n")
    subprocess.run([compiler, "-o", folder / "layout", source], check=True)
    said = subprocess.run([folder / "layout"], check=True, capture_output=True, text=True).stdout
    return dict(zip(names, map(int, said.split()), strict=True))


def test_the_kernels_own_header_agrees_with_every_layout_and_number(tmp_path: Path) -> None:
    """Compiled and printed by C: one wrong byte would read a time stamp out of a size."""
    assert ours() == the_kernels(list(ours()), tmp_path)
