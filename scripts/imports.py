"""The graph of a package's imports, read from its sources."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

Edges = Mapping[str, set[str]]


@dataclass(frozen=True, slots=True)
class Package:
    """A package's modules by their names; `imports` are those that each imports, packages left out."""

    modules: Mapping[str, Path]
    imports: Edges

    @classmethod
    def read(cls, root: Path, name: str) -> Package:
        paths = {_dotted(root, path): path for path in (root / name).rglob("*.py") if path.name != "__init__.py"}
        return cls(paths, {module: _imported(path, paths) for module, path in paths.items()})

    @property
    def folders(self) -> Mapping[str, list[str]]:
        found = defaultdict(list)
        for module in self.modules:
            found[folder_of(module)].append(module)
        return found

    def between_folders(self) -> Edges:
        found: dict[str, set[str]] = {folder: set() for folder in self.folders}
        for module, imported in self.imports.items():
            found[folder_of(module)] |= {folder_of(other) for other in imported} - {folder_of(module)}
        return found


def folder_of(module: str) -> str:
    return module.rpartition(".")[0]


def _dotted(root: Path, path: Path) -> str:
    return ".".join(path.relative_to(root).with_suffix("").parts)


def _imported(path: Path, modules: Iterable[str]) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found & set(modules)


def knots(edges: Edges) -> list[list[str]]:
    """Groups that import each other, directly or by others (Tarjan)."""
    index: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = lowest[node] = len(index)
        stack.append(node)
        for other in sorted(edges.get(node, ())):
            if other not in index:
                visit(other)
                lowest[node] = min(lowest[node], lowest[other])
            elif other in stack:
                lowest[node] = min(lowest[node], index[other])
        if lowest[node] == index[node]:
            group = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(group) > 1:
                found.append(sorted(group))

    for node in sorted(edges):
        if node not in index:
            visit(node)
    return found


def longest_chain(edges: Edges) -> list[str]:
    """The longest way down of modules each of which imports the next; a cycle is followed once."""
    best: dict[str, list[str]] = {}
    open_nodes: set[str] = set()

    def below(node: str) -> list[str]:
        if node not in best:
            open_nodes.add(node)
            ways = [below(other) for other in sorted(edges.get(node, ())) if other not in open_nodes]
            open_nodes.discard(node)
            best[node] = [node, *max(ways, key=len, default=[])]
        return best[node]

    return max((below(node) for node in sorted(edges)), key=len, default=[])
