"""The chain of sha256 from the dataset to the figures: what each link says it was made from, and what is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from cutis.report.material import Comparison, Dataset, Material, Trained

NOT_THERE = "not there"


class Link(NamedTuple):
    """One result, one thing that it was made from, and whether that is still the one that lies in the workspace."""

    result: str
    made_from: str
    then: str  # sha256 as the result recorded it
    now: str  # sha256 of what is there

    @property
    def holds(self) -> bool:
        """Whether nothing was changed in between."""
        return self.then == self.now != NOT_THERE


class Seal(NamedTuple):
    """A folder of which every byte was checked, and the sha256 of the list that it was checked by."""

    result: str
    sha256: str


def chain_of(material: Material) -> tuple[Link, ...]:
    """Return every link, from the dataset on."""
    there = {"manifest": material.dataset.manifest_sha256} if material.dataset else {}
    links = list(_of_dataset(material.dataset)) if material.dataset else []
    links += [link for trained in material.trained for link in _of_bundle(trained, there)]
    if isinstance(material.comparison, Comparison):
        links += _of_comparison(material.comparison, material.trained, there)
    for name, study in material.readers.items():
        needs = tuple(kind for kind in ("manifest",) if kind in study.content["made_from"])
        links += _links(f"readers {name}", there, study.content["made_from"], needs=needs)
    return tuple(links)


def seals_of(material: Material) -> tuple[Seal, ...]:
    """Return the seals of bundles, evaluations with their figures, explanations and the comparison."""
    seals = []
    for each in material.trained:
        seals.append(Seal(f"bundle {each.name}", each.seal))
        seals += [Seal(f"evaluation of {each.name}", each.evaluated.seal)] if each.evaluated else []
        seals += [Seal(f"evaluation of {each.name} on {other}", on.seal) for other, on in each.elsewhere.items()]
        seals += [Seal(f"explanation of {each.name}", each.explanation.seal)] if each.explanation else []
    seals += [Seal(f"readers {name}", study.seal) for name, study in material.readers.items()]
    return (*seals, *([Seal("comparison", material.comparison.seal)] if material.comparison else []))


def _of_dataset(dataset: Dataset) -> Iterator[Link]:
    there = {"manifest": dataset.manifest_sha256}
    yield from _links("card of the dataset", there, dataset.card["made_from"], needs=("manifest",))
    yield from _links("proof of the splits", there, dataset.splits["made_from"], needs=("manifest",))


def _of_bundle(trained: Trained, dataset: Mapping[str, str]) -> Iterator[Link]:
    name, bundle, explanation = trained.name, trained.bundle, trained.explanation
    there = {**dataset, "weights": bundle.weights_sha256, "bundle": trained.description_sha256}
    there |= trained.evaluated.sums if trained.evaluated else {}
    yield from _links(f"bundle {name}", there, {"manifest": bundle.dataset_sha256}, needs=("manifest",))
    if trained.evaluation:
        said = trained.evaluation.content["made_from"]
        yield from _links(f"evaluation of {name}", there, said, needs=("manifest", "weights", "bundle"))
    for other, evaluation in trained.evaluations_elsewhere.items():
        said = evaluation.content["made_from"]
        yield from _links(f"evaluation of {name} on {other}", there, said, needs=("weights", "bundle"))
    if explanation:
        said = explanation.saliency["made_from"]
        needs = ("manifest", "weights", *({"bundle"} & said.keys()), "predictions", "outputs")  # older ones lack it
        yield from _links(f"saliency of {name}", there, said, needs=needs)
        yield from _links(f"atlas of {name}", there, explanation.atlas["made_from"], needs=needs)
        if explanation.sanity:
            yield from _links(f"sanity of {name}", there, explanation.sanity["made_from"], needs=needs)


def _of_comparison(comparison: Comparison, trained: tuple[Trained, ...], dataset: Mapping[str, str]) -> Iterator[Link]:
    there, needs = dict(dataset), ["manifest"]
    for each in trained:
        there[f"bundle {each.name}"] = each.description_sha256
        if each.evaluated:
            there[f"predictions of {each.name}"] = each.evaluated.sums["predictions"]
    for name in comparison.content["bundles"]:
        needs += [f"bundle {name}", f"predictions of {name}"]
    yield from _links("comparison", there, comparison.content["made_from"], needs=tuple(needs))


def _links(
    result: str, there: Mapping[str, str], recorded: Mapping[str, str], *, needs: tuple[str, ...]
) -> Iterator[Link]:
    for kind in needs:
        yield Link(result, kind, recorded.get(kind, NOT_THERE), there.get(kind, NOT_THERE))
