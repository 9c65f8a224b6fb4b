"""The chain of sha256 from the dataset to the figures: what each link says it was made from, and what is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from cutis.report.material import Dataset, Material, Trained

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


def chain_of(material: Material) -> tuple[Link, ...]:
    """Return every link, from the dataset on."""
    there = {"manifest": material.dataset.manifest_sha256} if material.dataset else {}
    links = list(_of_dataset(material.dataset)) if material.dataset else []
    return (*links, *(link for trained in material.trained for link in _of_bundle(trained, there)))


def _of_dataset(dataset: Dataset) -> Iterator[Link]:
    there = {"manifest": dataset.manifest_sha256}
    yield from _links("card of the dataset", there, dataset.card["made_from"], needs=("manifest",))
    yield from _links("proof of the splits", there, dataset.splits["made_from"], needs=("manifest",))


def _of_bundle(trained: Trained, dataset: Mapping[str, str]) -> Iterator[Link]:
    bundle, evaluation, explanation = trained.bundle, trained.evaluation, trained.explanation
    there = {**dataset, "weights": bundle.weights_sha256, **(evaluation.sums if evaluation else {})}
    yield from _links(f"bundle {bundle.name}", there, {"manifest": bundle.dataset_sha256}, needs=("manifest",))
    if evaluation:
        said = evaluation.content["made_from"]
        yield from _links(f"evaluation of {bundle.name}", there, said, needs=("manifest", "weights"))
    if explanation:
        needs = ("manifest", "weights", "predictions", "outputs")
        yield from _links(f"saliency of {bundle.name}", there, explanation.saliency["made_from"], needs=needs)
        yield from _links(f"atlas of {bundle.name}", there, explanation.atlas["made_from"], needs=needs)


def _links(
    result: str, there: Mapping[str, str], recorded: Mapping[str, str], *, needs: tuple[str, ...]
) -> Iterator[Link]:
    for kind in needs:
        yield Link(result, kind, recorded.get(kind, NOT_THERE), there.get(kind, NOT_THERE))
