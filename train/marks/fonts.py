"""Fonts of a drawing's words: which are missing, which is taken instead, and how that is said.

The renderer (resvg) leaves out words whose font it does not find, and notes that in its log, after
styles, classes, inheritance and references are resolved; so its log is what is read here. A generic
family (sans-serif) leaves the choice to us: an installed one is taken and named. Of a family that
is named and missing nothing is taken, since a stamp in another typeface is another stamp.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

SUFFIXES = frozenset({".ttf", ".otf", ".ttc"})
NONE = "no such family"
"""A name that no font has, so that the renderer's own choice of a generic family shows in its
log."""
DEFAULT = "stampgate default"
"""The same for words that name no family."""
GENERIC: Mapping[str, tuple[str, ...]] = {
    "sans-serif": ("Arial", "Helvetica", "Liberation Sans", "DejaVu Sans", "Noto Sans", "FreeSans"),
    "serif": ("Times New Roman", "Liberation Serif", "DejaVu Serif", "Noto Serif", "FreeSerif"),
    "monospace": ("Courier New", "Liberation Mono", "DejaVu Sans Mono", "Noto Sans Mono"),
    "cursive": ("Comic Sans MS", "Comic Neue", "URW Chancery L", "DejaVu Serif"),
    "fantasy": ("Impact", "Oswald", "DejaVu Sans"),
}
"""Generic families of CSS, and what is taken for each, the first that is installed."""
OPTIONS = {name: f"{name.replace('-', '_')}_family" for name in GENERIC}
NO_GENERIC = dict.fromkeys(OPTIONS.values(), NONE) | {"font_family": DEFAULT}
"""Options of the renderer with which every choice that it would make is said in its log."""
PROBE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">'
    + "".join(
        f'<text font-family="{family}">a</text>'
        for family in dict.fromkeys(family for names in GENERIC.values() for family in names)
    )
    + "</svg>"
)
"""A drawing that names every font of :data:`GENERIC`."""
NO_FONT = re.compile(r"No match for '(.*)' font-family")
NO_LETTER = re.compile(r"No fonts with a (.*) character were found")
WHERE = (
    "put its file (.ttf, .otf) beside the drawing or into ~/.fonts, or convert text to paths in "
    "the drawing program"
)


NOTHING_INSTALLED = (
    f"no font is installed for its words; install one (apt install fonts-dejavu), or {WHERE}"
)


def files_beside(path: Path) -> list[str]:
    """Return the font files in a drawing's own folder, by name."""
    return sorted(str(file) for file in path.parent.iterdir() if file.suffix.lower() in SUFFIXES)


def missing_in(log: str) -> tuple[str, ...]:
    """Return the lists of families of which the renderer has none, each once."""
    return tuple(dict.fromkeys(NO_FONT.findall(log)))


def families_of(listed: str) -> tuple[str, ...]:
    """Split a list of families.

    >>> families_of('"Other One", sans-serif')
    ('Other One', 'sans-serif')
    """
    return tuple(name for part in listed.split(",") if (name := part.strip().strip("\"'")))


def generic_of(listed: str) -> str:
    """Return the first generic family in a list; empty when all are named.

    Words that name no family are in serif letters, as in browsers.
    """
    names = families_of(listed)
    if names == (DEFAULT,):
        return "serif"
    return next((name.lower() for name in names if name.lower() in GENERIC), "")


def installed(log: str) -> dict[str, str]:
    """Return the family to take for each generic one, by what the log of :data:`PROBE` misses."""
    missing = {families_of(listed)[0] for listed in missing_in(log)}
    there = {
        generic: next((name for name in names if name not in missing), "")
        for generic, names in GENERIC.items()
    }
    any_ = there["sans-serif"] or there["serif"]
    return {generic: name or any_ for generic, name in there.items() if name or any_}


def options_of(taken: Mapping[str, str]) -> dict[str, str]:
    """Return the renderer's options for the families taken."""
    options = {OPTIONS[generic]: name for generic, name in taken.items()}
    return options | ({"font_family": taken["serif"]} if "serif" in taken else {})


def missing_words(missing: Sequence[str]) -> str:
    """Say which fonts are missing that a drawing names without a choice; empty for none.

    Asked of the log without generic families: the renderer takes its serif family for any other,
    once it has one.
    """
    listed = [name for one in missing if not generic_of(one) for name in families_of(one)]
    named = list(dict.fromkeys(listed))
    if not named:
        return ""
    if len(named) == 1:
        return f"the font {named[0]} of its words is not installed; {WHERE}"
    return f"the fonts {_listed(named)} of its words are not installed; {WHERE}"


def missing_letters(log: str) -> str:
    """Say which letters no installed font has; empty for none."""
    letters = list(dict.fromkeys(NO_LETTER.findall(log)))
    return f"no installed font has {_listed(letters)}; {WHERE}" if letters else ""


def chosen(missing: Sequence[str], taken: Mapping[str, str]) -> str:
    """Say which fonts were taken where the drawing leaves the choice; empty for none."""
    said = []
    for listed in missing:
        generic = generic_of(listed)
        if generic in taken:
            wanted = "words without a font" if listed.strip('"') == DEFAULT else listed
            said.append(f"{taken[generic]} was taken for {wanted.replace(chr(34), '')}")
    return "; ".join(said)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
