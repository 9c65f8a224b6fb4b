"""A page of HTML as its elements, for tests that read it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

VOID = {"meta", "link", "img", "br", "path", "polyline", "circle"}
AN_ESTIMATE = re.compile(
    r"^([−+]?\d+\.\d{2,4} (\((\d\d% CI )?[−+]?\d+\.\d{2,4}( to |–)[−+]?\d+\.\d{2,4}\)|no interval)|not available)$"
)


class Page(HTMLParser):
    """A page as its elements; each start has its end."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.texts, self.estimates = [], [], [], []
        self.marks, self.notes, self.parts = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        """Remember the element, and what it is inside of."""
        attributes = dict(attrs)
        self.elements.append((tag, attributes))
        if attributes.get("class") == "estimate":
            self.estimates.append("")
        if tag == "li" and "value" in attributes:
            self.notes.append((self.part, int(attributes["value"]), ""))
        if tag not in VOID:
            self.open.append((tag, attributes))

    def handle_startendtag(self, tag, attrs):
        """Remember an element without content."""
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        """Every end closes what was opened last."""
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        """Remember the text, and whether it belongs to an estimate or to the number of a note."""
        self.texts.append(data)
        if any(attributes.get("class") == "estimate" for _, attributes in self.open):
            self.estimates[-1] += data
        tag, attributes = self.open[-1] if self.open else ("", {})
        if tag == "sup":
            self.marks += [(self.part, int(number)) for number in data.split(", ")]
        if tag == "li" and "value" in attributes:
            part, number, said = self.notes[-1]
            self.notes[-1] = (part, number, said + data)

    @property
    def part(self):
        """The outermost section or article, whose notes are told together."""
        return next((attributes["id"] for tag, attributes in self.open if tag in {"section", "article"}), "")

    @property
    def text(self):
        """All words, each gap one space."""
        return " ".join(" ".join(self.texts).split())

    def of(self, tag):
        """Return the attributes of every element of this name."""
        return [attributes for name, attributes in self.elements if name == tag]
