"""Draw the pictures of docs/wiring.md; ``python docs/drawings/make.py`` writes them here.

Each drawing is one function that fills a :class:`Sheet`, in pixels, x to the right and y down. The
sheet is white whatever the page around it, so that a drawing reads the same on a light and on a
dark page, and on paper.
"""

from collections.abc import Callable
from pathlib import Path
from xml.sax.saxutils import escape

INK, GREY, FILL = "#1f2328", "#57606a", "#f3f4f6"
PLUS_24, ZERO_24, PLUS_3, GROUND = "#b42318", "#1f5fbf", "#9a6700", "#116329"
"""Colours of the wires: +24 V and 0 V of the production line, 3.3 V and ground of the board."""
STYLE = (
    "text{font-family:Helvetica,Arial,'DejaVu Sans',sans-serif;font-size:13px;fill:#1f2328}"
    ".small{font-size:11px}.title{font-size:16px;font-weight:bold}.strong{font-weight:bold}"
)
Point = tuple[float, float]


class Sheet:
    """A white sheet of *width* x *height* pixels that collects SVG elements."""

    def __init__(self, title: str, width: int, height: int) -> None:
        self._title, self._width, self._height = title, width, height
        self._parts: list[str] = []
        self.text(20, 30, title, style="title")

    def svg(self) -> str:
        """Return the whole file."""
        width, height = self._width, self._height
        size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        paper = f'x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8"'
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
                f"<title>{escape(self._title)}</title>",
                f"<style>{STYLE}</style>",
                f'<rect {paper} fill="#fff" stroke="#d0d7de"/>',
                *self._parts,
                "</svg>\n",
            ]
        )

    def text(
        self,
        x: float,
        y: float,
        *lines: str,
        style: str = "",
        anchor: str = "start",
        colour: str = INK,
    ) -> None:
        """Write lines of text, the base line of the first at *y*.

        *style*: small, title, strong or nothing; *anchor*: start, middle or end.
        """
        for number, line in enumerate(lines):
            kind = f' class="{style}"' if style else ""
            place = f'x="{x:g}" y="{y + 16 * number:g}"'
            self._parts.append(
                f'<text {place}{kind} text-anchor="{anchor}" style="fill:{colour}">'
                f"{escape(line)}</text>"
            )

    def wire(
        self,
        *points: Point,
        colour: str = INK,
        width: float = 1.8,
        dashed: bool = False,
        end: str = "",
    ) -> None:
        """Draw a polyline; *end*: ``dot`` for a joint there, ``arrow`` for an arrow head."""
        path = " ".join(f"{x:g},{y:g}" for x, y in points)
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        stroke = f'stroke="{colour}" stroke-width="{width}"{dash}'
        self._parts.append(f'<polyline points="{path}" fill="none" {stroke}/>')
        if end == "dot":
            self.circle(*points[-1], 3, fill=colour, colour=colour)
        elif end == "arrow":
            self._head(points[-2], points[-1], colour)

    def circle(
        self, x: float, y: float, radius: float, fill: str = "none", colour: str = INK
    ) -> None:
        """Draw a circle with its middle at x, y."""
        self._parts.append(
            f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" fill="{fill}" stroke="{colour}"/>'
        )

    def block(
        self, x: float, y: float, width: float, height: float, *lines: str, fill: str = FILL
    ) -> None:
        """Draw a box with lines of text in its middle; x, y: its upper left corner."""
        size = f'x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="4"'
        self._parts.append(f'<rect {size} fill="{fill}" stroke="{INK}"/>')
        self.text(
            x + width / 2, y + height / 2 + 4.5 - 8 * (len(lines) - 1), *lines, anchor="middle"
        )

    def polygon(self, *points: Point, colour: str = INK) -> None:
        """Draw a filled polygon."""
        path = " ".join(f"{x:g},{y:g}" for x, y in points)
        self._parts.append(f'<polygon points="{path}" fill="{colour}"/>')

    def _head(self, before: Point, tip: Point, colour: str) -> None:
        (x0, y0), (x1, y1) = before, tip
        length = max(1e-6, ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5)
        ux, uy = (x1 - x0) / length, (y1 - y0) / length
        back = (x1 - 9 * ux, y1 - 9 * uy)
        sides = [(back[0] - 4 * side * uy, back[1] + 4 * side * ux) for side in (1, -1)]
        self.polygon(tip, *sides, colour=colour)


# Symbols


def resistor(sheet: Sheet, x: float, y: float, label: str, upright: bool = False) -> None:
    """Draw a resistor with its middle at x, y, over the wire that was drawn through it."""
    width, height = (14, 44) if upright else (44, 14)
    sheet.block(x - width / 2, y - height / 2, width, height, fill="#fff")
    if upright:
        sheet.text(x + 13, y + 5, label)
    else:
        sheet.text(x, y - 13, label, anchor="middle")


def diode(sheet: Sheet, x: float, y: float, down: bool = True) -> None:
    """Draw a diode in an upright wire with its middle at x, y; current flows *down*, or up."""
    tip = 9 if down else -9
    sheet.polygon((x - 9, y - tip), (x + 9, y - tip), (x, y + tip))
    sheet.wire((x - 9, y + tip), (x + 9, y + tip), width=2.4)


def opto(sheet: Sheet, x: float, y: float) -> None:
    """Draw an opto-isolator with its upper left corner at x, y.

    Anode at (x, y + 20), cathode at (x, y + 70), collector at (x + 110, y + 20), emitter at
    (x + 110, y + 70).
    """
    sheet.block(x, y, 110, 90)
    sheet.wire((x, y + 20), (x + 30, y + 20), (x + 30, y + 70), (x, y + 70))
    diode(sheet, x + 30, y + 45)
    for shift in (0, 9):
        sheet.wire((x + 44, y + 38 + shift), (x + 62, y + 38 + shift), width=1.2, end="arrow")
    sheet.wire((x + 74, y + 30), (x + 74, y + 60), width=3)
    sheet.wire((x + 74, y + 38), (x + 94, y + 20), (x + 110, y + 20))
    sheet.wire((x + 74, y + 52), (x + 92, y + 68), end="arrow")
    sheet.wire((x + 92, y + 68), (x + 94, y + 70), (x + 110, y + 70))


def coil(sheet: Sheet, x: float, y: float, *label: str) -> None:
    """Draw a solenoid in an upright wire with its middle at x, y; *label* to its left."""
    sheet.block(x - 16, y - 20, 32, 40, fill="#fff")
    sheet.wire((x - 16, y + 20), (x + 16, y - 20), width=1.2)
    sheet.text(x - 24, y - 2, *label, anchor="end")


def plus(sheet: Sheet, x0: float, x1: float, y: float) -> None:
    """Draw the production line's +24 V rail."""
    sheet.wire((x0, y), (x1, y), colour=PLUS_24, width=2.4)
    sheet.text(x0, y - 7, "+24 V", style="strong", colour=PLUS_24)


def zero(sheet: Sheet, x0: float, x1: float, y: float) -> None:
    """Draw the production line's 0 V rail."""
    sheet.wire((x0, y), (x1, y), colour=ZERO_24, width=2.4)
    sheet.text(x0, y + 17, "0 V of the production line", style="strong", colour=ZERO_24)


def isolation(sheet: Sheet, x: float, top: float, bottom: float) -> None:
    """Draw the galvanic isolation, which no wire crosses."""
    sheet.wire((x, top), (x, bottom), colour=GREY, dashed=True)
    sheet.text(x, bottom + 14, "no wire crosses here", style="small", anchor="middle", colour=GREY)


def pin(sheet: Sheet, x: float, y: float, *label: str, colour: str = INK) -> None:
    """Draw a pin of the board's header, its *label* to the right."""
    sheet.circle(x, y, 4, fill="#fff", colour=colour)
    sheet.text(x + 11, y + 5 - 8 * (len(label) - 1), *label)


# Drawings


def draw_line() -> Sheet:
    """Draw the production line from above, with everything that is mounted on it."""
    sheet = Sheet("The production line, seen from above", 900, 420)
    sheet.block(40, 150, 820, 80)
    sheet.wire((60, 254), (160, 254), end="arrow")
    sheet.text(60, 274, "belt runs this way", style="small", colour=GREY)
    for x in (110, 268, 430, 560):
        sheet.block(x, 168, 54, 44, "item", fill="#fff")
    sheet.wire((262, 118), (262, 262), colour=PLUS_24, dashed=True)
    sheet.block(150, 76, 124, 42, "photo-eye", "trigger", fill="#fff")
    sheet.block(207, 262, 110, 26, "its reflector", fill="#fff")
    sheet.wire((256, 158), (336, 158), (336, 222), (256, 222), (256, 158), colour=GREY, dashed=True)
    sheet.block(320, 66, 170, 52, "camera and lamp,", "shielded from daylight", fill="#fff")
    sheet.wire((345, 118), (322, 156), end="arrow")
    sheet.text(350, 142, "what it sees", style="small", colour=GREY)
    _draw_reject_end(sheet)
    for x in (262, 700):
        sheet.wire((x, 338), (x, 358), width=1.2)
    sheet.wire((480, 348), (264, 348), width=1.2, end="arrow")
    sheet.wire((480, 348), (698, 348), width=1.2, end="arrow")
    sheet.text(480, 372, "distance d, along the belt", anchor="middle")
    sheet.text(
        480,
        394,
        "reject_delay_ms = (d + half an item) / speed of the belt - time of the reject device",
        anchor="middle",
    )
    return sheet


def _draw_reject_end(sheet: Sheet) -> None:
    """Draw encoder, reject device and bin of :func:`draw_line`."""
    sheet.block(430, 266, 120, 44, "encoder", "on the belt", fill="#fff")
    sheet.wire((490, 266), (490, 232), dashed=True)
    sheet.block(640, 76, 120, 42, "reject device", "reject", fill="#fff")
    sheet.wire((700, 118), (700, 162), end="arrow")
    sheet.block(640, 272, 120, 44, "bin", "bin_full", fill="#fff")
    sheet.wire((700, 212), (700, 268), end="arrow")
    sheet.wire((640, 250), (772, 250), colour=PLUS_24, dashed=True)
    sheet.block(772, 238, 116, 42, "bin's photo-eye", "confirm", fill="#fff")


def draw_inputs() -> Sheet:
    """Draw photo-eyes of both kinds."""
    sheet = Sheet("Inputs: photo-eye, bin, confirm and reset are all wired like this", 900, 560)
    sheet.text(
        20,
        54,
        "Output conducts: the GPIO is high (3.3 V). Cable broken, or photo-eye without power: low.",
    )
    _draw_input(sheet, 100, "PNP")
    _draw_input(sheet, 345, "NPN")
    return sheet


def _draw_input(sheet: Sheet, y: float, kind: str) -> None:
    """Draw one photo-eye with its opto-isolator; *y*: the +24 V rail."""
    plus(sheet, 40, 400, y)
    zero(sheet, 40, 400, y + 170)
    sheet.block(60, y + 35, 130, 90, "photo-eye", f"{kind} output")
    sheet.wire((85, y + 35), (85, y), colour=PLUS_24, end="dot")
    sheet.wire((85, y + 125), (85, y + 170), colour=ZERO_24, end="dot")
    if kind == "PNP":
        sheet.wire((190, y + 60), (430, y + 60))
        sheet.wire((430, y + 110), (365, y + 110), (365, y + 170), colour=ZERO_24, end="dot")
    else:
        sheet.wire((430, y + 60), (230, y + 60), (230, y), colour=PLUS_24, end="dot")
        sheet.wire((190, y + 110), (430, y + 110))
    for dx, dy, colour in (
        (92, 25, "brown"),
        (92, 150, "blue"),
        (197, 53 if kind == "PNP" else 103, "black"),
    ):
        sheet.text(dx, y + dy, colour, style="small", colour=GREY)
    resistor(sheet, 290, y + 60, "4.7 kΩ, 0.25 W")
    sheet.wire((365, y + 110), (365, y + 60), end="dot")
    sheet.circle(365, y + 110, 3, fill=INK)
    diode(sheet, 365, y + 85, down=False)
    sheet.text(348, y + 90, "1N4148", style="small", anchor="end", colour=GREY)
    opto(sheet, 430, y + 40)
    isolation(sheet, 492, y + 10, y + 170)
    _draw_input_board(sheet, y)


def _draw_input_board(sheet: Sheet, y: float) -> None:
    """Draw the board's side of an input."""
    sheet.wire((540, y + 60), (600, y + 60), (600, y + 20), (760, y + 20), colour=PLUS_3)
    sheet.wire((540, y + 110), (760, y + 110))
    sheet.wire((650, y + 180), (650, y + 110), end="dot")
    resistor(sheet, 650, y + 145, "10 kΩ", upright=True)
    sheet.wire((760, y + 180), (650, y + 180), colour=GROUND, end="dot")
    pin(sheet, 764, y + 20, "3.3 V, pin 1", colour=PLUS_3)
    pin(sheet, 764, y + 110, "GPIO17, pin 11")
    pin(sheet, 764, y + 180, "GND, pin 9", colour=GROUND)


def draw_reject() -> Sheet:
    """Draw the two ways from the GPIO to a 24 V valve."""
    sheet = Sheet("REJECT: from the GPIO to a 24 V valve, in two ways", 900, 640)
    sheet.text(
        20,
        66,
        "A. Solid-state relay for direct current; its input works from 3 V and takes at most 8 mA",
        style="strong",
    )
    _draw_relay_way(sheet, 90)
    sheet.text(20, 356, "B. Opto-isolator and ULN2803A, for several small valves", style="strong")
    _draw_uln_way(sheet, 380)
    return sheet


def _draw_relay_way(sheet: Sheet, y: float) -> None:
    _draw_output_board(sheet, 320, y + 60, "GPIO27, pin 13", "GND, pin 14")
    isolation(sheet, 395, y + 20, y + 160)
    sheet.block(320, y + 40, 150, 90, "solid-state", "relay, DC")
    for x, anchor in ((328, "start"), (462, "end")):
        sheet.text(x, y + 65, "+", style="strong", anchor=anchor)
        sheet.text(x, y + 115, "-", style="strong", anchor=anchor)
    plus(sheet, 540, 860, y + 10)
    resistor(sheet, 640, y + 10, "fuse")
    sheet.wire((470, y + 60), (560, y + 60), (560, y + 110), (790, y + 110))
    sheet.wire((720, y + 110), (720, y + 10), colour=PLUS_24, end="dot")
    sheet.circle(720, y + 110, 3, fill=INK)
    coil(sheet, 720, y + 60, "24 V", "valve")
    sheet.wire((790, y + 110), (790, y + 10), colour=PLUS_24, end="dot")
    diode(sheet, 790, y + 60, down=False)
    sheet.text(806, y + 57, "1N4007", "at the valve", style="small", colour=GREY)
    sheet.wire((470, y + 110), (510, y + 110), (510, y + 180), colour=ZERO_24, end="dot")
    zero(sheet, 480, 860, y + 180)


def _draw_uln_way(sheet: Sheet, y: float) -> None:
    _draw_output_board(sheet, 320, y + 60, "GPIO27, pin 13", "GND, pin 14", series="470 Ω")
    opto(sheet, 320, y + 40)
    isolation(sheet, 382, y + 20, y + 160)
    plus(sheet, 470, 860, y + 10)
    resistor(sheet, 580, y + 10, "fuse")
    sheet.wire((430, y + 60), (490, y + 60), (490, y + 10), colour=PLUS_24, end="dot")
    sheet.wire((430, y + 110), (570, y + 110))
    resistor(sheet, 515, y + 110, "10 kΩ")
    sheet.block(570, y + 50, 110, 110)
    sheet.text(625, y + 68, "ULN2803A", anchor="middle")
    for label, x, dy, anchor in (
        ("IN 1", 576, 114, "start"),
        ("OUT 1", 674, 134, "end"),
        ("COM", 674, 94, "end"),
    ):
        sheet.text(x, y + dy, label, style="small", anchor=anchor)
    sheet.text(600, y + 154, "GND", style="small", anchor="middle")
    sheet.wire((600, y + 160), (600, y + 200), colour=ZERO_24, end="dot")
    zero(sheet, 480, 860, y + 200)
    sheet.wire((680, y + 90), (720, y + 90), (720, y + 10), colour=PLUS_24, end="dot")
    sheet.wire((680, y + 130), (820, y + 130), (820, y + 80))
    sheet.wire((820, y + 80), (820, y + 10), colour=PLUS_24, end="dot")
    coil(sheet, 820, y + 65, "24 V", "valve")


def _draw_output_board(
    sheet: Sheet, x: float, y: float, name: str, ground: str, series: str = ""
) -> None:
    """Draw a GPIO at the height *y*, pulled down, and ground 50 below, both wired to *x*.

    *series*: the resistor in the GPIO's wire; empty for none.
    """
    sheet.wire((64, y), (x, y))
    sheet.wire((64, y + 50), (x, y + 50), colour=GROUND)
    sheet.wire((150, y + 50), (150, y), end="dot")
    sheet.circle(150, y + 50, 3, fill=GROUND, colour=GROUND)
    resistor(sheet, 150, y + 25, "10 kΩ", upright=True)
    if series:
        resistor(sheet, 255, y, series)
    sheet.circle(60, y, 4, fill="#fff")
    sheet.text(30, y - 12, name)
    sheet.circle(60, y + 50, 4, fill="#fff", colour=GROUND)
    sheet.text(30, y + 72, ground, colour=GROUND)


def draw_ready() -> Sheet:
    """Draw READY through a pulse-watching relay and FAULT inverted, both into a PLC."""
    sheet = Sheet("READY and FAULT: the box's signals to the PLC", 900, 500)
    plus(sheet, 340, 860, 70)
    _draw_output_board(sheet, 320, 130, "GPIO22, pin 15", "GND, pin 14", series="470 Ω")
    opto(sheet, 320, 110)
    sheet.wire((430, 130), (450, 130), (450, 70), colour=PLUS_24, end="dot")
    sheet.wire((430, 180), (500, 180), end="arrow")
    sheet.block(500, 130, 130, 100, "relay that", "watches pulses", "(100 ms)", fill="#fff")
    sheet.wire((565, 130), (565, 70), colour=PLUS_24, end="dot")
    sheet.wire((630, 180), (730, 180), end="arrow")
    sheet.text(680, 154, "24 V while", "pulses come", style="small", anchor="middle", colour=GREY)
    _draw_output_board(sheet, 320, 320, "GPIO23, pin 16", "GND, pin 20", series="470 Ω")
    opto(sheet, 320, 300)
    sheet.wire((430, 320), (450, 320), (450, 130), colour=PLUS_24, end="dot")
    sheet.wire((430, 370), (730, 370), end="arrow")
    isolation(sheet, 382, 90, 410)
    sheet.block(730, 100, 140, 310, "")
    sheet.text(800, 124, "PLC", style="strong", anchor="middle")
    sheet.text(740, 185, "in 0: accept")
    sheet.text(740, 204, "0: stop, or reject all", style="small", colour=GREY)
    sheet.text(740, 375, "in 1: no fault")
    sheet.text(740, 394, "0: lamp and horn", style="small", colour=GREY)
    sheet.wire((570, 230), (570, 440), colour=ZERO_24, end="dot")
    sheet.wire((800, 410), (800, 440), colour=ZERO_24, end="dot")
    zero(sheet, 480, 860, 440)
    sheet.text(
        30,
        480,
        'With active_low = ["fault"] its GPIO is high while all is well.',
        style="small",
        colour=GREY,
    )
    return sheet


def wave(
    sheet: Sheet, y: float, *edges: float, x0: float = 160, x1: float = 860, height: float = 24
) -> None:
    """Draw a signal that rests low at *y* and changes its level at each x of *edges*."""
    points, level = [(x0, y)], 0
    for x in edges:
        points += [(x, y - height * level), (x, y - height * (1 - level))]
        level = 1 - level
    sheet.wire(*points, (x1, y - height * level))


def measure(sheet: Sheet, y: float, x0: float, x1: float, label: str) -> None:
    """Draw a dimension from *x0* to *x1*, its *label* above."""
    middle = (x0 + x1) / 2
    sheet.wire((middle, y), (x0, y), width=1.2, end="arrow")
    sheet.wire((middle, y), (x1, y), width=1.2, end="arrow")
    sheet.text(middle, y - 6, label, style="small", anchor="middle")


def draw_timing() -> Sheet:
    """Draw one item from the photo-eye to the reject device, and an answer that is too late."""
    sheet = Sheet("One item: from the photo-eye to the reject device", 900, 540)
    trigger, due = 240, 700
    for x, label in ((trigger, "trigger"), (due, "due")):
        sheet.wire((x, 62), (x, 505), colour=GREY, dashed=True, width=1.2)
        sheet.text(x, 56, label, style="strong", anchor="middle")
    measure(sheet, 84, trigger, due, "reject_delay_ms, or reject_delay_counts of the encoder")
    sheet.text(20, 134, "photo-eye")
    wave(sheet, 140, 210, 350)
    measure(sheet, 160, 210, trigger, "")
    sheet.text(204, 164, "debounce_ms", style="small", anchor="end")
    sheet.text(20, 214, "camera exposes")
    wave(sheet, 220, 180, 200, 230, 250, 280, 300, 330, 350, 380, 400, 430, 450)
    sheet.polygon((280, 196), (300, 196), (300, 220), (280, 220), colour=GROUND)
    sheet.text(
        290,
        240,
        "the first that begins after the trigger is the one judged",
        style="small",
        colour=GREY,
    )
    _draw_answers(sheet, trigger, due)
    return sheet


def _draw_answers(sheet: Sheet, trigger: float, due: float) -> None:
    """Draw the lower part of :func:`draw_timing`: the eye, its answer, and REJECT."""
    end, late = 520, 760
    sheet.text(20, 284, "eye, in time")
    sheet.block(305, 266, end - 305, 26, "finds the mark, decides")
    measure(sheet, 312, trigger, end, "ms in the log")
    measure(sheet, 312, end, due, "spare time")
    sheet.text(20, 348, "REJECT: PASS")
    wave(sheet, 352)
    sheet.text(20, 390, "REJECT: any other")
    wave(sheet, 394, due, due + 60)
    measure(sheet, 412, due, due + 60, "")
    sheet.text(due + 70, 416, "pulse_ms", style="small")
    sheet.text(20, 452, "eye, too late")
    sheet.block(305, 434, late - 305, 26, "finds the mark, decides", fill="#fff")
    sheet.text(late + 8, 452, "PASS, but late", style="small", colour=PLUS_24)
    sheet.text(20, 494, "REJECT: thrown off")
    wave(sheet, 498, due, due + 60)
    sheet.text(
        20,
        526,
        "READY beats all the while: high for ready_ms, low for ready_ms.",
        style="small",
        colour=GREY,
    )


def draw_encoder() -> Sheet:
    """Draw two tracks of an encoder and what is counted."""
    sheet = Sheet("Encoder: what is counted", 900, 250)
    forward, back = (200, 280, 360, 440), (580, 660, 740)
    sheet.text(20, 94, "encoder_a")
    sheet.text(20, 154, "encoder_b")
    a_edges = [x + shift for x in forward for shift in (0, 40)] + [
        x + shift for x in back for shift in (20, 60)
    ]
    b_edges = [x + shift for x in forward for shift in (20, 60)] + [
        x + shift for x in back for shift in (0, 40)
    ]
    wave(sheet, 100, *a_edges, x0=150)
    wave(sheet, 160, *b_edges, x0=150)
    for number, x in enumerate(forward):
        sheet.text(x, 196, f"{number + 1}", style="strong", anchor="middle")
    for number, x in enumerate(back):
        sheet.text(x + 60, 196, f"{3 - number}", style="strong", anchor="middle")
    sheet.text(20, 196, "position")
    sheet.wire((540, 62), (540, 205), colour=GREY, dashed=True)
    sheet.text(330, 62, "belt runs forward", anchor="middle", colour=GREY)
    sheet.text(700, 62, "belt runs back", anchor="middle", colour=GREY)
    sheet.text(
        20,
        228,
        "A rises while B is low: one forward. A falls while B is low: one back. "
        "Without B: each rise of A.",
    )
    return sheet


def draw_jetson() -> Sheet:
    """Draw the transistor that a Jetson developer kit needs between pin and opto-isolator."""
    sheet = Sheet("Jetson developer kit: a transistor before each output's opto-isolator", 900, 340)
    opto(sheet, 520, 90)
    sheet.wire((64, 110), (520, 110), colour=PLUS_3)
    resistor(sheet, 440, 110, "470 Ω")
    sheet.wire((520, 160), (400, 160), (400, 190))
    sheet.block(360, 190, 80, 60, "BSS138", fill="#fff")
    for label, x, y in (("gate", 352, 212), ("drain", 432, 184), ("source", 444, 268)):
        sheet.text(x, y, label, style="small", anchor="end", colour=GREY)
    sheet.wire((64, 220), (360, 220))
    sheet.wire((400, 250), (400, 290), colour=GROUND, end="dot")
    sheet.wire((64, 290), (400, 290), colour=GROUND)
    sheet.wire((200, 290), (200, 220), end="dot")
    sheet.circle(200, 290, 3, fill=GROUND, colour=GROUND)
    resistor(sheet, 200, 255, "100 kΩ", upright=True)
    for y, label, colour in (
        (110, "3.3 V, pin 1", PLUS_3),
        (220, "the output's pin", INK),
        (290, "GND", GROUND),
    ):
        sheet.circle(60, y, 4, fill="#fff", colour=colour)
        sheet.text(30, y - 12, label)
    isolation(sheet, 582, 70, 210)
    sheet.text(650, 114, "collector and emitter:")
    sheet.text(650, 132, "as in the other drawings")
    return sheet


DRAWINGS: dict[str, Callable[[], Sheet]] = {
    "line": draw_line,
    "inputs": draw_inputs,
    "reject": draw_reject,
    "ready": draw_ready,
    "timing": draw_timing,
    "encoder": draw_encoder,
    "jetson": draw_jetson,
}


def main() -> None:
    """Write every drawing."""
    for name, draw in DRAWINGS.items():
        (Path(__file__).parent / f"{name}.svg").write_text(draw().svg(), encoding="utf-8")


if __name__ == "__main__":
    main()
