import datetime as dt
from pathlib import Path

import pytest

from cutis.curate.consensus import Verdict
from cutis.curate.deidentify import deidentify
from cutis.curate.row import Row
from cutis.curate.screen import Candidate, Picture
from cutis.imaging.fingerprint import fingerprint
from cutis.vocabulary.case import Quality
from cutis.vocabulary.pseudonyms import Key
from factories import a_picture

KEY = Key(b"k" * 32)


def candidate(folder, name, *, content=None, verdict=None, marks=(), **fields):
    written = folder / "images" / f"{name}.jpg"
    written.parent.mkdir(exist_ok=True)
    written.touch()
    picture = Picture(
        source_sha256=content or name,
        written=written,
        sha256="0" * 64,
        quality=Quality(width=176, height=132, sharpness=1, brightness=0.5, contrast=0.1, marks=marks),
        fingerprint=fingerprint(a_picture()),
        metadata=(),
    )
    row = Row(number=2, file=f"{name}.jpg", source=Path(f"{name}.jpg"), **fields)
    plain = Verdict(diagnosis="a", confirmed_by="majority")
    return Candidate(row=row, verdict=verdict or plain, picture=picture)


def test_nothing_of_the_clinic_s_names_is_left(tmp_path):
    """Patient, lesion, file: all are pseudonyms, and the picture bears its case's name."""
    known = candidate(tmp_path, "Erika", patient="Musterfrau", lesion="L1")

    (case,), _ = deidentify([known], KEY, tmp_path)

    assert case.patient_id == KEY.pseudonym("patient", "Musterfrau")
    assert case.image == f"images/{case.case_id}.jpg"
    assert (tmp_path / case.image).exists()
    assert not {"Erika", "Musterfrau", "L1"} & set(repr(case).replace("'", " ").split())


def test_a_case_s_name_follows_the_bytes_of_its_file(tmp_path):
    """Moved, renamed or relabelled it is the same case; its exact copy is another."""
    first, _ = deidentify([candidate(tmp_path, "a", content="x")], KEY, tmp_path)

    second, candidates = deidentify(
        [candidate(tmp_path, "moved", content="x"), candidate(tmp_path, "copy", content="x")], KEY, tmp_path
    )

    assert first[0].case_id in {case.case_id for case in second}
    assert len({case.case_id for case in second}) == 2
    assert [case.case_id for case in second] == sorted(case.case_id for case in second)
    assert len(candidates) == 2


def test_lesions_may_be_numbered_anew_for_each_patient(tmp_path):
    """Lesion 1 of one patient is not lesion 1 of another."""
    both = [candidate(tmp_path, name, patient=name, lesion="1") for name in ("p1", "p2")]

    cases, _ = deidentify(both, KEY, tmp_path)

    assert len({case.lesion_id for case in cases}) == 2


def test_without_a_patient_the_lesion_is_the_cluster(tmp_path):
    """All its pictures belong together."""
    (case,), _ = deidentify([candidate(tmp_path, "a", lesion="8")], KEY, tmp_path)

    assert case.patient_id is None
    assert case.cluster_id == case.lesion_id


def test_days_are_moved_and_their_distances_kept(tmp_path):
    """The same shift for all of one patient."""
    days = [dt.date(2021, 3, 4), dt.date(2021, 9, 1)]
    visits = [candidate(tmp_path, f"{day}", patient="p1", date=day) for day in days]

    cases, candidates = deidentify(visits, KEY, tmp_path)

    told = {c.row.date: dt.date.fromisoformat(case.date) for case, c in zip(cases, candidates, strict=True)}
    assert told[days[1]] - told[days[0]] == days[1] - days[0]
    assert told[days[0]] != days[0]


@pytest.mark.parametrize(("age", "told"), [(89, 89), (90, 90), (103, 90), (None, None)])
def test_the_very_old_are_counted_together(tmp_path, age, told):
    """Above 89 everybody is 90."""
    (case,), _ = deidentify([candidate(tmp_path, "a", age=age)], KEY, tmp_path)

    assert case.age == told


@pytest.mark.parametrize(
    ("verdict", "marks", "indeterminate"),
    [
        (None, (), None),
        (None, ("small", "dark"), None),
        (None, ("blurred",), "poor picture"),
        (
            Verdict(diagnosis=None, confirmed_by=None, indeterminate="unresolved votes"),
            ("blurred",),
            "unresolved votes",
        ),
    ],
)
def test_why_a_case_is_indeterminate(tmp_path, verdict, marks, indeterminate):
    """Votes that do not agree come first; a mark alone does not make a picture too poor."""
    (case,), _ = deidentify([candidate(tmp_path, "a", verdict=verdict, marks=marks)], KEY, tmp_path)

    assert case.indeterminate == indeterminate
