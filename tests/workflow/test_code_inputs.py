"""Each rule names the modules it uses as an input; here that list is held against what Python really imports."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from starlabels import imports

SCRIPTS = Path(__file__).resolve().parents[2] / "workflow/scripts"
ADAPTERS = sorted(p.name for p in SCRIPTS.glob("*.py") if p.name != "adapter.py")


def _imported(script: str) -> set[str]:
    """Import what the script imports from this project, in a fresh interpreter, and list the modules that came with it."""
    lines = [
        ast.unparse(node)
        for node in ast.walk(ast.parse((SCRIPTS / script).read_text()))
        if isinstance(node, (ast.Import, ast.ImportFrom)) and ast.unparse(node).split()[1].split(".")[0] in ("starlabels", "adapter")
    ]
    probe = [
        "import sys, json",
        f"sys.path.insert(0, {str(SCRIPTS)!r})",
        *lines,
        "files = [getattr(m, '__file__', None) for m in list(sys.modules.values())]",
        "print(json.dumps([f for f in files if f]))",
    ]
    done = subprocess.run([sys.executable, "-c", "\n".join(probe)], capture_output=True, text=True, check=True)
    return {f for f in json.loads(done.stdout.splitlines()[-1]) if f.startswith(str(SCRIPTS))}


@pytest.mark.parametrize("script", ADAPTERS)
def test_listed_modules_cover_the_real_imports(script):
    assert _imported(script) <= set(imports.module_files(SCRIPTS, script)) | {str(SCRIPTS / script)}


def test_lists_are_not_simply_everything():
    everything = {str(p) for p in (SCRIPTS / "starlabels").rglob("*.py")}
    assert len(imports.module_files(SCRIPTS, "catalog.py")) < len(everything) / 2


def test_every_rule_with_a_script_has_a_code_input(root):
    for path in sorted((root / "workflow/rules").glob("*.smk")):
        for rule in re.split(r"^ *rule ", path.read_text(), flags=re.M)[1:]:
            script = re.search(r'"\.\./scripts/(\w+\.py)"', rule)
            if script:
                named = re.search(r"code=(?:code\(\"(\w+\.py)\"|(figure_code))", rule)
                assert named and named.group(1) in (None, script.group(1)), (path.name, rule.split(":")[0])
