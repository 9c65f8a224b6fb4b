from cutis.curate.clusters import cluster_kind, join_clusters
from factories import a_case


def test_patient_lesion_and_duplicate_join_a_cluster():
    """By any chain of them, and by nothing else."""
    cases = [
        a_case(0, patient_id="p0", lesion_id="l0"),
        a_case(1, patient_id="p0", lesion_id="l1"),
        a_case(2, patient_id=None, lesion_id="l1", duplicate_group="g"),
        a_case(3, patient_id=None, lesion_id=None, cluster_id="case0003", duplicate_group="g"),
        a_case(4, patient_id=None, lesion_id=None, cluster_id="case0004"),
    ]

    joined = join_clusters(cases)

    assert [case.cluster_id for case in joined] == ["p0", "p0", "p0", "p0", "case0004"]


def test_a_dataset_s_clusters_are_patients_where_nearly_all_are_known():
    """From 95 % of the cases on; else they are lesions, and are called so."""
    known, unknown = [a_case(number) for number in range(19)], [a_case(19, patient_id=None)]

    assert cluster_kind(known + unknown) == "patient"
    assert cluster_kind(known + unknown * 2) == "lesion"
