"""Contact sheet as an HTML page, on which a person marks the pictures that are to be dropped."""

import base64
import html
import io
import shlex
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from urllib.parse import urlsplit

from PIL import Image

from edge.files import write_atomic
from edge.vision.picture_files import open_picture
from train.crawl.collection import Collection
from train.crawl.manifest import FOLDER, Entry

NAME = "sheet.html"
THUMBNAIL = 180
"""Longest side in pixels; the stamp, a face or a watermark can just be seen."""
LINKED = ("http", "https", "file")

PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<style>
body {{ margin: 1rem 1rem 6rem; font: 15px/1.4 sans-serif; background: #f4f4f2; color: #222; }}
h1 {{ font-size: 1.4rem; margin: 0; }}
h2 {{ font-size: 1.1rem; margin: 1.5rem 0 .5rem; }}
.pictures {{
  display: grid; gap: 10px;
  grid-template-columns: repeat(auto-fill, minmax(200px, 1fr));
}}
figure {{ margin: 0; padding: 8px; background: white; border: 2px solid #ddd; border-radius: 4px; }}
figure label {{ display: block; cursor: pointer; }}
figure img {{
  display: block; margin: 6px auto; height: {side}px; max-width: 100%; object-fit: contain;
}}
figure:has(input:checked) {{ border-color: #b3261e; background: #fbe9e7; }}
figure:has(input:checked) img {{ opacity: .35; }}
figcaption {{ font-size: 12px; color: #555; overflow-wrap: anywhere; }}
b {{ font-size: 17px; }}
footer {{
  position: fixed; left: 0; right: 0; bottom: 0; padding: .7rem 1rem;
  background: #222; color: white;
}}
footer code {{
  display: block; margin-top: .3rem; max-height: 6rem; overflow: auto; user-select: all;
  color: #ffd54f;
}}
</style>
</head>
<body>
<h1>{title}</h1>
<p>Tick each picture that must go: those that bear the stamp itself, drawings, adverts, whatever is
not your kind of product. Then run the command that appears below. A number stays with its picture
for good.</p>
{groups}
<footer><span id="count">0 of {total} marked.</span>
<button id="copy" type="button" hidden>Copy the command</button>
<code id="command"></code></footer>
<script>
const begin = {command}, total = {total};
const command = document.getElementById("command"), copy = document.getElementById("copy");
function marked() {{
  const ticked = [...document.querySelectorAll("input:checked")];
  return ticked.map(box => Number(box.value)).sort((a, b) => a - b);
}}
function ranges(numbers) {{
  const spans = [];
  for (const n of numbers) {{
    const last = spans[spans.length - 1];
    if (last && last[1] === n - 1) last[1] = n; else spans.push([n, n]);
  }}
  const written = ([a, b]) => a === b ? `${{a}}` : b === a + 1 ? `${{a}} ${{b}}` : `${{a}}-${{b}}`;
  return spans.map(written).join(" ");
}}
function show() {{
  const numbers = marked();
  document.getElementById("count").textContent = `${{numbers.length}} of ${{total}} marked.`;
  command.textContent = numbers.length ? begin + ranges(numbers) : "";
  copy.hidden = !numbers.length;
}}
document.addEventListener("change", show);
copy.addEventListener("click", () => {{
  const range = document.createRange();
  range.selectNodeContents(command);
  getSelection().removeAllRanges();
  getSelection().addRange(range);
  document.execCommand("copy");
}});
show();
</script>
</body>
</html>
"""

GROUP = """\
<h2>{name} ({count})</h2>
<div class="pictures">
{figures}
</div>"""

FIGURE = """\
<figure><label><input type="checkbox" value="{number}"> <b>{number}</b>
<img alt="picture {number}" src="data:image/jpeg;base64,{thumbnail}"></label>
<figcaption>{width} x {height}, {engine}, {source}</figcaption></figure>"""

LOST = """\
<figure><label><input type="checkbox" value="{number}"> <b>{number}</b></label>
<figcaption>cannot be shown: {file} is damaged</figcaption></figure>"""


def write_crawl_sheet(collection: Collection) -> Path:
    """Write the contact sheet of the pictures kept: one page that needs no other file.

    Returns its path. Raises InputError.
    """
    kept = collection.kept
    page = PAGE.format(
        title=html.escape(f"{collection.folder.absolute().name}: {len(kept)} pictures"),
        side=THUMBNAIL,
        total=len(kept),
        groups="\n".join(_groups(kept, collection)),
        command=_in_script(f"stampgate crawl --out {shlex.quote(str(collection.folder))} --drop "),
    )
    path = collection.folder / NAME
    write_atomic(path, page.encode("utf-8", "replace"))
    return path


def _groups(kept: Sequence[Entry], collection: Collection) -> Iterable[str]:
    """Yield the pictures of one keyword or product together, in order of their numbers."""
    for name, entries in groupby(
        sorted(kept, key=lambda e: (e.keyword, e.number)), key=lambda e: e.keyword
    ):
        figures = [_figure(entry, collection) for entry in entries]
        yield GROUP.format(name=html.escape(name), count=len(figures), figures="\n".join(figures))


def _figure(entry: Entry, collection: Collection) -> str:
    try:
        thumbnail = _thumbnail(collection.path(entry))
    except (OSError, ValueError, SyntaxError):  # somebody has worked on the file
        return LOST.format(number=entry.number, file=html.escape(entry.file))
    return FIGURE.format(
        number=entry.number,
        thumbnail=thumbnail,
        width=entry.width,
        height=entry.height,
        engine=html.escape(entry.engine),
        source=_link(entry),
    )


def _thumbnail(path: Path) -> str:
    with open_picture(path) as opened:
        opened.draft("RGB", (2 * THUMBNAIL, 2 * THUMBNAIL))
        small = opened.convert("RGB")
    small.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=75)
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def _link(entry: Entry) -> str:
    """Return the picture's address, as a link only for the schemes that are safe to follow.

    An engine's page may hold anything.
    """
    parts = urlsplit(entry.url)
    shown = html.escape(Path(parts.path).name if entry.engine == FOLDER else parts.netloc)
    if parts.scheme not in LINKED:
        return shown
    return f'<a href="{html.escape(entry.url)}" rel="noreferrer">{shown}</a>'


def _in_script(text: str) -> str:
    """Return *text* as a JavaScript string that cannot end the script element around it."""
    safe = (c if c.isalnum() or c in " -_./'" else f"\\u{{{ord(c):x}}}" for c in text)
    return f'"{"".join(safe)}"'
