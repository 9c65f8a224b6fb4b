"""The README tells the truth: its commands can be typed, and its tree is what lies on the disk."""

import os
import re
import tomllib

import pytest
import typer

from cutis.cli import app
from documents import REPOSITORY, commands, documents, files_on_disk, tree

TYPED = sorted({tuple(words) for path in documents() for words in commands(path.read_text(encoding="utf-8"))})
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


def typed(program: str) -> list[tuple[str, ...]]:
    """Return the commands of one program in all documents."""
    return [words for words in TYPED if words[0] == program]


def refuses(words: list[str]) -> bool:
    """Say whether the command line would refuse these words as wrong usage; nothing is run."""
    verbs = typer.main.get_command(app).commands
    if words[0].startswith("-"):
        return words[0] not in {"--help", "--version"}
    if words[0] not in verbs:
        return True
    try:
        verbs[words[0]].make_context(words[0], words[1:])
    except typer.Exit:  # --help answers and leaves
        return False
    except Exception as error:
        if getattr(error, "exit_code", None) != 2:
            raise
        return True
    return False


@pytest.mark.parametrize("words", typed("cutis"), ids=" ".join)
def test_every_cutis_command_in_the_documents_can_be_typed(words):
    """Verbs, options and arguments are parsed by the program itself."""
    assert not refuses(list(words[1:]))


@pytest.mark.parametrize("words", [["dance"], ["train", "--fast"], ["curate"], ["toy", "x", "--seed", "green"]])
def test_a_command_that_does_not_exist_is_noticed(words):
    """The test above would fail for a wrong verb, option, number of arguments or kind of value."""
    assert refuses(words)


def test_every_make_target_in_the_documents_exists():
    """Each stands in the Makefile."""
    targets = re.findall(r"^([\w-]+):", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)

    assert {word for words in typed("make") for word in words[1:] if "=" not in word} <= set(targets)


def test_every_recipe_in_the_documents_can_be_run():
    """It is there, and executable."""
    recipes = {words[0] for words in TYPED if words[0].startswith("recipes/")}

    assert {recipe for recipe in recipes if not os.access(REPOSITORY / recipe, os.X_OK)} == set()


def test_every_extra_in_the_documents_exists():
    """Each stands in pyproject.toml."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [each for words in typed("pip") for each in re.findall(r"\[([\w,]+)\]", " ".join(words))]

    assert {extra for each in named for extra in each.split(",")} <= project["optional-dependencies"].keys()


def test_the_two_commands_stand_in_the_readme():
    """What a stranger types first."""
    assert ["make", "demo"] in commands(README)
    assert ["make", "test"] in commands(README)


def test_the_tree_holds_every_file_and_nothing_else():
    """A file without a line, and a line without a file, are both untrue."""
    shown = {path for path in tree(README) if not path.endswith("/")}
    on_disk = files_on_disk()

    missing = sorted(on_disk - shown)
    stale = sorted(path for path in tree(README) if not (REPOSITORY / path).exists())
    assert (missing, stale) == ([], [])


def test_every_file_in_the_tree_has_a_caption():
    """A tree of names alone explains nothing."""
    assert [path for path, caption in tree(README).items() if not caption and not path.endswith("/")] == []
