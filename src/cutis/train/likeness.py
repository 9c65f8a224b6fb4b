"""How a bundle gets its similar cases: what is kept of the training pictures, and how they are compared.

The space is chosen by how often the neighbours of a tune picture among the training pictures share its diagnosis. After
cross-validation every picture was learned from by all members but one, and the features of an ensemble are those of all
members side by side; asking with these would flatter. So there each fold asks with the features of the member that did
not learn from it, among the pictures of the other folds as the same member sees them. What a similarity means is found
on calibrate, from which no member learned, with the features that the bundle will answer by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cutis.runtime.bundle import Bundle
from cutis.runtime.neighbours import Index, Likeness, index_of, kept, origin_of, write_index
from cutis.stats.nearness import Nearness, fit_nearness
from cutis.stats.resampling import clusters_of
from cutis.stats.retrieval import Origin, Question, choose_space, nearest, shared
from cutis.stats.spaces import fit_space, placed
from cutis.train.answering import Seen
from cutis.train.batches import Pictures, chosen_from
from cutis.train.run import Run
from cutis.vocabulary.case import Case

ASKED = 10  # neighbours of each calibrate picture that tell what a similarity means
NOBODY_TOLD = "nobody: too few patients to ask"
CERTAINLY_NEAR = 0.999  # above which two pictures are taken to be the same, where nobody told how near others lie


def with_similar_cases(bundle: Bundle, run: Run, seen: Seen, *, pictures: Pictures) -> Bundle:
    """Write the index beside a bundle's weights, and return the bundle with what is said of it.

    Args:
        bundle: whose weights are written.
        run: what was trained.
        seen: what the network makes of the pictures.
        pictures: all of train and tune.
    """
    cases = _cases_of(run, seen.learned)
    features = kept(seen.features)
    questions = _questions(run, seen, features, pictures)
    kind, trials = choose_space(questions)
    space = fit_space(kind, features, seen.learned.diagnosis)
    index = index_of(features, cases, codes=bundle.taxonomy.codes, space=space)
    made_from = {"manifest": bundle.dataset_sha256, "weights": bundle.weights_sha256}
    write_index(bundle.neighbours, index, made_from=made_from)
    likeness = Likeness(
        space=kind,
        cases=len(index),
        chosen_on=_chosen_on(run) if trials else NOBODY_TOLD,
        trials=trials,
        strangers=_nearest_strangers(questions, kind),
        nearness=_nearness_of(run, seen, index),
    )
    return replace(bundle, likeness=likeness)


def _questions(run: Run, seen: Seen, features: NDArray[np.floating], pictures: Pictures) -> list[Question]:
    """Return what tune asks of train; after cross-validation what each fold asks of the others."""
    learned = seen.learned
    origin = origin_of(_cases_of(run, learned))
    if seen.tuned is not None:
        tuning = chosen_from(pictures, run.members[0].tuning)
        of_tuning = origin_of(_cases_of(run, tuning))
        return [Question(seen.tuned, tuning.diagnosis, of_tuning, features, learned.diagnosis, origin)]
    questions = []
    for member, own in zip(run.members, np.split(features, len(run.members), axis=1), strict=True):
        wanted = set(member.tuning.column("case_id"))
        asks = np.array([case_id in wanted for case_id in learned.case_ids])
        sides = [(own[at], learned.diagnosis[at], _some(origin, at)) for at in (asks, ~asks)]
        questions.append(Question(*sides[0], *sides[1]))
    return questions


def _nearest_strangers(questions: Sequence[Question], kind: str) -> float:
    """Return how similar the two most similar pictures of different patients are, one of them not learned from.

    A picture of a new patient lies nearer than that once in as many pictures as were asked; members of an ensemble,
    who are asked one by one, tell strangers apart a little worse than all of them together.
    """
    nearest_ones = []
    for each in questions:
        space = fit_space(kind, each.known_features, each.known_diagnosis)
        asking, known = placed(each.features, space), placed(each.known_features, space)
        found = nearest(asking, known, k=1, origin=each.origin, known_origin=each.known_origin)
        nearest_ones += found.similarities[~np.isnan(found.similarities)].tolist()
    return max(nearest_ones, default=CERTAINLY_NEAR)


def _nearness_of(run: Run, seen: Seen, index: Index) -> Nearness | None:
    calibrate = run.manifest.of_split("calibrate")
    if seen.calibrate is None:
        return None
    codes = calibrate.taxonomy.codes
    truth = np.array([codes.index(code) for code in calibrate.column("diagnosis")])
    found = nearest(
        placed(seen.calibrate.features, index.space),
        index.places,
        k=ASKED,
        origin=origin_of(calibrate.cases),
        known_origin=index.origin,
    )
    same = shared(found, truth, index.diagnosis)
    clusters = clusters_of(calibrate.column("cluster_id"), kind=calibrate.cluster_kind)
    return fit_nearness(found.similarities, same, index.diagnosis[found.rows], codes=codes, clusters=clusters)


def _chosen_on(run: Run) -> str:
    return "tune" if len(run.members) == 1 else "train and tune, out of fold"


def _cases_of(run: Run, pictures: Pictures) -> list[Case]:
    by_id = {case.case_id: case for case in run.manifest.cases}
    return [by_id[case_id] for case_id in pictures.case_ids]


def _some(origin: Origin, at: NDArray[np.bool_]) -> Origin:
    return Origin(*([name for name, here in zip(names, at, strict=True) if here] for names in origin))
