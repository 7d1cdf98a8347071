"""Functions that look innocent and give a part of what they are given, or an error that is another one elsewhere."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.semantics.case import Case
from tests.semantics.innocent_business import Line, Order
from tests.semantics.innocent_parsing import BadInput


def compares_records(old: dict[str, Any], new: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Algebra of keys, with recursion."""
    found: dict[str, tuple[Any, Any]] = {}
    for key in sorted(old.keys() | new.keys()):
        before, after = old.get(key), new.get(key)
        if isinstance(before, dict) and isinstance(after, dict):
            found.update({f"{key}.{inner}": pair for inner, pair in compares_records(before, after).items()})
        elif before != after:
            found[key] = before, after
    return found


def discount(order: Order) -> Order:
    """A cheaper order, made anew."""
    return replace(order, lines=[replace(line, price=line.price * 9 // 10) for line in order.lines])


def parse_ini(text: str) -> dict[str, dict[str, str]]:
    """Reads sections by hand."""
    result: dict[str, dict[str, str]] = {}
    current: dict[str, str] | None = None
    for lineno, raw in enumerate(text.splitlines(), 1):
        line = raw.split("#")[0].strip()
        if not line:
            continue
        if line.startswith("[") and line.endswith("]"):
            current = result.setdefault(line[1:-1], {})
        elif current is None:
            raise BadInput(lineno, "no section yet")
        else:
            key, sep, value = line.partition("=")
            if not sep:
                raise BadInput(lineno, "no = here")
            current[key.strip()] = value.strip()
    return result


def run_program(source: str) -> list[int]:
    """Runs a small stack language with jumps."""
    program = [line.split() for line in source.strip().split(";") if line.strip()]
    stack: list[int] = []
    output: list[int] = []
    pc = 0
    while pc < len(program):
        match program[pc]:
            case ["push", value]:
                stack.append(int(value))
            case ["add"]:
                b, a = stack.pop(), stack.pop()
                stack.append(a + b)
            case ["dup"]:
                stack.append(stack[-1])
            case ["print"]:
                output.append(stack[-1])
            case ["jlt", limit, target] if stack[-1] < int(limit):
                pc = int(target)
                continue
            case ["jlt", *_]:
                pass
            case [other, *_]:
                raise BadInput(pc, f"unknown instruction {other}")
        pc += 1
    return output


CASES = [
    Case(compares_records, arguments=lambda n: ({"a": {"b": n, "c": 2}, "d": 1}, {"a": {"b": 3}, "e": [n]})),
    Case(discount, lambda n: (Order(n, [Line("a", n), Line("b", 100)]),)),
    Case(parse_ini, lambda n: (f"# hi\n[a]\nx = {n}\n" + ("oops\n" if n % 4 == 3 else "y=2\n[b]\nz=1"),)),
    Case(
        run_program,
        lambda n: (f"push {n % 7}; print; push 3; add; jlt 40 1" + ("; boo" if n % 5 == 4 else ""),),
    ),
]
