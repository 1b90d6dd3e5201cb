"""Make the site's pages that nobody writes: the reference, from what the packages offer, and the navigation.

mkdocs calls the functions that begin with `on_` (`hooks` in mkdocs.yml). A page of the reference is a package: what its
`__init__.pyi` names, its pictures, its tasks. Sources are read, nothing of ours is imported.
"""

import ast
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import griffe
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
FROM_ELSEWHERE = {
    "README.md": "index.md",
    "CONVENTIONS.md": "conventions.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "checkpoints/README.md": "checkpoints.md",
    "pages/icon.svg": "icon.svg",
}
"""Files that the site shows and that lie outside docs/: path in the repository → path in the site."""
SHARED = {
    "What all results are": (
        "workbench.results.result.Result",
        "workbench.results.interval.Interval",
        "workbench.results.provenance.Provenance",
    ),
    "What all models are": ("ifdd.models.base.VideoModel", "ifdd.activations.Activation"),
    "What all pictures are": ("workbench.plotting.base.Display", "workbench.plotting.base.NamedDisplay"),
    "Who made a file": ("workbench.results.passport.Context",),
}
GUIDES = (
    "app.md",
    "manifest.md",
    "corpora.md",
    "training.md",
    "protocol.md",
    "doctor.md",
    "faces.md",
    "app_for_others.md",
    "other_models.md",
    "ous.md",
    "scripted_faces.md",
)
"""Pages in docs/ beside the guides on how to add something."""

_LINK = re.compile(r"\[(?P<text>[^\]]*)\]\((?P<target>[^)#\s:]+)(?P<anchor>#[^)\s]*)?\)")


def packages() -> dict[str, str]:
    """The packages that offer public names: page of the reference → package."""
    source = (ROOT / "workbench/analysis/registry.py").read_text(encoding="utf-8")
    (concepts,) = (
        ast.literal_eval(node.value)
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "CONCEPTS"
    )
    return {name: name for name in ("ifdd", "ifdd.weights", "workbench")} | {
        concept: f"workbench.analysis.{concept}" for concept in concepts
    }


def public_names(package: str) -> list[str]:
    """What a package offers by its `__init__.pyi`, but for packages."""
    stub = ROOT / package.replace(".", "/") / "__init__.pyi"
    found = []
    for node in ast.parse(stub.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.module:  # `from . import weights` is a page of its own
            found += [alias.asname or alias.name for alias in node.names]
    return sorted(found, key=str.lower)


class Reference:
    """The source, read once, and the pages made of it."""

    def __init__(self) -> None:
        loader = griffe.GriffeLoader(search_paths=[ROOT])
        self._trees = {name: loader.load(name) for name in ("ifdd", "workbench")}
        loader.resolve_aliases()

    def pages(self) -> dict[str, str]:
        """The reference as Markdown: name of the page → text."""
        made = {page: self._package(page, package) for page, package in packages().items()}
        made["shared"] = self._page("shared", "What every analysis returns, and what every picture is.", SHARED)
        rows = [f"| [{page}]({page}.md) | {self._about(package)} |" for page, package in packages().items()]
        rows.append("| [shared](shared.md) | What every analysis returns, and what every picture is. |")
        head = [
            "# Reference",
            "",
            "What the packages offer, by concept. The examples run as tests.",
            "",
            "| page | |",
            "| --- | --- |",
        ]
        return made | {"index": "\n".join(head + rows)}

    def _package(self, page: str, package: str) -> str:
        kinds: dict[str, list[str]] = {"Functions": [], "Results and options": [], "Values": []}
        for path in (f"{package}.{name}" for name in public_names(package)):
            kinds[{"function": "Functions", "class": "Results and options"}.get(self._at(path).kind.value, "Values")].append(path)
        if package.startswith("workbench.analysis."):
            kinds["Pictures"] = self._pictures(f"{package}.displays")
            task = self._at(f"{package}.task")
            kinds["Task: what the command line calls"] = [
                f"{task.path}.{name}" for name in ("run", "write") if name in task.members
            ]
        return self._page(page, f"{self._about(package)}\n\n```python\nimport {package}\n```", kinds)

    def _page(self, title: str, about: str, kinds: Mapping[str, Sequence[str]]) -> str:
        parts = [f"# {title}", about]
        for kind, paths in kinds.items():
            if not paths:
                continue
            rows = [f"| [`{path.rpartition('.')[2]}`][{path}] | {self._about(path)} |" for path in paths]
            parts += [f"## {kind}", "\n".join(["| name | |", "| --- | --- |", *rows]), *(f"::: {path}" for path in paths)]
        if types := self._types([path for paths in kinds.values() for path in paths]):
            rows = [f"| `{name}` | `{value}` |" for name, value in types.items()]
            parts += ["## Types in signatures", "\n".join(["| name | stands for |", "| --- | --- |", *rows])]
        return "\n\n".join(parts)

    def _types(self, paths: Sequence[str]) -> dict[str, str]:
        """Names of our own for types, in the signatures of functions and classes: name → what it stands for."""
        found = {}
        for item in map(self._at, paths):
            expected = [parameter.annotation for parameter in item.parameters] if hasattr(item, "parameters") else []
            for name in (part for annotation in expected if isinstance(annotation, griffe.Expr) for part in annotation):
                if isinstance(name, griffe.ExprName) and name.canonical_path.startswith(("ifdd.", "workbench.")):
                    meant = self._at(name.canonical_path)
                    if meant.is_attribute or meant.is_type_alias:
                        found[name.name] = str(meant.value)
        return dict(sorted(found.items()))

    def _pictures(self, place: str) -> list[str]:
        """The displays of a module, or of the modules of a package."""
        module = self._at(place)
        found = [f"{place}.{name}" for name, item in module.classes.items() if not item.is_alias and _is_display(item)]
        return found + [path for name in sorted(module.modules) for path in self._pictures(f"{place}.{name}")]

    def _about(self, path: str) -> str:
        """The first line of a docstring, for a cell of a table."""
        docstring = self._at(path).docstring
        return docstring.value.partition("\n")[0].replace("|", "\\|") if docstring else ""

    def _at(self, path: str) -> Any:
        first, _, rest = path.partition(".")
        return self._trees[first][rest] if rest else self._trees[first]


def _is_display(item: griffe.Class) -> bool:
    return not item.name.startswith("_") and any(base.path == "workbench.plotting.base.Display" for base in item.mro())


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Name every page of the site: a page that is written or made is in the navigation."""
    docs = Path(config.docs_dir)
    index = (docs / "gallery/README.md").read_text(encoding="utf-8")
    gallery = list(dict.fromkeys(re.findall(r"\]\((\w+\.md)\)", index)))
    config.nav = [
        {"Home": "index.md"},
        {"Guides": [*sorted(file.name for file in docs.glob("adding_*.md")), *GUIDES]},
        {"Gallery": [f"gallery/{name}" for name in ("README.md", *gallery)]},
        {"Figures": ["figures/README.md"]},
        {"Reference": ["reference/index.md", *({page: f"reference/{page}.md"} for page in (*packages(), "shared"))]},
        {"Project": ["checkpoints.md", "conventions.md", "contributing.md", "changelog.md"]},
    ]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what is made, and what lies elsewhere."""
    for page, text in Reference().pages().items():
        files.append(File.generated(config, f"reference/{page}.md", content=text))
    for source, place in FROM_ELSEWHERE.items():
        files.append(File.generated(config, place, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links to files of the repository into links of the site; of those that it does not show, the text stays."""
    place = page.file.src_uri
    written = PurePosixPath({at: source for source, at in FROM_ELSEWHERE.items()}.get(place, f"docs/{place}")).parent

    def changed(link: re.Match[str]) -> str:
        target = os.path.normpath(written / link["target"])
        if not (ROOT / target).exists():
            return link[0]
        in_site = FROM_ELSEWHERE.get(target, target.removeprefix("docs/"))
        if target.endswith(".md") or in_site in files.src_uris:
            way = os.path.relpath(in_site, PurePosixPath(place).parent)
            return f"[{link['text']}]({way}{link['anchor'] or ''})"
        return link["text"]

    return _LINK.sub(changed, markdown)
