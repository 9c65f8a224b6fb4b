"""The page is whole, keeps to itself, and never says a number without its doubt."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import Counter
from html.parser import HTMLParser

import pytest

from cutis.report.stage import report
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import read_json, write_sums
from cutis.workspace import Workspace
from factories import a_bundle_folder

VOID = {"meta", "img", "br", "path", "polyline", "circle"}
AN_ESTIMATE = re.compile(r"\d\.\d{3} \((-\d\.\d{3} to -?|\d\.\d{3}–)\d\.\d{3}\)|\d\.\d{3} no interval|not available")


class Page(HTMLParser):
    """A page as its elements; each start has its end."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.texts, self.estimates = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        """Remember the element, and what it is inside of."""
        self.elements.append((tag, dict(attrs)))
        if dict(attrs).get("class") == "estimate":
            self.estimates.append("")
        if tag not in VOID:
            self.open.append((tag, dict(attrs)))

    def handle_startendtag(self, tag, attrs):
        """Remember an element without content."""
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        """Every end closes what was opened last."""
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        """Remember the text, and whether it belongs to an estimate."""
        self.texts.append(data)
        if any(attributes.get("class") == "estimate" for _, attributes in self.open):
            self.estimates[-1] += data

    def of(self, tag):
        """Return the attributes of every element of this name."""
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def workspace(reported_workspace, tmp_path):
    """A copy that a test may spoil."""
    shutil.copytree(reported_workspace.root, tmp_path / "work", symlinks=True)
    return Workspace(tmp_path / "work")


@pytest.fixture
def rivals(compared_workspace, tmp_path):
    """A copy with a comparison that a test may spoil."""
    shutil.copytree(compared_workspace.root, tmp_path / "rivals", symlinks=True)
    return Workspace(tmp_path / "rivals")


def _page(workspace):
    report(workspace)
    return Page(workspace.report.read_text(encoding="utf-8"))


def test_the_page_has_no_address_outside_and_no_script(workspace):
    """Everything is inside: pictures are data, and nothing could be fetched even if it were asked for."""
    page = _page(workspace)

    addresses = [value for _, attrs in page.elements for name, value in attrs.items() if name in {"src", "href"}]
    styles = "".join(text for text in page.texts if "{" in text)
    assert addresses
    assert all(re.match(r"#[\w-]+$|data:image/(svg\+xml|webp);base64,", address) for address in addresses)
    assert "url(" not in styles
    assert "@import" not in styles
    assert not page.of("script")
    assert not page.of("link")
    assert {
        "http-equiv": "Content-Security-Policy",
        "content": "default-src 'none'; img-src data:; style-src 'unsafe-inline'",
    } in page.of("meta")


def test_the_page_says_what_wrote_it(workspace):
    """Generator, format and language stand where programs look for them."""
    page = _page(workspace)

    assert {"name": "cutis-format", "content": "1"} in page.of("meta")
    assert any(meta.get("name") == "generator" and meta["content"].startswith("cutis ") for meta in page.of("meta"))
    assert page.of("html") == [{"lang": "en"}]


def test_whatever_comes_from_data_stays_text(workspace):
    """A script in the name of a source and a picture in the name of a device are shown, not run and not fetched."""
    page = _page(workspace)

    text = "".join(page.texts)
    assert '<script>alert("planted")</script>' in text
    assert '<img src="https://planted.invalid/picture.png">' in text
    assert "planted.invalid" not in str(page.elements)


def test_every_measured_number_carries_its_interval(workspace):
    """Each estimate of the evaluation stands on the page as value and interval, or says why it has none."""
    page = _page(workspace)

    written = read_json(workspace.evaluation("first") / "estimates.json", "estimates")["estimates"]
    assert len(page.estimates) >= len(written)
    assert all(AN_ESTIMATE.search(shown) or "CI" in shown for shown in page.estimates)
    shown = " ".join(page.estimates)
    for name, estimate in written.items():
        assert estimate["value"] is None or f"{estimate['value']:.3f}" in shown, name


def test_the_page_can_be_read_by_machines_that_read_aloud(workspace):
    """Ids are unique, every link inside leads somewhere, pictures have words, headings of tables say what they head."""
    page = _page(workspace)

    ids = Counter(attrs["id"] for _, attrs in page.elements if "id" in attrs)
    assert set(ids.values()) == {1}
    assert {attrs["href"][1:] for attrs in page.of("a")} <= ids.keys()
    assert all(attrs.get("alt") for attrs in page.of("img"))
    assert all(attrs.get("aria-label") for attrs in page.of("svg"))
    assert all(attrs.get("scope") in {"row", "col", "colgroup"} for attrs in page.of("th"))
    assert len(page.of("caption")) == len(page.of("table"))
    assert len(page.of("h1")) == 1
    assert page.open == []


def test_the_page_says_prominently_what_it_is_not(workspace):
    """Invented pictures, no medical device, and what the taxonomy cannot say stand before the first section."""
    report(workspace)

    head = workspace.report.read_text(encoding="utf-8").partition('<main id="content">')[0]
    assert "Invented pictures." in head
    assert "not a medical device" in head
    assert "It cannot say melanoma" in head


def test_the_dataset_adds_up(workspace):
    """Rows, what was rejected and why, and what was kept stand in the flow."""
    text = " ".join(" ".join(_page(workspace).texts).split())

    assert "96 rows in the clinic’s table 1 rejected: not an image 1" in text
    assert "95 pictures kept, of 95 patients" in text
    assert "all raters (Fleiss)" in text


def test_the_chain_holds_until_something_is_changed(workspace):
    """A changed file is named before the first section, in the chain, and to the program that asked."""
    whole = report(workspace)
    path = workspace.evaluation("first") / "estimates.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"made_from": content["made_from"] | {"weights": "0" * 64}}))
    write_sums(path.parent)

    broken = report(workspace)

    head = workspace.report.read_text(encoding="utf-8").partition('<main id="content">')[0]
    assert whole.facts["broken"] == []
    assert whole.facts["links"] == 16
    assert [(link["result"], link["made_from"]) for link in broken.facts["broken"]] == [
        ("evaluation of first", "weights")
    ]
    assert "The chain is broken." in head
    assert any("BROKEN" in line for line in broken.lines)


@pytest.mark.parametrize(
    "file",
    [
        "2_bundles/first/weights.safetensors",
        "3_evaluation/first/estimates.json",
        "3_evaluation/first/figures/roc.svg",
        "4_explanation/first/saliency.json",
    ],
)
def test_a_changed_byte_in_any_result_is_not_reported(workspace, file):
    """What its sums do not vouch for is not put on a page, and the page before stays."""
    report(workspace)
    before = workspace.report.read_bytes()
    path = workspace.root / file
    path.write_bytes(path.read_bytes()[:-1] + b"\1")

    with pytest.raises(UserError, match="changed or is incomplete"):
        report(workspace)

    assert workspace.report.read_bytes() == before


def test_a_comparison_has_its_section_with_table_and_figure(workspace, rivals):
    """Each bundle beside the reference, every difference with its interval, the figure inside, the openings told."""
    without = " ".join(_page(workspace).texts)
    page = _page(rivals)

    text = " ".join(" ".join(page.texts).split())
    said = read_json(rivals.comparison / "comparison.json", "comparison")
    assert "Comparison" not in without
    assert {"id": "comparison", "aria-labelledby": "comparison-title"} in page.of("section")
    assert any(attrs["alt"].startswith("How far macro AUC") for attrs in page.of("img"))
    assert "2 bundles on the same" in text
    assert "the test split had been opened 2 times" in text
    assert all(AN_ESTIMATE.search(shown) or "CI" in shown for shown in page.estimates)
    shown = " ".join(page.estimates)
    for name, each in said["differences"]["second"].items():
        assert f"{each['difference']['value']:.3f}" in shown, name


def test_the_page_of_a_comparison_can_be_read_by_machines_that_read_aloud(rivals):
    """Its ids are unique too, its headings have their scope, and nothing is left open."""
    page = _page(rivals)

    ids = Counter(attrs["id"] for _, attrs in page.elements if "id" in attrs)
    assert set(ids.values()) == {1}
    assert {attrs["href"][1:] for attrs in page.of("a")} <= ids.keys()
    assert len(page.of("caption")) == len(page.of("table"))
    assert page.open == []


def test_the_page_says_who_answers(workspace):
    """How many networks, classifiers and views an answer comes from, in words."""
    path = workspace.bundle("first") / "bundle.json"
    answering = {"members": 3, "best_epochs": [1, 1, 1], "speaking": 4, "views": 8}
    path.write_text(json.dumps(json.loads(path.read_text()) | answering))
    write_sums(path.parent)

    report(workspace)

    text = workspace.report.read_text()
    assert "3 networks of mobilenetv2_035 with 7 auxiliary classifiers" in text
    assert "by the calibrated mean of its last 4 classifiers, averaged over 8 views of a picture" in text


def test_a_comparison_of_what_was_trained_anew_breaks_the_chain(rivals):
    """It names what it was made from, so that the bundle that changed since is found, and no other."""
    whole = report(rivals)
    path = rivals.bundle("second") / "bundle.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"best_epoch": 2, "best_epochs": [2]}))
    write_sums(path.parent)

    broken = report(rivals)

    assert whole.facts["broken"] == []
    assert whole.facts["links"] == 16 + 4 + 5
    assert [(link["result"], link["made_from"]) for link in broken.facts["broken"]] == [
        ("evaluation of second", "bundle"),
        ("comparison", "bundle second"),
    ]


def test_a_bundle_that_was_removed_breaks_the_chain_of_the_comparison(rivals):
    """The figures stay on the page, and the head says that they cannot be traced any more."""
    shutil.rmtree(rivals.root / "2_bundles" / "second")

    broken = report(rivals).facts["broken"]

    assert {(link["made_from"], link["now"]) for link in broken} == {
        ("bundle second", "not there"),
        ("predictions of second", "not there"),
    }


def test_a_changed_byte_in_a_comparison_is_not_reported(rivals):
    """As in every other result."""
    path = rivals.comparison / "comparison.json"
    path.write_bytes(path.read_bytes() + b" ")

    with pytest.raises(UserError, match="comparison was changed or is incomplete"):
        report(rivals)


def test_a_stage_that_has_not_run_is_one_line_with_its_command(workspace):
    """Several bundles are shown in turn, whatever is known of each; the next command is the first that is missing."""
    a_bundle_folder(workspace.bundle("second"), name="second")
    workspace.explanation("first").unlink()

    done = report(workspace)

    text = workspace.report.read_text(encoding="utf-8")
    assert done.next_command == "cutis explain --name first"
    assert done.facts["missing"] == [
        "cutis explain --name first",
        "cutis evaluate second",
        "cutis explain --name second",
    ]
    assert all(f"<code>{command}</code>" in text for command in done.facts["missing"])


def test_a_dataset_alone_makes_a_page(workspace):
    """The first report is possible before the first training."""
    shutil.rmtree(workspace.root / "2_bundles")

    done = report(workspace)

    assert done.next_command == "cutis train"
    assert "<code>cutis train</code>" in workspace.report.read_text(encoding="utf-8")


def test_an_empty_workspace_is_refused(tmp_path):
    """There is nothing to report; the mend is where the road begins."""
    with pytest.raises(UserError, match="nothing to report") as refusal:
        report(Workspace(tmp_path / "work"))

    assert refusal.value.mend == "cutis curate CLINIC_DIR"


def test_a_browser_shows_the_page_and_fetches_nothing(workspace):
    """Chromium draws every picture of the page; its log of network requests names no host."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("needs chromium")
    report(workspace)
    log = workspace.root / "network.json"
    plain = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]

    drawn = subprocess.run(
        [chromium, *plain, f"--log-net-log={log}", "--dump-dom", workspace.report.as_uri()],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )

    assert "</footer>" in drawn.stdout
    assert "planted.invalid" not in log.read_text(encoding="utf-8")
