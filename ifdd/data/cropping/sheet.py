"""Contact sheets: a strip of pictures for each clip, those worth a look first, on pages that load nothing from elsewhere."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import cv2
import numpy as np

from ifdd.data.video import image_files, read_frames
from ifdd.io import write_text

PER_PAGE = 100
PICTURES, SIDE = 10, 72
"""Pictures of a strip, and pixels of their sides."""

_STYLE = """
body { font: 14px/1.4 system-ui, sans-serif; margin: 1.5rem; color: #222; background: #fff; }
table { border-collapse: collapse; } td { padding: .25rem .75rem .25rem 0; vertical-align: middle; border-top: 1px solid #ddd; }
img { display: block; } .flag td:first-child { border-left: 4px solid #d55e00; padding-left: .5rem; }
.why { color: #a34700; } .small { color: #666; font-size: 12px; } nav a { margin-right: .5rem; }
@media (prefers-color-scheme: dark) {
  body { color: #ddd; background: #181818; } td { border-color: #444; } .why { color: #f0a060; }
  .small { color: #aaa; } a { color: #8bf; }
}
"""


@dataclass(frozen=True)
class Shown:
    """A clip of a sheet: its id, its frames, lines about it, why it is worth a look ("" if it is not), and warnings."""

    name: str
    frames: Path
    about: tuple[str, ...]
    flag: str
    warnings: tuple[str, ...]


def write_sheets(clips: Sequence[Shown], left_out: Mapping[str, str], title: str, folder: Path) -> list[str]:
    """Write sheet.html, sheet-2.html …; those flagged come first. Returns their names."""
    ordered = sorted(clips, key=lambda clip: not clip.flag)
    pages = [ordered[at : at + PER_PAGE] for at in range(0, len(ordered), PER_PAGE)] or [[]]
    names = ["sheet.html", *(f"sheet-{number}.html" for number in range(2, len(pages) + 1))]
    flagged = sum(bool(clip.flag) for clip in clips)
    for number, (name, page) in enumerate(zip(names, pages, strict=True)):
        links = " ".join(f'<a href="{other}">{at}</a>' for at, other in enumerate(names, start=1)) if len(names) > 1 else ""
        rows = "\n".join(_row(clip) for clip in page)
        missing = _missing(left_out) if number == 0 else ""
        write_text(
            folder / name,
            f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<style>{_STYLE}</style></head><body>
<h1>{escape(title)}</h1>
<p>{flagged} of {len(clips)} are worth a look and come first; {len(left_out)} were left out.</p>
<nav>{links}</nav>
{missing}<table>
{rows}
</table>
<nav>{links}</nav>
</body></html>
""",
        )
    return names


def _row(clip: Shown) -> str:
    lines = "".join(f"<br>{escape(line)}" for line in clip.about if line)
    why = f'<div class="why">{escape(clip.flag)}</div>' if clip.flag else ""
    warnings = "".join(f'<div class="small">{escape(line)}</div>' for line in clip.warnings)
    picture = (
        f'<img alt="{PICTURES} frames of {escape(clip.name)}" height="{SIDE}" src="data:image/jpeg;base64,{_strip(clip.frames)}">'
    )
    mark = ' class="flag"' if clip.flag else ""
    return f"<tr{mark}><td><b>{escape(clip.name)}</b>{lines}</td><td>{picture}</td><td>{why}{warnings}</td></tr>"


def _missing(left_out: Mapping[str, str]) -> str:
    if not left_out:
        return ""
    items = "\n".join(f"<li><b>{escape(name)}</b>: {escape(why)}</li>" for name, why in left_out.items())
    return f"<h2>Left out</h2>\n<ul>\n{items}\n</ul>\n"


def _strip(folder: Path) -> str:
    """Frames at equal steps side by side, as JPEG in base 64."""
    picks = np.linspace(0, len(image_files(folder)) - 1, PICTURES).round().astype(int).tolist()
    frames = {frame.index: frame.image for frame in read_frames(folder, keep=set(picks))}
    small = [cv2.resize(frames[at], (SIDE, SIDE), interpolation=cv2.INTER_AREA) for at in picks]
    _, data = cv2.imencode(".jpg", cv2.cvtColor(np.hstack(small), cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 80])
    return base64.b64encode(data.tobytes()).decode("ascii")
