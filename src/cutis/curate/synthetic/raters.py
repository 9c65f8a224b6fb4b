"""Three dermatologists call every lesion by its name; sometimes they disagree, and some of it stays open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cutis.curate.synthetic.patients import HABITS, Patient, Spot
from cutis.vocabulary.chance import chance
from cutis.vocabulary.taxonomy import Taxonomy

RATERS = ("dr_a", "dr_b", "dr_c")
DISSENT = 0.15  # share of lesions that one of three calls otherwise
MISREAD = 0.02  # share of lesions that two of three call otherwise

# How many lesions are told this story, and whether what it ends in can be learnt from.
STORIES = {
    "three opinions, nobody settles it": 3,
    "two opinions, nobody settles it": 2,
    "three opinions, the adjudicator settles it": 4,
    "histology overrides the votes": 4,
}
OPEN = "nobody settles it"
COMMON = ("MN", "SK", "EAD", "Pso", "VW")  # only these are left open, so that no rare diagnosis gets rarer

# The third rater speaks the clinic's own tongue; clinic.toml translates it.
TONGUE = {
    "LP": "lichen ruber",
    "Rosa": "couperose",
    "VW": "verruca",
    "AV": "acne",
    "KAHS": "hypertrophic scar",
    "EAD": "eczema",
    "DF": "histiocytoma",
    "SD": "seborrhoeic eczema",
    "SK": "age wart",
    "MN": "mole",
    "Hem": "cherry angioma",
    "Pso": "plaque psoriasis",
    "PWS": "naevus flammeus",
    "BCC": "basalioma",
}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What was said of one lesion, in codes; a rater who did not look said nothing."""

    votes: tuple[str | None, str | None, str | None]
    adjudicator: str | None = None
    histology: str | None = None
    story: str | None = None

    @property
    def plain(self) -> bool:
        """Whether all raters agree and nothing else was said."""
        return len(set(self.votes)) == 1 and self.histology is None

    @property
    def expected(self) -> dict[str, str]:
        """What curation must make of a story."""
        if self.histology:
            return {"diagnosis": self.histology, "confirmed_by": "histology"}
        if self.adjudicator:
            return {"diagnosis": self.adjudicator, "confirmed_by": "adjudicator"}
        return {"indeterminate": "unresolved votes"}


def verdicts(seed: int, patients: Sequence[Patient]) -> dict[int, Verdict]:
    """Return what was said of each lesion, by its number; lesions outside the taxonomy are left out."""
    spots = [spot for patient in patients for spot in patient.spots if spot.called is None]
    order = chance(seed, "toy", "stories").permutation(len(spots))
    waiting = [spots[index] for index in order]
    told: dict[int, Verdict] = {}
    for story, count in STORIES.items():
        fitting = [spot for spot in waiting if spot.number not in told and (OPEN not in story or _may_stay_open(spot))]
        told |= {spot.number: _story(seed, spot, story) for spot in fitting[:count]}
    return {spot.number: told.get(spot.number) or _plain(seed, spot) for spot in spots}


def words(taxonomy: Taxonomy, vote: str | None, rater: int) -> str | None:
    """Return a code as this rater writes it: as an abbreviation, as the full name, or in the clinic's tongue."""
    if vote is None:
        return None
    return (taxonomy[vote].abbreviation, taxonomy[vote].name, TONGUE[vote])[rater]


def _may_stay_open(spot: Spot) -> bool:
    return spot.diagnosis in COMMON and not any(photo.fault for photo in spot.photographs)


def _story(seed: int, spot: Spot, story: str) -> Verdict:
    random = chance(seed, "toy", "story", spot.number)
    truth, others = spot.diagnosis, HABITS[spot.diagnosis].mistaken_for
    first, second, third = random.permutation([truth, *others]).tolist()
    if story.startswith("two"):
        return Verdict(votes=(first, None, second), story=story)
    if story.startswith("histology"):
        return Verdict(votes=(others[0], others[0], truth), histology=truth, story=story)
    settled = None if story.endswith(OPEN) else truth
    return Verdict(votes=(first, second, third), adjudicator=settled, story=story)


def _plain(seed: int, spot: Spot) -> Verdict:
    """Votes with a majority: mostly all three agree, rarely two of them are wrong."""
    random = chance(seed, "toy", "votes", spot.number)
    truth, habit = spot.diagnosis, HABITS[spot.diagnosis]
    other = str(random.choice(habit.mistaken_for, p=[0.65, 0.35]))
    seen = random.random()
    called = [truth, truth, truth]
    if seen < MISREAD:
        called = [other, other, truth]
    elif seen < MISREAD + DISSENT:
        called = [other, truth, truth]
    first, second, third = np.array(called)[random.permutation(3)].tolist()
    histology = truth if random.random() < habit.biopsied else None
    return Verdict(votes=(first, second, third), histology=histology)
