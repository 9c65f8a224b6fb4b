"""How long it takes to find a picture's nearest among many training cases. Writes neighbours.md beside itself.

Ours, scikit-learn's and, where it can be imported, faiss' exact search, on the same vectors and in the same run.
`PYTHONPATH=FOLDER` with faiss-cpu in it adds the last; it is no dependency. Sizes that memory cannot hold are left out.
Run it with OMP_NUM_THREADS=1.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.progress import say
from cutis.stats.retrieval import Origin, nearest
from cutis.stats.spaces import Space, placed
from cutis.vocabulary.chance import chance
from cutis.vocabulary.circumstances import circumstances

SIZES = (10_000, 100_000, 1_000_000)
WIDTHS = (1280, 1792)
K = 10
ROUNDS, FEW_ROUNDS, MANY = 9, 3, 1_000_000
LIMIT = 0.05  # seconds that nobody notices
AT_ONCE = 10_000
SPARE = 1.5  # times the vectors; what must be free beside them

Vectors = NDArray[np.float32]
Search = Callable[[Vectors], NDArray[np.int64]]  # (1, F) → (k,) rows


def ours(known: Vectors) -> Search:
    """Search as `cutis diagnose` does, with the patient named."""
    space = Space("raw", np.zeros(known.shape[1], np.float32), np.ones(known.shape[1], np.float32))
    return lambda query: nearest(placed(query, space), known, k=K).rows[0]


def ours_safely(known: Vectors) -> Search:
    """Do the same with clusters of two, of which one is the query's."""
    origin = Origin([f"patient{row // 2}" for row in range(len(known))], [None] * len(known))
    asks = Origin(["patient0"], [None])
    return lambda query: nearest(query, known, k=K, origin=asks, known_origin=origin).rows[0]


def of_sklearn(known: Vectors) -> Search:
    """Search by scikit-learn, brute force, cosine."""
    from sklearn.neighbors import NearestNeighbors

    index = NearestNeighbors(n_neighbors=K, algorithm="brute", metric="cosine").fit(known)
    return lambda query: index.kneighbors(query, return_distance=False)[0]


def of_faiss(known: Vectors) -> Search:
    """Search by faiss' flat index, which is exact too."""
    import faiss

    faiss.omp_set_num_threads(1)
    index = faiss.IndexFlatIP(known.shape[1])
    index.add(known)
    return lambda query: index.search(query, K)[1][0]


SEARCHES = {"cutis": ours, "cutis, a patient left out": ours_safely, "scikit-learn": of_sklearn} | (
    {"faiss, flat": of_faiss} if importlib.util.find_spec("faiss") else {}
)
COPIES = {"scikit-learn", "faiss, flat"}  # that hold the vectors a second time


def vectors(count: int, width: int) -> Vectors:
    """Return random vectors of length one (M, F), made in parts."""
    random = chance("benchmark of neighbours", count, width)
    made = np.empty((count, width), np.float32)
    for start in range(0, count, AT_ONCE):
        part = random.standard_normal((min(AT_ONCE, count - start), width), dtype=np.float32)
        made[start : start + len(part)] = part / np.linalg.norm(part, axis=1, keepdims=True)
    return made


class Timed(NamedTuple):
    """What a search found, and how long it took."""

    seconds: float  # median processor time of one query, on one thread
    found: list[set[int]]  # by query


def timed(search: Search, queries: Vectors) -> Timed:
    """Search for each query, after a first one that is not counted."""
    search(queries[:1])
    times, found = [], []
    for query in queries[:, None]:
        started = time.process_time()
        rows = search(query)
        times.append(time.process_time() - started)
        found.append(set(rows.tolist()))
    return Timed(statistics.median(times), found)


def measured(count: int, width: int) -> Iterator[tuple[str, float, bool]]:
    """Yield each search with its time, and whether it finds what ours finds."""
    known, queries = vectors(count, width), vectors(ROUNDS if count < MANY else FEW_ROUNDS, width)
    wanted: list[set[int]] = []
    for name, make in SEARCHES.items():
        if name in COPIES and SPARE * known.nbytes > free():
            say(f"{name} would need {known.nbytes / 2**30:.1f} GiB more than there is")
            continue
        took, found = timed(make(known), queries)
        wanted = wanted or found
        yield name, took, found == wanted


def free() -> int:
    """Return the bytes of memory that are available."""
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))


def within_the_limit(rows: list[tuple[int, int, str, float, bool]]) -> Iterator[str]:
    """Say up to how many cases ours stays within the limit, by the time per case of the largest size."""
    for width in WIDTHS:
        own = [(count, took) for count, of, name, took, _ in rows if of == width and name == "cutis"]
        if own:
            count, took = own[-1]
            most = LIMIT / (took / count)
            yield f"{width:,} features: about {round(most, -3):,.0f} cases within {1000 * LIMIT:.0f} ms."


def main() -> None:
    """Measure every size that fits, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    sizes = parser.parse_args().sizes
    rows, left_out = [], []
    for count in sizes:
        for width in WIDTHS:
            if SPARE * 4 * count * width > free():
                left_out.append(f"{count:,} × {width:,}")
                continue
            say(f"{count:,} × {width:,}")
            rows += [(count, width, *each) for each in measured(count, width)]
    about = circumstances()
    ours_took = {(count, width): took for count, width, name, took, _ in rows if name == "cutis"}
    page = [
        "# How long it takes to find the most similar training cases",
        "",
        f"Written by `benchmarks/neighbours.py`: the {K} nearest of one picture, median of {ROUNDS} ({FEW_ROUNDS} from",
        f"{MANY:,} on) after one that is not counted, processor time on one thread.",
        "Every search is exact, on the same vectors in single precision.",
        f"{about['processor']}, cutis {about['cutis']}.",
        "",
        *within_the_limit(rows),
        *([f"Left out, since memory could not hold them: {', '.join(left_out)}."] if left_out else []),
        "",
        "| cases | features | vectors, GiB | search | ms | times ours | same ten |",
        "|---|---|---|---|---|---|---|",
        *(
            f"| {count:,} | {width:,} | {4 * count * width / 2**30:.2f} | {name} | {1000 * took:.2f} "
            f"| {took / ours_took[count, width]:.2f} | {'yes' if agrees else 'no'} |"
            for count, width, name, took, agrees in rows
        ),
    ]
    Path(__file__).with_suffix(".md").write_text("\n".join(page) + "\n", encoding="utf-8")
    print("\n".join(page))


if __name__ == "__main__":
    main()
