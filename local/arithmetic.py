"""Finds and works out a sum in a sentence, for the demo model."""

import ast
import operator
import re
from collections.abc import Callable

Number = int | float

_EXPRESSION = re.compile(r"[\d(][\d\s.+\-*/x×÷()^%]*[\d)]")
_BINARY: dict[type[ast.operator], Callable[[Number, Number], Number]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
}


def solve(text: str) -> tuple[str, Number] | None:
    """The first sum in the text and its value; None when there is none."""
    for match in _EXPRESSION.finditer(text):
        expression = match.group().strip()
        if not re.search(r"[+\-*/x×÷%]", expression):
            continue
        source = expression.replace("x", "*").replace("×", "*").replace("÷", "/")
        try:
            return expression, _value(ast.parse(source, mode="eval").body)
        except (SyntaxError, ValueError, ZeroDivisionError, OverflowError):
            continue
    return None


def _value(node: ast.expr) -> Number:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand)
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        return _BINARY[type(node.op)](_value(node.left), _value(node.right))
    raise ValueError("not a sum")
