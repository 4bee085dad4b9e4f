"""Cut GitHub's GraphQL schema down to the fields that are asked for.

The whole schema has 1.2 MB; the sandbox answers by a committed cut of it, so that nobody needs Node to run it. A test
cuts again from the installed package and compares.

    python scripts/cut_graphql.py node_modules/@octokit/graphql-schema/schema.graphql
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TypeVar

from graphql import (
    DefinitionNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    InputObjectTypeDefinitionNode,
    InterfaceTypeDefinitionNode,
    ListTypeNode,
    NamedTypeNode,
    NonNullTypeNode,
    ObjectTypeDefinitionNode,
    ScalarTypeDefinitionNode,
    UnionTypeDefinitionNode,
    parse,
    print_ast,
)
from graphql.language import FieldDefinitionNode, Node

HERE = Path(__file__).resolve().parent.parent / "sandbox" / "graphql"
USED = HERE / "used.txt"
CUT = HERE / "github.graphql"

Composite = ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode
N = TypeVar("N", bound=Node)


def read_used(text: str) -> dict[str, list[str]]:
    """The list of what is used: lines `Type: field field`; types without fields are scalars, enums, unions."""
    used: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, _, fields = line.partition("#")[0].strip().partition(":")
        if name:
            used[name] = fields.split()
    return used


def cut(whole: str, used_text: str) -> str:
    used = read_used(used_text)
    document = parse(whole, no_location=True)
    found = {name_of(node): node for node in document.definitions if name_of(node) in used}
    if missing := used.keys() - found.keys():
        raise ValueError(f"not in the schema: {', '.join(sorted(missing))}")
    kept = [kept_of(found[name], used, used[name]) for name in sorted(used)]
    return print_ast(bare(DocumentNode(definitions=tuple(kept)))) + "\n"


def name_of(node: DefinitionNode) -> str:
    name = getattr(node, "name", None)
    return name.value if name else ""


def kept_of(node: DefinitionNode, used: dict[str, list[str]], fields: list[str]) -> DefinitionNode:
    if isinstance(node, UnionTypeDefinitionNode):
        return with_(node, types=tuple(kind for kind in node.types or () if kind.name.value in used))
    if isinstance(node, Composite):
        chosen = [field for field in node.fields or () if field.name.value in fields]
        if len(chosen) != len(fields):
            raise ValueError(f"{name_of(node)} has not all of: {', '.join(fields)}")
        kinds = tuple(kind for kind in node.interfaces or () if kind.name.value in used)
        return with_(node, interfaces=kinds, fields=tuple(known(field, used) for field in chosen))
    if isinstance(node, EnumTypeDefinitionNode | ScalarTypeDefinitionNode | InputObjectTypeDefinitionNode):
        return node
    raise ValueError(f"{name_of(node)} is of a kind that is not cut")


def known(field: FieldDefinitionNode, used: dict[str, list[str]]) -> FieldDefinitionNode:
    """The field with those of its arguments whose types are kept."""
    plain = {*used, "ID", "Int", "String", "Boolean", "Float"}
    return with_(field, arguments=tuple(one for one in field.arguments or () if named(one.type) in plain))


def named(kind: Node) -> str:
    """The name of the type within lists and "not null"."""
    while isinstance(kind, ListTypeNode | NonNullTypeNode):
        kind = kind.type
    if not isinstance(kind, NamedTypeNode):
        raise ValueError(f"{kind.kind} is no type")
    return kind.name.value


def with_(node: N, **new: object) -> N:
    values = {key: getattr(node, key) for key in node.keys}
    return type(node)(**{**values, **new})


def bare(node: N) -> N:
    """Without descriptions and deprecations: nothing in them can be violated."""
    new: dict[str, object] = {}
    for key in node.keys:
        value = getattr(node, key)
        if isinstance(value, Node):
            new[key] = bare(value)
        elif isinstance(value, tuple):
            new[key] = tuple(bare(one) if isinstance(one, Node) else one for one in value)
    for key in {"description", "directives"} & set(node.keys):
        new[key] = None if key == "description" else ()
    return with_(node, **new)


def main(source: str) -> None:
    CUT.write_text(cut(Path(source).read_text(encoding="utf-8"), USED.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"{CUT.name}: {CUT.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(sys.argv[1])
