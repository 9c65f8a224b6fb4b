"""From what the stages left to what each section of the page shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cutis.report.chain import Link, chain_of
from cutis.report.figures import Inline, inline_picture, inline_svg, training_curves
from cutis.report.material import Comparison, Dataset, Evaluation, Material, Trained
from cutis.report.tables import (
    Table,
    differences_table,
    estimates_of,
    methods_of,
    overall_table,
    rivals_table,
    spoken,
    table_by_diagnosis,
)
from cutis.runtime.bundle import Bundle
from cutis.vocabulary.case import SPLITS
from cutis.vocabulary.circumstances import circumstances
from cutis.vocabulary.estimate import Estimate

FIGURES = {
    "confusion": "Confusion matrix: how many pictures of each diagnosis got each answer.",
    "roc": "ROC curve of each diagnosis against the rest, with its operating points.",
    "reliability": "Reliability: how often an answer is right, by its calibrated probability.",
}
HEADLINES = {
    "macro_auc": "macro AUC",
    "argmax/accuracy": "accuracy, arg-max",
    "argmax/balanced_accuracy": "balanced accuracy, arg-max",
}
WORDS = {"patient_id": "patient", "lesion_id": "lesion"}


def head_section(material: Material, links: tuple[Link, ...]) -> dict[str, Any]:
    """Return what stands first: what this is about, how it went, and every warning."""
    dataset, bundles = material.dataset, [trained.bundle for trained in material.trained]
    taxonomies = [dataset.manifest.taxonomy] if dataset else [bundle.taxonomy for bundle in bundles]
    return {
        "name": dataset.card["name"] if dataset else ", ".join(bundle.name for bundle in bundles),
        "invented": any(bundle.invented for bundle in bundles) or bool(dataset and dataset.manifest.invented),
        "cannot_say": list(dict.fromkeys(word for taxonomy in taxonomies for word in taxonomy.cannot_say)),
        "broken": [link for link in links if not link.holds],
        "cluster_kind": (dataset.manifest if dataset else bundles[0]).cluster_kind,
        "headlines": [
            _headline(trained.bundle, trained.evaluation) for trained in material.trained if trained.evaluation
        ],
    }


def dataset_section(dataset: Dataset) -> dict[str, Any]:
    """Return what is known of the dataset."""
    card, splits = dataset.card, dataset.splits
    return {
        "card": card,
        "splits": {name: splits["splits"][name] for name in SPLITS},
        "settled": sum(splits["splits"][name]["images"] for name in SPLITS),
        "taxonomy": dataset.manifest.taxonomy,
        "proof": _proof(splits),
        "plan": splits["plan"],
        "tables": [table for table in (_by_split(dataset), _indeterminate(splits), _agreement(card)) if table.rows],
        "missing": {spoken(WORDS.get(name, name)): share for name, share in card["missing"].items()},
    }


def network_section(trained: Trained) -> dict[str, Any]:
    """Return what a bundle is and how it came about."""
    bundle, history = trained.bundle, trained.history
    chosen = bundle.best_epoch
    if bundle.members > 1 and history:  # what is known of each epoch is the mean of several networks
        chosen = max(history, key=lambda record: record["tune_macro_auc"])["epoch"]
    return {
        "architecture": _architecture(bundle),
        "answering": _answering(bundle),
        "chosen_on": f"{bundle.dataset_counts['tune']:,} tune pictures" if bundle.members == 1 else "its own fold each",
        "best": next((record for record in history if record["epoch"] == chosen), None),
        "epochs": len(history),
        "curves": training_curves(history, best_epoch=chosen),
        "recipe": {name: value for name, value in trained.recipe.items() if name not in {"kind", "format"}},
        "thresholds": list(zip(bundle.taxonomy.diseases, bundle.thresholds.values, strict=True)),
    }


def _architecture(bundle: Bundle) -> str:
    heads = f"with {bundle.auxiliary} auxiliary classifiers" if bundle.auxiliary else "without auxiliary classifiers"
    several = f"{bundle.members} networks of " if bundle.members > 1 else ""
    return f"{several}{bundle.architecture} {heads}"


def _answering(bundle: Bundle) -> str:
    many = f"by the calibrated mean of its last {bundle.speaking} classifiers"
    who = many if bundle.speaking > 1 else "by its final classifier"
    return f"{who}, averaged over {bundle.views} views of a picture" if bundle.views > 1 else who


def evidence_section(trained: Trained) -> dict[str, Any] | None:
    """Return what evaluation found, or None where it has not run."""
    if trained.evaluation is None:
        return None
    content, taxonomy = trained.evaluation.content, trained.bundle.taxonomy
    estimates, beside = (estimates_of(part["estimates"]) for part in (content, content["indeterminate"]))
    how = f"Intervals over {content['clusters']:,} {content['cluster_kind']}s: {methods_of(estimates)}"
    by_diagnosis = f"By diagnosis, cases as pictures of {content['cluster_kind']}s. {how}."
    among = f"The indeterminate beside the settled. Intervals: {methods_of(beside)}."
    return {
        "content": content,
        "tables": [
            overall_table(estimates, taxonomy.codes, caption=f"All diagnoses together. {how}.", by="convention"),
            table_by_diagnosis(estimates, taxonomy, content["support"], caption=by_diagnosis),
        ],
        "beside": overall_table(beside, taxonomy.codes, caption=among, by="among"),
        "figures": [
            inline_svg(trained.evaluation.folder / "figures" / f"{name}.svg", alt=alt) for name, alt in FIGURES.items()
        ],
    }


def explanation_section(trained: Trained) -> dict[str, Any] | None:
    """Return atlas and saliency, or None where explain has not run."""
    if trained.explanation is None:
        return None
    folder, saliency = trained.explanation.folder, trained.explanation.saliency
    names = {disease.code: disease.name for disease in trained.bundle.taxonomy.diseases}
    atlas = "Atlas: the test split laid out by t-SNE, coloured by diagnosis, wrong answers ringed."
    return {
        "atlas": inline_svg(folder / "figures" / "atlas.svg", alt=atlas),
        "settings": trained.explanation.atlas["settings"],
        "methods": saliency["methods"],
        "gallery": [(case, _shown(trained, case, names)) for case in saliency["cases"]],
        "names": names,
    }


def comparison_section(comparison: Comparison) -> dict[str, Any]:
    """Return the bundles in pairs: the reference and how far each of the others lies from it."""
    content, reference = comparison.content, comparison.content["reference"]
    estimates = {name: estimates_of(found) for name, found in content["estimates"].items()}
    differences = {
        name: estimates_of({figure: each["difference"] for figure, each in found.items()})
        for name, found in content["differences"].items()
    }
    (example, *_) = differences.values()
    how = f"Intervals over {content['clusters']:,} {content['cluster_kind']}s: {methods_of(example)}"
    alt = f"How far macro AUC and balanced accuracy of each bundle lie from those of {reference}, with intervals."
    return {
        "content": content,
        "tables": [
            rivals_table(
                estimates, differences, reference=reference, caption=f"Each bundle beside {reference}. {how}."
            ),
            differences_table(
                differences, content["diagnoses"], caption=f"Every difference to {reference}: bundle − {reference}."
            ),
        ],
        "figure": inline_svg(comparison.folder / "figures" / "comparison.svg", alt=alt),
    }


def provenance_section(material: Material, links: tuple[Link, ...]) -> dict[str, Any]:
    """Return the chain and the circumstances of every result."""
    made_with = {"dataset": material.dataset.card["made_with"]} if material.dataset else {}
    for trained in material.trained:
        name = trained.bundle.name
        made_with[f"bundle {name}"] = trained.description["made_with"]
        if trained.evaluation:
            made_with[f"evaluation of {name}"] = trained.evaluation.content["made_with"]
        if trained.explanation:
            made_with[f"explanation of {name}"] = trained.explanation.saliency["made_with"]
    if material.comparison:
        made_with["comparison"] = material.comparison.content["made_with"]
    return {"links": links, "circumstances": _circumstances(made_with | {"this page": circumstances()})}


def all_sections(material: Material) -> dict[str, Any]:
    """Return the whole page's content."""
    links = chain_of(material)
    return {
        "head": head_section(material, links),
        "dataset": dataset_section(material.dataset) if material.dataset else None,
        "bundles": [
            {
                "bundle": trained.bundle,
                "network": network_section(trained),
                "evidence": evidence_section(trained),
                "explanation": explanation_section(trained),
            }
            for trained in material.trained
        ],
        "comparison": comparison_section(material.comparison) if material.comparison else None,
        "provenance": provenance_section(material, links),
    }


def _headline(bundle: Bundle, evaluation: Evaluation) -> tuple[str, list[tuple[str, Estimate]], tuple[str, ...]]:
    """Return a bundle's name, its headline figures by what they are called, and what qualifies them."""
    estimates = estimates_of({name: evaluation.content["estimates"][name] for name in HEADLINES})
    shown = [(label, estimates[name]) for name, label in HEADLINES.items()]
    return bundle.name, shown, Table("", (), (tuple(estimates.values()),)).notes


def _by_split(dataset: Dataset) -> Table:
    splits, kind = dataset.splits["splits"], dataset.splits["cluster_kind"]
    rows = tuple(
        (disease.name, *(_of(splits[name]["diagnoses"][disease.code]) for name in SPLITS))
        for disease in dataset.manifest.taxonomy.diseases
    )
    total = ("all", *(_of(splits[name]) for name in SPLITS))
    return Table(f"Settled pictures of {kind}s, by diagnosis and split", ("diagnosis", *SPLITS), (*rows, total))


def _of(counts: Mapping[str, Any]) -> str:
    return f"{counts['images']:,} of {counts['clusters']:,}"


def _indeterminate(splits: Mapping[str, Any]) -> Table:
    by_split = {name: splits["splits"][name]["indeterminate"] for name in SPLITS}
    reasons = sorted({reason for counts in by_split.values() for reason in counts})
    rows = tuple((reason, *(by_split[name].get(reason, 0) for name in SPLITS)) for reason in reasons)
    return Table("Indeterminate pictures, by reason and split", ("reason", *SPLITS), rows)


def _proof(splits: Mapping[str, Any]) -> Table:
    rows = tuple(
        (spoken(name.replace("_across_splits", "")), count, splits["proof_of_folds"][name])
        for name, count in splits["proof"].items()
    )
    return Table("What two of them have in common", ("what", "between splits", "between folds"), rows)


def _agreement(card: Mapping[str, Any]) -> Table:
    said = card["agreement"]
    fleiss = [("all raters (Fleiss)", said["fleiss"])] if said["fleiss"]["cases"] else []
    pairs = [*fleiss, *((" and ".join(map(spoken, pair["raters"])) + " (Cohen)", pair) for pair in said["cohen"])]
    rows = tuple((name, pair["cases"], Estimate(**pair["kappa"])) for name, pair in pairs)
    caption = f"How far the raters agree beyond chance. 95% intervals by resampling {card['cluster_kind']}s."
    return Table(caption, ("raters", "pictures", "kappa (interval)"), rows)


def _shown(trained: Trained, case: Mapping[str, Any], names: Mapping[str, str]) -> Inline:
    assert trained.explanation is not None
    maps = "its gradient saliency and its class activation map"
    alt = f"Case {case['case_id']}: the picture, {maps} for {names[case['answer']]}"
    return inline_picture(trained.explanation.folder / case["file"], alt=alt)


def _circumstances(made_with: Mapping[str, Mapping[str, Any]]) -> Table:
    rows = tuple(
        (
            name,
            str(said["cutis"]),
            str(said["python"]),
            ", ".join(f"{library} {version}" for library, version in said["libraries"].items()),
            int(said["threads"]),
            f"{said['processor']}, {said['system']}",
        )
        for name, said in made_with.items()
    )
    columns = ("result", "cutis", "Python", "libraries", "threads", "processor and system")
    return Table("Under which circumstances each result was made", columns, rows)
