"""Recipes: named sets of settings, one for each kind of thing that is looked for.

A recipe only changes defaults: each of its numbers can still be set by ``--set``. ``--show`` prints
what it changes and why, and what its pictures must and must not do.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

DEFAULT = "stamp"


@dataclass(frozen=True)
class Recipe:
    """A named set of settings.

    *about*: what it is for; *settings*: keys of ``[synth]`` and ``[fit]``, each with its value and
    why; *rules*: what pictures and photographs must and must not do, a sentence each.
    """

    about: str
    settings: dict[str, tuple[Any, str]] = field(default_factory=dict)
    rules: tuple[str, ...] = ()

    def values(self) -> dict[str, Any]:
        """Return the settings without their reasons."""
        return {key: value for key, (value, _) in self.settings.items()}


WHOLE = "it lies on the picture as it is, neither faded nor see-through"
NO_INK = "it is no ink"
RECIPES = {
    "stamp": Recipe(
        "a mark that is stamped, printed or stuck on products: the defaults",
        rules=(
            "a mark lies at any angle, and a mirrored one is another mark",
            "photographs must not show the mark: they are searched for it before training",
        ),
    ),
    "label": Recipe(
        "a label with a ground of its own, such as a shelf's, a shipping or an address label",
        {
            "ink_share": (0.0, NO_INK),
            "opacity_min": (1.0, WHOLE),
            "plate_share": (0.0, "it brings its own ground"),
            "other_colours_share": (0.0, "its colours are its own"),
            "rotation_deg": (25.0, "people put labels up, and hold the camera, nearly upright"),
            "turned_share": (0.0, "none lies on its side or head"),
            "size_max": (0.9, "a label may fill the picture"),
            "bleed_share": (0.0, NO_INK),
            "speckle_share": (0.0, NO_INK),
            "smear_share": (0.0, NO_INK),
            "double_share": (0.0, NO_INK),
        },
        (
            "a label stands nearly upright; for parcels on a belt set turned_share=0.2",
            "photographs must not show such a label: they are searched for it before training",
        ),
    ),
    "face": Recipe(
        "people or characters, from cut-outs of their faces",
        {
            "lookalike_share": (0.0, "a mirrored face is a face; others' faces: --lookalike"),
            "partial_share": (0.0, "half a face is a face"),
            "ink_share": (0.0, NO_INK),
            "opacity_min": (1.0, WHOLE),
            "worn_share": (0.0, WHOLE),
            "plate_share": (0.0, "it lies on nothing"),
            "other_colours_share": (0.0, "skin has its colours"),
            "bleed_share": (0.0, NO_INK),
            "speckle_share": (0.0, NO_INK),
            "smear_share": (0.0, NO_INK),
            "double_share": (0.0, NO_INK),
            "gloss_share": (0.0, "it is no sticker"),
            "lift_share": (0.0, "it is no sticker"),
            "curve_share": (0.0, "it lies round no bottle"),
            "squeeze": (0.25, "people look at the camera more or less"),
            "rotation_deg": (25.0, "heads are held nearly upright"),
            "turned_share": (0.0, "none is upside down"),
            "painted_share": (0.0, "faces are in the world, not on the program's products"),
        },
        (
            "a face may be mirrored, never upside down",
            "photographs must show nobody: a face in one is taught as no face",
            "no program here finds faces in them: look at unstamped.png in the run's folder",
            "the people must have agreed",
        ),
    ),
    "characters": Recipe(
        "letters and digits, a class each, from pictures of their glyphs",
        {
            "rotation_deg": (8.0, "a 6 on its head is a 9"),
            "turned_share": (0.0, "a 6 on its head is a 9"),
            "perspective": (0.1, "characters are small, and read from the front"),
            "squeeze": (0.3, "characters are small, and read from the front"),
            "marks_max": (12, "characters come in numbers"),
            "size_max": (0.25, "a character is a small part of what the camera sees"),
            "ink_share": (0.6, "most characters are printed"),
            "lookalike_share": (0.0, "look-alikes bear letters and digits that nobody labels"),
            "painted_share": (0.0, "the program's products are full of print"),
            "plate_share": (0.0, "the plate bears other print"),
            "partial_share": (0.0, "half an 8 is a 3"),
            "cut_share": (0.0, "half an 8 is a 3"),
            "occlusion_share": (0.05, "half an 8 is a 3"),
            "smallest_px": (9.0, "strokes are few, so less is enough"),
        },
        (
            "characters stand upright, and are never mirrored",
            "photographs must be free of print: it would be taught as no character",
            "what the trained model finds in them is in unstamped.png of the run's folder",
        ),
    ),
}  # fmt: skip


def described(name: str, defaults: dict[str, Any]) -> Iterator[str]:
    """Yield what ``--show`` prints of a recipe; *defaults*: of all settings, by key."""
    recipe = RECIPES[name]
    yield f"{name}: {recipe.about}"
    for key, (value, why) in recipe.settings.items():
        yield f"  {key} = {value:g} (default {defaults[key]:g}): {why}"
    for rule in recipe.rules:
        yield f"  {rule}"
