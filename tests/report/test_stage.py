"""The page is whole, keeps to itself, and never says a number without its doubt."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter

import pytest

from cutis.report.stage import report
from cutis.report.words import number
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import read_json, sha256_of, write_sums
from cutis.workspace import Workspace
from factories import a_bundle_folder
from report.page import AN_ESTIMATE, Page

CHOSEN = ("auc", "average_precision", "sensitivity", "specificity", "ppv", "npv")  # of each diagnosis
CHOSEN_BY_ARG_MAX = ("sensitivity",)


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


@pytest.fixture(scope="module")
def page(compared_workspace):
    """The page of everything there can be."""
    report(compared_workspace)
    return Page(compared_workspace.report.read_text(encoding="utf-8"))


def _page(workspace):
    report(workspace)
    return Page(workspace.report.read_text(encoding="utf-8"))


def _change(path, **fields):
    """Change a sealed JSON file as an earlier version, or another hand, might have written it."""
    content = json.loads(path.read_text()) | fields
    gone = [name for name, value in fields.items() if value is None]
    path.write_text(json.dumps({name: each for name, each in content.items() if name not in gone}))
    write_sums(path.parent)


def test_the_page_has_no_address_outside_and_no_script(page):
    """Everything is inside: pictures are data, and nothing could be fetched even if it were asked for."""
    addresses = [value for _, attrs in page.elements for name, value in attrs.items() if name in {"src", "href"}]
    styles = "".join(text for text in page.texts if "{" in text)
    assert addresses
    assert all(
        re.match(r"#[\w-]+$|data:image/(svg\+xml|webp);base64,|4_explanation/first/atlas\.html$", address)
        for address in addresses
    )
    assert "url(" not in styles
    assert "@import" not in styles
    assert not page.of("script")
    assert not page.of("link")
    assert {
        "http-equiv": "Content-Security-Policy",
        "content": "default-src 'none'; img-src data:; style-src 'unsafe-inline'",
    } in page.of("meta")


def test_the_page_says_what_wrote_it(page):
    """Generator, format and language stand where programs look for them."""
    assert {"name": "cutis-format", "content": "1"} in page.of("meta")
    assert any(meta.get("name") == "generator" and meta["content"].startswith("cutis ") for meta in page.of("meta"))
    assert page.of("html") == [{"lang": "en"}]


def test_whatever_comes_from_data_stays_text(page):
    """A script in a source, a picture in a device, a tag in a protocol are shown, not run and not fetched."""
    assert '<script>alert("planted")</script>' in page.text
    assert '<img src="https://planted.invalid/picture.png">' in page.text
    assert "Dr. <b>Example</b>" in page.text
    assert "planted.invalid" not in str(page.elements)


def test_every_figure_over_all_diagnoses_stands_on_the_page_and_the_chosen_ones_of_each(page, compared_workspace):
    """Each as value and interval, or with the word that it has none; by diagnosis a choice, the rest in the file."""
    shown = " ".join(page.estimates)

    written = read_json(compared_workspace.evaluation("first") / "estimates.json", "estimates")
    assert all(AN_ESTIMATE.match(" ".join(estimate.split())) for estimate in page.estimates)
    for name, estimate in written["estimates"].items():
        figure = name.split("/")
        of_a_diagnosis, by_arg_max = figure[-1] in written["support"], figure[0] == "argmax"
        is_chosen = figure[-2:][0] in (CHOSEN_BY_ARG_MAX if by_arg_max else CHOSEN)
        if estimate["value"] is not None and (is_chosen or not of_a_diagnosis):
            assert number(estimate["value"]) in shown, name


def test_every_number_of_a_note_leads_to_a_note_that_is_told_once(page):
    """Within the dataset, a bundle or the comparison; no note is told that nothing needs."""
    numbered = [(part, number) for part, number, _ in page.notes]
    said = [(part, note) for part, _, note in page.notes]

    assert set(page.marks) == set(numbered)
    assert max(Counter(numbered).values()) == 1
    assert max(Counter(said).values()) == 1
    assert len(said) > 5


def test_every_section_of_the_evidence_is_there(page):
    """What was asked of the first bundle has its heading, its tables and its words."""
    ids = {attrs["id"] for _, attrs in page.elements if "id" in attrs}

    parts = "network protocol evidence calibration sets abstention decisions subgroups robustness elsewhere explanation"
    assert {f"{part}-1" for part in parts.split()} | {"reviewers", "comparison", "provenance", "flow"} <= ids
    for words in (
        "each answered by the mean of the calibrated probabilities of its pictures",
        "Promised: the set holds the diagnosis in 60% of cases like this",
        "Wanted: 40% of the clinic’s own pictures are answered",
        "malignant called benign, and answered",
        "gaps were examined",
        "Not recorded for any picture, so that nothing can be said: body site, skin tone",
        "each disturbed in 30 ways",
        "saved as JPEG of quality 20",
        "Diagnoses that the network does not know",
        "Assumed: that a disease looks the same there",
    ):
        assert words in page.text, words


def test_the_page_can_be_read_by_machines_that_read_aloud(page):
    """Ids are unique, every link inside leads somewhere, pictures have words, headings of tables say what they head."""
    ids = Counter(attrs["id"] for _, attrs in page.elements if "id" in attrs)
    assert set(ids.values()) == {1}
    assert {attrs["href"][1:] for attrs in page.of("a") if attrs["href"].startswith("#")} <= ids.keys()
    assert all(attrs.get("alt") for attrs in page.of("img"))
    assert all(attrs.get("aria-label") for attrs in page.of("svg"))
    assert all(attrs.get("scope") in {"row", "col", "colgroup", "rowgroup"} for attrs in page.of("th"))
    assert len(page.of("caption")) == len(page.of("table"))
    assert len(page.of("h1")) == 1
    assert page.open == []


def test_the_page_says_prominently_what_it_is_not(compared_workspace, page):
    """Invented pictures, no medical device, and what the taxonomy cannot say stand before the first section."""
    head = compared_workspace.report.read_text(encoding="utf-8").partition('<main id="content">')[0]
    assert "Invented pictures." in head
    assert "not a medical device" in head
    assert "It cannot say melanoma" in head


def test_the_dataset_adds_up(page):
    """Rows, what was rejected and why, and what was kept stand in the flow."""
    assert "120 rows in the clinic’s table 1 rejected not an image 1" in page.text
    assert "119 pictures kept, of 96 patients" in page.text
    assert "all raters (Fleiss)" in page.text


def test_a_protocol_is_printed_with_its_hash_its_verdicts_and_what_was_done_otherwise(compared_workspace, page):
    """Also that it came too late; what is held against another bundle is judged where both are compared."""
    assert sha256_of(compared_workspace.root / "protocol.toml") in page.text
    assert "The protocol did not come first." in page.text
    assert "the test was first opened without a protocol" in page.text
    assert "thresholds by Youden, where the protocol says sensitivity>=0.95" in page.text
    assert "macro specificity, one-vs-rest, against second secondary non-inferiority, margin 0.300" in page.text


def test_where_there_was_no_protocol_the_page_says_what_that_means(workspace):
    """Descriptions, and no hypothesis tested."""
    text = _page(workspace).text

    assert "There was no protocol: none was given." in text
    assert "no hypothesis was tested" in text


def test_the_worst_errors_come_first_in_the_gallery(page):
    """Malignant called benign before all others, wrong before right."""
    text = page.text
    shown = [text.find(words) for words in ("The worst errors", "Where it looks when it is right")]

    assert 0 < shown[0] < (shown[1] if shown[1] > 0 else len(text))
    assert "among the surest" in text.lower()


def test_the_chain_holds_until_something_is_changed(workspace):
    """A changed file is named before the first section, in the chain, and to the program that asked."""
    whole = report(workspace)
    path = workspace.evaluation("first") / "estimates.json"
    _change(path, made_from=json.loads(path.read_text())["made_from"] | {"weights": "0" * 64})

    broken = report(workspace)

    head = workspace.report.read_text(encoding="utf-8").partition('<main id="content">')[0]
    assert whole.facts["broken"] == []
    assert whole.facts["links"] == 18
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
        "3_evaluation/first/subgroups.json",
        "3_evaluation/first/figures/roc.svg",
        "3_evaluation/first@coast/estimates.json",
        "4_explanation/first/saliency.json",
    ],
)
def test_a_changed_byte_in_any_result_is_not_reported(workspace, file):
    """What its sums do not vouch for is not put on a page, and the page before stays."""
    workspace.report.write_text("the page before")
    path = workspace.root / file
    path.write_bytes(path.read_bytes()[:-1] + b"\1")

    with pytest.raises(UserError, match="changed or is incomplete"):
        report(workspace)

    assert workspace.report.read_text() == "the page before"


def test_an_evaluation_of_an_earlier_format_is_named_with_the_command_that_mends_it(workspace):
    """Its figures are not shown, the rest of the page is; explanation and chain are none the worse for it."""
    home, there = (workspace.evaluation("first"), workspace.evaluation("first").with_name("first@coast"))
    for folder in (home, there):
        content = json.loads((folder / "estimates.json").read_text())
        old = {name: content[name] for name in ("kind", "made_from", "made_with", "estimates", "confusion")}
        (folder / "estimates.json").write_text(json.dumps(old | {"format": 1}))
        write_sums(folder)

    done = report(workspace)

    text = Page(workspace.report.read_text(encoding="utf-8")).text
    commands = ["cutis evaluate first --again", "cutis evaluate first --on coast --again"]
    assert done.facts["outdated"] == commands
    assert done.facts["broken"] == []
    assert done.next_command == commands[0]
    assert all(f"Made by an earlier version: {command}" in text for command in commands)
    assert "By diagnosis" not in text
    assert "The worst errors" in text


def test_a_comparison_of_an_earlier_version_is_named_with_the_command_that_mends_it(rivals):
    """It has the same format, and lacks the tests."""
    _change(rivals.comparison / "comparison.json", tests=None, protocol=None)

    done = report(rivals)

    assert done.facts["outdated"] == ["cutis evaluate first second"]
    assert "How far they lie apart" not in rivals.report.read_text(encoding="utf-8")


def test_an_evaluation_elsewhere_belongs_to_its_bundle_and_is_named_where_that_is_gone(rivals):
    """Its folder is no bundle's name; without a bundle it is told, not shown."""
    with_it = report(rivals)
    shutil.rmtree(rivals.root / "2_bundles" / "first")

    without = report(rivals)

    assert with_it.facts["bundles"] == ["first", "second"]
    assert without.facts["bundles"] == ["second"]
    assert "<code>first@coast</code> is of a bundle that is not here any more" in rivals.report.read_text()


def test_a_comparison_has_its_section_with_tests_table_and_figure(compared_workspace, page):
    """Each bundle beside the reference, every difference with its interval, the tests, the openings told."""
    said = read_json(compared_workspace.comparison / "comparison.json", "comparison")
    shown = " ".join(page.estimates)
    assert {"id": "comparison", "aria-labelledby": "comparison-title"} in page.of("section")
    assert any(attrs["alt"].startswith("How far macro AUC") for attrs in page.of("img"))
    assert "2 bundles on the same" in page.text
    assert "the test split had been opened twice" in page.text
    assert "p by Holm, over the diagnoses" in page.text
    assert "McNemar" in page.text
    for name, each in said["differences"]["second"].items():
        value = each["difference"]["value"]
        assert value is None or number(value, is_signed=True) in shown, name


def test_the_page_says_who_answers(workspace):
    """How many networks, classifiers and views an answer comes from, in words."""
    answering = {"members": 3, "best_epochs": [1, 1, 1], "speaking": 4, "views": 8}
    _change(workspace.bundle("first") / "bundle.json", **answering)

    text = _page(workspace).text

    assert "3 networks of mobilenetv2_035 with 7 auxiliary classifiers" in text
    assert "by the calibrated mean of its last 4 classifiers, averaged over 8 views of a picture" in text


def test_a_comparison_of_what_was_trained_anew_breaks_the_chain(rivals):
    """It names what it was made from, so that the bundle that changed since is found, and no other."""
    whole = report(rivals)
    _change(rivals.bundle("second") / "bundle.json", best_epoch=2, best_epochs=[2])

    broken = report(rivals)

    assert whole.facts["broken"] == []
    assert whole.facts["links"] == 18 + 4 + 5
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


def test_a_figure_that_is_not_there_is_not_missed(workspace):
    """An evaluation draws what it has; whatever lies in its folder is shown, with words for it."""
    figures = workspace.evaluation("first") / "figures"
    for path in figures.iterdir():
        if path.stem not in {"confusion", "roc"}:
            path.unlink()
    write_sums(workspace.evaluation("first"))

    shown = [attrs["alt"] for attrs in _page(workspace).of("img") if attrs["alt"].startswith("Figure of first, ")]

    assert len([alt for alt in shown if "pictures of" not in alt]) >= 2
    assert any("answers are right. Most often wrong: " in alt for alt in shown)


def test_a_dataset_alone_makes_a_page(workspace):
    """The first report is possible before the first training."""
    shutil.rmtree(workspace.root / "2_bundles")
    shutil.rmtree(workspace.root / "3_evaluation")

    done = report(workspace)

    assert done.next_command == "cutis train"
    assert "<code>cutis train</code>" in workspace.report.read_text(encoding="utf-8")


def test_an_empty_workspace_is_refused(tmp_path):
    """There is nothing to report; the mend is where the road begins."""
    with pytest.raises(UserError, match="nothing to report") as refusal:
        report(Workspace(tmp_path / "work"))

    assert refusal.value.mend == "cutis curate CLINIC_DIR"
