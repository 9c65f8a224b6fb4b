"""From what is wished for to the protocol, its pictures and its aid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from cutis.readers.aid import aid_of, write_aid, write_maps
from cutis.readers.cases import Cases, cases_at_home, cases_elsewhere
from cutis.readers.draw import Drawn, draw_cases, labellers_of
from cutis.readers.pictures import frame_of, random_names, write_pictures
from cutis.readers.places import crossed_places, shared_places
from cutis.readers.protocol import Endpoint, PlannedCase, Protocol, Slot
from cutis.readers.study import Study, require_known
from cutis.runtime.bundle import Bundle, read_bundle
from cutis.runtime.elsewhere import independence_of
from cutis.vocabulary.case import Case, unchanged_picture
from cutis.vocabulary.chance import seed_of
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import write_json
from cutis.vocabulary.overlap import Independence
from cutis.workspace import Workspace

FEW_CASES, MANY_READERS = 50, 50  # beyond them Hillis' degrees of freedom, which count readers alone, err too often


class Material(NamedTuple):
    """What a study is drawn from."""

    cases: Cases
    bundle: Bundle
    independence: Independence | None = (
        None  # of the cases from what the bundle learned, where they come from elsewhere
    )


class Plan(NamedTuple):
    """What was drawn."""

    study: Study
    diagnoses: tuple[str, ...]
    drawn: Drawn
    slots: tuple[Slot, ...]
    repeated: frozenset[str]

    @property
    def cases(self) -> tuple[Case, ...]:
        """All that are shown."""
        return (*self.drawn.measured, *self.drawn.practice)


def read_material(workspace: Workspace, study: Study, *, on: Path | None = None) -> Material:
    """Read the dataset and the bundle that is asked about it.

    Args:
        workspace: holds the bundle, and the dataset, if it is not another one.
        study: what is wished for.
        on: another workspace, or its dataset, from which the cases are drawn.

    Raises:
        UserError: one of them is missing or damaged, or they know other diagnoses.
        SafetyRefusal: the bundle learned from some of another dataset's pictures.
    """
    bundle = read_bundle(workspace.bundle(study.network or workspace.only_bundle()).resolve())
    if on is None:
        cases = cases_at_home(workspace)
        _require_same(bundle, cases)
        return Material(cases, bundle)
    cases, splits = cases_elsewhere(bundle, on), (study.split, study.practice_split)
    if len(cases.codes) < 2:  # noqa: PLR2004  one diagnosis alone is no question
        what = f"{bundle.name!r} and the dataset share one diagnosis alone, {cases.codes[0]}, and that is no question"
        raise UserError(what, where=cases.where, mend="draw from a dataset with two or more that the network knows")
    used = cases.manifest.where(lambda case: case.indeterminate is None and case.split in splits)
    return Material(cases, bundle, independence_of(workspace, bundle, used, where=cases.where))


def drawn_plan(material: Material, study: Study) -> Plan:
    """Draw cases, places and repeats.

    Raises:
        UserError: see `draw_cases`, `shared_places` and `require_known`; more repeats than cases at a place.
    """
    where = str(material.cases.folder / "manifest.parquet")
    diagnoses = require_known(study, material.cases.codes, where=where)
    drawn = draw_cases(material.cases.manifest, study, diagnoses=diagnoses, where=where)
    by_case = {case.case_id: str(case.diagnosis) for case in drawn.measured}
    if study.reads_per_case:
        labelled_by = {case.case_id: labellers_of(case) for case in drawn.measured}
        slots = shared_places(
            by_case,
            readers=study.readers,
            reads_per_case=study.reads_per_case,
            raters=study.raters,
            labelled_by=labelled_by,
            seed=study.seed,
        )
    else:
        slots = crossed_places(study.readers, raters=study.raters)
    return Plan(study, diagnoses, drawn, slots, _repeated(slots, tuple(by_case), study))


def write_booth(folder: Path, material: Material, plan: Plan, *, engine: Any) -> Protocol:
    """Write pictures, feedback for practice and aid into an empty folder, and return the protocol that goes with them.

    Args:
        folder: of the booth.
        material: what the study was drawn from.
        plan: what was drawn.
        engine: runs the bundle's network; asked for only where an arm is aided.

    Raises:
        UserError: a picture is missing or was changed.
    """
    sources = {case.case_id: unchanged_picture(material.cases.folder, case) for case in plan.cases}
    frame = plan.study.frame or frame_of(list(sources.values()))
    names = dict(zip(sources, random_names(len(sources)), strict=True))
    (folder / "pictures").mkdir()
    length = write_pictures(folder / "pictures", {names[case]: sources[case] for case in sources}, frame=frame)
    made_from = {"manifest": material.cases.sha256, "weights": material.bundle.weights_sha256}
    feedback = {case.case_id: case.diagnosis for case in plan.drawn.practice}
    write_json(folder / "feedback.json", "feedback", {"cases": feedback}, made_from=made_from)
    if plan.study.design != "unaided":
        _write_aid(folder, material, plan, sources, frame=frame, engine=engine, made_from=made_from)
    return protocol_of(material, plan, names=names, frame=frame, length=length)


def protocol_of(
    material: Material, plan: Plan, *, names: Mapping[str, str], frame: tuple[int, int], length: int
) -> Protocol:
    """Return the protocol. Its cases stand in the order of their random names, so that their place tells nothing."""
    study, bundle, taxonomy = plan.study, material.bundle, material.cases.manifest.taxonomy
    practice = {case.case_id for case in plan.drawn.practice}
    cases = [
        PlannedCase(
            case_id=case.case_id,
            picture=names[case.case_id],
            practice=case.case_id in practice,
            repeated=case.case_id in plan.repeated,
            beside={what: value for what in study.shown if (value := getattr(case, what)) is not None},
        )
        for case in plan.cases
    ]
    diseases = [taxonomy[code] for code in plan.diagnoses]
    aided = study.design != "unaided"
    return Protocol(
        title=study.title,
        seed=study.seed,
        diagnoses=plan.diagnoses,
        names={disease.code: disease.name for disease in diseases},
        aliases={disease.code: (disease.abbreviation, *disease.aliases) for disease in diseases},
        none_of_these=study.none_of_these,
        shown=study.shown,
        design=study.design,
        washout_days=study.washout_days if study.design == "crossover" else 0,
        aid=study.aid if aided else (),
        asks=study.asks,
        languages=study.languages,
        cases=tuple(sorted(cases, key=lambda case: case.picture)),
        slots=plan.slots,
        labellers=tuple(sorted({rater for case in plan.drawn.measured for rater in labellers_of(case)})),
        reads_per_case=study.reads_per_case or None,
        endpoint=Endpoint(measure=study.measure, hypothesis=study.hypothesis, margin=study.margin, level=study.level),
        network=bundle.name,
        network_sha256=bundle.weights_sha256,
        network_sees=_seen_by(bundle, study),
        dataset_sha256=material.cases.sha256,
        taxonomy_sha256=taxonomy.sha256,
        frame=frame,
        bytes_per_picture=length,
    )


def how_drawn(plan: Plan, material: Material) -> dict[str, Any]:
    """Return what no reader may know: where the cases come from, how many each diagnosis has, and out of how many."""
    counts = dict.fromkeys(plan.diagnoses, 0) | Counter(str(case.diagnosis) for case in plan.drawn.measured)
    return {
        "study": plan.study.model_dump(mode="json"),
        "cases_by_diagnosis": counts,
        "available_by_diagnosis": plan.drawn.available,
        "warnings": list(warnings_of(plan)),
        **_elsewhere(material),
    }


def warnings_of(plan: Plan) -> tuple[str, ...]:
    """Return what must be known before anybody is invited."""
    counts = Counter(str(case.diagnosis) for case in plan.drawn.measured)
    few = [f"{code} ({counts[code]})" for code in plan.diagnoses if counts[code] < FEW_CASES]
    found = []
    if few and plan.study.readers >= MANY_READERS:
        found.append(
            f"{plan.study.readers} readers and few cases of {', '.join(few)}: there the cases decide what can be "
            "shown, however many read them, and a sensitivity is tested as few cases ask for; show more, invite fewer"
        )
    if plan.study.shown:
        found.append(f"readers see {', '.join(plan.study.shown)}; the network is given the picture alone")
    return tuple(found)


def _elsewhere(material: Material) -> dict[str, Any]:
    """Return where another dataset lies, which of its diagnoses are meant, and whether the bundle learned from none."""
    other, independence = material.cases.other, material.independence
    if other is None or independence is None:
        return {}
    return {
        "on": str(Path(other.where).absolute()),
        "called": other.called,
        "common": other.common,
        "independence": asdict(independence),
    }


def _require_same(bundle: Bundle, cases: Cases) -> None:
    taxonomy = cases.manifest.taxonomy
    if bundle.taxonomy.sha256 != taxonomy.sha256:
        ours, theirs = ", ".join(bundle.taxonomy.codes), ", ".join(taxonomy.codes)
        what = f"bundle {bundle.name!r} knows {ours}; the dataset has {theirs}"
        raise UserError(what, where=cases.where, mend="name a bundle that learned from this dataset")


def _write_aid(
    folder: Path,
    material: Material,
    plan: Plan,
    sources: Mapping[str, Path],
    *,
    frame: tuple[int, int],
    engine: Any,
    made_from: dict[str, str],
) -> None:
    top = aid_of(engine, material.bundle, sources, diagnoses=plan.diagnoses)
    maps: dict[str, str] = {}
    if "map" in plan.study.aid:
        answers = {case: said[0][0] for case, said in top.items()}
        maps = write_maps(folder / "maps", engine, material.bundle, sources, answers=answers, frame=frame)
    write_aid(folder / "aid.json", top, maps, made_from=made_from)


def _repeated(slots: tuple[Slot, ...], cases: tuple[str, ...], study: Study) -> frozenset[str]:
    """Choose the cases that are read twice: so many at each place, the same at all places of a share."""
    chosen: set[str] = set()
    for share in dict.fromkeys(slot.cases or cases for slot in slots):
        if study.repeated > len(share):
            what = f"{study.repeated} repeated cases are asked for, and a reader has {len(share)}"
            raise UserError(what, where="repeated", mend="ask for fewer")
        missing = study.repeated - len(chosen & set(share))
        left = sorted(set(share) - chosen, key=lambda case: seed_of(study.seed, "repeated", case))
        chosen |= set(left[: max(missing, 0)])
    return frozenset(chosen)


def _seen_by(bundle: Bundle, study: Study) -> str:
    size = bundle.preparation.size
    beside = f"; not {', '.join(study.shown)}, which readers are shown" if study.shown else ""
    return f"the curated picture at {size} × {size} pixels{beside}"
