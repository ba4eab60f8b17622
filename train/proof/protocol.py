"""Sheets to print for the bench: the protocol, a table of items, cards, a contact sheet."""

from pathlib import Path

from edge.errors import InputError
from edge.files import make_folder
from edge.rates.plan import Plan
from train.pages.page import file_uri, render, write_page
from train.pages.pdf import print_pdf
from train.proof.plan import sizes

ITEMS = 93
"""Items on the sheet where nothing is claimed of false rejects: one error in 93 shows 5 %."""
MOST_ITEMS = 300
"""Most items that the sheet has lines and cards for."""
SIZES_MM = (6, 8, 10, 12, 16, 20, 25, 30)
ANGLES = (0, 10, 20, 45, 90, 180)
STRENGTHS = (100, 70, 45, 25)
"""Contact sheet: sides of the printed stamp, degrees it is turned by, per cent of its ink."""
TURNED_MM = 20
MARK_PX = 480


def write_protocol(plan: Plan, out: Path, mark: Path | None) -> list[str]:
    """Write the sheets as one page, and as PDF where a browser is installed; return what to say.

    *mark*: a picture of the stamp for the contact sheet. Raises InputError.
    """
    picture = ""
    if mark is not None and not (picture := file_uri(mark, MARK_PX)):
        raise InputError(f"--mark {mark}: cannot be read as a picture; name the stamp's picture")
    stamped, unstamped = items_of(plan)
    make_folder(out.parent)
    page = render(
        "protocol.html",
        plan=plan,
        stamped=stamped,
        unstamped=unstamped,
        numbers=[f"{number:03d}" for number in range(1, min(stamped, MOST_ITEMS) + 1)],
        mark=picture,
        sizes_mm=SIZES_MM,
        angles=ANGLES,
        strengths=STRENGTHS,
        turned_mm=TURNED_MM,
    )
    write_page(out, page)
    pdf = out.with_suffix(".pdf")
    why = print_pdf(out, pdf)
    said = [f"written: {out}" + ("" if why else f", {pdf}")]
    said += [why] if why else []
    if mark is None:
        said.append("the contact sheet has no stamp: name its picture with --mark")
    return [*said, f"next: print it at 100 %, stamp {stamped} items, and photograph them"]


def items_of(plan: Plan) -> tuple[int, int]:
    """Return how many stamped and unstamped items the plan needs with one error allowed."""
    needed = {claim.kind: sizes(claim, plan.confidence)[1].items for claim in plan.claims}
    return needed.get("fr", ITEMS), needed.get("fa", 0)
