"""ALL THE JSON SO FAR → ONE PAGE."""

from __future__ import annotations

from cutis.report.card import card_of, made_from
from cutis.report.page import render
from cutis.report.reading import read_material
from cutis.report.sections import all_sections
from cutis.report.told import CARD, tell
from cutis.vocabulary.files import sha256_of, write_json, written_aside
from cutis.workspace import Finished, Workspace, no_space_left_is_a_user_error


def report(workspace: Workspace) -> Finished:
    """Put everything so far on one self-contained page, and beside it a card for machines.

    Both take the place of those that were there: they can be made at any time.

    Raises:
        UserError: there is nothing to report, a file is damaged, changed or of a newer format, or no space left.
    """
    material = read_material(workspace)
    page = render(all_sections(material))
    with no_space_left_is_a_user_error(workspace.root):
        with written_aside(workspace.report) as aside:
            aside.write_text(page, encoding="utf-8")
        card = card_of(material, page_sha256=sha256_of(workspace.report))
        write_json(workspace.report.with_name(CARD), "report", card, made_from=made_from(material))
    return tell(workspace, material)
