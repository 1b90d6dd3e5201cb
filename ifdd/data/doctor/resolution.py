"""Sizes of pictures: mixed, or other than the folder's name or the list says."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePath

from ifdd.data.doctor.case import Case
from ifdd.data.doctor.findings import Finding, finding, many

_NAMED = re.compile(r"(?<!\d)(\d{2,4})(?:x(\d{2,4}))?(?!\d)")
_SIZES = range(48, 4097)


def resolution(case: Case) -> Iterator[Finding]:
    """Clips of several sizes; a folder called 224 whose pictures are 256 wide (as official DFEW frames are); a list that errs."""
    sizes = {i: (seen.width, seen.height) for i, seen in enumerate(case.seen) if seen.width}
    if not sizes:
        return
    common = Counter(sizes.values()).most_common()
    if len(common) > 1:
        told = ", ".join(f"{w}x{h} ({count:,})" for (w, h), count in common[:4]) + (" …" if len(common) > 4 else "")
        others = [i for i, size in sizes.items() if size != common[0][0]]
        yield finding(
            "note",
            "resolution",
            f"clips of {len(common)} sizes: {told}",
            [f"{case.ids[i]}: {sizes[i][0]}x{sizes[i][1]}" for i in others],
            "every clip is scaled to what a model reads; small ones are blurred by that",
        )
    said = {i: size for i in sizes if (size := named_size(case.places[i])) is not None}
    wrong = [i for i, size in said.items() if sizes[i] != size]
    if wrong:
        kinds = Counter((said[i], sizes[i]) for i in wrong).most_common(1)[0][0]
        yield finding(
            "warning",
            "resolution",
            f"{many(len(wrong), 'clip')} in folders called {kinds[0][0]}x{kinds[0][1]} "
            f"{'are' if len(wrong) > 1 else 'is'} {kinds[1][0]}x{kinds[1][1]} or another size",
            [f"{case.ids[i]}: {sizes[i][0]}x{sizes[i][1]}" for i in wrong],
            "trust the files, not the name: official DFEW frames called 224 are 256 wide; say in a paper which you used",
        )
    frame = case.frame
    listed = zip(frame["width"].to_numpy(float), frame["height"].to_numpy(float), strict=True)
    differ = [i for i, size in enumerate(listed) if i in sizes and size[0] > 0 and size != sizes[i]]
    if differ:
        yield finding(
            "warning",
            "resolution",
            f"the list tells another size than that of the files in {many(len(differ), 'clip')}",
            [f"{case.ids[i]}: {sizes[i][0]}x{sizes[i][1]}" for i in differ],
            "index from disk: ifdd data index LIST --out NEW.parquet",
        )


def named_size(path: str) -> tuple[int, int] | None:
    """The size that a folder above a clip is called after, e.g. clip_224x224_16f, jpg_256; None where none is.

    >>> named_size("/DFEW/Clip/clip_224x224_16f/00256"), named_size("/DFEW/jpg_256/00001/"), named_size("/FERV39k/0267")
    ((224, 224), (256, 256), None)
    """
    for folder in reversed(PurePath(path).parts[:-1]):
        if not folder.casefold().startswith(("clip", "jpg", "png", "frame", "face", "img", "image")):
            continue
        for width, height in _NAMED.findall(folder):
            if int(width) in _SIZES:
                return int(width), int(height or width)
    return None
