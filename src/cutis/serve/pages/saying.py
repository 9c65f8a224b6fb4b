"""An answer in somebody's language: names, shares, reasons. Pure; what may be said at all was decided before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from cutis.serve.answer import Answer, Malignancy, Reason, SeenPicture, State
from cutis.vocabulary.diagnosis import Finding
from cutis.vocabulary.taxonomy import Taxonomy
from cutis.web.translations import Words

FIRST = 3  # findings that are not folded away
SIGNS_OF = {"good": "✓", "poor": "△", "bad": "✕"}
MARKED = frozenset({"small", "dark", "bright", "blurred"})


class Named(NamedTuple):
    """A diagnosis in one language, and in English beneath it where that is another one."""

    code: str
    name: str
    beneath: str


class Row(NamedTuple):
    """A diagnosis of the ranking as it is shown."""

    code: str
    name: str
    beneath: str
    share: float
    percent: str
    malignant: bool  # said only where the taxonomy holds melanoma and squamous cell carcinoma
    in_set: bool


class Quality(NamedTuple):
    """The verdict on the pictures, which stands before everything else."""

    kind: str  # "good", "poor" or "bad"
    sign: str
    text: str
    remarks: tuple[str, ...]  # on single pictures


class Summed(NamedTuple):
    """The malignancy line."""

    heading: str
    text: str


def named(code: str, name: str, words: Words) -> Named:
    """Return a diagnosis by its English name in the reader's language."""
    own = f"diagnoses.{name.casefold()}"
    return Named(code, words(own), name) if words.has(own) else Named(code, name, "")


def names_in(taxonomy: Taxonomy, words: Words) -> dict[str, str]:
    """Return how each diagnosis of a taxonomy is called, by code."""
    return {disease.code: named(disease.code, disease.name, words).name for disease in taxonomy.diseases}


def code_meant(text: str, taxonomy: Taxonomy, languages: Sequence[Words]) -> str | None:
    """Return the code of a diagnosis that somebody typed, in any language of the site; None where it has none."""
    sought = text.strip().casefold()
    for words in languages:
        for code, name in names_in(taxonomy, words).items():
            if name.casefold() == sought:
                return code
    return taxonomy.find(text)


def percent(share: float) -> str:
    """Return a probability as it is read: neither certain nor impossible."""
    if share <= 0.005 or share >= 0.995:  # noqa: PLR2004  what would be rounded to 0 or 100
        return "< 1 %" if share < 0.5 else "> 99 %"  # noqa: PLR2004
    return f"{100 * share:.0f} %"


def listed(names: Sequence[str], words: Words) -> str:
    """Join names as a sentence does."""
    if len(names) < 2:  # noqa: PLR2004  one needs no comma
        return "".join(names)
    return words("clinic.comma").join(names[:-1]) + words("clinic.and") + names[-1]


def rows_of(answer: Answer, words: Words) -> tuple[Row, ...]:
    """Return the ranking, the most probable first."""
    may_say = answer.malignancy is not None and answer.malignancy.may_say_malignant
    return tuple(_row(each, answer.prediction_set, words, may_say_malignant=may_say) for each in answer.findings)


def set_text(answer: Answer, words: Words) -> str:
    """Say in plain words what the prediction set promises; empty where there is none."""
    if not answer.prediction_set or answer.coverage is None:
        return ""
    names = [named(each.code, each.name, words).name for each in answer.findings if each.code in answer.prediction_set]
    often = Fraction(answer.coverage).limit_denominator(20)
    key = "clinic_answer.set_one" if len(names) == 1 else "clinic_answer.set"
    return words(key, hits=often.numerator, of=often.denominator, diagnoses=listed(names, words))


def summed(malignancy: Malignancy | None, findings: Sequence[Finding], words: Words) -> Summed | None:
    """Return the line that names what it sums, and what is not in the sum."""
    if malignancy is None:
        return None
    names = [named(each.code, each.name, words).name for each in findings if each.code in malignancy.codes]
    missing = [words(f"clinic_malignancy.{each}") for each in malignancy.not_assessed]
    share = percent(malignancy.probability)
    if malignancy.may_say_malignant:
        text = words("clinic_malignancy.sum_of", diagnoses=listed(names, words))
        return Summed(words("clinic_malignancy.malignant", percent=share), text)
    left_out = words("clinic_malignancy.missing", diagnoses=listed(missing, words))
    if not names:
        return Summed(words("clinic_malignancy.nothing"), left_out)
    heading = words("clinic_malignancy.only", diagnoses=begun(listed(names, words)), percent=share)
    return Summed(heading, left_out)


def reason_text(reason: Reason, words: Words) -> str:
    """Say one thing that stands against an answer."""
    key = f"clinic_reason.{reason.key}"
    text = words(key if words.has(key) else "clinic_reason.other")
    if reason.beyond is not None:
        everything = reason.beyond >= 1 and reason.clusters is not None
        than = words("clinic_reason.than_all", count=reason.clusters) if everything else ""
        text += " " + (than or words("clinic_reason.than", percent=f"{100 * reason.beyond:.1f} %"))
    return text if reason.picture is None else words("clinic_reason.of", number=reason.picture + 1, text=text)


def quality_of(answer: Answer, words: Words, *, hidden: bool) -> Quality:
    """Return the verdict on the pictures; what the network finds foreign is no matter of quality while it is hidden."""
    seen = [_verdict(each, hidden=hidden) for each in answer.pictures]
    wrong = [each for each in seen if each not in {"good", "poor"}]
    if len(wrong) == len(seen):
        return Quality("bad", SIGNS_OF["bad"], words(f"clinic_verdict.{wrong[0]}"), ())
    remarks = [
        words("clinic_verdict.left_out", number=number, verdict=words(f"clinic_verdict.{verdict}"))
        for number, verdict in enumerate(seen, start=1)
        if verdict in wrong
    ]
    remarks += [
        words("clinic_verdict.of", number=number, remark=words(f"clinic_mark.{mark}"))
        for number, (picture, verdict) in enumerate(zip(answer.pictures, seen, strict=True), start=1)
        for mark in picture.marks
        if verdict == "poor" and mark in MARKED
    ]
    kind = "poor" if remarks or "poor" in seen else "good"
    return Quality(kind, SIGNS_OF[kind], words(f"clinic_verdict.{kind}"), tuple(remarks))


def remarks_of(answer: Answer, words: Words) -> tuple[str, ...]:
    """Return what else must stand beside an answer; what has a place of its own on the page is not among it."""
    keys = [f"clinic_remark.{key}" for key in answer.remarks]
    return tuple(words(key) for key in keys if words.has(key))


def cannot_say(names: Sequence[str], words: Words) -> str:
    """Say what the network cannot say, whatever it said."""
    own = [named(each, each, words).name for each in names]
    return words("clinic_answer.cannot_say", diagnoses=listed(own, words)) if own else words("clinic_answer.only_these")


def within(answer: Answer, words: Words) -> tuple[str, ...]:
    """Return what must stand inside the answer itself."""
    return (words("clinic_answer.excludes_no_melanoma"),) if answer.excludes_no_melanoma else ()


def heading_of(answer: Answer | None, words: Words) -> tuple[str, str, str]:
    """Return kind, sign and text by which a list names an examination; of a hidden answer only that it is hidden."""
    if answer is None:
        return "hidden", "◐", words("clinic_state.hidden")
    if answer.state is not State.ANSWERED:
        sign = {"unsure": "?", "foreign": "⊘", "unusable": "✕"}[answer.state.value]
        return answer.state.value, sign, words(f"clinic_state.{answer.state.value}")
    first = answer.findings[0]
    return "answered", "", f"{begun(named(first.code, first.name, words).name)} {percent(first.probability)}"


def diagnosis_said(code: str | None, text: str, names: Mapping[str, str]) -> str:
    """Return a diagnosis that a person named: by its code, else as they wrote it."""
    return names.get(code, code) if code else text


def _row(finding: Finding, members: Sequence[str], words: Words, *, may_say_malignant: bool) -> Row:
    called = named(finding.code, finding.name, words)
    share = percent(finding.probability)
    is_member = finding.code in members
    return Row(
        called.code,
        begun(called.name),
        called.beneath,
        finding.probability,
        share,
        finding.malignant and may_say_malignant,
        is_member,
    )


def _verdict(picture: SeenPicture, *, hidden: bool) -> str:
    if hidden and picture.verdict == "foreign":
        return "poor" if MARKED.intersection(picture.marks) else "good"
    return picture.verdict


def begun(text: str) -> str:
    """Return a text as it begins a line."""
    return text[:1].upper() + text[1:]
