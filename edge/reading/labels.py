"""Class names of a characters' model: which character each stands for."""

import re

NAMED = {
    "ampersand": "&",
    "asterisk": "*",
    "at": "@",
    "backslash": "\\",
    "colon": ":",
    "comma": ",",
    "dollar": "$",
    "dot": ".",
    "equals": "=",
    "euro": "€",
    "exclamation": "!",
    "hash": "#",
    "hyphen": "-",
    "left-parenthesis": "(",
    "minus": "-",
    "percent": "%",
    "period": ".",
    "plus": "+",
    "pound": "£",
    "question": "?",
    "quote": '"',
    "right-parenthesis": ")",
    "semicolon": ";",
    "slash": "/",
    "underscore": "_",
}
"""Words for characters that make no good name of a file."""


def character_of(label: str) -> str:
    """Return the character that a class stands for; empty for a class that is none.

    A name of one letter is that character; of others there are the words of :data:`NAMED` and the
    code point, as in ``U+00C5``.

    >>> character_of("A"), character_of("slash"), character_of("U+00C5"), character_of("seal")
    ('A', '/', 'Å', '')
    """
    if len(label) == 1:
        return label
    if match := re.fullmatch(r"U\+([0-9A-Fa-f]{4,6})", label):
        point = int(match[1], 16)
        is_text = point <= 0x10FFFF and chr(point).isprintable() and not chr(point).isspace()
        return chr(point) if is_text else ""
    return NAMED.get(label, "")


def label_of(character: str) -> str:
    """Return a class name for a character that can be the name of a file, too.

    >>> label_of("A"), label_of("."), label_of("Å"), label_of("'")
    ('A', 'dot', 'Å', 'U+0027')
    """
    if character.isalnum():
        return character
    words = (name for name, sign in NAMED.items() if sign == character)
    return next(words, f"U+{ord(character):04X}")
