"""What is asked of the test is written first, checked at the border, and answered in words."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from pathlib import Path

import pytest

from cutis.evaluate.protocol import (
    EXAMPLE,
    Endpoint,
    ProtocolFile,
    UnderProtocol,
    departures,
    find_protocol,
    judged,
    read_protocol,
    require_known,
    seen_from,
)
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.estimate import Estimate
from cutis.vocabulary.registration import Registration

PLAIN = """
written_by = "Dr. A. Example"
written_on = 2026-03-01
network = "ours"
[primary]
measure = "macro_auc"
reference = 0.8
hypothesis = "superiority"
"""
SECONDARY = """
[[secondary]]
measure = "log_loss"
reference = "theirs"
hypothesis = "non-inferiority"
margin = 0.05
"""
REGISTERED = Registration(protocol_sha256="ab12", before="yes", openings=1, under_it=1, why="unchanged since")


def a_protocol(folder, text=PLAIN):
    path = folder / "protocol.toml"
    path.write_text(text, encoding="utf-8")
    return read_protocol(path)


def an_estimate(low, high, *, level=0.95):
    middle = (low + high) / 2
    return Estimate(value=middle, low=low, high=high, level=level, method="test", clusters=50, cluster_kind="patient")


def test_a_protocol_is_read_with_the_sha256_of_its_bytes(tmp_path):
    """Defaults and all; a comment more is another protocol."""
    protocol = a_protocol(tmp_path)
    commented = a_protocol(tmp_path, PLAIN + "# one letter more\n")

    assert protocol.sha256 == sha256(PLAIN.encode()).hexdigest()
    assert protocol.sha256 != commented.sha256
    assert protocol.says == commented.says
    assert protocol.says.primary == Endpoint(measure="macro_auc", reference=0.8, hypothesis="superiority")
    assert (protocol.says.holm, protocol.says.secondary) == (True, ())


def test_the_shipped_example_is_read_and_names_every_key():
    """Who copies it is understood, and finds in it all there is to say."""
    path = Path(__file__).resolve().parents[2] / EXAMPLE

    protocol = read_protocol(path)

    text = path.read_text(encoding="utf-8")
    assert len(protocol.endpoints) == 4
    for key in (*ProtocolFile.model_fields, *Endpoint.model_fields):
        assert re.search(rf"^{key} =|^\[\[?{key}\]", text, re.MULTILINE), key


@pytest.mark.parametrize(
    ("text", "what", "mend"),
    [
        ("endpoint = 1\n" + PLAIN, "unknown key 'endpoint'", "format, title, written_by, written_on, network, primary"),
        (PLAIN + "margn = 0.1\n", "unknown key 'primary.margn'", "measure, reference, hypothesis, margin, level"),
        (PLAIN + SECONDARY + "p = 1\n", "unknown key 'secondary.0.p'", "measure, reference"),
        (PLAIN.replace("superiority", "difference"), "primary.hypothesis: ", EXAMPLE),
        (PLAIN.replace("superiority", "equivalence"), "primary: equivalence needs a margin above 0", EXAMPLE),
        (PLAIN + "margin = -0.1\n", "primary.margin: ", EXAMPLE),
        (PLAIN + "margin = nan\n", "primary.margin: ", EXAMPLE),
        (PLAIN + "level = 95\n", "primary.level: ", EXAMPLE),
        (PLAIN + "level = 0.99\n", "primary.level: ", EXAMPLE),
        (PLAIN.replace("0.8", "true"), "primary.reference: it is a number, or the name of a bundle", EXAMPLE),
        (PLAIN.replace("0.8", '"ours"'), "ours cannot be its own reference", EXAMPLE),
        (PLAIN + SECONDARY + SECONDARY, "an endpoint stands there twice", EXAMPLE),
        (PLAIN.replace("2026-03-01", '"in spring"'), "written_on: ", EXAMPLE),
        (PLAIN.replace('network = "ours"\n', ""), "network: ", EXAMPLE),
        (PLAIN[: PLAIN.index("[primary]")], "primary: ", EXAMPLE),
        ('operating_point = "by eye"\n' + PLAIN, "unknown rule for thresholds: 'by eye'", "youden"),
        ("acceptance = 1.5\n" + PLAIN, "acceptance: ", EXAMPLE),
        ("format = 99\n" + PLAIN, "format 99", "update cutis"),
        ('kind = "config"\n' + PLAIN, "no protocol file", "protocol"),
        ("written_by = ", "this is no TOML", "correct the line"),
    ],
)
def test_what_is_wrong_is_named_with_what_is_right(tmp_path, text, what, mend):
    """An unknown key names the known ones; nothing is guessed."""
    with pytest.raises(UserError) as error:
        a_protocol(tmp_path, text)

    assert what in error.value.what
    assert mend in error.value.mend
    assert "protocol.toml" in error.value.where


def test_a_protocol_lies_in_the_workspace_or_is_handed_over(tmp_path):
    """None in the workspace is no protocol; one that was asked for must be there."""
    (tmp_path / "mine.toml").write_text(PLAIN.replace("ours", "mine"), encoding="utf-8")

    assert find_protocol(tmp_path) is None
    a_protocol(tmp_path)
    assert find_protocol(tmp_path).says.network == "ours"
    assert find_protocol(tmp_path, tmp_path / "mine.toml").says.network == "mine"
    with pytest.raises(UserError, match="no protocol file here"):
        find_protocol(tmp_path, tmp_path / "lost.toml")


def test_unknown_names_are_refused_and_the_known_ones_named(tmp_path):
    """Those that differ in their last part alone stand together, so that fourteen diagnoses can be read."""
    protocol = a_protocol(tmp_path, PLAIN + SECONDARY)
    measures = {"macro_auc", "log_loss", "auc/a", "auc/b", "argmax/accuracy"}

    require_known(protocol, measures=measures, bundles=("ours", "theirs"))

    with pytest.raises(UserError, match="unknown measure 'macro_auc'") as error:
        require_known(protocol, measures=measures - {"macro_auc"}, bundles=("ours", "theirs"))
    assert error.value.mend == "use one of: log_loss, argmax/(accuracy), auc/(a, b)"
    for bundles, missing in ((("ours",), "theirs"), (("theirs",), "ours")):
        with pytest.raises(UserError, match=f"unknown bundle '{missing}'"):
            require_known(protocol, measures=measures, bundles=bundles)


def test_the_primary_endpoint_is_held_against_a_number(tmp_path):
    """The interval of the figure, less the number."""
    protocol = a_protocol(tmp_path)

    (shown,) = judged(protocol, estimates={"macro_auc": an_estimate(0.82, 0.90)}, differences={})
    (missed,) = judged(protocol, estimates={"macro_auc": an_estimate(0.78, 0.90)}, differences={})

    assert (shown.verdict.outcome, missed.verdict.outcome) == ("superior", "superiority_not_shown")
    assert (shown.verdict.low, shown.verdict.high) == pytest.approx((0.02, 0.10))
    assert shown.verdict.p_adjusted is None


def test_an_endpoint_against_a_bundle_needs_the_comparison(tmp_path):
    """With a difference it is judged, a loss by its fall; without one the command is named."""
    protocol = a_protocol(tmp_path, PLAIN + SECONDARY)
    estimates = {"macro_auc": an_estimate(0.82, 0.90)}

    alone = judged(protocol, estimates=estimates, differences={})
    beside = judged(protocol, estimates=estimates, differences={"theirs": {"log_loss": an_estimate(-0.08, 0.02)}})

    assert alone[1].verdict.words == "Non-inferiority could not be tested: it needs cutis evaluate ours theirs."
    assert (beside[1].verdict.outcome, beside[1].verdict.p_adjusted) == ("non_inferior", beside[1].verdict.p)


@pytest.mark.parametrize(("holm", "shown"), [("true", False), ("false", True)])
def test_secondary_endpoints_are_corrected_where_the_protocol_says_so(tmp_path, holm, shown):
    """Two that stand alone just so do not stand together; the primary one is never corrected."""
    second = SECONDARY.replace("log_loss", "brier")
    protocol = a_protocol(tmp_path, f"holm = {holm}\n{PLAIN}{SECONDARY}{second}")
    just_so = an_estimate(-0.2, 0.049)
    differences = {"theirs": {"log_loss": just_so, "brier": just_so}}

    found = judged(protocol, estimates={"macro_auc": an_estimate(0.801, 0.90)}, differences=differences)

    assert [each.verdict.shown for each in found] == [True, shown, shown]


def test_differences_are_turned_to_the_side_of_the_network():
    """Whether it was the reference of the comparison or one of the others."""
    differences = {"theirs": {"auc/a": an_estimate(0.01, 0.05)}, "third": {"auc/a": an_estimate(0.02, 0.06)}}

    as_reference = seen_from("ours", reference="ours", differences=differences)
    as_other = seen_from("third", reference="ours", differences=differences)

    assert as_reference["theirs"]["auc/a"].low == pytest.approx(-0.05)
    assert as_other == {"ours": differences["third"]}
    assert seen_from("absent", reference="ours", differences=differences) == {}


def test_what_was_done_otherwise_is_named(tmp_path):
    """The rule for thresholds, however it is spelt, and the share that is answered."""
    protocol = a_protocol(tmp_path, 'operating_point = "sensitivity >= 0.95"\nacceptance = 0.9\n' + PLAIN)

    kept = departures(protocol, operating_point="sensitivity>=0.95", acceptance=0.9)
    left = departures(protocol, operating_point="Youden", acceptance=None)

    assert kept == ()
    assert left == (
        "thresholds by Youden, where the protocol says sensitivity >= 0.95",
        "no abstention, where the protocol says 0.9",
    )
    assert departures(a_protocol(tmp_path), operating_point="Youden", acceptance=0.5) == ()


def test_what_a_report_prints_is_plain_data(tmp_path):
    """Protocol, registration, every endpoint with its verdict, and what was done otherwise."""
    protocol = a_protocol(tmp_path, PLAIN + SECONDARY)
    verdicts = judged(protocol, estimates={"macro_auc": an_estimate(0.82, 0.90)}, differences={})

    content = json.loads(json.dumps(UnderProtocol(protocol, REGISTERED, verdicts, ("thresholds by …",)).content()))

    assert content["registration"]["before"] == "yes"
    assert (content["written_by"], content["written_on"]) == ("Dr. A. Example", "2026-03-01")
    assert [endpoint["measure"] for endpoint in content["endpoints"]] == ["macro_auc", "log_loss"]
    assert content["endpoints"][0]["verdict"]["outcome"] == "superior"
    assert content["departures"] == ["thresholds by …"]


def test_without_a_protocol_a_report_says_so():
    """And nothing is judged."""
    none = Registration(protocol_sha256=None, before="no protocol", openings=1, under_it=0, why="none was given")

    assert UnderProtocol(None, none).content() == {"registration": none.to_dict()}
    assert UnderProtocol(None, none).lines() == ("no protocol: none was given",)


def test_a_person_reads_the_hash_the_ledger_and_the_primary_verdict(tmp_path):
    """In two lines."""
    protocol = a_protocol(tmp_path)
    verdicts = judged(protocol, estimates={"macro_auc": an_estimate(0.82, 0.90)}, differences={})

    first, second = UnderProtocol(protocol, REGISTERED, verdicts).lines()

    assert first == f"protocol {protocol.sha256[:12]}, {REGISTERED}"
    assert second.startswith("primary endpoint macro_auc against 0.8: Gain +0.0600")
