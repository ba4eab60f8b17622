"""Print a page to PDF by headless Chromium, where one is installed."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from edge.files import atomic_replace

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE_S = 120
"""For how long a browser may print; it takes seconds."""
MISSING = "no PDF: needs Chromium (apt install chromium), or print the page in any browser"


def browser() -> str | None:
    """Return the program of a Chromium that is installed, None when there is none."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def print_pdf(page: Path, out: Path) -> str:
    """Print the HTML file *page* as *out*; return why there is none, empty when there is one.

    Nothing is fetched: a page of ours needs no other file. Raises InputError when *out* cannot be
    written.
    """
    program = browser()
    if program is None:
        return MISSING
    with tempfile.TemporaryDirectory(prefix="stampgate-pdf-") as folder:
        printed = Path(folder) / "page.pdf"
        command = [program, "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"]
        command += [f"--user-data-dir={folder}/profile", f"--print-to-pdf={printed}"]
        try:
            done = subprocess.run(  # noqa: S603 - a browser, on a page that we wrote
                [*command, page.absolute().as_uri()],
                capture_output=True,
                check=False,
                timeout=PATIENCE_S,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"no PDF: {program} failed ({type(error).__name__}); print the page in a browser"
        if done.returncode or not printed.is_file():
            return f"no PDF: {program} ended with {done.returncode}; print the page in a browser"
        with atomic_replace(out) as temporary:
            shutil.copyfile(printed, temporary)
    return ""
