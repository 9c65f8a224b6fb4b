"""ALL THE JSON SO FAR → ONE PAGE."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from cutis import __version__
from cutis.report.material import Material, read_material
from cutis.report.sections import all_sections
from cutis.report.tables import counted, spoken
from cutis.vocabulary.files import FORMATS, written_aside
from cutis.workspace import Finished, Workspace, no_space_left_is_a_user_error


def report(workspace: Workspace) -> Finished:
    """Put everything so far on one self-contained page, over the page that was there: it can be made at any time.

    Raises:
        UserError: there is nothing to report, a file is damaged, changed or of a newer format, or no space left.
    """
    material = read_material(workspace)
    sections = all_sections(material)
    page = render(sections)
    with no_space_left_is_a_user_error(workspace.root), written_aside(workspace.report) as aside:
        aside.write_text(page, encoding="utf-8")
    return _finished(workspace, material, sections)


def render(sections: dict[str, Any]) -> str:
    """Return the page as HTML; whatever comes from data is escaped."""
    page = page_environment().get_template("page.html")
    today = datetime.now(UTC).date().isoformat()
    return page.render(sections, version=__version__, format=FORMATS["report"], today=today)


def page_environment() -> Environment:
    """Return what fills the templates: it escapes everything, and stops at anything that is not there."""
    environment = Environment(
        loader=PackageLoader("cutis.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"counted": counted, "spoken": spoken}
    return environment


def _finished(workspace: Workspace, material: Material, sections: dict[str, Any]) -> Finished:
    broken = sections["head"]["broken"]
    links = len(sections["provenance"]["links"])
    names = [trained.bundle.name for trained in material.trained]
    missing = _missing(material)
    return Finished(
        wrote=workspace.report,
        lines=(
            f"dataset: {'yes' if material.dataset else 'not yet'}; bundles: {', '.join(names) or 'none yet'}",
            *(f"not yet there: {command}" for command in missing),
            f"THE CHAIN IS BROKEN in {len(broken)} of {links} links; the page says where"
            if broken
            else f"the chain of sha256 holds in all {links} links",
        ),
        facts={
            "bundles": names,
            "missing": missing,
            "links": links,
            "broken": [link._asdict() for link in broken],
        },
        next_command=missing[0] if missing else "cutis diagnose IMAGE",
    )


def _missing(material: Material) -> list[str]:
    """Return the command for each stage that has not run."""
    commands = [] if material.dataset else ["cutis curate CLINIC_DIR"]
    commands += [] if material.trained else ["cutis train"]
    for trained in material.trained:
        name = trained.bundle.name
        commands += [] if trained.evaluation else [f"cutis evaluate {name}"]
        commands += [] if trained.explanation else [f"cutis explain --name {name}"]
    return commands
