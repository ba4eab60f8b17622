"""``[review]``: the page on which a shift is looked through."""

from dataclasses import dataclass

from edge.settings import setting


@dataclass(frozen=True)
class ReviewSettings:
    """The review page, ``stampgate-edge review``: who reaches it, and where it keeps its own."""

    folder: str = setting(
        "/var/lib/stampgate-review",
        "Folder of the review page alone: its index, its users and its audit log",
        form="path",
    )
    host: str = setting(
        "127.0.0.1",
        "Address to listen on; any but this box's own needs https, by a proxy in front of it",
    )
    port: int = setting(8378, "Port to listen on; 0 for a free one", at_least=0, at_most=65_535)
    names: tuple[str, ...] = setting(
        (),
        'Names by which browsers call the page besides localhost, such as "line3.plant.example"; '
        "any other is refused",
    )
    https: bool = setting(
        False,
        "Whether a proxy on this box gives the page out by TLS: cookies are then sent by https "
        "alone, and who asks is read from the proxy's X-Forwarded-For",
    )
    idle_min: float = setting(
        30.0, "Minutes after which a session that asks nothing ends", at_least=1, at_most=1440
    )
    session_h: float = setting(
        12.0, "Hours after which any session ends", at_least=0.1, at_most=168
    )
    sample_share: float = setting(
        1.0,
        "Share of the passes with a picture, [evidence] pass_rate, that the random sample for "
        "reviewers draws; a change draws it anew",
        at_least=0,
        at_most=1,
    )
