"""Conditions and templates that an admin writes over fields: what may stand in them, and what they come to.

A condition is checked whole when the config is read: its grammar, its names, and that only what can be
compared is compared. It is worked out by simpleeval with nothing but names, literals, comparisons and plain
arithmetic: no calls, no attributes, no indexes, no powers. So an expression takes time and memory by its own
length only, which is bounded. A field without a value makes what is compared with it false.
"""

import ast
import operator
import re
import string
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING

from config.near import nearest

if TYPE_CHECKING:
    from simpleeval import SimpleEval

LONGEST = 500  # characters of a condition
DEEPEST = 20  # operators within operators
LONGEST_NUMBER = 15  # digits
GRAMMAR = (
    "may hold fields, texts in quotes, numbers, ==, !=, <, <=, >, >=, and, or, not, + - * /, parentheses, "
    "and `in` before a list in brackets; nothing else"
)

Value = str | int | Decimal | bool | date | frozenset[str] | None


class Sort(Enum):
    """What a field holds, as far as comparing goes."""

    TEXT = "text"
    NUMBER = "a number"
    DAY = "a day"
    YES_NO = "yes or no"
    SEVERAL = "several values"
    NOTHING = "None"


@dataclass(frozen=True, slots=True)
class FieldSort:
    """What a field holds. `choices` are the only values there are, empty for any."""

    sort: Sort
    choices: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Condition:
    """A condition that was found good."""

    source: str
    names: frozenset[str]
    tree: ast.expr

    def holds(self, values: Mapping[str, Value]) -> bool:
        """Whether it is true of these values; a name that is not among them has none."""
        evaluator = _evaluator()
        evaluator.names = {name: values.get(name) for name in self.names}
        try:
            return bool(evaluator.eval(self.source, previously_parsed=self.tree))
        except ArithmeticError:
            return False  # a number that no decimal holds is comparable with none


@dataclass(frozen=True)
class Template:
    """A text with fields in braces."""

    parts: tuple[tuple[str, str], ...]  # text, and the name of the field that follows; empty for none

    @property
    def names(self) -> frozenset[str]:
        """The fields in it."""
        return frozenset(name for _, name in self.parts if name)

    def render(self, values: Mapping[str, str]) -> str:
        """The text with these values; a name that is not among them has an empty one."""
        return "".join(text + values.get(name, "") for text, name in self.parts)


def condition(source: str, fields: Mapping[str, FieldSort]) -> Condition:
    """Raises ValueError with what is wrong, and what is known instead."""
    if len(source) > LONGEST:
        raise ValueError(f"has {len(source)} characters, at most {LONGEST} are accepted")
    try:
        tree = ast.parse(source.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise ValueError(
            'is no condition: write comparisons such as status == "neglected" and city != None'
        ) from None
    _check_depth(tree)
    checker = _Checker(fields)
    sort = checker.sort(tree).sort
    if sort is not Sort.YES_NO:
        raise ValueError(f"comes to {sort.value}, a condition comes to yes or no: compare it with something")
    return Condition(source, frozenset(checker.names), tree)


def template(source: str, fields: Mapping[str, FieldSort]) -> Template:
    """Raises ValueError with what is wrong, and what is known instead."""
    parts: list[tuple[str, str]] = []
    try:
        parsed = list(string.Formatter().parse(source))
    except ValueError:
        raise ValueError("has a single brace: a field is {name}, a brace itself is {{ or }}") from None
    for text, name, form, conversion in parsed:
        if name is not None and (form or conversion or not name.isidentifier()):
            raise ValueError(f"{{{name[:40]}}} is no field: only its name stands in the braces")
        if name:
            _known(name, fields)
        parts.append((text, name or ""))
    return Template(tuple(parts))


def _known(name: str, fields: Mapping[str, FieldSort]) -> FieldSort:
    if name not in fields:
        raise ValueError(f'there is no field "{name[:64]}"{nearest(name, sorted(fields))}')
    return fields[name]


def _check_depth(tree: ast.AST) -> None:
    level: list[ast.AST] = [tree]
    for _ in range(DEEPEST):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return
    raise ValueError(f"has more than {DEEPEST} operators within each other")


class _Checker:
    """Finds what each part of an expression comes to."""

    def __init__(self, fields: Mapping[str, FieldSort]) -> None:
        self._fields = fields
        self.names: set[str] = set()

    def sort(self, node: ast.expr) -> FieldSort:
        """What it comes to. Raises ValueError where it comes to nothing."""
        match node:
            case ast.Name():
                self.names.add(node.id)
                return _known(node.id, self._fields)
            case ast.Constant():
                return FieldSort(_constant(node.value))
            case ast.BoolOp():
                found = self._all(node.values, Sort.YES_NO, "and, or and not")
            case ast.UnaryOp(op=ast.Not()):
                found = self._all([node.operand], Sort.YES_NO, "and, or and not")
            case ast.UnaryOp(op=ast.USub()):
                found = self._all([node.operand], Sort.NUMBER, "-")
            case ast.BinOp() if type(node.op) in _ARITHMETIC:
                found = self._arithmetic(node)
            case ast.Compare() if not {ast.Is, ast.IsNot} & set(map(type, node.ops)):
                sides = [node.left, *node.comparators]
                for op, left, right in zip(node.ops, sides, sides[1:], strict=False):
                    self._compare(op, left, right)
                found = Sort.YES_NO
            case _:
                raise ValueError(GRAMMAR)
        return FieldSort(found)

    def _arithmetic(self, node: ast.BinOp) -> Sort:
        left, right = self.sort(node.left).sort, self.sort(node.right).sort
        days = isinstance(node.op, ast.Sub) and left is right is Sort.DAY  # the days between
        if days or left is right is Sort.NUMBER:
            return Sort.NUMBER
        raise ValueError(f"cannot calculate with {left.value} and {right.value}")

    def _compare(self, op: ast.cmpop, left: ast.expr, right: ast.expr) -> None:
        if isinstance(op, ast.In | ast.NotIn):
            self._contained(left, right)
            return
        one, other = self.sort(left), self.sort(right)
        sorts = {one.sort, other.sort}
        equal = isinstance(op, ast.Eq | ast.NotEq)
        if Sort.NOTHING in sorts:
            if not equal:
                raise ValueError("None can be compared with == and != only")
            return
        for field, node in ((one, right), (other, left)):
            if field.sort is Sort.DAY and isinstance(node, ast.Constant) and isinstance(node.value, str):
                _day(node.value)
                return
            _among(field, node)
        if len(sorts) > 1:
            raise ValueError(f"cannot compare {one.sort.value} with {other.sort.value}")
        if not equal and not sorts <= {Sort.NUMBER, Sort.DAY, Sort.TEXT}:
            raise ValueError(f"{one.sort.value} can be compared with == and != only")

    def _contained(self, left: ast.expr, right: ast.expr) -> None:
        one = self.sort(left)
        if isinstance(right, ast.List | ast.Tuple):
            for node in right.elts:
                literal = _constant(node.value) if isinstance(node, ast.Constant) else None
                if literal is not one.sort:
                    raise ValueError(f"a list after `in` holds literals only, here {one.sort.value}")
                _among(one, node)
            return
        other = self.sort(right)
        if one.sort is not Sort.TEXT or other.sort not in (Sort.TEXT, Sort.SEVERAL):
            raise ValueError(f"cannot look for {one.sort.value} in {other.sort.value}")
        if other.sort is Sort.SEVERAL:
            _among(other, left)

    def _all(self, nodes: Sequence[ast.expr], wanted: Sort, by: str) -> Sort:
        for node in nodes:
            found = self.sort(node).sort
            if found is not wanted:
                raise ValueError(f"{by} take {wanted.value}, and not {found.value}")
        return wanted


def _constant(value: object) -> Sort:
    if value is None:
        return Sort.NOTHING
    if isinstance(value, bool):
        return Sort.YES_NO
    if isinstance(value, str):
        return Sort.TEXT
    if isinstance(value, int | float):
        if not abs(value) < 10**LONGEST_NUMBER:
            raise ValueError(f"has a number of more than {LONGEST_NUMBER} digits")
        return Sort.NUMBER
    raise ValueError("may hold texts in quotes, numbers, True, False and None only")


def _among(field: FieldSort, node: ast.expr) -> None:
    """A value that a field can never have is a slip of the pen."""
    if not field.choices or not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        return
    if node.value not in field.choices:
        raise ValueError(
            f'"{node.value[:64]}" is never a value there{nearest(node.value, sorted(field.choices))}'
        )


def _day(text: str) -> date:
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise ValueError(f'"{text[:20]}" is no day: write "2026-12-31"')


# --- working it out -----------------------------------------------------------------------------

Operator = Callable[[Value, Value], Value]


class _Own(threading.local):
    """To make one takes longer than to use it; it holds the names, so each thread has its own."""

    evaluator: "SimpleEval | None" = None


_own = _Own()


def _evaluator() -> "SimpleEval":
    if _own.evaluator is not None:
        return _own.evaluator
    from simpleeval import SimpleEval

    evaluator = _own.evaluator = SimpleEval(operators=_OPERATORS, functions={}, names={})
    evaluator.nodes = {kind: work for kind, work in evaluator.nodes.items() if kind in _NODES}
    evaluator.nodes[ast.Constant] = _literal
    evaluator.nodes[ast.List] = evaluator.nodes[ast.Tuple] = lambda node: tuple(map(_literal, node.elts))
    return evaluator


def _literal(node: ast.Constant) -> Value:
    value = node.value
    if isinstance(value, float):
        return Decimal(str(value))
    if value is None or isinstance(value, str | int):
        return value
    raise TypeError("found when the condition was read")


def _alike(left: Value, right: Value) -> tuple[Value, Value]:
    """A day beside its text is compared as a day."""
    if isinstance(left, date) and isinstance(right, str):
        return left, _day(right)
    if isinstance(right, date) and isinstance(left, str):
        return _day(left), right
    return left, right


def _ordered(compare: Callable[..., bool]) -> Operator:
    def work(left: Value, right: Value) -> bool:
        return left is not None and right is not None and bool(compare(*_alike(left, right)))

    return work


def _calculated(calculate: Callable[..., Decimal]) -> Operator:
    def work(left: Value, right: Value) -> Value:
        if isinstance(left, date) and isinstance(right, date):
            return (left - right).days
        if not isinstance(left, int | Decimal) or not isinstance(right, int | Decimal):
            return None
        if calculate is operator.truediv and not right:
            return None
        return calculate(Decimal(left), Decimal(right))

    return work


def _equal(left: Value, right: Value) -> bool:
    one, other = _alike(left, right)
    return one == other


def _within(left: Value, right: "Value | Sequence[Value]") -> bool:
    if left is None or right is None:
        return False
    return operator.contains(right, left)  # type: ignore[arg-type]  # a text, a set or a list: checked


def _negative(value: Value) -> Value:
    return -value if isinstance(value, int | Decimal) else None


_NODES = frozenset({ast.Name, ast.UnaryOp, ast.BinOp, ast.BoolOp, ast.Compare})
_ARITHMETIC = frozenset({ast.Add, ast.Sub, ast.Mult, ast.Div})
_OPERATORS: dict[type[ast.AST], Callable[..., object]] = {
    ast.Add: _calculated(operator.add),
    ast.Sub: _calculated(operator.sub),
    ast.Mult: _calculated(operator.mul),
    ast.Div: _calculated(operator.truediv),
    ast.Eq: _equal,
    ast.NotEq: lambda left, right: not _equal(left, right),
    ast.Lt: _ordered(operator.lt),
    ast.LtE: _ordered(operator.le),
    ast.Gt: _ordered(operator.gt),
    ast.GtE: _ordered(operator.ge),
    ast.In: _within,
    ast.NotIn: lambda left, right: not _within(left, right),
    ast.Not: operator.not_,
    ast.USub: _negative,
}
