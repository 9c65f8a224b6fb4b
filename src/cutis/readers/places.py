"""Who reads what: everybody everything, or shares in which every case is read a set number of times. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

from cutis.readers.protocol import Slot
from cutis.vocabulary.chance import seed_of
from cutis.vocabulary.errors import UserError


def crossed_places(readers: int, *, raters: Sequence[str] = ()) -> tuple[Slot, ...]:
    """Return places at which everything is read; the first ones are those of named raters."""
    return tuple(Slot(name=name, rater=rater) for name, rater in _named(readers, raters))


def shared_places(
    cases: Mapping[str, str],
    *,
    readers: int,
    reads_per_case: int,
    raters: Sequence[str] = (),
    labelled_by: Mapping[str, set[str]],
    seed: int,
) -> tuple[Slot, ...]:
    """Return places with a share of the cases each, so that every case is in exactly `reads_per_case` of them.

    The cases are dealt to readers / reads_per_case blocks, diagnosis by diagnosis, so that every block has about the
    mix of the whole; a block is read at reads_per_case places (a split-plot design: Obuchowski, Academic Radiology
    16:1567, 2009). Where a named rater would meet a case of his own, he exchanges it for another with a reader of
    another block, of the same diagnosis where there is one.

    Args:
        cases: diagnosis by case.
        readers: how many; a multiple of reads_per_case.
        reads_per_case: how often each case is read.
        raters: those of the readers who labelled cases.
        labelled_by: by case, who labelled it.
        seed: of the study.

    Raises:
        UserError: a case of a named rater can be exchanged with nobody, or there are more blocks than cases.
    """
    blocks = readers // reads_per_case
    if blocks > len(cases):
        what = f"{blocks} shares of {len(cases)} cases"
        raise UserError(
            what, where="readers and reads_per_case", mend="invite fewer readers, or read each case oftener"
        )
    dealt = sorted(cases, key=lambda case: (cases[case], seed_of(seed, "block", case)))
    shares = [set(dealt[number % blocks :: blocks]) for number in range(readers)]
    named = _named(readers, raters)
    for place, (_, rater) in enumerate(named):
        for case in sorted(case for case in shares[place] if rater in labelled_by.get(case, set())):
            _exchange(shares, place, case, named=named, cases=cases, labelled_by=labelled_by)
    order = {case: number for number, case in enumerate(cases)}
    return tuple(
        Slot(name=name, rater=rater, cases=tuple(sorted(share, key=order.__getitem__)))
        for (name, rater), share in zip(named, shares, strict=True)
    )


def _exchange(
    shares: list[set[str]],
    place: int,
    case: str,
    *,
    named: Sequence[tuple[str, str | None]],
    cases: Mapping[str, str],
    labelled_by: Mapping[str, set[str]],
) -> None:
    """Give a case to another place for one of its own, so that neither reads what he labelled, or anything twice."""
    rater = named[place][1]
    others = [
        (cases[other] != cases[case], partner, other)
        for partner, other in product(range(len(shares)), sorted(cases))
        if partner != place
        and other in shares[partner] - shares[place]
        and case not in shares[partner]
        and rater not in labelled_by.get(other, set())
        and named[partner][1] not in labelled_by.get(case, set())
    ]
    if not others:
        what = f"{rater!r} labelled case {case!r}, and nobody can read it instead"
        mend = "invite more readers, read each case less often, or leave this rater out"
        raise UserError(what, where="raters", mend=mend)
    _, partner, other = min(others)
    shares[place] ^= {case, other}
    shares[partner] ^= {case, other}


def _named(readers: int, raters: Sequence[str]) -> list[tuple[str, str | None]]:
    digits = len(str(readers))
    return [(f"r{number + 1:0{digits}}", raters[number] if number < len(raters) else None) for number in range(readers)]
