"""One evaluated workspace for all that only read it."""

from __future__ import annotations

import pytest

from factories import an_evaluated_workspace


@pytest.fixture(scope="session")
def evaluated_workspace(tmp_path_factory):
    """A workspace whose bundle was evaluated; explanations go elsewhere or are made `again`."""
    return an_evaluated_workspace(tmp_path_factory.mktemp("explained") / "work")
