"""The network's card: what a bundle is, how it came about, and how it is made to answer."""

from __future__ import annotations

from typing import Any

from cutis.report.figures import training_curves
from cutis.report.material import Trained
from cutis.report.tables import Table
from cutis.report.words import listed, number, percent
from cutis.runtime.bundle import Bundle

BEGUN_FROM = {"none": "nothing: no pretrained weights", "imagenet": "ImageNet weights"}
RECALIBRATIONS = {
    "identity": "none: as it stands, it could not be bettered beyond chance",
    "temperature": "one temperature more, for all diagnoses",
    "vector": "a scale and a shift of its own for each diagnosis",
    "isotonic": "a rising curve of its own for each diagnosis",
}
RULES = {
    "youden": "the highest sensitivity + specificity − 1 (Youden)",
    "sensitivity>=": "the highest specificity where sensitivity is at least {}",
    "specificity>=": "the highest sensitivity where specificity is at least {}",
    "cost=": "the lowest cost, a missed case weighing as much as {} false alarms",
}


def network_section(trained: Trained) -> dict[str, Any]:
    """Return what a bundle is and how it came about."""
    bundle, history = trained.bundle, trained.history
    chosen = bundle.best_epoch
    if bundle.members > 1 and history:  # what is known of each epoch is the mean of several networks
        chosen = max(history, key=lambda record: record["tune_macro_auc"])["epoch"]
    return {
        "facts": _facts(trained),
        "answering": _answering(bundle),
        "best": next((record for record in history if record["epoch"] == chosen), None),
        "epochs": len(history),
        "curves": training_curves(history, best_epoch=chosen),
        "recipe": {name: value for name, value in trained.recipe.items() if name not in {"kind", "format"}},
        "thresholds": _thresholds(bundle),
        "warnings": bundle.warnings,
    }


def architecture_of(bundle: Bundle) -> str:
    """Return how many networks of which kind these are."""
    heads = f"with {bundle.auxiliary} auxiliary classifiers" if bundle.auxiliary else "without auxiliary classifiers"
    several = f"{bundle.members} networks of " if bundle.members > 1 else ""
    return f"{several}{bundle.architecture} {heads}"


def rule_of(bundle: Bundle) -> str:
    """Return in words by which rule the thresholds were chosen, and on what."""
    rule = bundle.thresholds.rule.replace(" ", "")
    said = next((words for start, words in RULES.items() if rule.lower().startswith(start)), bundle.thresholds.rule)
    asked, _, prevalence = rule.partition("=")[2].partition("@")
    where = f" where the prevalence is {prevalence}" if prevalence else ""
    return f"{said.format(asked)}{where}, chosen on {bundle.thresholds.chosen_on}"


def prepared_by(bundle: Bundle) -> str:
    """Return how a picture is made ready."""
    preparation = bundle.preparation
    return f"{preparation.size} × {preparation.size} pixels ({preparation.resize})"


def _facts(trained: Trained) -> list[tuple[str, str]]:
    bundle = trained.bundle
    counts = bundle.dataset_counts
    chosen_on = f"{counts['tune']:,} tune pictures" if bundle.members == 1 else "its own fold each"
    epochs = f"{', '.join(map(str, bundle.best_epochs))} of {len(trained.history)}, chosen on {chosen_on}"
    return [
        ("architecture", architecture_of(bundle)),
        ("parameters", f"{bundle.parameters:,}"),
        ("begun from", BEGUN_FROM.get(bundle.pretrained, f"pretrained weights, sha256 {bundle.pretrained}")),
        ("sees", prepared_by(bundle)),
        ("learned from", f"{counts['train']:,} pictures"),
        ("epoch", epochs),
        ("weights, sha256", bundle.weights_sha256),
    ]


def _answering(bundle: Bundle) -> list[tuple[str, str]]:
    """Return how the network is made to answer: all of it was fitted on tune or calibrate, none of it on test."""
    on = bundle.thresholds.chosen_on
    return [
        ("answers", _speakers(bundle)),
        ("temperature", f"{bundle.temperature:.3f} of the final classifier, fitted on {on}"),
        ("recalibration", f"{RECALIBRATIONS[bundle.recalibration.kind]}; chosen on {on} by cross-validated log loss"),
        ("operating points", rule_of(bundle)),
        ("malignant or not", _malignant(bundle)),
        ("prediction sets", _sets(bundle)),
        ("acceptance", _acceptance(bundle)),
    ]


def _speakers(bundle: Bundle) -> str:
    many = f"by the calibrated mean of its last {bundle.speaking} classifiers"
    who = many if bundle.speaking > 1 else "by its final classifier"
    return f"{who}, averaged over {bundle.views} views of a picture" if bundle.views > 1 else who


def _malignant(bundle: Bundle) -> str:
    if bundle.thresholds.malignant is None:
        return "no threshold of its own"
    return f"yes from a summed probability of {number(bundle.thresholds.malignant)} on, by the same rule"


def _sets(bundle: Bundle) -> str:
    if not bundle.sets:
        return "none"
    methods = listed([f"{each.method} of {percent(each.level)}" for each in bundle.sets])
    return f"{methods}, fitted on {bundle.dataset_counts['calibrate']:,} calibrate pictures"


def _acceptance(bundle: Bundle) -> str:
    acceptance = bundle.acceptance
    if acceptance is None:
        return "it answers every picture"
    if acceptance.abstain_above is None:
        return acceptance.warning
    return (
        f"{percent(acceptance.share)} of the clinic’s own pictures are to be answered; the rest are the most unusual "
        f"ones, by {acceptance.clusters:,} {acceptance.cluster_kind}s of calibrate"
    )


def _thresholds(bundle: Bundle) -> Table:
    values = zip(bundle.taxonomy.diseases, bundle.thresholds.values, strict=True)
    rows = tuple((disease.name, number(value)) for disease, value in values)
    return Table("Thresholds of one-vs-rest", ("diagnosis", "yes from a probability of"), rows)
