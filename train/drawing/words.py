"""Words on marks and packaging: of inspection and trade, made-up firms, numbers, dates and lots."""

import functools

import numpy as np

from train.drawing.random_choice import pick

# fmt: off
WORDS = (
    "OK", "PASS", "PASSED", "ECO", "BIO", "FRESH", "NEW", "SALE", "QA",
    "CHECKED", "APPROVED", "SAFE", "VEGAN", "LIGHT", "ORIGINAL", "PREMIUM", "BEST", "QUALITY",
    "CLASSIC", "NATURAL", "FAIR", "LOCAL", "EXTRA", "FREE", "HOLD", "VOID", "REJECT", "SAMPLE",
    "COPY", "PAID", "LOT", "CLEAN", "PURE", "GOLD", "No.1", "100%", "Organic", "Fresh",
    "Daily", "Natural", "milk", "juice", "cheese", "bread", "Farm", "Quality", "since", "1924",
)
INSPECTION = (
    "TESTED", "PASSED", "QC PASS", "APPROVED", "INSPECTED", "CHECKED", "VERIFIED", "ACCEPTED", "OK",
    "RELEASED", "CALIBRATED", "CERTIFIED", "SEALED", "QUALITY", "CONTROL", "FINAL", "LEAK TEST",
    "SAFE", "PACKED", "WEIGHED", "REJECTED", "HOLD", "REWORK", "SAMPLE", "VOID", "PENDING",
    "STERILE", "FRAGILE", "GRADE A", "FIRST CLASS",
)
ROUND = (
    "QUALITY CONTROL", "INSPECTED BY", "MADE WITH CARE", "FINAL INSPECTION", "FACTORY TESTED",
    "LINE FOUR", "100% NATURAL", "SINCE 1924", "HAND MADE", "FRESHLY BAKED", "PREMIUM CHOICE",
    "CERTIFIED ORGANIC", "BATCH TESTED", "NO ADDED SUGAR", "FAMILY FARM", "SERVICE PARTNER",
    "SECURITY SEAL", "EXPORT GOODS", "PRODUCT OF NORWAY", "RECYCLED PAPER", "AWARD WINNER",
    "STATE LABORATORY", "TWO YEARS GUARANTEE", "SAFETY FIRST", "PLANT 7", "DO NOT REMOVE",
    "ENERGY CLASS", "PACKED AT SOURCE", "COLD CHAIN", "ORIGINAL RECIPE",
)
_LETTERS = "ABCDEFGHIJKLMNOPRSTUVWXYZabdeghkmnprstu0123456789"
_MONOGRAM = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that is easily taken for another
_HEADS = (
    "v", "k", "m", "s", "n", "br", "al", "or", "tr", "el", "b", "d", "f", "st", "l", "z", "p", "gr",
    "h", "c",
)
_HEARTS = ("a", "o", "e", "i", "u", "ea", "io", "au")
_TAILS = (
    "ra", "lo", "ntis", "x", "vik", "ta", "mo", "nd", "rix", "co", "ly", "sen", "pol", "dex", "ma",
    "nova", "tt",
)
_SYLLABLES = (
    "va", "lo", "ri", "na", "ke", "mo", "sun", "fri", "tel", "ba", "nu", "ta", "li", "gra",
    "do", "pe", "sa", "vi", "ko", "lum", "ar", "en", "jo", "fa", "mi", "ze", "ro", "ul",
)
# fmt: on


def some_word(rng: np.random.Generator) -> str:
    """Return a common word of packaging, or a few random letters."""
    if rng.random() < 0.6:
        return pick(WORDS, rng)
    return "".join(_LETTERS[i] for i in rng.integers(0, len(_LETTERS), int(rng.integers(1, 8))))


@functools.lru_cache(maxsize=1)
def _lexicon() -> tuple[str, ...]:
    """Return common words, made-up names and amounts: one fixed list, so that tiles are reused."""
    rng = np.random.default_rng(1)
    made = ("".join(rng.choice(_SYLLABLES, int(rng.integers(2, 4)))) for _ in range(220))
    cased = ((w, w.capitalize(), w.upper())[int(rng.integers(3))] for w in made)
    amounts = (f"{rng.integers(1, 99) * 10} {unit}" for unit in ("g", "ml", "kcal", "kg") * 6)
    return (*WORDS, *cased, *amounts)


def package_word(rng: np.random.Generator) -> str:
    """Return a word that may stand on a package: common, a made-up name, or an amount."""
    return pick(_lexicon(), rng)


def firm(rng: np.random.Generator) -> str:
    """Return the name of a firm that does not exist."""
    name = pick(_HEADS, rng) + pick(_HEARTS, rng) + pick(_TAILS, rng)
    return pick((name.upper(), name.capitalize(), name), rng)


def short(rng: np.random.Generator) -> str:
    """Return a word that fits across a seal."""
    kind = rng.random()
    return pick(INSPECTION, rng) if kind < 0.5 else some_word(rng) if kind < 0.8 else firm(rng)


def phrase(rng: np.random.Generator) -> str:
    """Return words that run round a seal, in capitals."""
    if rng.random() < 0.8:
        return pick(ROUND, rng)
    return f"{firm(rng)} {pick(INSPECTION, rng)}".upper()


def monogram(rng: np.random.Generator) -> str:
    """Return one to three letters or digits."""
    return "".join(rng.choice(list(_MONOGRAM), pick((1, 1, 2, 2, 3), rng)).tolist())


def figure(rng: np.random.Generator) -> str:
    """Return a date, a lot, a time, an inspector's or a part's number."""
    n = rng.integers(0, 10, 8).tolist()
    day, month, year = int(rng.integers(1, 29)), int(rng.integers(1, 13)), int(rng.integers(19, 32))
    figures = (
        f"{day:02}.{month:02}.{year}",
        f"20{year}-{month:02}-{day:02}",
        f"LOT {n[0]}{n[1]}{n[2]}{n[3]}",
        f"L{n[0]}{n[1]}{n[2]} {n[3]}{n[4]}:{n[5] % 6}{n[6]}",
        f"EXP {month:02}/{year}",
        f"No {n[0]}{n[1]}{n[2]}",
        f"INSP {n[0]}{n[1]}",
        f"{n[0]}{n[1]}{n[2]}-{n[3]}{n[4]}{n[5]}-{n[6]}",
    )
    return pick(figures, rng)
