"""Readers on the page: the verdict, the tables, the figures, and the chain."""

import shutil

import pytest

from cutis.report.stage import report
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import read_json
from cutis.workspace import Workspace
from report.page import Page


@pytest.fixture
def workspace(reported_workspace, tmp_path):
    """A copy with a study that four invented readers read, one of whom tries to break the page."""
    return with_a_study(reported_workspace, tmp_path)


def with_a_study(reported_workspace, tmp_path, *settings):
    """Copy a workspace, and let four readers read a study there."""
    from cutis.readers import stage
    from cutis.readers.protocol import read_protocol
    from cutis.readers.scoring.material import Asked
    from cutis.vocabulary.case import read_manifest
    from cutis.vocabulary.reading import write_readings
    from factories import some_readings

    shutil.copytree(reported_workspace.root, tmp_path / "work", symlinks=True)
    workspace = Workspace(tmp_path / "work")
    settings = ("practice=0", "readers=4", "title=<b>Planted</b>", "network=first", *settings)
    stage.plan(workspace, settings=settings)
    protocol = read_protocol(workspace.readers / "plan.json")
    manifest = read_manifest(workspace.dataset / "manifest.parquet")
    truth = {case.case_id: case.diagnosis for case in manifest.cases}
    measured = {case.case_id: truth[case.case_id] for case in protocol.measured}
    said = [
        reading
        for seed, arm in enumerate(protocol.arms)
        for reading in some_readings(
            measured, codes=protocol.diagnoses, arm=arm, seed=seed, protocol_sha256=protocol.sha256
        )
    ]
    write_readings(workspace.readers / "readings.parquet", said, made_from={})
    (workspace.readers / "readers.csv").write_text('reader_id,dermoscopy\nr1,<script>alert("x")</script>\n')
    stage.score(workspace, Asked())
    return workspace


def test_a_score_has_its_section_with_verdict_tables_and_figures(workspace):
    """Whatever a reader or a title is called stands there as text."""
    report(workspace)

    text = workspace.report.read_text(encoding="utf-8")
    page = Page(text)
    said = read_json(workspace.scores("study") / "scores.json", "scores")
    (primary,) = [each for each in said["arms"]["unaided"]["tested"] if each["primary"]]
    assert {"id": "readers-1", "aria-labelledby": "readers-1-title"} in page.of("section")
    assert primary["outcome"]["verdict"]["words"] in text
    assert "Each diagnosis against the rest" in text
    assert "<script>" not in text.split("<main")[1]
    assert "&lt;b&gt;Planted" in text
    card = read_json(workspace.report.with_name("report.json"), "report")
    assert card["readers"]["study"]["protocol"]["sha256"] == said["protocol"]["sha256"]
    assert any(link["result"] == "readers study" and link["holds"] for link in card["chain"]["links"])
    assert "readers study" in card["chain"]["seals"]


def test_an_aided_study_tells_each_reader_by_himself(reported_workspace, tmp_path):
    """Both treatments, the difference with its interval, and p; of the primary endpoint alone."""
    workspace = with_a_study(reported_workspace, tmp_path, "design=sequential")

    report(workspace)

    text = workspace.report.read_text(encoding="utf-8")
    (table,) = [part.split("</table>")[0] for part in text.split("<table") if "<caption>Each reader by himself" in part]
    assert [f">r{number}<" in table for number in range(1, 5)] == [True] * 4
    assert "not adjusted for the number of readers" in text


def test_a_changed_byte_in_a_score_is_not_reported(workspace):
    """The folder is sealed."""
    path = workspace.scores("study") / "scores.json"
    path.write_text(path.read_text().replace("0.", "1.", 1))

    with pytest.raises(UserError, match="score of readers was changed or is incomplete"):
        report(workspace)
