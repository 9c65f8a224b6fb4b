import pytest

from cutis.curate.proof import prove
from cutis.vocabulary.errors import SafetyRefusal
from factories import a_case, a_manifest


def test_a_sound_split_shares_nothing_and_is_counted():
    """Images, clusters and diagnoses by split, the indeterminate beside them."""
    manifest = a_manifest(
        [
            a_case(0, fold=0),
            a_case(1, fold=0, patient_id="patient0000", cluster_id="patient0000"),
            a_case(2, split="test", diagnosis="b"),
            a_case(3, split="test", diagnosis=None, indeterminate="unresolved votes"),
        ]
    )

    splits = prove(manifest)

    assert set(splits["proof"].values()) == set(splits["proof_of_folds"].values()) == {0}
    assert splits["splits"]["train"]["diagnoses"]["a"] == {"images": 2, "clusters": 1}
    assert splits["splits"]["test"]["images"] == 1
    assert splits["splits"]["test"]["indeterminate"] == {"unresolved votes": 1}
    assert splits["folds"] == {"0": {"a": 2, "b": 0, "c": 0}}


@pytest.mark.parametrize(
    ("shared", "said"),
    [
        ({"patient_id": "p"}, "shared patients 1"),
        ({"lesion_id": "l"}, "shared lesions 1"),
        ({"duplicate_group": "g"}, "near duplicates across splits 1"),
        ({"cluster_id": "c"}, "shared clusters 1"),
    ],
)
@pytest.mark.parametrize("parts", [({"split": "train"}, {"split": "test"}), ({"fold": 0}, {"fold": 1})])
def test_a_leak_is_refused_even_if_we_made_it(shared, said, parts):
    """The proof counts what was written and believes nobody."""
    leaky = a_manifest([a_case(number, **shared, **part) for number, part in enumerate(parts)])

    with pytest.raises(SafetyRefusal, match=said):
        prove(leaky)
