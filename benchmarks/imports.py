"""How the modules of a package stand on each other: floors, arrows between its folders, circles.

    python benchmarks/imports.py [PACKAGE] [REVISION ...]

Of each git revision (default: HEAD) the imports at the top of every module are read, by Python's `ast`, into a graph of networkx.
A floor is a step of the longest way down; an arrow leads from one folder to another (a concept of `analysis` is a folder; its
faces, `command`, `section` and `page`, which nobody imports, stand for themselves).
"""

import ast
import subprocess
import sys

import networkx as nx


def git(*words: str) -> str:
    """What git prints."""
    return subprocess.run(["git", *words], capture_output=True, text=True, check=True).stdout


def module_name(file: str) -> str:
    """Dotted name of a module's file."""
    return file.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


def folder_of(module: str) -> str:
    """The folder that a module belongs to, or the module itself where it stands at the top."""
    parts = module.split(".")
    if parts[1:2] == ["analysis"] and parts[3:] in (["command"], ["section"], ["page"]):
        return module
    return ".".join(parts[: 3 if parts[1:2] == ["analysis"] else 2])


def graph_of(package: str, revision: str) -> nx.DiGraph:
    """Modules, and an edge from each to what it imports of the package."""
    files = [file for file in git("ls-tree", "-r", "--name-only", revision, package).split() if file.endswith(".py")]
    graph = nx.DiGraph()
    graph.add_nodes_from(map(module_name, files))
    for file in files:
        for node in ast.parse(git("show", f"{revision}:{file}")).body:
            if isinstance(node, ast.ImportFrom) and node.module:
                targets = {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
                graph.add_edges_from((module_name(file), name) for name in targets & set(graph) - {module_name(file)})
    return graph


def main() -> None:
    """Print a line for each revision, and the circles of folders."""
    package, *revisions = sys.argv[1:] or ["workbench"]
    for revision in revisions or ["HEAD"]:
        graph = graph_of(package, revision)
        floors = nx.dag_longest_path_length(nx.condensation(graph)) + 1
        arrows = nx.DiGraph((folder_of(a), folder_of(b)) for a, b in graph.edges if folder_of(a) != folder_of(b))
        top = sum(name.count(".") == 1 and not any(other.startswith(f"{name}.") for other in graph) for name in graph)
        circles = [sorted(part) for part in nx.strongly_connected_components(graph) if len(part) > 1]
        print(
            f"{revision}: {len(graph)} modules, {top} of them at the top, {floors} floors, "
            f"{arrows.number_of_edges()} arrows between folders, {len(circles)} circles of modules"
        )
        for part in nx.strongly_connected_components(arrows):
            if len(part) > 1:
                print("  circle of folders:", ", ".join(sorted(part)))


if __name__ == "__main__":
    main()
