"""The card says whom a network may be asked, how good it is, and what it learned from."""

import json

from cutis.release.card import card_text, hub_config
from cutis.release.picture import draw
from cutis.vocabulary.estimate import Estimate
from factories import a_bundle

MACRO = Estimate(value=0.9, low=0.85, high=0.94, method="Obuchowski", clusters=30, cluster_kind="patient")
EVALUATION = {"estimates": {"macro_auc": MACRO.to_dict()}, "cases": 60, "clusters": 30, "cluster_kind": "patient"}


def card(**fields):
    return card_text(a_bundle(**fields), offers=["onnxruntime-fp32"], evaluation=EVALUATION)


def head_of(text):
    """Return what the hub reads: each value is JSON, which is YAML too."""
    lines = text.split("---\n")[1].splitlines()
    return {key: json.loads(value) for key, _, value in (line.partition(": ") for line in lines)}


def test_the_card_has_every_figure_with_its_interval():
    """And on how many people it was measured."""
    text = card()

    assert "| macro AUC | 0.900 (95% CI 0.850–0.940) |" in text
    assert "60 pictures of 30 patients" in text
    assert "**For research. Not a medical device.**" in text


def test_the_hub_finds_the_licence_of_the_data():
    """By the name it knows; a licence that it does not know is named as it is."""
    assert head_of(card(licence="CC BY-NC 4.0"))["license"] == "cc-by-nc-4.0"
    assert head_of(card(licence="Our own, v2")) | {"license": "other", "license_name": "our-own,-v2"} == head_of(
        card(licence="Our own, v2")
    )


def test_no_text_of_a_clinic_breaks_out_of_its_place():
    """A source may hold anything; it begins no table, tag, link or head."""
    text = card(source="a | b\n---\n<script>x</script> [y](z)", licence='CC0"\n---\nevil: 1')

    assert "<script>" not in text.replace("\\<", "")
    assert "evil" not in head_of(text)
    assert text.count("\n---\n") == 1


def test_the_hubs_description_names_diagnoses_and_preparation():
    """In the order of the outputs."""
    config = hub_config(a_bundle())

    assert config["id2label"] == {"0": "a", "1": "b", "2": "c"}
    assert config["label2id"]["c"] == 2
    assert config["image_size"] == 16


def test_the_picture_of_the_self_test_is_drawn_the_same_each_time():
    """It is nobody's skin, and carries no metadata."""
    assert draw() == draw()
    assert b"tEXt" not in draw()
    assert b"eXIf" not in draw()
