"""From the bytes of a lesion's pictures to an answer, by the release that stands ready; releases change under way.

bytes → decoders → verdict on each picture → passes of the network → judgement → answer
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import Lock, Thread
from typing import Any, NamedTuple, Self, TypeVar

from cutis.imaging.border import Decoders
from cutis.imaging.limits import LIMITS, Limits
from cutis.runtime.batcher import AT_ONCE, LARGEST, Batcher, Closed
from cutis.runtime.predict import averaged
from cutis.runtime.ready import Trusted
from cutis.serve.answer import Answer
from cutis.serve.answering.admission import Admission
from cutis.serve.answering.answer_of import Seen, answer_of
from cutis.serve.answering.kept_maps import kept_maps
from cutis.serve.answering.looking import JUDGED, Copies, copies_of, glance, turned
from cutis.serve.answering.opened import OpenRelease, open_release
from cutis.serve.settings import ClinicSettings

Result = TypeVar("Result")
ENDED = "this answerer is not open"


@dataclass(frozen=True, kw_only=True)
class Answered:
    """An answer, and what is kept beside it."""

    answer: Answer
    pictures: tuple[bytes, ...]  # JPEG made anew, at most 1,600 pixels long
    thumbnails: tuple[bytes, ...]
    maps: bytes  # of every diagnosis at all depths, by `kept_maps`; empty where none may be shown


class Answerer:
    """A release, the queue before it, and the processes that decode for it. Used by `with`; any loop may ask."""

    def __init__(
        self, trusted: Trusted, settings: ClinicSettings, *, memory: Path | None = None, limits: Limits = LIMITS
    ) -> None:
        """Prepare; nothing is opened yet.

        Args:
            trusted: the release, and whom it must be signed by.
            settings: of the clinic: engine, decoders, how many may wait.
            memory: folder where the fastest engine is remembered; the user's cache, if not given.
            limits: of a decoder.
        """
        self._trusted, self._settings, self._memory = trusted, settings, memory
        self._decoders = Decoders(settings.decoders, limits=limits)
        self._admission = Admission(settings.waiting)
        self._turn, self._changing = Lock(), Lock()  # of what stands; of who changes it
        self._standing: _Standing | None = None
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Open the release; it has passed its self-test when this returns.

        Raises:
            UserError, SafetyRefusal: see `cutis.runtime.ready.ready_release`.
        """
        self._open.enter_context(self._decoders)
        self._decoders.start()
        settings = self._settings
        self._looking = self._open.enter_context(ThreadPoolExecutor(settings.decoders, "cutis looking"))
        self._saying = self._open.enter_context(ThreadPoolExecutor(1, "cutis saying"))
        try:
            self.swap(self._trusted)
        except BaseException:
            self._open.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End; whoever still waits is told so by `Closed`."""
        with self._turn:
            standing, self._standing = self._standing, None
        if standing:
            standing.give_back()
        self._open.close()

    @property
    def is_ready(self) -> bool:
        """Whether a release stands that answered its self-test."""
        return self._standing is not None

    @property
    def is_full(self) -> bool:
        """Whether one more would be refused: to be asked before a body is read."""
        return self._admission.is_full

    @property
    def waiting(self) -> int:
        """How many examinations wait or are at work."""
        return self._admission.within

    @property
    def release(self) -> OpenRelease:
        """The release that answers who asks now."""
        standing = self._standing
        if standing is None:
            raise Closed(ENDED)
        return standing.release

    def swap(self, trusted: Trusted, *, require: Callable[[OpenRelease], None] = lambda _: None) -> OpenRelease:
        """Open a release beside the one that answers, and change over once it has passed its self-test; return it.

        Who asked before is answered by the old one, who asks later by the new one, and each answer names its own. It
        takes seconds: a coroutine calls it in a thread.

        Args:
            trusted: the new release.
            require: raises where what was opened must not answer here.

        Raises:
            UserError, SafetyRefusal: the new one is not as it must be; the old one goes on.
        """
        with self._changing:
            settings = self._settings
            opened = open_release(trusted, engine=settings.engine, memory=self._memory)
            require(opened)
            standing = _Standing(opened, most_waiting=settings.waiting * settings.pictures_of_a_lesion)
            with self._turn:
                before, self._standing = self._standing, standing
            if before:
                before.give_back()
            return opened

    async def answer(self, pictures: Sequence[bytes], *, similar: bool = True) -> Answered:
        """Answer for one lesion.

        Args:
            pictures: bytes of files, one or more.
            similar: whether confirmed cases and the place on the atlas are asked for.

        Raises:
            TooManyWait: the queue is full; come back later.
            UnreadablePicture: one of them is no picture; names which.
            Closed: this answerer has ended.
        """
        if not pictures:
            raise ValueError("no picture")
        started = time.perf_counter()
        with self._admission.admitted(pictures), self._taken() as standing:
            asked = await _together([self._asked(standing, content, n) for n, content in enumerate(pictures)])
            seen = [each.seen for each in asked]

            def say() -> tuple[Answer, bytes]:
                answer = answer_of(standing.release, seen, similar=similar)
                return answer, _maps(standing.release, seen) if answer.as_shown().maps else b""

            answer, maps = await _in(self._saying, say)
            return Answered(
                answer=replace(answer, seconds=time.perf_counter() - started),
                pictures=tuple(each.copies.picture for each in asked),
                thumbnails=tuple(each.copies.thumbnail for each in asked),
                maps=maps,
            )

    async def _asked(self, standing: _Standing, content: bytes, place: int) -> _Asked:
        """Look at one picture, ask the network where it can be judged, and meanwhile make the copies that are kept."""
        bundle = standing.release.bundle
        seen = await _in(self._looking, partial(glance, self._decoders, content, bundle.preparation, place=place))
        copies = _in(self._saying, partial(copies_of, seen))
        said = None
        if seen.verdict in JUDGED:
            views = [standing.batcher.ask(view) for view in turned(seen.pixels, bundle.views)]
            each = [await asyncio.wrap_future(view) for view in views]
            said = averaged(each)._replace(maps=each[0].maps)
        return _Asked(Seen(seen, said), await copies)

    @contextmanager
    def _taken(self) -> Iterator[_Standing]:
        """Lend what stands now; it goes on standing until it is given back."""
        with self._turn:
            standing = self._standing
            if standing is None:
                raise Closed(ENDED)
            standing.take()
        try:
            yield standing
        finally:
            standing.give_back()


class _Asked(NamedTuple):
    """One picture of a question."""

    seen: Seen
    copies: Copies


class _Standing:
    """A release that answers, for as long as somebody waits for it or nothing has taken its place."""

    def __init__(self, release: OpenRelease, *, most_waiting: int) -> None:
        engine = release.answers_by.partition("-")[0]
        self.release = release
        self.batcher = Batcher(
            release.engine,
            release.bundle.preparation,
            largest=LARGEST[engine],
            at_once=AT_ONCE[engine],
            most_waiting=most_waiting * release.bundle.views,
        )
        self._users = 1  # the answerer itself
        self._counting = Lock()

    def take(self) -> None:
        with self._counting:
            self._users += 1

    def give_back(self) -> None:
        """End when nobody is left, in a thread of its own: a pass that nobody waits for any more may still run."""
        with self._counting:
            self._users -= 1
            is_left = self._users == 0
        if is_left:
            Thread(target=self.batcher.close, name="cutis retiring").start()


def _maps(release: OpenRelease, seen: Sequence[Seen]) -> bytes:
    bundle = release.bundle
    return kept_maps([one.said for one in seen], codes=bundle.taxonomy.codes, preparation=bundle.preparation)


def _in(threads: ThreadPoolExecutor, work: Callable[[], Result]) -> asyncio.Future[Result]:
    try:
        return asyncio.get_running_loop().run_in_executor(threads, work)
    except RuntimeError as error:  # they work no more
        raise Closed(ENDED) from error


async def _together(work: Sequence[Coroutine[Any, Any, Result]]) -> list[Result]:
    """Do several things at once; where one fails the others are given up, and its error is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in work]
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return [task.result() for task in tasks]
