"""
Write the methods of `AsyncGraph`, one for each of `Graph`: ``python -m tests.typing.async_graph``.

What stands in aio.py before the marked line is written by hand.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

PACKAGE: Final = Path(__file__).resolve().parents[2] / "src" / "retinue"
TARGET: Final = PACKAGE / "aio.py"

#: The beginning of the line after which the methods stand.
MARK: Final = "    # --- Written by "

#: Characters of a line, as the formatter has them.
_WIDTH: Final = 120


def methods(source: str) -> Iterator[ast.FunctionDef]:
    """Yield the public methods of the class `Graph` in *source*, in their order."""
    (graph,) = (node for node in ast.parse(source).body if isinstance(node, ast.ClassDef) and node.name == "Graph")
    for node in graph.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node


def written(method: ast.FunctionDef) -> str:
    """Return the awaited twin of *method*."""
    assert method.returns is not None
    returns, parameters = ast.unparse(method.returns), _parameters(method.args)
    is_overload = bool(method.decorator_list)
    end = f" -> {returns}:{' ...' if is_overload else ''}"
    lines = [f"    async def {method.name}({', '.join(parameters)}){end}"]
    if len(lines[0]) > _WIDTH:
        folded = f"        {', '.join(parameters)}"
        inside = [folded] if len(folded) <= _WIDTH else [f"        {parameter}," for parameter in parameters]
        lines = [f"    async def {method.name}(", *inside, f"    ){end}"]
    if is_overload:
        return "\n".join(["    @overload", *lines, ""])
    given = [parameter.arg for parameter in method.args.args[1:]]
    given += [f"{parameter.arg}={parameter.arg}" for parameter in method.args.kwonlyargs]
    call = f"await self._run({', '.join([f'self._graph.{method.name}', *given])})"
    statement = call if returns == "None" else f"return {call}"
    if len(statement) + 8 <= _WIDTH:
        return "\n".join([*lines, f"        {statement}", ""])
    opened = statement.partition("(")[0]
    folded = f"            {', '.join([f'self._graph.{method.name}', *given])}"
    inside = (
        [folded] if len(folded) <= _WIDTH else [f"            {one}," for one in (f"self._graph.{method.name}", *given)]
    )
    return "\n".join([*lines, f"        {opened}(", *inside, "        )", ""])


def _parameters(given: ast.arguments) -> list[str]:
    """Return each parameter with its annotation and default, and the star before those that are only keywords."""
    assert not any((given.posonlyargs, given.vararg)), "a kind of parameter that no method had"
    defaults = [None] * (len(given.args) - len(given.defaults)) + list(given.defaults)
    found = [_parameter(*one) for one in zip(given.args, defaults, strict=True)]
    if given.kwonlyargs:
        found += ["*", *(_parameter(*one) for one in zip(given.kwonlyargs, given.kw_defaults, strict=True))]
    return found if given.kwarg is None else [*found, f"**{_parameter(given.kwarg, None)}"]


def _parameter(parameter: ast.arg, default: ast.expr | None) -> str:
    annotation = "" if parameter.annotation is None else f": {ast.unparse(parameter.annotation)}"
    equals = " = " if annotation else "="
    return f"{parameter.arg}{annotation}" + ("" if default is None else f"{equals}{ast.unparse(default)}")


def whole(graph: str, target: str) -> str:
    """Return *target*, the source of aio.py, with a method for each of the class in *graph*, the source of graph.py."""
    before, mark, rest = target.partition(MARK)
    assert mark
    return f"{before}{mark}{rest.partition(chr(10))[0]}\n\n" + "\n".join(map(written, methods(graph)))


def main() -> None:
    """Write the file."""
    TARGET.write_text(whole((PACKAGE / "graph.py").read_text(), TARGET.read_text()))


if __name__ == "__main__":
    main()
