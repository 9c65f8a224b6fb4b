"""Small studies whose figures can be counted on one's fingers."""

import numpy as np
import pytest

from cutis.readers.scoring.agreement import between_readers, within_readers
from cutis.readers.scoring.answers import Answers
from cutis.readers.scoring.collective import plurality, votes_of
from cutis.readers.scoring.each import each_reader
from cutis.readers.scoring.points import points_of, read_at, roc
from cutis.readers.scoring.pooled import pooled_of
from cutis.readers.scoring.questions import questions_of
from cutis.readers.scoring.switches import switches_of
from cutis.readers.scoring.table import table_of
from cutis.readers.scoring.tested import aided_against_unaided, network_against_readers
from cutis.readers.scoring.time import pace_of
from cutis.vocabulary.reading import Reading
from factories import a_truth, some_readings

CODES = ("a", "b", "c")
ROUNDS = 200


def _chance():
    return np.random.default_rng(0)


def _table(answers, *, arm="unaided", occasion=1, seconds=None, truth=None):
    """A table of answers, a row of letters for each reader; a dot was not read, an n is none of these."""
    truth = truth or a_truth(cases=len(answers[0]))
    said = [
        Reading(
            reader_id=f"r{reader + 1}",
            case_id=case,
            arm=arm,
            occasion=occasion,
            diagnosis="none" if letter == "n" else letter,
            position=place + 1,
            seconds=None if seconds is None else seconds[place],
        )
        for reader, row in enumerate(answers)
        for place, (case, letter) in enumerate(zip(sorted(truth.diagnosis), row, strict=False))
        if letter != "."
    ]
    return table_of(said, codes=CODES, truth=truth)


def _answers(table, letters, *, sure=0.8, thresholds=(0.3, 0.3, 0.3)):
    kinds = [CODES.index(letter) for letter in letters]
    chances = np.full((len(table.cases), 3), (1 - sure) / 2)
    chances[np.arange(len(kinds)), kinds] = sure
    return Answers(
        name="net",
        chances=chances,
        full=chances,
        among_all=np.array(kinds),
        thresholds=np.array(thresholds),
        rule="Youden on tune",
        knows=3,
    )


def test_each_reader_is_counted_on_what_he_read():
    """Truth abcabc: 4 of 6 and 2 of 3 right; a's sensitivity 2 of 2 and 1 of 1."""
    table = _table(["abcaac", "a.b.nc"])
    questions = questions_of(table, _answers(table, "abcabb"))

    first, second = each_reader(table, questions, {"r1": {"years": "3"}})

    assert (first.estimates["accuracy"].value, first.cases) == (pytest.approx(5 / 6), 6)
    assert (second.estimates["accuracy"].value, second.cases) == (0.5, 4)
    assert first.estimates["sensitivity/a"].value == 1
    assert first.estimates["sensitivity/b"].value == 0.5
    assert first.estimates["specificity/a"].value == 0.75
    assert second.estimates["sensitivity/b"].value == 0
    assert first.profile == {"years": "3"}
    assert (first.outperformed, second.outperformed) == (False, True)


def test_the_mean_reader_counts_every_reader_alike():
    """However much each read; the network answers what each of them read."""
    table = _table(["abcaac", "a.b.nc"])

    pooled = pooled_of(table, questions_of(table, _answers(table, "abcabb")), generator=_chance(), rounds=ROUNDS)

    assert pooled.readers["accuracy"].value == pytest.approx((5 / 6 + 2 / 4) / 2)
    assert pooled.network["accuracy"].value == pytest.approx((5 / 6 + 3 / 4) / 2)
    assert pooled.difference["accuracy"].value == pytest.approx((3 / 4 - 2 / 4) / 2)
    assert "two-way bootstrap of patients and 2 readers" in pooled.readers["accuracy"].method


def test_none_of_these_is_a_no_to_every_diagnosis():
    """It is never right, and no false alarm."""
    table = _table(["nnnnnn", "abcabc"])

    (reader, _) = each_reader(table, questions_of(table), {})

    assert reader.estimates["accuracy"].value == 0
    assert reader.estimates["specificity/b"].value == 1
    assert reader.estimates["sensitivity/b"].value == 0


def test_a_curve_begins_at_the_origin_and_counts_ties_once():
    """Scores 3 2 2 1, the first and one of the two in the middle diseased."""
    curve = roc(np.array([3.0, 2.0, 2.0, 1.0]), np.array([True, True, False, False]), np.ones((1, 4)))

    assert curve.sensitivity.tolist() == [[0, 0.5, 1, 1]]
    assert curve.false_positive.tolist() == [[0, 0, 0.5, 1]]
    assert read_at(curve.false_positive, np.array([[0.0, 0.25, 0.75, 1.0]]), curve.sensitivity).tolist() == [
        [0.5, 0.75, 1.0, 1.0]
    ]


def test_readers_beneath_the_curve_are_counted_by_group():
    """A perfect network lies above whoever misses one, and above nobody who misses none."""
    table = _table(["abcabcabcabc", "abcabcabcabb", "aaaaaaaaaaaa"])
    perfect = _answers(table, "abcabcabcabc")

    points = points_of(table, perfect, groups={"old": [0, 1], "new": [2]}, generator=_chance(), rounds=ROUNDS)

    found = {each.code: each for each in points}
    assert found["c"].sensitivity.tolist() == [1, 0.75, 0]
    assert found["a"].specificity.tolist() == [1, 1, 0]
    assert found["c"].estimates["share_beneath"].value == pytest.approx(2 / 3)
    assert found["c"].estimates["share_beneath/old"].value == 0.5
    assert found["a"].estimates["share_beneath/new"].value == 0
    assert found["c"].estimates["sensitivity_at_specificity"].value == 1
    assert found["c"].operating == (1, 1)


def test_a_plurality_is_right_by_its_share_of_a_tie():
    """Two of three, one of a tie of two, none, and nobody."""
    counts = np.array([[2, 1, 0], [1, 1, 0], [0, 1, 0], [0, 0, 0]])

    right = plurality(counts, np.array([0, 0, 0, 0]))

    assert right[:3].tolist() == [1, 0.5, 0]
    assert np.isnan(right[3])


def test_the_vote_of_three_is_better_than_one_where_errors_differ():
    """Each of three is wrong on another case: alone 2 of 3, together always right."""
    table = _table(["bbcabc", "aacabc", "abaabc"])

    one, three = votes_of(table, np.ones(6, dtype=bool), generator=_chance(), rounds=ROUNDS)

    assert (one.readers, three.readers) == (1, 3)
    assert one.accuracy.value == pytest.approx(5 / 6)
    assert three.accuracy.value == 1
    assert one.difference.value == pytest.approx(1 / 6)


def test_readers_who_say_the_same_agree():
    """Kappa 1 with one another; with themselves as often as they repeat their answer."""
    first = _table(["abcabc", "abcabc"])
    again = _table(["abca..", "bbcb.."], occasion=2)

    assert between_readers(first).estimates["fleiss_kappa"].value == 1
    within = within_readers(first, again, generator=_chance(), rounds=ROUNDS)
    assert within.cases == 4
    assert within.estimates["same_answer"].value == 0.75
    assert within.by_reader["same_answer"] == {"r1": 1, "r2": 0.5}


def test_switches_are_counted_on_the_answers_to_which_they_can_happen():
    """Truth abcabc, the network wrong on the last two; two readers, one who follows it always and one never."""
    unaided, aided = _table(["aacabc", "abcaaa"]), _table(["abcaca", "abcaaa"], arm="aided")
    network = _answers(unaided, "abcaca")

    switches = switches_of(unaided, aided, network, generator=_chance(), rounds=ROUNDS)

    assert switches.counts["switched"] == 3
    assert switches.counts["helped"] == 1
    assert switches.counts["misled"] == 2
    assert (switches.counts["over_reliance"], switches.counts["over_reliance_of"]) == (2, 2)
    assert (switches.counts["helped_where_it_was_right"], switches.counts["helped_where_it_was_right_of"]) == (1, 1)
    assert switches.estimates["net_gain"].value == pytest.approx(-1 / 12)


def test_a_slope_is_found_and_time_is_told():
    """Two readers wrong in the first half and right in the second, each answer a second slower than the one before."""
    truth = a_truth(cases=24)
    right = [truth.diagnosis[case] for case in sorted(truth.diagnosis)]
    row = "".join("n" * 12) + "".join(right[12:])
    table = _table([row, row, row], seconds=[2.0 + place for place in range(24)], truth=truth)

    pace = pace_of(table)

    assert pace.quarters["accuracy"] == [0, 0, 1, 1]
    assert pace.estimates["median_seconds"].value == 13.5
    assert pace.estimates["accuracy_from_first_to_last"].value == pytest.approx(1.44, abs=0.01)
    assert pace.estimates["doublings_of_seconds_from_first_to_last"].value > 1


def test_every_endpoint_is_tested_or_refused_with_its_reason():
    """Labels have accuracy and yes or no, and no area; Holm's correction spares the primary endpoint."""
    truth = a_truth(cases=60)
    table = table_of(some_readings(truth.diagnosis, readers=6), codes=CODES, truth=truth)
    answers = _answers(table, [truth.diagnosis[case] for case in table.cases])
    pooled = pooled_of(table, questions_of(table, answers), generator=_chance(), rounds=ROUNDS)

    tested = {each.name: each for each in network_against_readers(table, answers, pooled, primary=None)}

    assert tested["accuracy"].outcome.difference.value == pytest.approx(1 - table.right.mean())
    assert tested["sensitivity/a"].outcome is not None
    assert tested["auc/a"].outcome is None
    assert "no ROC curve" in tested["auc/a"].refused
    assert tested["accuracy"].p_adjusted is not None


def test_aided_is_tested_against_unaided_on_the_same_readers_and_cases():
    """Who is always right with the network gains what he lacked without it."""
    truth = a_truth(cases=60)
    before = table_of(some_readings(truth.diagnosis, readers=6), codes=CODES, truth=truth)
    right = [
        Reading(reader_id=f"r{n + 1}", case_id=case, diagnosis=code, arm="aided")
        for n in range(6)
        for case, code in truth.diagnosis.items()
    ]
    after = table_of(right, codes=CODES, truth=truth)
    pooled = {
        arm: pooled_of(table, questions_of(table), generator=_chance(), rounds=ROUNDS)
        for arm, table in (("unaided", before), ("aided", after))
    }

    tested = {each.name: each for each in aided_against_unaided(before, after, pooled, primary=None)}

    assert tested["accuracy"].outcome.difference.value == pytest.approx(1 - before.right.mean())
    assert tested["accuracy"].sides["aided"].value == 1
