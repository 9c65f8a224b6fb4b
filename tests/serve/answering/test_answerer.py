"""From the bytes of a lesion's pictures to an answer, by the release that stands ready."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

import bombs
from coroutines import awaited
from cutis.imaging.border import Decoder
from cutis.imaging.decode import UnreadablePicture, decode
from cutis.imaging.prepare import normalise, prepare
from cutis.runtime.batcher import Closed, TooManyWait
from cutis.runtime.predict import answers_of, diagnose, seen_from_all_sides
from cutis.runtime.ready import Trusted, ready_release
from cutis.serve.answer import State
from cutis.serve.answering import answerer as answering
from cutis.serve.answering.answerer import Answerer
from cutis.serve.answering.kept_maps import overlay, strength_of
from cutis.serve.settings import ClinicSettings
from cutis.vocabulary.errors import SafetyRefusal, UserError
from cutis.vocabulary.outputs import Outputs
from factories import a_bundle, a_picture, a_running_release, an_engine
from opened_releases import an_open_release

SIDE = 160


def a_jpeg(seed=0, **fields):
    return bombs.saved(a_picture(width=SIDE, height=SIDE, seed=seed), "JPEG", **fields)


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    """A release that answers by colours, by an engine that any machine has."""
    return a_running_release(tmp_path_factory.mktemp("release") / "first")


@pytest.fixture(scope="module")
def answerer(release):
    """It stands ready."""
    with Answerer(Trusted(release), ClinicSettings(engine="onnxruntime-fp32", waiting=2)) as ready:
        yield ready


def asked(answerer, *pictures, **fields):
    return awaited(lambda: answerer.answer(pictures, **fields))


class Slow:
    """An engine that waits until it may go on, and counts its passes."""

    def __init__(self):
        self.may_go_on, self.passes = threading.Event(), 0

    def __call__(self, pictures):
        """Answer by colours, when it may."""
        self.passes += 1
        assert self.may_go_on.wait(20)
        return an_engine(maps=(np.zeros((len(pictures), 3, 4, 4), np.float32),))(pictures)


@contextmanager
def standing(monkeypatch, opened, **settings):
    """An answerer before a release that has no file."""
    monkeypatch.setattr(answering, "open_release", lambda *_, **__: opened)
    with Answerer(Trusted(opened.folder), ClinicSettings(**settings)) as ready:
        yield ready


def test_the_answer_is_that_of_the_release_to_the_bit(answerer, release, tmp_path):
    """Decoded, prepared and calibrated as `cutis diagnose` does it, and named by what gave it."""
    (tmp_path / "lesion.jpg").write_bytes(a_jpeg())
    ready = ready_release(Trusted(release), engine="onnxruntime-fp32")
    expected = diagnose(ready.engine, ready.bundle, tmp_path / "lesion.jpg").diagnosis

    answered = asked(answerer, a_jpeg())

    answer = answered.answer
    assert answer.state is State.ANSWERED
    assert answer.findings == expected.findings
    assert answer.warnings == expected.warnings
    assert (answer.release, answer.release_sha256) == ("invented", answerer.release.sha256)
    assert answer.answers_by == "onnxruntime-fp32"
    assert answer.maps == ("final",)
    assert overlay(answered.maps, diagnosis="a", depth="final", size=(SIDE, SIDE)).startswith(b"\x89PNG")
    assert len(answered.pictures) == len(answered.thumbnails) == 1
    assert 0 < answer.seconds < 20


def test_pictures_of_one_lesion_are_answered_together(answerer):
    """By the mean of what is said of each; one of no use is named and left out."""
    first, second = (asked(answerer, a_jpeg(seed)).answer for seed in (1, 2))
    black = bombs.saved(a_picture(width=SIDE, height=SIDE).point(lambda _: 3), "JPEG")

    answered = asked(answerer, a_jpeg(1), black, a_jpeg(2))

    answer = answered.answer
    mean = {
        one.code: (one.probability + next(two.probability for two in second.findings if two.code == one.code)) / 2
        for one in first.findings
    }
    assert {each.code: each.probability for each in answer.findings} == pytest.approx(mean, rel=1e-12)
    assert [picture.verdict for picture in answer.pictures] == ["good", "black", "good"]
    assert [(reason.key, reason.picture) for reason in answer.reasons] == [("black", 1)]
    assert answer.state is State.ANSWERED
    assert len(answered.pictures) == 3


def test_where_no_picture_can_be_judged_the_network_is_not_asked(monkeypatch):
    """Each is told what spoils it, and which release would have been asked."""
    engine = Slow()
    black = bombs.saved(a_picture(width=SIDE, height=SIDE).point(lambda _: 3), "JPEG")
    tiny = bombs.saved(a_picture(width=20, height=20), "JPEG")
    with standing(monkeypatch, an_open_release(engine=engine)) as answerer:
        answer = asked(answerer, black, tiny).answer

    assert engine.passes == 0
    assert answer.state is State.UNUSABLE
    assert [(reason.key, reason.picture) for reason in answer.reasons] == [("black", 0), ("tiny", 1)]
    assert answer.findings == ()
    assert answer.release_sha256 == "1" * 64


def test_views_of_a_release_are_as_many_passes(monkeypatch):
    """The answer is that of their mean, to the bit, while the maps are those of the picture as it is."""
    passes = []

    def sees_sides(pictures):
        passes.append(pictures)
        half = pictures.shape[-1] // 2
        sides = [pictures[:, :, :, :half], pictures[:, :, :half], pictures]
        logits = np.stack([side.mean(axis=(1, 2, 3)) * 9 for side in sides], axis=1)
        return Outputs(logits=logits, auxiliary_logits=(), features=logits, maps=(pictures,))

    bundle, content = a_bundle(views=4), a_jpeg()
    pixels = normalise(prepare(decode(content), bundle.preparation)[None], bundle.preparation)
    expected = answers_of(bundle, seen_from_all_sides(sees_sides, bundle, pixels)).probabilities[0]
    passes.clear()
    with standing(monkeypatch, an_open_release(bundle, engine=sees_sides)) as answerer:
        answered = asked(answerer, content)

    assert len(passes) == 4
    assert not np.array_equal(passes[0], passes[1])
    assert sorted(each.probability for each in answered.answer.findings) == sorted(expected.tolist())
    strength = strength_of(answered.maps, diagnosis="b", depth="final", size=(16, 16), picture=0)
    above = np.maximum(pixels[0, 1] - pixels[0, 1].mean(), 0)
    np.testing.assert_allclose(strength, above / above.max(), atol=3e-3)


def test_what_is_no_picture_is_refused_by_its_place(answerer):
    """The others are given up, and nobody waits for them."""
    with pytest.raises(UnreadablePicture) as caught:
        asked(answerer, a_jpeg(), b"%PDF-1.7")

    assert caught.value.where == "picture 2"
    assert answerer.waiting == 0
    assert asked(answerer, a_jpeg()).answer.state is State.ANSWERED


def test_beyond_the_queue_one_is_told_to_come_back(monkeypatch):
    """At once, and those within are answered."""
    engine = Slow()
    with standing(monkeypatch, an_open_release(engine=engine), waiting=2) as answerer:

        async def ask_three():
            within = [asyncio.create_task(answerer.answer([a_jpeg(n)])) for n in range(2)]
            await asyncio.sleep(0)
            assert answerer.is_full
            with pytest.raises(TooManyWait):
                await answerer.answer([a_jpeg()])
            engine.may_go_on.set()
            return await asyncio.gather(*within)

        assert [each.answer.state for each in awaited(ask_three)] == [State.ANSWERED] * 2
        assert not answerer.is_full


def test_who_gives_up_leaves_their_place(monkeypatch):
    """A closed page keeps nobody out."""
    engine = Slow()
    with standing(monkeypatch, an_open_release(engine=engine), waiting=1) as answerer:

        async def give_up():
            waiting = asyncio.create_task(answerer.answer([a_jpeg()]))
            while not engine.passes:  # noqa: ASYNC110  the engine knows of no loop
                await asyncio.sleep(0.01)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert not answerer.is_full
            engine.may_go_on.set()
            return await answerer.answer([a_jpeg()])

        assert awaited(give_up).answer.state is State.ANSWERED


def test_the_loop_is_free_while_pictures_are_decoded_and_answered(monkeypatch):
    """Whoever asks whether the server is well is answered within a few milliseconds."""
    large = bombs.saved(a_picture(width=SIDE, height=SIDE).resize((4000, 3000)), "JPEG")
    engine = Slow()
    engine.may_go_on.set()
    with standing(monkeypatch, an_open_release(engine=engine)) as answerer:

        async def longest_wait():
            waiting, longest = asyncio.create_task(answerer.answer([large, large])), 0.0
            while not waiting.done():
                started = time.perf_counter()
                await asyncio.sleep(0.001)
                longest = max(longest, time.perf_counter() - started)
            await waiting
            return longest

        assert awaited(longest_wait) < 0.2


def test_what_the_engine_does_wrong_is_told_to_who_asked(monkeypatch):
    """It is our bug, and the next one is answered."""
    fails = [True]

    def engine(pictures):
        if fails.pop() if fails else False:
            raise RuntimeError("broken")
        return an_engine()(pictures)

    with standing(monkeypatch, an_open_release(engine=engine)) as answerer:
        with pytest.raises(RuntimeError, match="broken"):
            asked(answerer, a_jpeg())

        assert asked(answerer, a_jpeg()).answer.state is State.ANSWERED


def test_it_is_ready_when_the_self_test_was_passed_and_not_before(release):
    """And no more when it has ended."""
    answerer = Answerer(Trusted(release), ClinicSettings(engine="onnxruntime-fp32"))
    assert not answerer.is_ready
    with pytest.raises(Closed):
        answerer.release  # noqa: B018  that it raises is the matter

    with answerer:
        assert answerer.is_ready

    assert not answerer.is_ready
    with pytest.raises(Closed):
        asked(answerer, a_jpeg())


def test_who_waits_when_it_ends_is_told_so(monkeypatch):
    """Nobody waits for ever."""
    engine = Slow()

    async def ask():
        with standing(monkeypatch, an_open_release(engine=engine)) as answerer:
            waiting = asyncio.create_task(answerer.answer([a_jpeg()]))
            while not engine.passes:  # noqa: ASYNC110  the engine knows of no loop
                await asyncio.sleep(0.01)
        engine.may_go_on.set()
        with pytest.raises(Closed):
            await asyncio.wait_for(waiting, 20)

    awaited(ask)


def test_a_release_that_is_not_as_it_was_sealed_does_not_start(release, tmp_path):
    """Nor does one of which nobody said who must have signed it, where that is asked for."""
    with pytest.raises(SafetyRefusal), Answerer(Trusted(release, None, required=True), ClinicSettings()):
        pass
    with pytest.raises(UserError), Answerer(Trusted(tmp_path / "nowhere"), ClinicSettings()):
        pass


def test_a_release_that_is_refused_leaves_the_old_one_standing(answerer, tmp_path):
    """Whoever asks meanwhile is answered by it."""
    with pytest.raises(UserError):
        answerer.swap(Trusted(tmp_path / "nowhere"))

    assert asked(answerer, a_jpeg()).answer.release_sha256 == answerer.release.sha256


def test_a_release_that_must_not_answer_here_leaves_the_old_one_standing(release, answerer):
    """What was opened is looked at before anybody is answered by it."""

    def require(opened):
        raise SafetyRefusal(f"{opened.name} must not answer", where="here", mend="take another one")

    before = answerer.release
    with pytest.raises(SafetyRefusal, match="must not answer"):
        answerer.swap(Trusted(release), require=require)

    assert answerer.release is before


def test_releases_change_under_load_and_each_answer_is_that_of_the_one_it_names(release, tmp_path):
    """Nobody is lost, and nothing is wrong: every answer is held against what the named release says by itself."""
    other = a_running_release(tmp_path / "second", name="second", temperatures=(3.0,))
    pictures = [a_jpeg(seed) for seed in range(6)]
    settings = ClinicSettings(engine="onnxruntime-fp32", waiting=1000, decoders=2)
    expected = {}
    for folder in (release, other):
        with Answerer(Trusted(folder), settings) as alone:
            for number, picture in enumerate(pictures):
                expected[alone.release.sha256, number] = asked(alone, picture).answer.findings

    with Answerer(Trusted(release), settings) as answerer:
        found = awaited(under_load, answerer, pictures, [other, release, other, release, other])

    assert {answer.release_sha256 for _, answer in found} == {sha256 for sha256, _ in expected}
    wrong = [n for n, answer in found if answer.findings != expected[answer.release_sha256, n]]
    assert wrong == []
    assert len(found) > 100
    assert all((answer.release == "second") == (answer.findings != expected_of(expected, n)) for n, answer in found)


def expected_of(expected, number):
    """What the first release says of a picture."""
    return next(findings for (_, n), findings in expected.items() if n == number)


async def under_load(answerer, pictures, releases):
    """Ask without a pause while releases change; return each picture's number with its answer."""
    found, over = [], asyncio.Event()

    async def ask(first):
        number = first
        while not over.is_set():
            answered = await answerer.answer([pictures[number % len(pictures)]])
            found.append((number % len(pictures), answered.answer))
            number += 1

    async def change():
        for folder in releases:
            await asyncio.sleep(0.3)
            await asyncio.to_thread(answerer.swap, Trusted(folder))
        await asyncio.sleep(0.3)
        over.set()

    async with asyncio.TaskGroup() as group:
        group.create_task(change())
        for first in range(8):
            group.create_task(ask(first))
    return found


def _threads(at_most=0):
    """How many threads answerers have here, once they are so few or after five seconds; a browser's do not count."""
    for _ in range(100):
        count = sum(each.name.startswith("cutis ") for each in threading.enumerate())
        if count <= at_most:
            break
        time.sleep(0.05)
    return count


def test_a_release_that_was_replaced_ends_when_nobody_waits_for_it(release, tmp_path):
    """Its threads are gone, so that a clinic may change releases for years."""
    before = _threads()
    with Answerer(Trusted(release), ClinicSettings(engine="onnxruntime-fp32")) as answerer:
        within = _threads()
        for _ in range(3):
            answerer.swap(Trusted(release))

        assert before < _threads(within) <= within
    assert _threads(before) <= before


def test_no_decoder_is_asked_twice_for_one_picture(answerer, monkeypatch):
    """One decoding gives all."""
    asked_for, look = [], Decoder.look
    monkeypatch.setattr(Decoder, "look", lambda *args, **fields: (asked_for.append(args), look(*args, **fields))[1])

    asked(answerer, a_jpeg(), a_jpeg(1))

    assert len(asked_for) == 2


def test_a_network_without_maps_gives_an_answer_without_them(monkeypatch):
    """There is nothing to show."""

    def engine(pictures):
        said = an_engine()(pictures)
        return Outputs(*said)

    with standing(monkeypatch, replace(an_open_release(engine=engine), maps=())) as answerer:
        answered = asked(answerer, a_jpeg())

    assert (answered.answer.maps, answered.maps) == ((), b"")


def test_maps_that_may_not_be_shown_are_not_made(answerer, monkeypatch):
    """Of an answer that is none, or where none passed its examination: the network gave them all the same."""
    black = bombs.saved(a_picture(width=SIDE, height=SIDE).point(lambda _: 3), "JPEG")
    unusable = asked(answerer, black)
    engine = an_engine(maps=(np.zeros((1, 3, 4, 4), np.float32),))
    with standing(monkeypatch, replace(an_open_release(engine=engine), maps=())) as unexamined:
        answered = asked(unexamined, a_jpeg())

    assert (unusable.answer.state, unusable.maps) == (State.UNUSABLE, b"")
    assert (answered.answer.state, answered.maps) == (State.ANSWERED, b"")
