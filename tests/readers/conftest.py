"""One evaluated workspace, and copies that a test may change."""

from __future__ import annotations

import shutil

import pytest

from cutis.workspace import Workspace
from factories import an_evaluated_workspace


@pytest.fixture(scope="session")
def evaluated(tmp_path_factory):
    """A workspace whose bundle was evaluated on thirteen test cases; to be read only."""
    return an_evaluated_workspace(tmp_path_factory.mktemp("read") / "work")


@pytest.fixture
def workspace(evaluated, tmp_path):
    """A copy of it."""
    shutil.copytree(evaluated.root, tmp_path / "work", symlinks=True)
    return Workspace(tmp_path / "work")
