"""``[model]``: the file that finds the marks."""

from dataclasses import dataclass

from edge.settings import setting

DEFAULT_NAME = "default"
"""Name of :data:`DEFAULT_MODEL` where a model file is asked for."""


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
    bundle: str = setting(
        "",
        "current: the release that 'stampgate-edge activate' has made current, in place of file; "
        "empty takes file",
    )
    releases: str = setting(
        "/var/lib/stampgate-releases/store",
        "Folder of the releases, which root writes and the eye only reads; each line its own",
        form="path",
    )
    keys: str = setting(
        "/etc/stampgate/keys",
        "Folder of the public keys whose bundles are taken, and of those that are revoked",
        form="path",
    )
    state: str = setting(
        "/var/lib/stampgate/release.json",
        "File in which the eye keeps how the release's probation stands",
        form="path",
    )
    allow_unsigned: bool = setting(
        False,
        "Whether a model file that is in no bundle may drive real outputs; it stays trouble",
    )
    probation_items: int = setting(
        200,
        "How many items a new release must judge well before the one before it is given up; 0 none",
        at_least=0,
        at_most=100_000,
        live=True,
    )
    probation_minutes: float = setting(
        60.0,
        "After so long with an item that passed the probation ends too, with fewer items",
        at_least=1,
        at_most=10_080,
        live=True,
    )
    probation_row: int = setting(
        20,
        "In probation so many items running without a pass bring the release before back",
        at_least=2,
        at_most=5000,
        live=True,
    )
    probation_faults: int = setting(
        5,
        "In probation so many items running bring it back that are a FAULT of the model, or late",
        at_least=1,
        at_most=5000,
        live=True,
    )
    probation_rejects: tuple[float, float] = setting(
        (0.0, 0.5),
        "In probation the least and the greatest share of items that may not pass",
        at_least=0,
        at_most=1,
        live=True,
    )
    probation_kills: int = setting(
        3,
        "In probation so many ends of the eye by a kill, or an error not foreseen, bring it back",
        at_least=1,
        at_most=100,
    )
    trial_memory_mb: int = setting(
        1500,
        "Address space that the trial of a bundle may take before it is activated",
        at_least=100,
        at_most=16_000,
    )
    trial_s: float = setting(
        120.0,
        "How long that trial may take",
        at_least=1,
        at_most=3600,
    )
    fetch_from: str = setting(
        "",
        "Address (https://...) or folder with the index of bundles, for 'stampgate-edge fetch'; "
        "empty fetches none",
    )
    fetch_activates: bool = setting(
        False, "Whether the newest bundle that was fetched is activated at once"
    )
    fetch_s: float = setting(
        900.0, "How long fetching one bundle may take, in seconds", at_least=10, at_most=86_400
    )
