"""Figures are text, small, the same each time, legible without colour, and drawn for any taxonomy."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from html import unescape
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from matplotlib.text import Text

from cutis.evaluate.abstention import abstention_of
from cutis.evaluate.calibration import calibration_of
from cutis.evaluate.confusion import confusion_figure
from cutis.evaluate.decisions import decisions_of
from cutis.evaluate.drawings import figures_of
from cutis.evaluate.evidence import evidence_of
from cutis.evaluate.figures import number, save_figure, spoken
from cutis.evaluate.findings import Measured
from cutis.evaluate.forests import comparison_figure
from cutis.evaluate.lines import robustness_figure
from cutis.evaluate.robustness import Disturbed, Robustness
from cutis.evaluate.subgroups import subgroups_of
from cutis.imaging.disturbances import DISTURBANCES
from cutis.runtime.predict import Answers
from cutis.runtime.trust import Acceptance, Signals
from cutis.vocabulary.chance import chance
from cutis.vocabulary.estimate import Estimate
from factories import a_case, a_manifest, a_taxonomy, some_predictions

FOURTEEN = tuple("abcdefghijklmn")
BY_DIAGNOSIS = {"confusion", "roc", "precision_recall", "forest", "reliability_by_diagnosis"}
EVERY = BY_DIAGNOSIS | {"reliability", "risk_coverage", "decision_curve", "subgroups", "robustness"}
ROUNDS = 10
OF_WHAT = "b4 on invented pictures."


def measured(predictions):
    """Everything that is measured of these predictions, by few rounds; four patients are of a site of their own."""
    generator, size = chance(0, "test"), len(predictions)
    taxonomy = a_taxonomy(predictions.codes)
    malignant = np.array(taxonomy.malignant)
    shared = {"malignant": malignant, "generator": generator}
    unusual = 1 - predictions.probabilities.max(axis=1)
    answers = Answers(
        predictions.probabilities, (), Signals(unusual, unusual**2, -unusual), unusual, unusual > 0.6, ((),) * size
    )
    acceptance = Acceptance(share=0.95, abstain_above=0.6, tails=(), clusters=200, cluster_kind="patient")
    cases = [
        replace(
            a_case(case, sex=("female", "male")[case // 2 % 2], site="sole" if case < 8 else "back"),
            case_id=predictions.case_ids[case],
        )
        for case in range(size)
    ]
    thresholds = np.full(len(taxonomy), 0.2)
    return Measured(
        evidence=evidence_of(predictions, thresholds=thresholds, malignant_threshold=0.2, **shared),
        calibration=calibration_of(predictions, rounds=ROUNDS, **shared),
        sets=(),
        abstention=abstention_of(predictions, answers, acceptance, rounds=ROUNDS, **shared),
        decisions=decisions_of(predictions, threshold=0.2, prevalences=(0.01, 0.2), rounds=ROUNDS, **shared),
        by_lesion=None,
        subgroups=subgroups_of(
            predictions, a_manifest(cases, taxonomy=taxonomy), generator=chance(0, "test"), rounds=ROUNDS
        ),
    )


def an_estimate(value, width=0.03, **fields):
    ends = {"low": None, "high": None} if value is None else {"low": value - width, "high": value + width}
    return Estimate(**{"value": value, **ends, "method": "invented", "clusters": 9, "cluster_kind": "patient"} | fields)


def disturbed_by(disturbance):
    left = 0.9 - 0.1 * disturbance.strength
    names = ("macro_auc", "argmax/balanced_accuracy", "overconfidence")
    return Disturbed(
        disturbance=disturbance,
        estimates={name: an_estimate(left) for name in names},
        differences={name: an_estimate(left - 0.9) for name in names},
        changed=an_estimate(0.1),
    )


def robustness_to(*disturbances):
    names = ("macro_auc", "argmax/balanced_accuracy", "overconfidence")
    return Robustness(
        cases=40,
        clusters=20,
        of_cases=60,
        of_clusters=30,
        cluster_kind="patient",
        undisturbed={name: an_estimate(0.9) for name in names},
        disturbed=tuple(map(disturbed_by, disturbances)),
    )


def drawn(predictions, found=None):
    """Every figure that there can be."""
    taxonomy = a_taxonomy(predictions.codes)
    found = found or measured(predictions)
    figures = figures_of(predictions, found, taxonomy, of_what=OF_WHAT, generator=chance(0, "test"), rounds=ROUNDS)
    return figures | {"robustness": robustness_figure(robustness_to(*DISTURBANCES), of_what=OF_WHAT)}


def written(folder, figures):
    folder.mkdir(exist_ok=True)
    for name, figure in figures.items():
        save_figure(folder / f"{name}.svg", figure)
    return {name: (folder / f"{name}.svg").read_text() for name in figures}


def said_in(text):
    return [unescape(said) for said in re.findall(r"<text[^>]*>([^<]+)</text>", text)]


def texts_of(figure):
    """Every text that is drawn: of the ticks, those within the view."""
    beyond = {
        label
        for panel in figure.axes
        for axis in (panel.xaxis, panel.yaxis)
        for tick in axis.get_major_ticks()
        for label in (tick.label1, tick.label2)
        if not min(axis.get_view_interval()) <= tick.get_loc() <= max(axis.get_view_interval())
    }
    texts = figure.findobj(lambda part: isinstance(part, Text) and part.get_visible() and part.get_text().strip())
    return [text for text in texts if text not in beyond]


@cache
def example(codes):
    """What was measured of such a test, its figures, and what stands in their files."""
    predictions = some_predictions(cases=240, codes=codes)
    found = measured(predictions)
    figures = drawn(predictions, found)
    with TemporaryDirectory() as folder:
        return predictions, found, figures, written(Path(folder), figures)


@pytest.fixture(scope="module", params=[("a", "b"), ("a", "b", "c"), FOURTEEN], ids=len)
def of_each_size(request):
    """Tests with few and with many diagnoses: these, the figures as drawn, and as written."""
    return request.param, *example(request.param)[2:]


@pytest.fixture(scope="module")
def of_three():
    """A test of three diagnoses: predictions, what was measured, the figures as drawn, and as written."""
    return example(("a", "b", "c"))


def test_a_figure_is_640_pixels_wide_and_holds_text(of_each_size):
    """480 points are 640 pixels; what is drawn and every diagnosis can be read, and searched for."""
    codes, _, texts = of_each_size

    assert texts.keys() == EVERY
    for name, text in texts.items():
        assert ET.fromstring(text).get("width") == "480pt"  # noqa: S314  our own file
        assert "cutis figure, format 1" in text
        assert len(text) < 200_000
        assert OF_WHAT in text
        words = set(" ".join(said_in(text)).split())
        if name in BY_DIAGNOSIS:
            assert {code.upper() for code in codes} <= words


def test_no_text_lies_outside_or_on_another(of_each_size):
    """As far as the width of letters here tells; a page has the same font, or a narrower one."""
    _, figures, _ = of_each_size

    for name, figure in figures.items():
        figure.draw_without_rendering()
        page = figure.bbox.padded(1)
        boxes = [(text.get_text(), text.get_window_extent().padded(-1)) for text in texts_of(figure)]
        for said, box in boxes:
            assert page.x0 <= box.x0, (name, said)
            assert box.x1 <= page.x1, (name, said)
            assert page.y0 <= box.y0 <= box.y1 <= page.y1, (name, said)
        for (one, box), (other, second) in combinations(boxes, 2):
            assert not box.overlaps(second), (name, one, other)


def test_a_figure_leads_to_no_address(of_each_size):
    """A page that holds it stays self-contained: no link, no picture, no script from elsewhere."""
    for text in of_each_size[2].values():
        assert not re.search(r"(href|src)\s*=\s*[\"'](?!#|data:)", text)
        assert "matplotlib.org" not in text
        assert "<script" not in text


def test_the_same_evidence_gives_the_same_bytes(of_three, tmp_path):
    """No date, no random id, no chance but that which is handed in."""
    predictions, found, _, texts = of_three

    assert written(tmp_path, drawn(predictions, found)) == texts


def test_ids_of_two_figures_do_not_meet(of_three):
    """What one figure refers to, another one in the same page does not define."""
    *_, texts = of_three

    referred = {name: set(re.findall(r"url\(#(\w+)\)|href=\"#(\w+)\"", text)) for name, text in texts.items()}
    assert all(referred[name] for name in referred if name != "confusion")
    for one, other in combinations(referred.values(), 2):
        assert not one & other


def test_lines_are_told_apart_without_colour(of_three):
    """By dashes or markers: printed in grey, each line of a legend is still another."""
    *_, figures, texts = of_three

    for name, lines in {"risk_coverage": 4, "decision_curve": 3, "robustness": 3}.items():
        assert len(figures[name].axes[0].get_legend_handles_labels()[1]) == lines
        dashes = set(re.findall(r"stroke-dasharray: ([\d., ]+)", texts[name]))
        assert len(dashes) >= lines - 1  # and one is whole


def test_what_was_not_measured_has_no_figure(of_three):
    """No abstention, no decisions and no group: nothing empty is drawn."""
    predictions, found, *_ = of_three
    less = found._replace(abstention=None, decisions=None, subgroups=replace(found.subgroups, groups=()))

    figures = drawn(predictions, less)

    assert EVERY - figures.keys() == {"risk_coverage", "decision_curve", "subgroups"}


@pytest.mark.parametrize("kinds", [1, 2])
def test_figures_are_drawn_where_diagnoses_are_absent(tmp_path, kinds):
    """A test of one or two of three diagnoses: no warning, no curve, and the figures say so."""
    figures = drawn(some_predictions(cases=60, truth=np.arange(60) // 2 % kinds))

    texts = written(tmp_path, figures)

    assert EVERY - figures.keys() == {"decision_curve"}
    for name in ("roc", "precision_recall", "forest"):
        assert "not available" in texts[name]
    assert not any(re.search(r"\bnan\b", said) for text in texts.values() for said in said_in(text))


def test_the_confusion_matrix_shows_every_count_and_its_share_of_the_row(tmp_path):
    """Rows are the truth with their size; zeros stay empty, and what is rarer than a hundredth is not none."""
    counts = np.array([[41, 7, 0], [0, 5210, 11], [0, 0, 0]])
    texts = written(tmp_path, {"confusion": confusion_figure(counts, a_taxonomy(), of_what=OF_WHAT)})

    said = said_in(texts["confusion"])

    assert [word for word in said if word.replace(",", "").isdigit()] == ["41", "7", "5,210", "11"]
    assert [word for word in said if word.endswith("%")] == ["85%", "15%", "100%", "<1%"]
    assert {"n = 48", "n = 5,221", "n = 0"} <= set(said)
    assert "Right in 5,251 of 5,269 pictures; most often wrong: B called C (11 of 5,221)" in said


def test_a_long_name_keeps_its_abbreviation(tmp_path):
    """However the clinic calls its diagnoses, the figures stay 640 pixels wide and their rows apart."""
    taxonomy = a_taxonomy()
    named = [replace(disease, name="papulosquamous disorder of another kind " * 4) for disease in taxonomy.diseases]
    figure = confusion_figure(
        np.eye(3, dtype=int), replace(taxonomy, diseases=tuple(named)), of_what="a long name " * 30
    )

    figure.draw_without_rendering()

    rows = [text for text in texts_of(figure) if text.get_text().startswith("papulo")]
    assert [row.get_text().split("\n")[-1] for row in rows] == ["A", "B", "C"]
    assert not any(one.get_window_extent().overlaps(other.get_window_extent()) for one, other in combinations(rows, 2))
    assert max(text.get_window_extent().x1 for text in texts_of(figure)) <= figure.bbox.x1


def test_the_curves_have_bands_and_their_caption_says_how_they_were_made(of_three):
    """A band for each diagnosis; it is not drawn where nine patients or fewer carry it."""
    predictions, _, figures, texts = of_three
    truth = np.where(np.arange(240) < 9, 2, predictions.truth % 2)
    rare = replace(predictions, cluster_ids=predictions.case_ids, truth=truth)

    few = drawn(rare)

    for name in ("roc", "precision_recall"):
        assert [len(axes.collections) for axes in figures[name].axes] == [1, 1, 1]
        assert [len(axes.collections) for axes in few[name].axes] == [1, 1, 0]
        assert "patients drawn anew" in " ".join(said_in(texts[name]))
    assert "none where fewer than 10 patients" in " ".join(few["roc"].get_supxlabel().split())


def test_a_figure_that_cannot_be_relied_on_is_hollow(of_three):
    """In the forest a note empties the point; one beyond the scale is an arrow, and every interval is written out."""
    predictions, found, *_ = of_three
    noted = an_estimate(0.4, note="only 4 patients with a: too few to rely on the interval")
    estimates = found.evidence.estimates | {"auc/a": noted}
    changed = found._replace(evidence=found.evidence._replace(estimates=estimates))

    (panel, *_) = drawn(predictions, changed)["forest"].axes

    points = [line for line in panel.lines if line.get_marker() in "o<"]
    hollow = [line for line in points if line.get_markerfacecolor() == "white"]
    assert len(points) == 5
    assert [line.get_marker() for line in hollow] == ["<"]
    assert {spoken(noted), spoken(estimates["auc/b"])} <= {text.get_text() for text in panel.texts}


def test_the_forest_shows_malignant_diagnoses_in_bold_with_their_number(of_three):
    """So do confusion matrix and panels."""
    predictions, _, figures, _ = of_three

    for name in ("forest", "confusion", "roc"):
        named = {text.get_text(): text.get_weight() for text in texts_of(figures[name])}
        bold = {said[-1] for said, weight in named.items() if said[-1] in "ABC" and weight == "bold"}
        assert bold == ({"C"} if name != "forest" else {"C"} | ({"AUC"[-1]} & bold))
    said = {text.get_text() for text in texts_of(figures["forest"])}
    assert f"{(predictions.truth == 2).sum()} pictures of" in " ".join(said)


def test_a_group_that_does_not_speak_is_named_with_its_number_and_has_no_point(of_three):
    """Four patients on the sole; where their others are, each group has a gap."""
    _, found, figures, _ = of_three

    said = [text.get_text() for text in texts_of(figures["subgroups"])]

    assert "sole · 4 patients" in said
    assert said.count("too few to speak") == 2
    assert said.count("the others are too few") == 2  # of those on the back
    speaking = [group for group in found.subgroups.groups if group.group in {"female", "male"}]
    assert len(speaking) == 2
    for group in speaking:
        assert f"{group.group} · {group.clusters} patients" in said
        assert spoken(group.gaps["macro_auc"], signed=True) in said
    for panel in figures["subgroups"].axes:
        assert len([line for line in panel.lines if line.get_marker() == "o"]) == 3


def test_a_gap_that_leaves_0_out_is_bold_and_the_worst_is_the_title(of_three):
    """One of which the interval holds 0 is neither."""
    predictions, found, *_ = of_three
    women, men = (group for group in found.subgroups.groups if group.attribute == "sex")
    gaps = women.gaps | {"macro_auc": an_estimate(-0.2), "argmax/balanced_accuracy": an_estimate(-0.3, width=0.4)}
    apart = replace(found.subgroups, groups=(replace(women, gaps=gaps), replace(men, gaps=gaps)))

    figure = drawn(predictions, found._replace(subgroups=apart))["subgroups"]

    weights = {text.get_text(): text.get_weight() for text in texts_of(figure)}
    assert weights["−0.20 (−0.23 to −0.17)"] == "bold"
    assert weights["−0.30 (−0.70 to +0.10)"] == "normal"
    assert figure.get_suptitle() == "Furthest below the others: sex female, macro AUC −0.20 (−0.23 to −0.17)"


def test_each_prevalence_has_a_decision_curve(of_three):
    """The test's own and the stated ones; the finding says where the network is worth something."""
    _, found, figures, texts = of_three

    said = " ".join(said_in(texts["decision_curve"]))

    assert f"prevalence {100 * found.decisions.own:.3g}%, as in this test" in said
    assert "prevalence 1%" in said
    assert "prevalence 20%" in said
    found = figures["decision_curve"].get_suptitle().replace("\n", " ")
    assert re.match(r"In this test's mix, (mostly )?worth more than calling .* at thresholds of 0\.", found)


def test_the_risk_falls_to_the_figures_that_were_measured(of_three):
    """The combined signal has a band, the others a line each; the rule in use is marked."""
    _, found, figures, _ = of_three

    (panel,) = figures["risk_coverage"].axes

    assert len(panel.collections) == 1
    lines = dict(zip(*reversed(panel.get_legend_handles_labels()), strict=True))
    np.testing.assert_allclose(
        lines["uncertainty"].get_ydata(), [each.value for each in found.abstention.risk["uncertainty"]]
    )
    (mark,) = [line for line in panel.lines if line.get_marker() == "D"]
    assert mark.get_xdata()[0] == found.abstention.estimates["answered"].value


def test_robustness_has_a_panel_for_each_kind_from_the_undisturbed_on():
    """Four strengths each; the worst of all is the title."""
    figure = robustness_figure(robustness_to(*DISTURBANCES[:6]), of_what=OF_WHAT)

    panels = [panel for panel in figure.axes if panel.lines]

    assert [panel.get_title(loc="left") for panel in panels] == [DISTURBANCES[0].kind.name, DISTURBANCES[3].kind.name]
    for panel in panels:
        assert [len(line.get_xdata()) for line in panel.get_legend_handles_labels()[0]] == [4, 4, 4]
    worst = " ".join(figure.get_suptitle().split())
    assert worst == f"Largest loss of balanced accuracy: −0.30 (−0.33 to −0.27), {DISTURBANCES[2]}"


def test_numbers_have_a_minus_that_is_one_and_no_sign_of_nothing():
    """A gap shows its side even where it is rounded to 0, so that a bold one explains itself."""
    assert number(-0.201) == "−0.20"
    assert number(-0.001) == "0.00"
    assert number(-0.001, signed=True) == "−0.00"
    assert number(0.1234, digits=3, signed=True) == "+0.123"
    assert spoken(an_estimate(None)) == "not available"
    assert spoken(an_estimate(0.9, low=None)) == "0.90"
    assert spoken(an_estimate(0.9)) == "0.90 (0.87–0.93)"


def test_a_name_with_dollars_is_no_formula(tmp_path):
    """A bundle is called as it is called."""
    figure = confusion_figure(np.eye(3, dtype=int), a_taxonomy(), of_what="a $x^2$ network")

    assert "a $x^2$ network" in said_in(written(tmp_path, {"confusion": figure})["confusion"])


def _difference(value, low, high):
    return Estimate(value=value, low=low, high=high, method="invented", clusters=9, cluster_kind="patient")


@pytest.mark.parametrize("names", [("densenet121",), ("densenet121", "vgg16", "plain-b4", "a" * 200)], ids=len)
def test_the_comparison_says_every_difference_with_its_interval(tmp_path, names):
    """A line per rival, 640 pixels wide whatever they are called; one without interval or value is shown as such."""
    shown = {"macro_auc": "macro AUC", "argmax/balanced_accuracy": "balanced accuracy, arg-max"}
    ends = [_difference(-0.0214, -0.05, 0.0123), _difference(0.0, None, None)]
    differences = {name: dict(zip(shown, ends, strict=True)) for name in names}

    for folder in ("once", "again"):
        (tmp_path / folder).mkdir()
        figure = comparison_figure(differences, shown, reference="zhu2021", of_what="invented")
        save_figure(tmp_path / folder / "comparison.svg", figure)

    text = (tmp_path / "once" / "comparison.svg").read_text()
    said = said_in(text)
    assert ET.fromstring(text).get("width") == "480pt"  # noqa: S314  our own file
    assert {"Difference to zhu2021", "densenet121", "macro AUC"} <= set(said)
    assert said.count("-0.021 (-0.050 to +0.012)") == said.count("+0.000") == len(names)
    assert text == (tmp_path / "again" / "comparison.svg").read_text()
