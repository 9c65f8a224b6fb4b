"""Who comes to the invented clinic: patients, their lesions, and the pictures that are taken of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import count

import numpy as np

from cutis.curate.synthetic.camera import DEVICES, Device, Light, some_light
from cutis.curate.synthetic.hair import Hair, some_hair
from cutis.curate.synthetic.skin import TONES, Skin, a_skin
from cutis.vocabulary.chance import chance

PATIENTS_PER_IMAGE = 0.38
FEWEST_PATIENTS = 16  # of each diagnosis in a clinic of full size, so that every split has some
MOST_PICTURES = 5  # of one lesion
FIRST_DAY = date(2018, 1, 8)
DAYS = 2_200
UNKNOWN = ("melanoma", "granuloma annulare", "pityriasis rosea")  # diagnoses outside the taxonomy

# Pictures that are spoilt, beyond those asked for; and marks of sound pictures.
SPOILT = {"blurred": 6, "dark": 4, "bright": 4, "no row for this file": 3}
CARRIED = {"name in EXIF": 8, "name in XMP": 4, "name in PNG text": 4, "turned by EXIF": 6}


@dataclass(frozen=True)
class Habit:
    """How a diagnosis is met in the clinic; `weight` is how often, against the others."""

    weight: float
    sites: tuple[str, ...]
    age: float
    spread: float
    women: float
    biopsied: float
    mistaken_for: tuple[str, ...]


HABITS = {
    "LP": Habit(16, ("wrist", "shin", "back"), 48, 13, 0.55, 0.30, ("Pso", "EAD")),
    "Rosa": Habit(17, ("cheek", "face", "nose"), 46, 12, 0.65, 0.02, ("SD", "AV")),
    "VW": Habit(24, ("hand", "sole", "sole", "face"), 22, 13, 0.5, 0.05, ("SK", "KAHS")),
    "AV": Habit(22, ("cheek", "face", "back"), 20, 6, 0.55, 0.0, ("Rosa", "KAHS")),
    "KAHS": Habit(16, ("chest", "shoulder", "neck"), 33, 13, 0.55, 0.15, ("DF", "AV")),
    "EAD": Habit(28, ("arm", "leg", "hand", "neck"), 38, 19, 0.55, 0.08, ("Pso", "SD")),
    "DF": Habit(16, ("leg", "leg", "arm"), 42, 12, 0.7, 0.55, ("MN", "KAHS")),
    "SD": Habit(17, ("face", "scalp", "scalp", "chest"), 41, 16, 0.4, 0.02, ("Pso", "EAD")),
    "SK": Habit(36, ("back", "chest", "face"), 64, 10, 0.5, 0.30, ("MN", "VW")),
    "MN": Habit(44, ("back", "chest", "leg", "arm", "sole"), 34, 14, 0.6, 0.30, ("SK", "DF")),
    "Hem": Habit(18, ("chest", "back", "arm"), 52, 15, 0.5, 0.06, ("PWS", "BCC")),
    "Pso": Habit(28, ("elbow", "knee", "back"), 45, 15, 0.45, 0.10, ("EAD", "SD")),
    "PWS": Habit(16, ("face", "neck", "arm"), 24, 14, 0.6, 0.02, ("Hem", "Rosa")),
    "BCC": Habit(30, ("nose", "face", "back", "chest"), 69, 10, 0.45, 0.80, ("SK", "Hem")),
}
GROWTHS = ("SK", "MN", "Hem", "BCC", "DF")  # people who have one of these often have another of these as well


@dataclass(frozen=True, kw_only=True)
class Photograph:
    """One picture to be taken; `fault` is None for a sound one without anything to strip."""

    number: int
    file: str
    fault: str | None = None

    @property
    def spoilt(self) -> bool:
        """Whether this picture is not one of the sound ones."""
        return self.fault in SPOILT


@dataclass(frozen=True, kw_only=True)
class Spot:
    """One lesion of a patient; `called` is the name outside the taxonomy that everybody gives it, if so."""

    diagnosis: str
    site: str
    device: Device
    day: date
    called: str | None = None
    number: int = 0
    photographs: tuple[Photograph, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Patient:
    """One person; everything that all pictures of this person share."""

    number: int
    age: float
    sex: str
    skin: Skin
    hair: Hair
    light: Light
    spots: tuple[Spot, ...]

    @property
    def folder(self) -> str:
        """Where this person's pictures lie."""
        return f"P{self.number:04d}"


def invite(seed: int, images: int) -> tuple[Patient, ...]:
    """Return the patients of a clinic with `images` sound pictures, and spoilt ones beyond, reproducibly."""
    patients = [_patient(seed, number, code) for number, code in enumerate(_diagnoses(seed, images), start=1)]
    for index, name in zip(_some(seed, "unknown", len(patients), len(UNKNOWN)), UNKNOWN, strict=True):
        patients[index] = _with_unknown(patients[index], name)
    spots = [spot for patient in patients for spot in patient.spots]
    return tuple(_numbered(patients, _schedule(seed, spots, images)))


def _diagnoses(seed: int, images: int) -> list[str]:
    """The main diagnosis of each patient: often what is often seen, but some of every one."""
    patients = round(images * PATIENTS_PER_IMAGE)
    fewest = min(FEWEST_PATIENTS, patients // 18)
    weights = np.array([habit.weight for habit in HABITS.values()])
    shares = np.maximum(fewest, np.floor(weights / weights.sum() * patients)).astype(int)
    codes = np.repeat(list(HABITS), shares)
    return [str(code) for code in chance(seed, "toy", "diagnoses").permutation(codes)]


def _patient(seed: int, number: int, diagnosis: str) -> Patient:
    random = chance(seed, "toy", "patient", number)
    habit = HABITS[diagnosis]
    age = float(np.clip(round(random.normal(habit.age, habit.spread)), 2, 96))
    tone = str(random.choice(list(TONES), p=[0.12, 0.30, 0.26, 0.14, 0.10, 0.08]))
    device = DEVICES[random.choice(len(DEVICES), p=[0.45, 0.30, 0.25])]
    first = FIRST_DAY + timedelta(days=int(random.integers(DAYS)))
    spots = []
    for index in range(int(random.choice([1, 2, 3], p=[0.68, 0.22, 0.10]))):
        is_other = index > 0 and diagnosis in GROWTHS and random.random() < 0.4  # noqa: PLR2004  of the further ones
        code = str(random.choice(GROWTHS)) if is_other else diagnosis
        later = index * int(random.integers(0, 200))
        day = first + timedelta(days=later)
        used = DEVICES[random.integers(len(DEVICES))] if later and random.random() < 0.3 else device  # noqa: PLR2004
        spots.append(Spot(diagnosis=code, site=str(random.choice(HABITS[code].sites)), device=used, day=day))
    return Patient(
        number=number,
        age=age,
        sex="f" if random.random() < habit.women else "m",
        skin=a_skin(random, tone),
        hair=some_hair(random, tone, age),
        light=some_light(random),
        spots=tuple(spots),
    )


def _with_unknown(patient: Patient, name: str) -> Patient:
    """Give a patient one more lesion, whose name is in no taxonomy here; it looks much like a nevus."""
    spot = Spot(diagnosis="MN", site="back", device=DEVICES[0], day=patient.spots[0].day, called=name)
    return replace(patient, spots=(*patient.spots, spot))


def _schedule(seed: int, spots: list[Spot], images: int) -> list[list[str | None]]:
    """For each spot, the faults of its pictures: None for a sound one."""
    known = [index for index, spot in enumerate(spots) if spot.called is None]
    schedule: list[list[str | None]] = [[None] for _ in spots]
    random = chance(seed, "toy", "pictures")
    for _ in range(images - len(known)):
        free = [index for index in known if len(schedule[index]) < MOST_PICTURES]
        schedule[int(random.choice(free))].append(None)
    for fault, times in CARRIED.items():
        suffix = ".png" if fault == "name in PNG text" else ".jpg"
        fitting = [index for index in known if spots[index].device.suffix == suffix and schedule[index][0] is None]
        for place in _some(seed, fault, len(fitting), times):
            schedule[fitting[place]][0] = fault
    for fault, times in SPOILT.items():
        for place in _some(seed, fault, len(known), times):
            schedule[known[place]].append(fault)
    return schedule


def _numbered(patients: list[Patient], schedule: list[list[str | None]]) -> Iterator[Patient]:
    spot_numbers, picture_numbers, faults = count(1), count(1), iter(schedule)
    for patient in patients:
        spots = []
        for spot in patient.spots:
            taken = zip(next(faults), picture_numbers, strict=False)  # in this order, or a number would be lost
            photographs = tuple(
                Photograph(number=number, file=f"{patient.folder}/img_{number:04d}{spot.device.suffix}", fault=fault)
                for fault, number in taken
            )
            spots.append(replace(spot, number=next(spot_numbers), photographs=photographs))
        yield replace(patient, spots=tuple(spots))


def _some(seed: int, purpose: str, of: int, times: int) -> list[int]:
    """Choose `times` of `of` places, without order and each once."""
    chosen = chance(seed, "toy", purpose).choice(of, size=times, replace=False)
    return sorted(int(place) for place in chosen)
