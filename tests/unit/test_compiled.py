"""Machine code that numba keeps on disk is renewed when the file of its function changes, and only then."""

import ast

import pytest
from paths import ROOT

SCRIPTS = ROOT / "workflow/scripts"


def names_in(node, kind=ast.Load) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, kind)}


def of_the_package(node) -> bool:
    """Whether an import statement takes something from this package."""
    if isinstance(node, ast.ImportFrom):
        return node.level > 0 or node.module.split(".")[0] == "starlabels"
    return any(alias.name.split(".")[0] == "starlabels" for alias in node.names)


def stale(text: str) -> set[tuple[str, str]]:
    """(function, name) of what jitted functions of a module, some of them cached, take from other modules of the package.

    A jitted function that is not cached counts too, for it becomes part of cached ones that call it; so does a value that is
    computed from another module's.
    """
    body, foreign, jit, cached = ast.parse(text).body, set(), {"njit", "jit", "vectorize", "guvectorize"}, False
    for node in body:
        if isinstance(node, (ast.Import, ast.ImportFrom)) and of_the_package(node):
            foreign |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    found = set()
    for node in body:
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value:
            words = {n.attr for n in ast.walk(node.value) if isinstance(n, ast.Attribute)} | names_in(node.value)
            cached |= bool(words & jit) and "cache=True" in ast.unparse(node.value)
            jit |= names_in(node, ast.Store) if words & jit else set()
            foreign |= names_in(node, ast.Store) if names_in(node.value) & foreign else set()
        elif isinstance(node, ast.FunctionDef):
            words = {n.id if isinstance(n, ast.Name) else n.attr for d in node.decorator_list for n in ast.walk(d)
                     if isinstance(n, (ast.Name, ast.Attribute))}  # fmt: skip
            if words & jit:
                cached |= any("cache=True" in ast.unparse(d) for d in node.decorator_list)
                own = {a.arg for a in ast.walk(node) if isinstance(a, ast.arg)} | names_in(node, ast.Store)
                found |= {(node.name, name) for name in (names_in(node) - own) & foreign}
    return found if cached else set()


CACHED = sorted(p.relative_to(SCRIPTS).as_posix() for p in SCRIPTS.glob("starlabels/**/*.py") if "cache=True" in p.read_text())


def test_there_is_cached_code():
    assert {"starlabels/network_kernels.py", "starlabels/forest_kernel.py", "starlabels/domain.py"} <= set(CACHED)


@pytest.mark.parametrize("path", CACHED)
def test_cached_code_takes_nothing_from_another_module(path):
    assert not stale((SCRIPTS / path).read_text())


@pytest.mark.parametrize("use", ["other.f(x)", "g(x)", "x * SIZE", "x * TWICE"])
@pytest.mark.parametrize("jit", ["numba.njit(cache=True)", "_jit"])
def test_what_would_go_stale_is_seen(use, jit):
    text = (
        "import numba\nimport numpy as np\nfrom . import other\nfrom .other import SIZE, g\nTWICE = 2 * SIZE\nOWN = 3\n"
        f"_jit = numba.njit(cache=True)\n\n@{jit}\ndef f(x):\n    return np.sqrt({{use}})\n"
    )
    assert stale(text.format(use=use)) == {("f", use.split("(")[0].split(".")[0].split(" ")[-1])}
    assert not stale(text.format(use="x * OWN"))
    assert not stale(text.format(use=use).replace("def f(x)", "def f(x, other, g, SIZE, TWICE)"))
