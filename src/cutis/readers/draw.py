"""Which cases are read: one picture of a patient and lesion, none for practice that counts. Pure, by a stored seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from cutis.readers.study import Study
from cutis.vocabulary.case import Case, Manifest
from cutis.vocabulary.chance import seed_of
from cutis.vocabulary.errors import UserError


class Drawn(NamedTuple):
    """The cases of a study."""

    measured: tuple[Case, ...]
    practice: tuple[Case, ...]
    available: dict[str, int]  # from how many patients, or lesions, each diagnosis was drawn


def draw_cases(manifest: Manifest, study: Study, *, diagnoses: Sequence[str], where: str) -> Drawn:
    """Draw the cases that count and those for practice.

    A case is settled, of the study's split, and of one of its diagnoses. The rarest diagnosis chooses first, so that a
    patient who has several speaks for it. In a study where everybody reads everything, no case is drawn that one of
    the named raters labelled.

    Args:
        manifest: all cases.
        study: what is wished for.
        diagnoses: of the study.
        where: names the dataset in an error.

    Raises:
        UserError: too few cases of a diagnosis, or for practice; a rater whom the dataset does not know.
    """
    _require_raters(manifest, study.raters, where=where)
    barred = set() if study.reads_per_case else set(study.raters)
    pool = _shuffled(_pool(manifest, study.split, diagnoses, barred=barred), study.seed, "measured")
    available = _units_by_diagnosis(pool, diagnoses)
    measured = _measured(pool, study, diagnoses, available, where=where)
    taken = {unit for case in measured for unit in _units(case)}
    left = [case for case in _pool(manifest, study.practice_split, diagnoses) if not taken & _units(case)]
    practice = _practice(_shuffled(left, study.seed, "practice"), study, diagnoses, where=where)
    return Drawn(measured=measured, practice=practice, available=available)


def labellers_of(case: Case) -> set[str]:
    """Return who labelled a case."""
    return {vote.rater for vote in case.votes}


def _measured(
    pool: Sequence[Case], study: Study, diagnoses: Sequence[str], available: dict[str, int], *, where: str
) -> tuple[Case, ...]:
    rarest_first = sorted(diagnoses, key=lambda code: (available[code], diagnoses.index(code)))
    if study.per_diagnosis:
        return _by_quota(pool, dict.fromkeys(rarest_first, study.per_diagnosis), where=where)
    of_all = _by_quota(pool, available, where=where, most=True)
    if not study.cases:
        return of_all
    if study.cases > len(of_all):
        what = f"{study.cases} cases are asked for, and {len(of_all)} of different patients and lesions are there"
        raise UserError(what, where=where, mend="ask for fewer")
    mix = Counter(case.diagnosis for case in _first_of_each_unit(pool))
    return _by_quota(pool, _quotas({code: mix[code] for code in rarest_first}, study.cases), where=where)


def _by_quota(pool: Sequence[Case], quotas: dict[str, int], *, where: str, most: bool = False) -> tuple[Case, ...]:
    """Take so many cases of each diagnosis, in the order of the quotas, no two of one patient, lesion or picture."""
    taken: set[str] = set()
    chosen: list[Case] = []
    for code, quota in quotas.items():
        fitting = _first_of_each_unit([case for case in pool if case.diagnosis == code and not taken & _units(case)])
        if len(fitting) < quota and not most:
            what = f"{quota} cases of {code!r} are asked for, and {len(fitting)} are there that no other case bars"
            raise UserError(what, where=where, mend="ask for fewer, leave this diagnosis out, or name fewer raters")
        chosen += fitting[:quota]
        taken |= {unit for case in fitting[:quota] for unit in _units(case)}
    if not chosen:
        what = "there is no settled case of these diagnoses"
        raise UserError(what, where=where, mend="choose another split, or other diagnoses")
    return tuple(chosen)


def _practice(pool: Sequence[Case], study: Study, diagnoses: Sequence[str], *, where: str) -> tuple[Case, ...]:
    """Take cases for practice, of one diagnosis after the other."""
    waiting = {code: [case for case in _first_of_each_unit(pool) if case.diagnosis == code] for code in diagnoses}
    chosen: list[Case] = []
    while len(chosen) < study.practice and any(waiting.values()):
        chosen += [waiting[code].pop() for code in diagnoses if waiting[code]]
    if len(chosen) < study.practice:
        what = f"{study.practice} cases for practice are asked for, and {len(chosen)} are in {study.practice_split!r}"
        raise UserError(what, where=where, mend="ask for fewer, or name another practice_split")
    return tuple(chosen[: study.practice])


def _quotas(mix: dict[str, int], cases: int) -> dict[str, int]:
    """Share a number of cases out as the mix is, what is left over by the largest remainders (Hamilton's method)."""
    total = sum(mix.values())
    exact = {code: cases * count / total for code, count in mix.items()}
    quotas = {code: int(share) for code, share in exact.items()}
    for code in sorted(exact, key=lambda code: quotas[code] - exact[code])[: cases - sum(quotas.values())]:
        quotas[code] += 1
    return quotas


def _pool(manifest: Manifest, split: str, diagnoses: Sequence[str], *, barred: Collection[str] = ()) -> list[Case]:
    return [
        case
        for case in manifest.of_split(split).cases
        if case.diagnosis in diagnoses and not labellers_of(case) & set(barred)
    ]


def _first_of_each_unit(cases: Iterable[Case]) -> list[Case]:
    taken: set[str] = set()
    chosen = []
    for case in cases:
        if not taken & _units(case):
            taken |= _units(case)
            chosen.append(case)
    return chosen


def _units(case: Case) -> set[str]:
    """Return what no other case may share: patient, lesion, and group of duplicates."""
    shared = {"cluster": case.cluster_id, "lesion": case.lesion_id, "duplicates": case.duplicate_group}
    return {f"{kind} {name}" for kind, name in shared.items() if name is not None}


def _units_by_diagnosis(pool: Sequence[Case], diagnoses: Sequence[str]) -> dict[str, int]:
    return {code: len(_first_of_each_unit(case for case in pool if case.diagnosis == code)) for code in diagnoses}


def _shuffled(cases: Sequence[Case], seed: int, what: str) -> list[Case]:
    return sorted(cases, key=lambda case: seed_of(seed, what, case.case_id))


def _require_raters(manifest: Manifest, raters: Sequence[str], *, where: str) -> None:
    known = sorted({rater for case in manifest.cases for rater in labellers_of(case)})
    if unknown := [rater for rater in raters if rater not in known]:
        mend = f"use some of: {', '.join(known)}" if known else "leave raters out: this dataset does not name its own"
        raise UserError(f"unknown rater {unknown[0]!r}", where=where, mend=mend)
