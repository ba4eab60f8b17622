"""Binding to the kernel's Video4Linux interface: the twelve ioctls that a box needs, and a poll.

Source: the kernel's "Video for Linux API" (Documentation/userspace-api/media/v4l) and
<linux/videodev2.h> for machines of 64 bits, with whose C layout a test compares this. Why no
library: docs/decisions/0006-v4l2-by-our-own-ioctls.md.
"""

import ctypes
import errno
import mmap
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fcntl import ioctl
from select import POLLERR, POLLHUP, POLLIN, POLLNVAL, poll
from types import MappingProxyType
from typing import Any

from edge.errors import CameraError, ConfigError

CAPTURE, MMAP = 1, 1
"""V4L2_BUF_TYPE_VIDEO_CAPTURE and V4L2_MEMORY_MMAP."""
CAN_CAPTURE, CAN_STREAM = 0x1, 0x04000000
FLAG_ERROR = 0x40
CLOCK_MASK, CLOCK_MONOTONIC = 0xE000, 0x2000
SOURCE_MASK, SOURCE_EXPOSURE = 0x70000, 0x10000
"""V4L2_BUF_FLAG_TSTAMP_SRC_SOE: the time stamp is that of the start of exposure; otherwise of the
frame's end."""
CONTROL_DISABLED = 0x1
UNREADABLE = frozenset((errno.EACCES, errno.EINVAL, errno.ENOTTY, errno.EIO, errno.EPIPE))
"""Errors of G_CTRL for a control that can only be written, or whose report the camera refuses."""
NOTHING_REFUSED: Mapping[int, str] = MappingProxyType({})

_U32, _S32 = ctypes.c_uint32, ctypes.c_int32


class Capability(ctypes.Structure):
    """struct v4l2_capability."""

    _fields_ = [
        ("driver", ctypes.c_char * 16),
        ("card", ctypes.c_char * 32),
        ("bus_info", ctypes.c_char * 32),
        ("version", _U32),
        ("capabilities", _U32),
        ("device_caps", _U32),
        ("reserved", _U32 * 3),
    ]


class Format(ctypes.Structure):
    """struct v4l2_format with its struct v4l2_pix_format; its union is aligned to 8 bytes."""

    _fields_ = [
        ("type", _U32),
        ("pad", _U32),
        ("width", _U32),
        ("height", _U32),
        ("pixelformat", _U32),
        ("field", _U32),
        ("bytesperline", _U32),
        ("sizeimage", _U32),
        ("rest", ctypes.c_uint8 * 176),
    ]


class StreamParameters(ctypes.Structure):
    """struct v4l2_streamparm with its struct v4l2_captureparm."""

    _fields_ = [
        ("type", _U32),
        ("capability", _U32),
        ("capturemode", _U32),
        ("numerator", _U32),
        ("denominator", _U32),
        ("rest", ctypes.c_uint8 * 184),
    ]


class RequestBuffers(ctypes.Structure):
    """struct v4l2_requestbuffers."""

    _fields_ = [
        ("count", _U32),
        ("type", _U32),
        ("memory", _U32),
        ("capabilities", _U32),
        ("flags", _U32),
    ]


class Buffer(ctypes.Structure):
    """struct v4l2_buffer; of the union *m*, the offset."""

    _fields_ = [
        ("index", _U32),
        ("type", _U32),
        ("bytesused", _U32),
        ("flags", _U32),
        ("field", _U32),
        ("seconds", ctypes.c_int64),
        ("microseconds", ctypes.c_int64),
        ("timecode", _U32 * 4),
        ("sequence", _U32),
        ("memory", _U32),
        ("offset", ctypes.c_uint64),
        ("length", _U32),
        ("reserved2", _U32),
        ("request_fd", _S32),
    ]


class Control(ctypes.Structure):
    """struct v4l2_control."""

    _fields_ = [("id", _U32), ("value", _S32)]


class QueryControl(ctypes.Structure):
    """struct v4l2_queryctrl."""

    _fields_ = [
        ("id", _U32),
        ("type", _U32),
        ("name", ctypes.c_char * 32),
        ("minimum", _S32),
        ("maximum", _S32),
        ("step", _S32),
        ("default", _S32),
        ("flags", _U32),
        ("reserved", _U32 * 2),
    ]


def _number(direction: int, number: int, kind: Any) -> int:
    """Compute an ioctl's number: _IOC of <asm-generic/ioctl.h> for the letter V.

    *direction*: 1 to the kernel, 2 from it, 3 both; *kind*: the ctypes type of its argument.
    """
    return direction << 30 | ctypes.sizeof(kind) << 16 | ord("V") << 8 | number


QUERYCAP = _number(2, 0, Capability)
S_FMT = _number(3, 5, Format)
REQBUFS = _number(3, 8, RequestBuffers)
QUERYBUF = _number(3, 9, Buffer)
QBUF = _number(3, 15, Buffer)
DQBUF = _number(3, 17, Buffer)
STREAMON = _number(1, 18, ctypes.c_int)
STREAMOFF = _number(1, 19, ctypes.c_int)
S_PARM = _number(3, 22, StreamParameters)
G_CTRL = _number(3, 27, Control)
S_CTRL = _number(3, 28, Control)
QUERYCTRL = _number(3, 36, QueryControl)


@dataclass(frozen=True)
class Filled:
    """A buffer that the camera has filled, dequeued; it must be given back (queued again)."""

    index: int
    stamp_ns: int
    flags: int
    sequence: int
    length: int
    """Number of its bytes that are the picture."""


@dataclass(frozen=True)
class Range:
    """Range of a control's values."""

    minimum: int
    maximum: int
    step: int


class VideoDevice:
    """An open /dev/video*, never blocking.

    Every method raises CameraError when the kernel says that the device is gone or does not work.

    Synchronization: one thread.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._memory: list[mmap.mmap] = []
        self._fd = _open(path)
        self._poll = poll()
        self._poll.register(self._fd, POLLIN)
        capability = Capability()
        no_camera = (
            f"[camera] device {path} must be a camera's device file, and is none; "
            "name one of /dev/v4l/by-id"
        )
        self._call(QUERYCAP, capability, "QUERYCAP", {errno.ENOTTY: no_camera})
        if ~capability.device_caps & (CAN_CAPTURE | CAN_STREAM):
            self.close()
            raise ConfigError(
                f"[camera] device {path} must be one that takes pictures; "
                "of a camera's two, name the one that ends in index0"
            )

    def set_format(self, width: int, height: int, fourcc: str) -> tuple[int, int, str, int]:
        """Ask for a picture size and format, a FourCC.

        Returns the camera's choice: width, height, FourCC, bytes a row. Raises ConfigError when it
        has nothing like it.
        """
        wanted = int.from_bytes(fourcc.encode(), "little")
        form = Format(type=CAPTURE, width=width, height=height, pixelformat=wanted)
        unlike = (
            f"[camera] pixel_format must be one that {self.path} can do, not {fourcc}; "
            "v4l2-ctl --list-formats-ext shows them"
        )
        self._call(S_FMT, form, "S_FMT", {errno.EINVAL: unlike})
        given = int(form.pixelformat).to_bytes(4, "little").decode("latin-1")
        return form.width, form.height, given, form.bytesperline

    def set_rate(self, per_second: float) -> float:
        """Ask for a number of pictures a second; return the camera's period, seconds."""
        form = StreamParameters(type=CAPTURE, numerator=1000, denominator=round(per_second * 1000))
        with suppress(OSError):  # not every driver can tell; then the settings are believed
            ioctl(self._fd, S_PARM, form)
        given = form.numerator / form.denominator if form.denominator else 0.0
        return given or 1 / per_second

    def control_range(self, number: int) -> Range | None:
        """Return the range of a control; None when the camera has no such control."""
        query = QueryControl(id=number)
        try:
            ioctl(self._fd, QUERYCTRL, query)
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ENOTTY):
                return None
            raise self._gone("QUERYCTRL", error) from None
        if query.flags & CONTROL_DISABLED:
            return None
        return Range(query.minimum, query.maximum, max(1, query.step))

    def set_control(self, number: int, value: int, name: str) -> None:
        """Set a control; *name*: as the settings call it.

        Raises ConfigError when it has no such value, or may not be set.
        """
        no_such_value = (
            f"[camera] {name} must be a value that {self.path} has, not {value}; "
            "v4l2-ctl --list-ctrls-menus shows them"
        )
        read_only = (
            f"[camera] {name} must be a control of {self.path} that can be set, and it can "
            "only be read now; take it out, or switch off the automatic that has it"
        )
        refused = {
            errno.ERANGE: no_such_value,
            errno.EINVAL: no_such_value,
            errno.EACCES: read_only,
        }
        self._call(S_CTRL, Control(number, value), "S_CTRL", refused)

    def read_control(self, number: int) -> int | None:
        """Return a control's value as the camera reports it; None when it cannot be read."""
        now = Control(number)
        try:
            ioctl(self._fd, G_CTRL, now)
        except OSError as error:
            if error.errno in UNREADABLE:
                return None
            raise self._gone("G_CTRL", error) from None
        return int(now.value)

    @property
    def buffers(self) -> int:
        """Number of buffers that the driver gave."""
        return len(self._memory)

    def start(self, count: int) -> None:
        """Memory-map *count* buffers, queue them, and start streaming.

        Raises ConfigError when the bus has no room for the stream.
        """
        request = RequestBuffers(count=count, type=CAPTURE, memory=MMAP)
        self._call(REQBUFS, request, "REQBUFS")
        for index in range(request.count):
            buffer = self._buffer(index)
            self._call(QUERYBUF, buffer, "QUERYBUF")
            offset = buffer.offset & 0xFFFFFFFF
            with self._errors("mmap"):
                self._memory.append(mmap.mmap(self._fd, buffer.length, offset=offset))
            self.give_back(index)
        no_bandwidth = (
            f"[camera] no bandwidth: the USB bus must have room for {self.path} and has "
            "none at this width, height, frames_per_second and pixel_format; take MJPG, "
            "less of them, or a port of another controller"
        )
        self._call(STREAMON, ctypes.c_int(CAPTURE), "STREAMON", {errno.ENOSPC: no_bandwidth})

    def take(self, timeout_s: float) -> Filled | None:
        """Dequeue the buffer that was filled first, or wait for one; None after *timeout_s*."""
        events = dict(self._poll.poll(timeout_s * 1000)).get(self._fd, 0)
        if events & (POLLERR | POLLHUP | POLLNVAL):
            raise CameraError(_gone_text(self.path, f"poll says {events:#x}"))
        if not events:
            return None
        buffer = self._buffer(0)
        try:
            ioctl(self._fd, DQBUF, buffer)
        except BlockingIOError:
            return None
        except OSError as error:
            raise self._gone("DQBUF", error) from None
        stamp_ns = buffer.seconds * 10**9 + buffer.microseconds * 1000
        return Filled(buffer.index, stamp_ns, buffer.flags, buffer.sequence, buffer.bytesused)

    def read(self, filled: Filled) -> bytes:
        """Copy the picture out of a dequeued buffer."""
        return self._memory[filled.index][: filled.length]

    def give_back(self, index: int) -> None:
        """Queue the buffer again for the camera to fill."""
        self._call(QBUF, self._buffer(index), "QBUF")

    def close(self) -> None:
        """Stop streaming, free the buffers and close; errors are ignored."""
        for number, argument in (
            (STREAMOFF, ctypes.c_int(CAPTURE)),
            (REQBUFS, RequestBuffers(count=0, type=CAPTURE, memory=MMAP)),
        ):
            while number == REQBUFS and self._memory:
                self._memory.pop().close()  # buffers still mapped would keep the memory
            with suppress(OSError):
                ioctl(self._fd, number, argument)
        with suppress(OSError):
            os.close(self._fd)

    def _buffer(self, index: int) -> Buffer:
        return Buffer(index=index, type=CAPTURE, memory=MMAP)

    def _call(
        self, number: int, argument: Any, name: str, refused: Mapping[int, str] = NOTHING_REFUSED
    ) -> None:
        """Make an ioctl; *refused*: what to say of an error number by which a setting is wrong.

        Raises ConfigError for those, CameraError for any other.
        """
        with self._errors(name, refused):
            ioctl(self._fd, number, argument)

    @contextmanager
    def _errors(self, name: str, refused: Mapping[int, str] = NOTHING_REFUSED) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if wrong := refused.get(error.errno or 0):
                raise ConfigError(wrong) from None
            raise self._gone(name, error) from None

    def _gone(self, name: str, error: OSError) -> CameraError:
        if error.errno == errno.EBUSY:
            return busy(self.path, self.path)
        return CameraError(_gone_text(self.path, f"{name}: {error.strerror}"))


def _open(path: str) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except PermissionError:
        raise ConfigError(
            f"[camera] device {path} must be open to this user; add the user to the group video"
        ) from None
    except OSError as error:
        if error.errno == errno.EBUSY:
            raise busy(path, path) from None
        raise CameraError(_gone_text(path, error.strerror or "open")) from None


def busy(what: str, files: str = "/dev/video* /dev/media*") -> CameraError:
    """Make the error for a camera that another program has.

    *what*: the camera, or what is said of it; *files*: device files that may be held.
    """
    return CameraError(
        f"camera busy: {what} must be free, and another program has it; "
        f"'fuser -v {files}' names it, end it, the service starts again"
    )


def _gone_text(path: str, why: str) -> str:
    cure = "check its cable and power, the service starts again"
    return f"camera lost: {path} must work, not fail ({why}); {cure}"
