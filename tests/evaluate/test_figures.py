"""Figures are text, small, the same each time, and drawn for any taxonomy."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from cutis.evaluate.evidence import evidence_of
from cutis.evaluate.figures import (
    comparison_figure,
    confusion_figure,
    reliability_figure,
    roc_figure,
    save_figure,
)
from cutis.vocabulary.chance import chance
from cutis.vocabulary.estimate import Estimate
from factories import a_taxonomy, some_predictions

FOURTEEN = tuple("abcdefghijklmn")


def figures_of(predictions):
    evidence = evidence_of(predictions, thresholds=np.full(len(predictions.codes), 0.2), generator=chance(0, "test"))
    taxonomy, confidence = a_taxonomy(predictions.codes), predictions.probabilities.max(axis=1)
    return {
        "confusion": confusion_figure(evidence.confusion, taxonomy, of_what="invented"),
        "roc": roc_figure(predictions, evidence.estimates, taxonomy, of_what="invented"),
        "reliability": reliability_figure(evidence.reliability, confidence, evidence.estimates, of_what="invented"),
    }


def written(folder, predictions):
    texts = {}
    for name, figure in figures_of(predictions).items():
        save_figure(folder / f"{name}.svg", figure)
        texts[name] = (folder / f"{name}.svg").read_text()
    return texts


@pytest.mark.parametrize("codes", [("a", "b"), ("a", "b", "c"), FOURTEEN], ids=len)
def test_a_figure_is_640_pixels_wide_and_holds_text(tmp_path, codes):
    """480 points are 640 pixels; every diagnosis can be read, and searched for, in confusion matrix and ROC."""
    texts = written(tmp_path, some_predictions(cases=40 * len(codes), codes=codes))

    for name, text in texts.items():
        assert ET.fromstring(text).get("width") == "480pt"  # noqa: S314  our own file
        assert "cutis figure, format 1" in text
        assert len(text) < 200_000
        if name != "reliability":
            said = re.findall(r"<text[^>]*>([^<]+)</text>", text)
            assert {code.upper() for code in codes} <= set(said)


def test_a_figure_leads_to_no_address(tmp_path):
    """A page that holds it stays self-contained: no link, no picture, no script from elsewhere."""
    for text in written(tmp_path, some_predictions()).values():
        assert not re.search(r"(href|src)\s*=\s*[\"'](?!#|data:)", text)
        assert "matplotlib.org" not in text
        assert "<script" not in text


def test_the_same_evidence_gives_the_same_bytes(tmp_path):
    """No date, no random id."""
    (tmp_path / "again").mkdir()

    assert written(tmp_path, some_predictions()) == written(tmp_path / "again", some_predictions())


def test_ids_of_two_figures_do_not_meet(tmp_path):
    """What one figure refers to, another one in the same page does not define."""
    texts = written(tmp_path, some_predictions())

    referred = {name: set(re.findall(r"url\(#(\w+)\)|href=\"#(\w+)\"", text)) for name, text in texts.items()}
    assert not referred["roc"] & referred["reliability"]
    assert referred["roc"]


def test_the_confusion_matrix_shows_every_count(tmp_path):
    """Rows are the truth with their size; zeros stay empty."""
    save_figure(
        tmp_path / "confusion.svg",
        confusion_figure(np.array([[41, 7, 0], [0, 52, 0], [0, 0, 0]]), a_taxonomy(), of_what="invented"),
    )

    said = re.findall(r"<text[^>]*>([^<]+)</text>", (tmp_path / "confusion.svg").read_text())

    assert [word for word in said if word.isdigit()] == ["41", "7", "52"]
    assert {"n = 48", "n = 52", "n = 0"} <= set(said)


@pytest.mark.parametrize("kinds", [1, 2])
def test_figures_are_drawn_where_diagnoses_are_absent(tmp_path, kinds):
    """A test of one or two of three diagnoses: no warning, no curve, and the ROC says so."""
    texts = written(tmp_path, some_predictions(cases=40, truth=np.arange(40) % kinds))

    assert "AUC not available" in texts["roc"]


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
    said = re.findall(r"<text[^>]*>([^<]+)</text>", text)
    assert ET.fromstring(text).get("width") == "480pt"  # noqa: S314  our own file
    assert {"Difference to zhu2021", "densenet121", "macro AUC"} <= set(said)
    assert said.count("-0.021 (-0.050 to +0.012)") == said.count("+0.000") == len(names)
    assert text == (tmp_path / "again" / "comparison.svg").read_text()
