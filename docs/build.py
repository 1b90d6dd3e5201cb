"""Build the gallery: run the code that its pages show on the demo, and keep the pictures that it saves beside them.

    python docs/build.py [PAGE ...] [--out DIR]

A page is Markdown with one block of Python; the block of gallery/README.md runs before each of them. What is
shown is what is run. Needs the demo (`workbench demo`) and the shipped checkpoints, whose faces are all drawn by a program.
"""

import argparse
import os
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from PIL import Image, PngImagePlugin

from ifdd.checkpoints import Bundle
from ifdd.data.manifest import data_hash
from ifdd.errors import InputError
from ifdd.io import replace_between
from workbench.results.passport import Context, Passport
from workbench.store.collection import Collection
from workbench.store.dataset import Dataset

GALLERY = Path(__file__).resolve().parent / "gallery"
INDEX = GALLERY / "README.md"
MARK = "pages"
WIDTH = 1400
"""Pixels; wider pictures are made smaller."""
LARGEST = 120_000
"""Bytes of one picture."""
PAGES = (
    "grad_cam",
    "hirescam",
    "pooling",
    "difference",
    "pixels",
    "frames",
    "regions",
    "deletion",
    "randomisation",
    "split",
    "split_variants",
    "split_follows",
    "correlation",
    "embedding",
    "stages",
    "metrics",
    "confidence",
    "calibration",
    "agreement",
    "comparison",
    "flips",
    "radar",
    "slices",
    "bad_slices",
    "counterfactuals",
    "streams",
    "scorecard",
    "robustness",
    "scenes",
)
"""In the order of the index."""

_PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PICTURE = re.compile(r"!\[([^\]]*)\]\(([\w-]+\.png)\)")


def code_of(page: Path) -> str:
    """The Python that a page shows. Raises: InputError unless it has one block."""
    blocks: list[str] = _PYTHON.findall(page.read_text(encoding="utf-8"))
    if len(blocks) != 1:
        raise InputError(f"{page} has {len(blocks)} blocks of Python; a page shows one")
    return blocks[0]


def prepare() -> dict[str, Any]:
    """The names that every page starts from, by the code of the index."""
    names: dict[str, Any] = {"__name__": "gallery"}
    exec(compile(code_of(INDEX), str(INDEX), "exec"), names)
    return names


def context_of(name: str, names: dict[str, Any]) -> Context:
    """What the pictures of a page are made from: this command, the checkpoints and clips that its code starts from."""
    used = [names[word] for word in compile(code_of(GALLERY / f"{name}.md"), name, "exec").co_names if word in names]
    used += [item for value in used if isinstance(value, list) for item in value]
    context = Context.of(
        f"python docs/build.py {name}",
        bundles=[value for value in used if isinstance(value, Bundle)],
        collections=[value for value in used if isinstance(value, Collection)],
    )
    for dataset in (value for value in used if isinstance(value, Dataset)):
        context = context.with_data(dataset.manifest, data_hash(dataset.clips))
    return context


def run_page(name: str, names: dict[str, Any], folder: Path) -> list[Path]:
    """Run one page's code in `folder`; returns the pictures that the page shows. Raises: InputError if one was not saved."""
    page = GALLERY / f"{name}.md"
    before = Path.cwd()
    os.chdir(folder)
    try:
        exec(compile(code_of(page), str(page), "exec"), dict(names))
    finally:
        os.chdir(before)
    pictures = [folder / picture for _, picture in _PICTURE.findall(page.read_text(encoding="utf-8"))]
    for picture in pictures:
        if not picture.is_file():
            raise InputError(f"{page} shows {picture.name}, and its code saves no such file")
    return pictures


def shrink(picture: Path, out: Path, context: Context | None = None) -> None:
    """A picture for the web: few colours, at most `WIDTH` pixels wide and `LARGEST` bytes.

    Its passport stays in it; the code of a page knows of no command, so for its pictures `context` tells it.
    """
    with Image.open(picture) as image:
        about = PngImagePlugin.PngInfo()
        told = image.info["Description"]
        about.add_itxt("Description", told if context is None else Passport.from_json(told).within(context).to_json())
        whole = image.convert("RGB")
    for width in range(min(WIDTH, whole.width), 0, -100):
        small = whole.resize((width, round(whole.height * width / whole.width)), Image.Resampling.LANCZOS)
        # by coverage: few pixels of a colour bar count as much as many of a face
        flat = small.quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.FLOYDSTEINBERG)
        flat.save(out, optimize=True, pnginfo=about)
        if out.stat().st_size <= LARGEST:
            return
    raise InputError(f"{picture.name} does not get below {LARGEST} bytes; save a simpler picture")


def index_rows(names: tuple[str, ...] = PAGES) -> str:
    """The table of the index: picture, question, page."""
    rows = ["| | question | page |", "| --- | --- | --- |"]
    for name in names:
        text = (GALLERY / f"{name}.md").read_text(encoding="utf-8")
        title, question = text.splitlines()[0].removeprefix("# "), text.splitlines()[2].strip("*")
        alt, picture = _PICTURE.findall(text)[0]
        rows.append(f'| <img src="{picture}" width="240" alt="{alt}"> | {question} | [{title}]({name}.md) |')
    return "\n".join(rows)


def main() -> None:
    """Reads the command line and builds the pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="*", metavar="PAGE", help=f"by default all: {', '.join(PAGES)}")
    parser.add_argument("--out", type=Path, default=GALLERY, help="where pictures go; by default beside the pages")
    args = parser.parse_args()
    if unknown := [name for name in args.pages if name not in PAGES]:
        raise SystemExit(f"error: page {unknown[0]!r} is unknown; choose from {', '.join(PAGES)}")
    try:
        names = prepare()
        for name in args.pages or PAGES:
            began = time.process_time()
            with tempfile.TemporaryDirectory() as folder:
                for picture in run_page(name, names, Path(folder)):
                    shrink(picture, args.out / picture.name, context_of(name, names))
                    size = (args.out / picture.name).stat().st_size / 1000
                    sys.stdout.write(f"{picture.name}: {size:.0f} kB\n")
            sys.stdout.write(f"{name}: {time.process_time() - began:.1f} s of one core\n")
        replace_between(INDEX, MARK, index_rows())
    except InputError as error:
        raise SystemExit(f"error: {error}") from error


if __name__ == "__main__":
    main()
