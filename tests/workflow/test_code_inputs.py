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


#: imports what a script imports, in a process of its own that begins with the libraries and nothing of this project
PROBE = """
import json, os, sys
import astropy.table, astropy_healpix, h5py, matplotlib.pyplot, numba, numpy, pandas, pyarrow.parquet, scipy.optimize, sklearn.ensemble
sys.path.insert(0, {scripts!r})
for name, lines in {imports!r}.items():
    if not os.fork():
        exec(chr(10).join(lines))
        files = [getattr(m, "__file__", None) for m in list(sys.modules.values())]
        print(json.dumps([name, [f for f in files if f and f.startswith({scripts!r})]]), flush=True)
        os._exit(0)
    if os.wait()[1]:
        sys.exit(f"{{name}} cannot be imported")
"""


def _own_imports(script: str) -> list[str]:
    nodes = [node for node in ast.walk(ast.parse((SCRIPTS / script).read_text())) if isinstance(node, (ast.Import, ast.ImportFrom))]
    return [ast.unparse(node) for node in nodes if ast.unparse(node).split()[1].split(".")[0] in ("starlabels", "adapter")]


@pytest.fixture(scope="module")
def imported() -> dict[str, set[str]]:
    """Modules of this project that came with each script."""
    probe = PROBE.format(scripts=str(SCRIPTS), imports={script: _own_imports(script) for script in ADAPTERS})
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    found = dict(json.loads(line) for line in done.stdout.splitlines() if line.startswith("["))
    return {name: set(files) for name, files in found.items()}


@pytest.mark.parametrize("script", ADAPTERS)
def test_listed_modules_cover_the_real_imports(imported, script):
    assert len(imported[script]) > 1
    assert imported[script] <= set(imports.module_files(SCRIPTS, script)) | {str(SCRIPTS / script)}


def test_lists_are_not_simply_everything():
    everything = {str(p) for p in (SCRIPTS / "starlabels").rglob("*.py")}
    assert len(imports.module_files(SCRIPTS, "catalog.py")) < len(everything) / 2


def test_every_rule_with_a_script_has_a_code_input(root):
    for path in sorted((root / "workflow/rules").glob("*.smk")):
        for rule in re.split(r"^ *rule ", path.read_text(), flags=re.M)[1:]:
            script = re.search(r'"\.\./scripts/(\w+\.py)"', rule)
            if script:
                named = re.search(r"code=(?:(?:ancient\()?code\(\"(\w+\.py)\"|(figure_code))", rule)
                assert named and named.group(1) in (None, script.group(1)), (path.name, rule.split(":")[0])
