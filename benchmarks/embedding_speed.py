"""t-SNE and UMAP of as many clips as FERV39k has: seconds, memory and trustworthiness; and against scikit-learn's t-SNE.

    python benchmarks/embedding_speed.py [--clips 38935] [--features 768] [--against 10000] [--jobs 2]

Features are synthetic: seven classes on a 20-dimensional subspace, with noise in all dimensions. Every part runs in a process of
its own; memory is the largest that process held, above what it held before. `map` is what a user waits for: PCA, layout and all
quality figures, trustworthiness on 5,000 clips drawn by the seed. Against scikit-learn the layouts alone are timed, from the same
50 principal components. UMAP takes a seed on one thread only.
"""

import argparse
import json
import resource
import subprocess
import sys
import time

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE, trustworthiness

from workbench.analysis.embedding.methods import FITTERS, Settings
from workbench.analysis.embedding.projection import embed
from workbench.analysis.embedding.quality import sample
from workbench.analysis.embedding.results import MapOptions


def clustered(clips: int, features: int) -> tuple[np.ndarray, np.ndarray]:
    """Features (n, d) float32 of seven overlapping classes, and their labels."""
    rng = np.random.default_rng(0)
    inner = min(20, features)
    labels = rng.integers(0, 7, clips)
    low = 0.6 * rng.normal(size=(7, inner))[labels] + rng.normal(size=(clips, inner))
    return (low @ rng.normal(size=(inner, features)) + 2 * rng.normal(size=(clips, features))).astype(np.float32), labels


def megabytes() -> float:
    """Largest memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def whole(method: str, clips: int, features: int, jobs: int) -> dict[str, float]:
    """One map with all its figures; a small one comes first, so that loading and compiling are not counted."""
    embed(*clustered(200, features), method=method, options=MapOptions(jobs=jobs))  # type: ignore[arg-type]
    x, labels = clustered(clips, features)
    before, start = megabytes(), time.perf_counter()
    result = embed(x, labels, method=method, options=MapOptions(jobs=jobs))  # type: ignore[arg-type]
    seconds = time.perf_counter() - start
    return {
        "seconds": seconds,
        "MB": megabytes() - before,
        "trustworthiness": result.trustworthiness,
        "5-NN in the map": result.knn_accuracy,
        "5-NN in the features": result.measure("kNN accuracy", "features").value,
    }


def layout(engine: str, clips: int, features: int, jobs: int) -> dict[str, float]:
    """t-SNE alone, of 50 principal components."""
    x, _ = clustered(clips, features)
    reduced = PCA(min(50, features), random_state=0).fit_transform(x).astype(np.float64)
    FITTERS["tsne"](reduced[:200], Settings(0, MapOptions(jobs=jobs), None))
    before, start = megabytes(), time.perf_counter()
    if engine == "openTSNE":
        xy = FITTERS["tsne"](reduced, Settings(0, MapOptions(jobs=jobs), None)).xy
    else:
        xy = TSNE(perplexity=30, random_state=0, n_jobs=jobs).fit_transform(reduced)
    seconds = time.perf_counter() - start
    rows = sample(clips, 0)
    return {
        "seconds": seconds,
        "MB": megabytes() - before,
        "trustworthiness": float(trustworthiness(x[rows], xy[rows])),
    }


def part(name: str, clips: int, features: int, jobs: int) -> dict[str, float]:
    """Run one part in a process of its own."""
    words = [sys.executable, __file__, "--part", name, "--clips", str(clips), "--features", str(features), "--jobs", str(jobs)]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=38_935)
    parser.add_argument("--features", type=int, default=768)
    parser.add_argument("--against", type=int, default=10_000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--part", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.part:
        kind, _, name = given.part.partition(":")
        print(json.dumps((whole if kind == "map" else layout)(name, given.clips, given.features, given.jobs)))
        return
    for name, jobs in (("tsne", given.jobs), ("tsne", 1), ("umap", given.jobs), ("umap", 1)):
        found = part(f"map:{name}", given.clips, given.features, jobs)
        print(f"{name} {given.clips} × {given.features}, {jobs} threads: {show(found)}", flush=True)
    found = {
        engine: part(f"layout:{engine}", given.against, given.features, given.jobs) for engine in ("openTSNE", "scikit-learn")
    }
    for engine, figures in found.items():
        print(f"layout by {engine}, {given.against} clips, {given.jobs} threads: {show(figures)}")
    print(f"scikit-learn / openTSNE: {found['scikit-learn']['seconds'] / found['openTSNE']['seconds']:.2f} times the seconds")


def show(figures: dict[str, float]) -> str:
    """All figures in a line."""
    return ", ".join(f"{name} {value:.3f}" if value < 1 else f"{name} {value:.1f}" for name, value in figures.items())


if __name__ == "__main__":
    main()
