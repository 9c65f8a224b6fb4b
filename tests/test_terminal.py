"""How a verb speaks, tried on verbs of our own."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cutis.terminal import WORK, Answer, verb
from cutis.vocabulary.errors import SafetyRefusal
from cutis.workspace import Finished

app = typer.Typer()


@app.callback()
def verbs() -> None:
    """A command line for these tests."""


@verb(app)
def finish(workspace: Path = WORK) -> Finished:
    """A stage that is done."""
    facts = {"kept": 3}
    return Finished(wrote=workspace / "1_dataset", lines=("3 kept",), facts=facts, next_command="cutis train")


@verb(app)
def answer() -> Answer:
    """An answer that is no stage's."""
    return Answer(lines=("yes",), content={"answer": "yes"}, exit_code=1)


@verb(app)
def fill() -> Answer:
    """Meet a full disk, such as /dev/full always is."""
    with Path("/dev/full").open("w") as disk:
        disk.write("x" * 100_000)
    return Answer(content={})


@verb(app)
def refuse() -> Answer:
    """Refuse."""
    raise SafetyRefusal("too dangerous", where="here", mend="do not")


@verb(app)
def forbid() -> Answer:
    """Meet a locked door."""
    raise PermissionError(13, "Permission denied", "/locked/folder")


@verb(app)
def lack(name: str) -> Answer:
    """Miss a module."""
    raise ModuleNotFoundError(name=name)


@verb(app)
def wait() -> Answer:
    """Be stopped by Ctrl-C."""
    raise KeyboardInterrupt


@verb(app)
def stumble() -> Answer:
    """Have a bug."""
    return Answer(content={"half": 1 // 0})


def told(*words: str):
    """Type the words and return what came of it."""
    return CliRunner().invoke(app, words)


def test_a_finished_stage_tells_its_lines_what_it_wrote_and_the_next_command():
    """On standard output, in this order."""
    run = told("finish")

    assert run.exit_code == 0
    assert run.stdout.splitlines() == ["3 kept", "wrote  work/1_dataset", "next   cutis train"]


def test_the_next_command_names_an_unusual_workspace():
    """So that it can be typed as it stands."""
    run = told("finish", "--workspace", "my work")

    assert run.stdout.splitlines()[-1] == "next   cutis train -w 'my work'"


def test_with_json_a_finished_stage_is_one_object_and_nothing_else():
    """Facts, what was written, and the next command."""
    run = told("finish", "--json")

    assert json.loads(run.stdout) == {
        "kind": "finished",
        "format": 1,
        "facts": {"kept": 3},
        "wrote": "work/1_dataset",
        "next_command": "cutis train",
    }


def test_an_answer_leaves_with_its_own_exit_code():
    """As text and as JSON."""
    text, data = told("answer"), told("answer", "--json")

    assert (text.stdout, text.exit_code) == ("yes\n", 1)
    assert (json.loads(data.stdout), data.exit_code) == ({"answer": "yes"}, 1)


@pytest.mark.parametrize(
    ("words", "exit_code", "what", "mend"),
    [
        (["fill"], 1, "no space left", "free some space"),
        (["refuse"], 3, "too dangerous", "do not"),
        (["forbid"], 1, "no permission", "change the permissions"),
        (["lack", "torch"], 1, "torch is not installed", "pip install 'cutis[train]'"),
    ],
)
def test_what_the_user_can_mend_is_told_without_a_traceback(words, exit_code, what, mend):
    """Errors of ours and of the operating system alike."""
    run = told(*words)

    assert run.exit_code == exit_code
    assert what in run.stderr
    assert mend in run.stderr
    assert "Traceback" not in run.stderr


def test_verbose_shows_the_traceback_and_how_the_answer_was_made():
    """For a report of a bug: versions, seconds, and where the error arose."""
    run = told("refuse", "-v")

    assert "Traceback" in run.stderr
    assert '"cutis"' in run.stderr
    assert run.stdout == ""


def test_ctrl_c_is_one_line_and_130():
    """No traceback for a wish."""
    run = told("wait")

    assert run.exit_code == 130
    assert run.stderr.count("\n") == 1


def test_a_bug_is_not_hidden():
    """What the user cannot mend keeps its traceback, and so does a missing module of ours."""
    assert isinstance(told("stumble").exception, ZeroDivisionError)
    assert isinstance(told("lack", "cutis.cellar").exception, ModuleNotFoundError)
