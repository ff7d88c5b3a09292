"""Which of this project's modules a script depends on, read from the import statements."""

import ast
from functools import cache
from pathlib import Path


def module_files(scripts: str | Path, script: str, *modules: str) -> list[str]:
    """Files of this project's modules that a script, or the modules named besides, import directly or not.

    Found by reading the import statements (also those inside functions), so nothing is executed.
    """
    scripts = Path(scripts)
    seen: set[Path] = set()
    todo = [scripts / script] if script else []
    todo += [f for m in modules for f in _files_of(scripts, m)]
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        todo += [f for m in _imports(path, scripts) for f in _files_of(scripts, m)]
    return sorted(str(p) for p in seen if not script or p != scripts / script)


@cache
def _files_of(scripts: Path, module: str) -> tuple[Path, ...]:
    """The file of a module, with the packages above it; nothing for modules from elsewhere."""
    parts = module.split(".")
    found = []
    for depth in range(1, len(parts) + 1):
        base = scripts.joinpath(*parts[:depth])
        for path in (base / "__init__.py", base.with_suffix(".py")):
            if path.is_file():
                found.append(path)
    return tuple(found)


@cache
def _imports(path: Path, scripts: Path) -> tuple[str, ...]:
    package = path.parent.relative_to(scripts).parts
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parts = list(package[: len(package) - node.level + 1]) if node.level else []
            base = ".".join([*parts, *([node.module] if node.module else [])])
            names += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return tuple(names)
