"""Which small changes there are of a source file."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.BitOr: ast.BitAnd,
}


@dataclass(frozen=True)
class Mutant:
    """A file with one change.

    Attributes:
        path: of the file.
        line: of the change.
        function: the first line of the function that is changed; None outside of any.
        source: the whole file, changed.
    """

    path: Path
    line: int
    function: int | None
    source: str

    def diff(self) -> str:
        """The lines that were changed."""
        before = self.path.read_text(encoding="utf-8").splitlines()
        lines = list(difflib.unified_diff(before, self.source.splitlines(), n=0, lineterm=""))
        return "\n".join(line for line in lines[2:] if not line.startswith("@@"))


def mutants_of(path: Path) -> list[Mutant]:
    """Every change of a file that the rules here know."""
    source = path.read_text(encoding="utf-8")
    lines = source.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        # Columns of a syntax tree are bytes.
        starts.append(starts[-1] + len(line.encode()))
    text = source.encode()
    tree = ast.parse(source)
    functions = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.Lambda))]
    found = []
    for node, replacement in _changes(tree):
        assert node.end_lineno is not None  # for mypy: only trees that were made by hand have none
        assert node.end_col_offset is not None
        begin = starts[node.lineno - 1] + node.col_offset
        end = starts[node.end_lineno - 1] + node.end_col_offset
        changed = (text[:begin] + replacement.encode() + text[end:]).decode()
        found.append(Mutant(path, node.lineno, _function_of(node, functions), changed))
    return found


def _function_of(node: ast.expr | ast.stmt, functions: Sequence[ast.FunctionDef | ast.Lambda]) -> int | None:
    """The first line of the innermost function around a node, as its code object has it: that of the first decorator."""
    around = [function for function in functions if any(inner is node for inner in _body(function))]
    if not around:
        return None
    function = around[-1]
    decorators = function.decorator_list if isinstance(function, ast.FunctionDef) else []
    return min([function.lineno, *(decorator.lineno for decorator in decorators)])


def _body(function: ast.FunctionDef | ast.Lambda) -> Iterator[ast.AST]:
    """What a call of a function runs; not the defaults of its arguments."""
    for part in function.body if isinstance(function, ast.FunctionDef) else [function.body]:
        yield from ast.walk(part)


def _changes(node: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    """Nodes and what stands in their place. Annotations, decorators and texts are left alone."""
    if isinstance(node, ast.expr):
        yield from ((node, f"({changed})") for changed in _changes_of_expression(node))
    elif isinstance(node, ast.stmt):
        yield from ((node, changed) for changed in _changes_of_statement(node))
    condition = getattr(node, "test", None)
    if isinstance(condition, ast.expr) and not isinstance(condition, (ast.Compare, ast.BoolOp, ast.UnaryOp)):
        yield condition, f"(not ({ast.unparse(condition)}))"
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list") or (isinstance(node, ast.Subscript) and name == "slice"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_left_alone(child):
                yield from _changes(child)


def _is_left_alone(node: ast.AST) -> bool:
    """Imports for types, lines of the log, and what is only a text."""
    if isinstance(node, ast.If):
        return ast.unparse(node.test) == "TYPE_CHECKING"
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) or ast.unparse(node.value).startswith("log.")
    return isinstance(node, (ast.Import, ast.ImportFrom, ast.JoinedStr))


def _changes_of_expression(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Compare(left, ops, comparators):
            for index, operator in enumerate(ops):
                changed = [*ops[:index], _COMPARE[type(operator)](), *ops[index + 1 :]]
                yield ast.unparse(ast.Compare(left, changed, comparators))
        case ast.BoolOp(operator, values):
            yield ast.unparse(ast.BoolOp(ast.Or() if isinstance(operator, ast.And) else ast.And(), values))
        case ast.UnaryOp(ast.Not(), operand):
            yield ast.unparse(operand)
        case ast.BinOp(left, operator, right) if type(operator) in _ARITHMETIC:
            yield ast.unparse(ast.BinOp(left, _ARITHMETIC[type(operator)](), right))
        case ast.Constant(bool() as value):
            yield str(not value)
        case ast.Constant(int() | float() as value):
            yield str(value + 1)


def _changes_of_statement(node: ast.stmt) -> Iterator[str]:
    match node:
        case ast.Return(ast.expr() as value) if not isinstance(value, ast.Constant):
            yield "return None"
        case ast.Expr() | ast.Raise() | ast.AugAssign() | ast.Continue() | ast.Break():
            yield "pass"
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript(), *_]):
            yield "pass"
