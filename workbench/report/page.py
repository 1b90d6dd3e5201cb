"""From sections of text, tables and charts to one HTML file that needs nothing else."""

import html
import json
import re
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from plotly.offline import get_plotlyjs

from ifdd.io import write_text
from workbench.report.parts import Chart, Section, Table
from workbench.results.passport import PYTHON_CALL, Context, issue
from workbench.results.passport_files import PAGE_MARK

_NUMBERS = re.compile(r"[\d\s.,;:%+\-−–±\[\]()/]*k?")
"""Cells of such signs are aligned by their last digit."""


def write_page(title: str, lead: str, sections: Sequence[Section], out: Path, context: Context = PYTHON_CALL) -> None:
    """Write the page under a temporary name, then rename it."""
    write_text(out, render(title, lead, sections, context))


def render(title: str, lead: str, sections: Sequence[Section], context: Context = PYTHON_CALL) -> str:
    """The page as text; figures and tables are numbered through, plotly is inlined once."""
    here = files("workbench.report")
    style, script = (here.joinpath(name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    count = {"Table": 0, "Figure": 0}
    body, links = [], []
    for number, section in enumerate(sections, 1):
        links.append(f'<a href="#s{number}">{_text(section.heading)}</a>')
        body.append(f'<section id="s{number}"><h2>{number}. {_text(section.heading)}</h2><p>{_text(section.about)}</p>')
        for part in section.parts:
            kind = "Table" if isinstance(part, Table) else "Figure"
            count[kind] += 1
            draw = _table(part, count[kind]) if isinstance(part, Table) else _chart(part, count[kind], context)
            body.append(draw)
        body.append("</section>")
    passport = issue(normalisation="see each figure", context=context)
    facts = "\n".join(f"<li>{_text(line)}</li>" for line in passport.lines())
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_text(title)}</title>\n<style>\n{style}</style>\n"
        f"{PAGE_MARK}{_json(passport.to_json())}</script>\n</head>\n<body>\n"
        f'<header><h1>{_text(title)}</h1><button id="theme" type="button">light / dark</button><p>{_text(lead)}</p></header>\n'
        f'<nav aria-label="sections">{" ".join(links)}</nav>\n<main>\n{"".join(body)}\n'
        f'<section id="passport-text"><h2>Passport</h2><ul class="facts">{facts}</ul></section>\n</main>\n'
        f"<script>{get_plotlyjs()}</script>\n<script>\n{script}</script>\n</body>\n</html>\n"
    )


def _table(table: Table, number: int) -> str:
    words = [any(not _NUMBERS.fullmatch(row[i]) for row in table.rows) for i in range(len(table.header))]

    def cell(i: int, told: str) -> str:
        return f'<td class="words">{_text(told)}</td>' if words[i] else f"<td>{_text(told)}</td>"

    head = "".join(
        f'<th scope="col"{" class=words" if word else ""}>{_text(name)}</th>'
        for name, word in zip(table.header, words, strict=True)
    )
    rows = "".join(
        f'<tr><th scope="row">{_text(row[0])}</th>{"".join(cell(i, told) for i, told in enumerate(row) if i)}</tr>'
        for row in table.rows
    )
    return (
        f'<figure class="table"><figcaption><b>Table {number}.</b> {_text(table.caption)}</figcaption>'
        f'<div class="scroll" tabindex="0"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div></figure>'
    )


def _chart(part: Chart, number: int, context: Context) -> str:
    height = part.figure.layout.height or 450
    facts = "".join(f"<li>{_text(line)}</li>" for line in issue(part.provenance, part.normalisation, context).lines())
    return (
        f'<figure class="chart"><div class="plot" id="plot-{number}" style="height:{height}px"></div>'
        f'<script type="application/json" class="data" data-plot="plot-{number}">{_json(part.figure.to_json())}</script>'
        f"<figcaption><b>Figure {number}.</b> {_text(part.caption)}</figcaption>"
        f'<details><summary>passport</summary><ul class="facts">{facts}</ul></details></figure>'
    )


def _text(value: str) -> str:
    return html.escape(str(value))


def _json(text: str) -> str:
    """JSON that cannot end the script element around it."""
    json.loads(text)
    return text.replace("<", "\\u003c")
