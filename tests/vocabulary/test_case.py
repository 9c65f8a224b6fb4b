"""A manifest goes to disk and comes back as it was."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cutis.vocabulary.case import Quality, Vote, read_manifest, write_manifest
from cutis.vocabulary.errors import UserError
from factories import a_case, a_manifest

QUALITY = Quality(width=600, height=450, sharpness=12.5, brightness=0.6, contrast=0.1, marks=("blurred", "dark"))
FULL = {
    "votes": (Vote(rater="dr_a", code="a"), Vote(rater="dr_b", code="b")),
    "confirmed_by": "majority",
    "fold": 3,
    "duplicate_group": "g1",
    "quality": QUALITY,
    "age": 61.0,
    "sex": "female",
    "site": "back",
    "skin_tone": "III",
    "device": "dermatoscope 1",
    "date": "2021-03-04",
}


@pytest.mark.parametrize(
    "cases",
    [
        [a_case(0, **FULL), a_case(1)],
        [a_case(0, diagnosis=None, indeterminate="unresolved votes", patient_id=None, split=None)],
        [a_case(0, **FULL), a_case(1, quality=Quality(width=1, height=1, sharpness=0, brightness=0, contrast=0))],
        [],
    ],
    ids=["full and bare", "indeterminate", "no marks", "none"],
)
def test_a_manifest_comes_back_as_it_was(tmp_path, cases):
    """Every field, what is not known included."""
    manifest = a_manifest(cases, invented=True)

    write_manifest(tmp_path / "manifest.parquet", manifest, made_from={"export.csv": "ab"})

    assert read_manifest(tmp_path / "manifest.parquet") == manifest


def test_a_split_holds_its_settled_cases_and_the_rest_stands_beside():
    """Train, tune, calibrate and test never see an indeterminate case unasked."""
    settled, unsettled = a_case(0, split="test"), a_case(1, split="test", indeterminate="poor picture")
    manifest = a_manifest([settled, unsettled, a_case(2)])

    assert manifest.of_split("test").cases == (settled,)
    assert manifest.indeterminate_of("test").cases == (unsettled,)
    assert len(manifest) == 3


def test_a_part_keeps_what_travels_with_the_whole():
    """Taxonomy, source, licence, and that it was invented."""
    manifest = a_manifest([a_case(0), a_case(1)], invented=True, licence="CC BY-NC 4.0")

    part = manifest.where(lambda case: case.case_id == "case0001")

    assert part == a_manifest([a_case(1)], invented=True, licence="CC BY-NC 4.0")
    assert part.column("case_id") == ["case0001"]


def test_a_missing_manifest_is_a_user_error(tmp_path):
    """Curation comes first."""
    with pytest.raises(UserError, match="there is no dataset here"):
        read_manifest(tmp_path / "manifest.parquet")


def test_a_torn_manifest_is_a_user_error(tmp_path):
    """Half a file is not read by half."""
    path = tmp_path / "manifest.parquet"
    write_manifest(path, a_manifest([a_case(0)]), made_from={})
    path.write_bytes(path.read_bytes()[:200])

    with pytest.raises(UserError, match="damaged"):
        read_manifest(path)


def test_a_manifest_that_lacks_a_column_is_a_user_error(tmp_path):
    """Someone has edited it."""
    path = tmp_path / "manifest.parquet"
    write_manifest(path, a_manifest([a_case(0)]), made_from={})
    pq.write_table(pq.read_table(path).drop_columns(["case_id"]), path)

    with pytest.raises(UserError, match="case_id"):
        read_manifest(path)


def test_a_table_of_someone_else_is_no_manifest(tmp_path):
    """Parquet alone is not enough."""
    path = tmp_path / "manifest.parquet"
    pq.write_table(pa.table({"case_id": ["x"]}), path)

    with pytest.raises(UserError, match="no manifest file of cutis"):
        read_manifest(path)
