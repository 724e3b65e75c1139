"""The HTML page in a real browser: it fits a phone, and its text is what a reader sees."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from pomprobe.report.html import for_mail

from . import examples
from .conftest import Printed

BROWSER = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
pytestmark = [pytest.mark.slow, pytest.mark.skipif(BROWSER is None, reason="no Chromium here")]

PROBE = """<body><iframe id="page" src="page.html" style="width:{width}px;height:900px;border:0"></iframe><pre id="said"></pre><script>
document.getElementById("page").onload = () => {{
  const page = document.getElementById("page").contentDocument;
  for (const one of page.querySelectorAll("details")) one.open = true;
  const wide = [...page.querySelectorAll("body *")].filter(one => one.getBoundingClientRect().right > {width} + 1);
  document.getElementById("said").textContent = "wide " + wide.length + "\\n" + page.body.innerText;
}};
</script>"""


def seen(page: str, width: int, directory: Path) -> tuple[int, str]:
    """How many elements reach beyond so many columns of pixels, everything opened; and the text that is shown."""
    (directory / "page.html").write_text(page, encoding="utf-8")
    (directory / "probe.html").write_text(PROBE.format(width=width))
    assert BROWSER is not None
    call = [
        BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--allow-file-access-from-files",
        f"--user-data-dir={directory}/profile", "--virtual-time-budget=5000", "--dump-dom", f"file://{directory}/probe.html",
    ]  # fmt: skip
    dom = subprocess.run(call, capture_output=True, text=True, check=True, timeout=100).stdout
    (said,) = re.findall(r'<pre id="said">wide (\d+)\n(.*?)</pre>', dom, re.DOTALL)
    return int(said[0]), html.unescape(said[1])


@pytest.mark.parametrize("case", ["everything", "hostile"])
def test_the_page_fits_a_phone(case: str, printed: Printed, tmp_path: Path) -> None:
    """Nothing reaches beyond 360 pixels, however long the names."""
    wide, said = seen(printed(examples.CASES[case](), "html", verbose=True), 360, tmp_path)
    assert 0 == wide
    assert "ROUTES" in said and "\u202e" not in said


def test_a_mail_s_page_shows_what_happened(tmp_path: Path) -> None:
    """The browser shows the finding, the share, the details and the fix."""
    wide, said = seen(for_mail(examples.one_failure()), 360, tmp_path)
    assert 0 == wide
    for expected in ("2 of 3 requests (67 %) get 503 UF", examples.REFUSED.response_code_details, "Start the app on 10.0.0.2:8080"):
        assert expected in said
