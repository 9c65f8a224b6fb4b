"""The page in a real browser: nothing is fetched, nothing is wider than what it is read on."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from cutis.report.stage import report

PLAIN = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars"]
A4 = 680  # pixels of CSS between the margins
# Each frame measures itself and tells its parent; the page itself may have no script, so that a copy of it is measured.
MEASURE = """<script>
addEventListener("load", () => {
  const tables = Array.from(document.querySelectorAll(".table"), (each) => each.scrollWidth);
  parent.postMessage([name, document.documentElement.scrollWidth, Math.max(...tables)].join(" "), "*");
});
</script>"""
FRAMES = """<!doctype html><p id="widths"></p>
<script>addEventListener("message", (said) => { widths.textContent += said.data + ";"; });</script>
<iframe name="wide" style="width: 1280px; height: 800px" src="measured.html"></iframe>
<iframe name="telephone" style="width: 390px; height: 800px" src="measured.html"></iframe>
<iframe name="paper" style="width: {A4}px; height: 800px" src="printed.html"></iframe>
"""


@pytest.fixture
def chromium():
    """The browser, where there is one."""
    found = shutil.which("chromium")
    if found is None:
        pytest.skip("needs chromium")
    return found


def test_a_browser_shows_the_page_and_fetches_nothing(chromium, compared_workspace, tmp_path):
    """Chromium draws every section of the page; its log of network requests names no host but the file itself."""
    report(compared_workspace)
    log = tmp_path / "network.json"

    drawn = subprocess.run(
        [chromium, *PLAIN, f"--log-net-log={log}", "--dump-dom", compared_workspace.report.as_uri()],
        capture_output=True,
        text=True,
        check=True,
        timeout=240,
    )

    asked = set(re.findall(r'"url":"(\w+:[^"]*)"', log.read_text(encoding="utf-8")))
    assert "</footer>" in drawn.stdout
    assert "planted.invalid" not in log.read_text(encoding="utf-8")
    assert not [url for url in asked if compared_workspace.root.as_uri() in url and not url.endswith("report.html")]


def test_nothing_is_wider_than_screen_telephone_or_paper(chromium, compared_workspace, tmp_path):
    """The page never scrolls sideways; on a telephone wide tables scroll by themselves, on paper none is cut."""
    report(compared_workspace)
    page = compared_workspace.report.read_text(encoding="utf-8")
    opened = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', MEASURE, page)
    (tmp_path / "measured.html").write_text(opened, encoding="utf-8")
    on_paper = re.sub(r"@media \(max-width: [^)]*\)", "@media not all", opened).replace("@media print", "@media all")
    (tmp_path / "printed.html").write_text(on_paper, encoding="utf-8")
    (tmp_path / "frames.html").write_text(FRAMES.replace("{A4}", str(A4)), encoding="utf-8")

    drawn = subprocess.run(
        [chromium, *PLAIN, "--virtual-time-budget=20000", "--dump-dom", (tmp_path / "frames.html").as_uri()],
        capture_output=True,
        text=True,
        check=True,
        timeout=240,
    )

    said = re.search(r'<p id="widths">([^<]*)', drawn.stdout)
    assert said is not None
    widths = {name: (int(whole), int(table)) for name, whole, table in map(str.split, said[1].strip(";").split(";"))}
    assert widths.keys() == {"wide", "telephone", "paper"}
    assert widths["wide"][0] <= 1280
    assert widths["telephone"][0] <= 390
    assert max(widths["paper"]) <= A4
