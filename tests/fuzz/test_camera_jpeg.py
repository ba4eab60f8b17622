"""A camera's motion JPEG: a frame of the size agreed on, or a fault."""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from edge.camera.pixels import from_mjpg
from edge.errors import FrameError
from tests.edge.vision.test_jpeg import HEIGHT, WHOLE, WIDTH, encoded
from tests.fuzz.fuzzing import Fuzzer

PICTURES = (WHOLE, encoded("L"), encoded(restart_marker_rows=1), encoded(progressive=True))
MARKERS = st.integers(0, 255).map(lambda marker: bytes((0xFF, marker)))


def any_buffer() -> SearchStrategy[bytes]:
    """What may lie in the buffer of a camera."""

    def changed(given: tuple[bytes, list[tuple[float, bytes, int]]]) -> bytes:
        data, changes = given
        for where, new, taken in changes:
            at = int(where * len(data))
            data = data[:at] + new + data[at + taken :]
        return data

    places = st.one_of(st.floats(0, 1), st.floats(0, 0.2))  # the header is short
    new = st.one_of(st.binary(max_size=3), MARKERS)
    changes = st.lists(st.tuples(places, new, st.integers(0, 600)), max_size=4)
    return st.one_of(
        st.tuples(st.sampled_from(PICTURES), changes).map(changed), st.binary(max_size=60)
    )


def read(data: bytes) -> None:
    """Decode it as the driver does."""
    try:
        frame = from_mjpg(data, WIDTH, HEIGHT)
    except FrameError as error:
        assert str(error).startswith("damaged picture: ")  # noqa: PT017
        assert len(str(error).splitlines()) == 1  # noqa: PT017
    else:
        assert frame.shape == (HEIGHT, WIDTH, 3)


FUZZER = Fuzzer("camera JPEG", any_buffer(), read)


def test_a_camera_s_buffer_is_a_frame_or_a_fault() -> None:
    """Whatever was lost on the bus."""
    FUZZER.short()
