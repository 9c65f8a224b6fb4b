"""The gallery begins with what matters most."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

from cutis.report.explanation import explanation_section


def test_malignant_called_benign_comes_first_then_the_surest_errors(first):
    """Each with why it is shown; right answers and those that nobody knows the truth of stand apart."""
    saliency = deepcopy(first.explanation.saliency)
    (file, *_) = [case["file"] for case in saliency["cases"]]
    said = [
        ("right", "A", "A", 0.9, "surest right answer for its diagnosis"),
        ("alarm", "A", "C", 0.99, "among the surest wrong answers"),
        ("missed", "C", "A", 0.4, "malignant called benign, among the surest"),
        ("asked", "C", "B", 0.3, "asked for"),
        ("nobody", None, "B", 0.7, "asked for"),
    ]
    saliency["cases"] = [
        {
            "case_id": name,
            "split": "test",
            "why": why,
            "truth": truth,
            "indeterminate": None if truth else "unresolved votes",
            "answer": answer,
            "probability": probability,
            "file": file,
        }
        for name, truth, answer, probability, why in said
    ]

    section = explanation_section(replace(first.explanation, saliency=saliency), first.bundle.taxonomy)

    assert [(look.case["case_id"], look.label) for look in section["worst"]] == [
        ("missed", "Malignant called benign, among the surest"),
        ("asked", "Malignant called benign, asked for"),
        ("alarm", "Among the surest wrong answers"),
    ]
    assert section["worst"][0].of_what == "disease A"  # of a file of an earlier version, which asked for the answer
    assert [(look.case["case_id"], look.truth) for look in section["others"]] == [
        ("right", "disease A"),
        ("nobody", "not settled (unresolved votes)"),
    ]


def test_the_gallery_says_whom_the_maps_are_of_and_whom_it_is_compared_with(first):
    """In words, in the caption and in what is read out instead of the picture; every method that is drawn is told."""
    section = explanation_section(first.explanation, first.bundle.taxonomy)

    names = {disease.code: disease.name for disease in first.bundle.taxonomy.diseases}
    for look in (*section["worst"], *section["others"]):
        asked, other = (names[look.case[key]] for key in ("maps_of", "rather_than"))
        assert look.of_what == f"{asked} rather than {other}"
        assert look.of_what in look.picture.alt
    assert set(section["methods"]) == {"gradient", "final", "fused"}
