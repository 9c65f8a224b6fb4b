"""The numbered folders: nobody sees half a result, and nothing is overwritten unasked."""

import errno
import os
from pathlib import Path

import pytest

from cutis.vocabulary.errors import SafetyRefusal, UserError
from cutis.workspace import ASIDE, VERSIONS_KEPT, Workspace, alone_in, no_space_left_is_a_user_error


def write(workspace: Workspace, word: str, *, again: bool = False) -> None:
    """Make one version of the dataset that holds this word."""
    with workspace.new_version(workspace.dataset, again=again) as folder:
        (folder / "word.txt").write_text(word)


def read(workspace: Workspace) -> str:
    """Return the word of the dataset that is seen now."""
    return (workspace.dataset / "word.txt").read_text()


def versions(workspace: Workspace) -> list[str]:
    """Return what lies aside, hidden folders included."""
    return sorted(path.name for path in (workspace.root / ".versions" / "1_dataset").iterdir())


def test_a_version_is_seen_when_it_is_whole(tmp_path):
    """The target appears at the end of the block, in one step."""
    workspace = Workspace(tmp_path / "work")

    with workspace.new_version(workspace.dataset, again=False) as folder:
        (folder / "word.txt").write_text("first")
        seen_meanwhile = workspace.dataset.exists()

    assert not seen_meanwhile
    assert read(workspace) == "first"


def test_a_result_is_not_overwritten_unasked(tmp_path):
    """Without --again the stage stops and says how to go on; the result stays."""
    workspace = Workspace(tmp_path)
    write(workspace, "first")

    with pytest.raises(UserError, match="already there") as refusal:
        write(workspace, "second")

    assert "--again" in refusal.value.mend
    assert read(workspace) == "first"


def test_again_moves_the_pointer_and_keeps_the_version_before(tmp_path):
    """Someone may regret it."""
    workspace = Workspace(tmp_path)

    for word in ("first", "second", "third"):
        write(workspace, word, again=True)

    assert read(workspace) == "third"
    assert versions(workspace) == ["v2", "v3"]
    assert len(versions(workspace)) == VERSIONS_KEPT


def test_a_failure_leaves_the_old_result_and_nothing_half_written(tmp_path):
    """Whatever was raised, the aside folder is gone."""
    workspace = Workspace(tmp_path)
    write(workspace, "first")

    with pytest.raises(TypeError), workspace.new_version(workspace.dataset, again=True) as folder:
        (folder / "word.txt").write_text(b"half")

    assert read(workspace) == "first"
    assert versions(workspace) == ["v1"]


def test_what_a_kill_left_aside_stops_nobody_and_goes_after_a_day(tmp_path):
    """A folder that may still be written to is left alone."""
    workspace = Workspace(tmp_path)
    write(workspace, "first")
    old, young = (workspace.root / ".versions" / "1_dataset" / f"{ASIDE}{name}" for name in ("old", "young"))
    old.mkdir()
    young.mkdir()
    os.utime(old, (0, 0))

    write(workspace, "second", again=True)

    assert versions(workspace) == [young.name, "v1", "v2"]


def test_a_full_disk_is_a_user_error_and_leaves_nothing(tmp_path):
    """A write that the disk refuses half-way, such as /dev/full does always."""
    workspace = Workspace(tmp_path)

    with pytest.raises(UserError, match="no space left"), workspace.new_version(workspace.dataset, again=False):  # noqa: SIM117
        with Path("/dev/full").open("w") as full:
            full.write("x" * 100_000)

    assert not workspace.dataset.exists()
    assert versions(workspace) == []


def test_what_the_disk_cannot_hold_is_not_begun(tmp_path):
    """The room that is needed is asked for beforehand."""
    workspace = Workspace(tmp_path)

    with (
        pytest.raises(UserError, match="no space left") as refusal,
        workspace.new_version(workspace.dataset, again=False, needs=2**60),
    ):
        pytest.fail("the block must not be entered")

    assert "free" in refusal.value.mend


def test_the_words_of_libraries_for_a_full_disk_are_known(tmp_path):
    """Some wrap the operating system's error in their own; any other error passes unchanged."""
    with pytest.raises(UserError), no_space_left_is_a_user_error(tmp_path):
        raise ValueError("I/O error 28: No space left on device")
    with pytest.raises(UserError), no_space_left_is_a_user_error(tmp_path):
        raise OSError(errno.EDQUOT, "Disk quota exceeded")
    with pytest.raises(ValueError, match="something else"), no_space_left_is_a_user_error(tmp_path):
        raise ValueError("something else")


def test_a_folder_that_is_not_ours_is_left_alone(tmp_path):
    """Where a person has put a folder, no pointer takes its place."""
    workspace = Workspace(tmp_path)
    workspace.dataset.mkdir()
    (workspace.dataset / "thesis.txt").write_text("three years")

    with pytest.raises(UserError, match="not made by cutis"):
        write(workspace, "first", again=True)

    assert (workspace.dataset / "thesis.txt").read_text() == "three years"
    assert not (workspace.root / ".versions").exists()


def test_a_workspace_can_be_moved(tmp_path):
    """Pointers are relative."""
    write(Workspace(tmp_path / "here"), "first")

    (tmp_path / "here").rename(tmp_path / "there")

    assert read(Workspace(tmp_path / "there")) == "first"


@pytest.mark.parametrize("name", ["", "..", ".hidden", "a/b", "a\\b", "a b", "a\0b"])
def test_a_name_is_never_a_path(tmp_path, name):
    """What comes from a flag cannot lead out of the workspace."""
    with pytest.raises(SafetyRefusal):
        Workspace(tmp_path).bundle(name)


def test_the_only_bundle_is_meant_where_no_name_is_given(tmp_path):
    """None and several are errors that say what to do; what is being trained does not count."""
    workspace = Workspace(tmp_path)
    with pytest.raises(UserError, match="no bundle yet"):
        workspace.only_bundle()

    workspace.bundle("pocket").mkdir(parents=True)
    workspace.partial(workspace.bundle("unfinished"))
    only = workspace.only_bundle()
    workspace.bundle("big").mkdir()

    assert only == "pocket"
    with pytest.raises(UserError, match="2 bundles") as several:
        workspace.only_bundle()
    assert several.value.mend == "name one of: big, pocket"


def test_what_is_private_is_for_the_owner_alone(tmp_path):
    """The key of the pseudonyms lies there."""
    assert Workspace(tmp_path / "work").private.stat().st_mode & 0o077 == 0


def test_two_at_work_in_one_folder_do_not_get_into_each_others_way(tmp_path):
    """The second is told; when the first is done the folder is free."""
    with alone_in(tmp_path), pytest.raises(UserError, match="another cutis is at work here"), alone_in(tmp_path):
        pass

    with alone_in(tmp_path):
        pass


@pytest.mark.parametrize("name", ["comparison", "Comparison"])
def test_no_bundle_takes_the_name_of_the_comparison(tmp_path, name):
    """Its evaluation would lie where the comparison of several does; the mend is another name."""
    workspace = Workspace(tmp_path)

    for place in (workspace.bundle, workspace.evaluation):
        with pytest.raises(UserError, match="cannot be the name of a bundle") as refusal:
            place(name)
        assert refusal.value.mend == "choose another name"
    assert workspace.comparison == tmp_path / "3_evaluation" / "comparison"
