"""The report of a case as a PDF, in English or Chinese: A4, with everything that qualifies an answer beside it.

No font travels in the file. Latin is Helvetica and Chinese is STSong-Light, which viewers bring themselves.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from functools import partial
from html import escape
from typing import Any

from PIL import Image

from cutis.serve.answer import Answer, State
from cutis.serve.pages.report import Report, Visit, moment
from cutis.serve.pages.saying import (
    FIRST,
    cannot_say,
    percent,
    reason_text,
    remarks_of,
    rows_of,
    set_text,
    summed,
    within,
)
from cutis.serve.pages.standing import Said
from cutis.web.translations import Words

LATIN, BOLD, CHINESE = "Helvetica", "Helvetica-Bold", "STSong-Light"
# What Helvetica has no letters for: everything beyond Latin-1 and a few signs of Windows' code page.
BEYOND_LATIN = re.compile("[^\x00-\xff\u2013\u2014\u2018\u2019\u201c\u201d\u2022\u2026\u20ac\u2122]+")
WIDTH, MARGIN = 595.28, 48.0  # points of A4
LARGEST = (240.0, 180.0)  # points of a picture
PIXELS = 900  # of its longer side: 270 to an inch
Story = list[Any]
Set = Callable[..., Any]  # text and the name of a style → a paragraph


def pdf_of(report: Report, words: Words) -> bytes:
    """Return a case on paper; the same report gives the same bytes."""
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfbase.pdfmetrics import registerFont
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer

    registerFont(UnicodeCIDFont(CHINESE))
    body = {
        "fontName": LATIN,
        "fontSize": 9.5,
        "leading": 13,
        "spaceAfter": 3,
        "wordWrap": "CJK" if words.language == "zh" else None,
    }
    styles = {
        "body": ParagraphStyle("body", **body),
        "small": ParagraphStyle("small", **body | {"fontSize": 8, "leading": 11, "textColor": "#555d6b"}),
        "title": ParagraphStyle("title", **body | {"fontName": BOLD, "fontSize": 17, "leading": 22}),
        "heading": ParagraphStyle(
            "heading", **body | {"fontName": BOLD, "fontSize": 12, "leading": 16, "spaceBefore": 12}
        ),
        "large": ParagraphStyle("large", **body | {"fontName": BOLD, "fontSize": 14, "leading": 19, "spaceBefore": 4}),
        "warning": ParagraphStyle(
            "warning",
            **body
            | {
                "fontName": BOLD,
                "borderColor": "#a63a0a",
                "borderWidth": 1,
                "borderPadding": 5,
                "spaceBefore": 6,
                "spaceAfter": 9,
            },
        ),
    }

    def paragraph(text: str, style: str = "body") -> Any:
        return Paragraph(_in_fonts(text), styles[style])

    story: Story = [
        paragraph(words("clinic_pdf.title"), "title"),
        paragraph(words("clinic_pdf.not_device"), "warning"),
        *([paragraph(words("clinic.invented"), "warning")] if report.invented else []),
        paragraph(words("clinic_pdf.case", case=report.case_id)),
        paragraph(words("clinic_pdf.made", date=report.made, by=report.made_by), "small"),
    ]
    for each in report.truths:
        story.append(paragraph(f"{words('clinic_truth.' + each.says)} {each.diagnosis} {each.day or ''}"))
    for visit in report.visits:
        story += [*_visit(visit, words, paragraph), Spacer(0, 8)]
    written = io.BytesIO()
    document = SimpleDocTemplate(
        written,
        pagesize=(WIDTH, 841.89),
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=MARGIN,
        bottomMargin=56,
        title=f"{words('clinic_pdf.title')} {report.case_id[:8]}",
        author="",
        invariant=1,
    )
    foot = partial(
        _foot, text=words("clinic_pdf.not_device"), page_text=lambda number: words("clinic_pdf.page", page=number)
    )
    document.build(story, onFirstPage=foot, onLaterPages=foot)
    return written.getvalue()


def _visit(visit: Visit, words: Words, paragraph: Set) -> Story:
    from reportlab.platypus import KeepTogether

    told = visit.journal.content
    story: Story = [
        paragraph(words("clinic_pdf.examination", date=visit.at), "heading"),
        paragraph(words("clinic_pdf.examined_by", by=visit.by)),
    ]
    if visit.device:
        story.append(paragraph(words("clinic_pdf.device", device=visit.device)))
    if visit.note:
        story.append(paragraph(words("clinic_pdf.note", note=visit.note)))
    story = [KeepTogether([*story, _pictures(visit.pictures)])]
    story.append(paragraph(words("clinic_pdf.quality", text=visit.quality.text)))
    story += [paragraph(f"• {each}") for each in visit.quality.remarks]
    if visit.answer is not None:
        story += _answer(visit.answer, words, paragraph)
    else:
        story.append(paragraph(words("clinic_pdf.hidden", why=words(f"clinic_pdf.hidden_{visit.hidden}")), "large"))
    story.append(paragraph(cannot_say(visit.cannot_say, words), "warning"))
    story.append(paragraph(words("clinic_pdf.words"), "heading"))
    story += [paragraph(_word(each, words)) for each in visit.words] or [paragraph(words("clinic_pdf.no_words"))]
    release = {name: told[name] for name in ("release_sha256", "weights_sha256", "answers_by")}
    line = words(
        "clinic_pdf.release",
        name=told["release"],
        sha256=release["release_sha256"],
        weights=release["weights_sha256"],
        engine=release["answers_by"],
    )
    journal = words("clinic_pdf.journal", number=visit.journal.number, hash=visit.journal.hash)
    return [*story, paragraph(line, "small"), paragraph(journal, "small")]


def _answer(answer: Answer, words: Words, paragraph: Set) -> Story:
    if answer.state is not State.ANSWERED:
        name = answer.state.value
        story: Story = [
            paragraph(words(f"clinic_state.{name}"), "large"),
            paragraph(words(f"clinic_state.{name}_text")),
        ]
        story += [paragraph(f"• {reason_text(each, words)}") for each in answer.reasons]
        return story + [paragraph(each) for each in remarks_of(answer, words)]
    rows = rows_of(answer, words)
    story = [paragraph(f"{rows[0].name}  {rows[0].percent}", "large")]
    story += [paragraph(each, "warning") for each in within(answer, words)]
    for row in rows[:FIRST]:
        member = f" ({words('clinic_pdf.in_set')})" if row.in_set else ""
        story.append(paragraph(f"• {row.name}  {row.percent}{member}"))
    if rest := rows[FIRST:]:
        together = percent(sum(row.share for row in rest))
        story.append(paragraph(f"• {words('clinic_pdf.rest', count=len(rest), percent=together)}"))
    line = summed(answer.malignancy, answer.findings, words)
    more = (set_text(answer, words), f"{line.heading} {line.text}" if line else "", *remarks_of(answer, words))
    return story + [paragraph(text) for text in more if text]


def _word(said: Said, words: Words) -> str:
    aided = words("clinic_word.aided" if said.aided else "clinic_word.unaided")
    text = words(f"clinic_word.said_{said.says}") + (f": {said.diagnosis}" if said.diagnosis else "")
    return words("clinic_pdf.word", date=moment(said.at), by=said.by, aided=aided, said=text)


def _pictures(pictures: tuple[bytes, ...]) -> Any:
    """Return pictures two in a row."""
    from reportlab.platypus import Image as Drawn
    from reportlab.platypus import Table

    drawn = []
    for content in pictures:
        with Image.open(io.BytesIO(content)) as picture:
            picture.thumbnail((PIXELS, PIXELS))
            smaller = io.BytesIO()
            picture.save(smaller, "JPEG", quality=88)
            scale = min(LARGEST[0] / picture.width, LARGEST[1] / picture.height)
            drawn.append(Drawn(smaller, picture.width * scale, picture.height * scale))
    rows = [drawn[start : start + 2] for start in range(0, len(drawn), 2)]
    rows = [row + [""] * (min(2, len(drawn)) - len(row)) for row in rows]
    table = Table(rows, hAlign="LEFT")
    table.setStyle([("LEFTPADDING", (0, 0), (-1, -1), 0), ("RIGHTPADDING", (0, 0), (-1, -1), 8)])
    return table


def _foot(canvas: Any, document: Any, *, text: str, page_text: Callable[[int], str]) -> None:
    canvas.saveState()
    canvas.setFillColor("#555d6b")
    canvas.setFont(CHINESE if BEYOND_LATIN.search(text) else LATIN, 8)
    canvas.drawString(MARGIN, 30, text)
    canvas.drawRightString(WIDTH - MARGIN, 30, page_text(document.page))
    canvas.restoreState()


def _in_fonts(text: str) -> str:
    """Return text as reportlab's markup, where what Latin has no letters for is set in the Chinese font."""
    plain = "".join(letter for letter in text if letter == "\n" or letter.isprintable())
    parts, last = [], 0
    for found in BEYOND_LATIN.finditer(plain):
        parts += [escape(plain[last : found.start()]), f'<font name="{CHINESE}">{escape(found.group())}</font>']
        last = found.end()
    return "".join([*parts, escape(plain[last:])]).replace("\n", "<br/>")
