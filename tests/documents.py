"""Reads the project's Markdown: its code blocks, its links, and the tree in the README."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).resolve().parents[1]
# Folders whose every file has its line in the README's tree.
MAPPED = ("src/cutis", "recipes", "docs", "benchmarks", "deploy")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
LEAF = re.compile(r"^(?P<lead>[│├└─ ]*)(?P<name>\S+)(?: +(?P<caption>\S.*))?$")


class Link(NamedTuple):
    """A link from one file to another file and, perhaps, one of its headings."""

    source: Path
    target: Path
    anchor: str


def documents(root: Path = REPOSITORY) -> list[Path]:
    """Return every Markdown file that belongs to the project."""
    return sorted([*root.glob("*.md"), *root.glob("docs/**/*.md"), *root.glob("benchmarks/*.md")])


def commands(text: str) -> list[list[str]]:
    """Return the commands in a text's code blocks, each as its words, without comments and ellipses."""
    blocks = [body for language, body in FENCE.findall(text) if language in {"", "sh", "bash", "console"}]
    lines = [line.strip() for body in blocks for line in body.replace("\\\n", " ").splitlines()]
    typed = [line.removeprefix("$ ").removeprefix(".venv/bin/") for line in lines]
    split = [shlex.split(line, comments=True) for line in typed if re.match(r"(cutis|make|pip|recipes/\S+) ?", line)]
    return [[word for word in words if word != "…"] for words in split]


def links(path: Path) -> list[Link]:
    """Return the links of a file that stay inside the project."""
    prose = FENCE.sub("", path.read_text(encoding="utf-8"))
    found = []
    for target in LINK.findall(prose):
        if "://" in target or target.startswith("mailto:"):
            continue
        file, _, anchor = target.partition("#")
        found.append(Link(path, (path.parent / file).resolve() if file else path, anchor))
    return found


def anchors(path: Path) -> set[str]:
    """Return the headings of a Markdown file as forges write them in links."""
    headings = re.findall(r"^#+ +(.+?) *$", FENCE.sub("", path.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def tree(text: str) -> dict[str, str]:
    """Return path → caption for every line of the tree in a README; a folder's path ends with a slash."""
    block = next(body for _, body in FENCE.findall(text) if "├──" in body)
    found: dict[str, str] = {}
    above: list[str] = []
    for line in block.splitlines():
        leaf = LEAF.match(line)
        if leaf is None:
            continue
        depth = len(leaf["lead"]) // 4
        above = [*above[: max(depth - 1, 0)], leaf["name"]] if depth else []
        if depth:
            found["".join(above)] = leaf["caption"] or ""
    return found


def files_on_disk(root: Path = REPOSITORY) -> set[str]:
    """Return the files of the mapped folders; empty ones (`__init__.py`, `py.typed`) have nothing to be told."""
    return {
        path.relative_to(root).as_posix()
        for folder in MAPPED
        for path in (root / folder).rglob("*")
        if path.is_file() and path.stat().st_size and "__pycache__" not in path.parts and not path.name.startswith(".")
    }
