"""Rebuild docs/figures: the papers' figures of the shipped family, on clips of the suite noisy-50 that no training has seen.

    python docs/figures.py [--clips 140] [--workers 2]

Renders the clips, runs what `workbench figures` runs, keeps small pictures and puts the captions into docs/figures/README.md.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from build import shrink

from ifdd.errors import InputError
from ifdd.io import replace_between
from ifdd.scripted import SuiteConfig, render_suite
from workbench.figures.study import open_study
from workbench.figures.task import DrawnFigures, Request, run, write

OUT = Path(__file__).resolve().parent / "figures"
BENCHMARK = OUT.parents[1] / "checkpoints" / "benchmark.json"
MARK = "figures"
RUNS = tuple(f"noisy-frozen-{row}-0" for row in ("baseline", "ifdd", "control", "issm", "constant-lift", "even-odd-lift"))
TITLES = {
    "ifdd_fig2_maps": "Grad-CAM of both branches",
    "ifdd_fig2_tsne": "Clusters of the embedding",
    "ifdd_fig3_table": "The variants in numbers",
    "ifdd_fig3_variants": "The variants on one clip",
    "ifdd_fig4_radar": "Recall by class",
    "ifdd_fig5_confidence": "Confidence by class",
    "ous_fig4_stages": "Clusters over the stages",
    "ous_fig5_confusion": "Confusion matrices",
}


def page(drawn: DrawnFigures) -> str:
    """Every figure with its caption, in the order of the papers."""
    parts = [
        f"## {TITLES[stem]}\n\nAfter {sheet.paper}.\n\n![{TITLES[stem]}]({stem}.png)\n\n{sheet.caption}"
        for stem, sheet in drawn.sheets.items()
    ]
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Reads the command line and makes the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=140)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    config = SuiteConfig("noisy-50", seed=3, clips=args.clips, identities=140, split="test", difficulty="noisy-50")
    try:
        with tempfile.TemporaryDirectory() as folder:
            manifest = render_suite(config, Path(folder, "noisy-50"), workers=args.workers)
            began = time.monotonic()
            study = open_study(RUNS, manifest, Path(folder))
            drawn = run(study, Request(benchmark=BENCHMARK))
            if drawn.left_out:
                raise InputError("; ".join(f"{stem} left out: {reason}" for stem, reason in drawn.left_out.items()))
            for file in write(drawn, Path(folder, "out"), study.context("python docs/figures.py"), formats=("png",)):
                if file.suffix == ".png":
                    shrink(file, OUT / file.name)
            sys.stdout.write(
                f"{len(drawn.sheets)} figures of {len(RUNS)} checkpoints: {(time.monotonic() - began) / 60:.1f} min\n"
            )
        replace_between(OUT / "README.md", MARK, page(drawn))
    except InputError as error:
        raise SystemExit(f"error: {error}") from error


if __name__ == "__main__":
    main()
