"""The documents hang together: links resolve, and what exists has its page."""

import pytest

from documents import REPOSITORY, anchors, documents, links

LINKS = [link for path in documents() for link in links(path)]


@pytest.mark.parametrize(
    "link", LINKS, ids=lambda link: f"{link.source.relative_to(REPOSITORY)}→{link.target.name}#{link.anchor}"
)
def test_every_link_leads_somewhere(link):
    """The file is there, and so is the heading in it."""
    assert link.target.exists()
    assert not link.anchor or link.anchor in anchors(link.target)


def test_every_stage_has_its_page():
    """A folder with a stage in it is explained in docs/ under the same name."""
    stages = {path.parent.name for path in (REPOSITORY / "src" / "cutis").glob("*/stage.py")}
    pages = {path.stem for path in (REPOSITORY / "docs").glob("*.md")}

    assert stages - pages == set()


def test_every_page_can_be_reached_from_the_index():
    """No page is lost."""
    index = REPOSITORY / "docs" / "index.md"
    reached = {link.target for link in links(index)}

    assert set((REPOSITORY / "docs").rglob("*.md")) - reached - {index} == set()


def test_decisions_are_numbered_without_gaps():
    """Each decision keeps its number, and none is missing."""
    numbers = sorted(int(path.name[:4]) for path in (REPOSITORY / "docs" / "decisions").glob("*.md"))

    assert numbers == list(range(1, len(numbers) + 1))
