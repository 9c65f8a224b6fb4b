"""Whether what was learned from data may be passed on as the data's licence has it."""

from __future__ import annotations

import re

from cutis.vocabulary.errors import UserError

# These let anybody use and pass on what is made of the data. All others, and those that nobody states, may not.
_FREE = re.compile(
    r"(cc0|cc-by|cc-by-sa|pddl|odc-by|odbl|apache|mit|bsd-[23]-clause|public-domain)(-\d+(\.\d+)?)?(-[a-z]{2,5})?"
)
# By which names the Hugging Face hub knows licences.
_BY = ("cc-by", "cc-by-sa", "cc-by-nc", "cc-by-nc-sa", "cc-by-nc-nd", "cc-by-nd")
HUB = frozenset({"apache-2.0", "bsd-2-clause", "bsd-3-clause", "cc0-1.0", "mit", "odbl", "odc-by", "pddl"}) | {
    f"{by}-{version}" for by in _BY for version in ("3.0", "4.0") if (by, version) != ("cc-by-nd", "3.0")
}


def identifier_of(licence: str) -> str:
    """Return a licence in small letters, with hyphens for spaces: "CC BY-NC 4.0" is "cc-by-nc-4.0"."""
    return re.sub(r"[\s_]+", "-", licence.strip().lower())


def restricts(licence: str) -> bool:
    """Say whether a licence forbids some uses, or does not say that it allows them all."""
    return not _FREE.fullmatch(identifier_of(licence))


def require_consent(licence: str, *, consent: bool) -> None:
    """Refuse to publish what was learned under a restrictive licence, unless somebody answers for it.

    Raises:
        UserError: names the licence.
    """
    if restricts(licence) and not consent:
        what = f"the data that it learned from is under {licence!r}, which does not let everybody do everything with it"
        mend = "read the licence; if what you publish keeps to it, add --consent-to-licence"
        raise UserError(what, where="cutis release --public", mend=mend)
