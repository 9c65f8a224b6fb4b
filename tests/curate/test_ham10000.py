import json
from collections import defaultdict

import pytest

from cutis.curate.stage import curate
from cutis.vocabulary.case import read_manifest


@pytest.mark.slow
def test_ham10000_is_curated_whole(shared_data, workspace):
    """10,015 = kept + rejected, 7,470 lesions, none of them in two splits; the same again with --again."""
    finished = curate(shared_data("ham10000"), workspace)

    card = json.loads((workspace.dataset / "card.json").read_text())
    cases = read_manifest(workspace.dataset / "manifest.parquet").cases
    splits = defaultdict(set)
    for case in cases:
        splits[case.lesion_id].add(case.split)
    assert card["rows"]["in"] == 10_015 == card["rows"]["kept"] + card["rows"]["rejected"]
    assert card["lesions"] == len(splits) == 7_470
    assert all(len(found) == 1 for found in splits.values())
    assert set(finished.facts["proof"].values()) == {0}
    assert finished.facts["cluster_kind"] == "lesion"

    curate(shared_data("ham10000"), workspace, again=True)

    again = {
        case.case_id: (case.split, case.fold) for case in read_manifest(workspace.dataset / "manifest.parquet").cases
    }
    assert again == {case.case_id: (case.split, case.fold) for case in cases}
