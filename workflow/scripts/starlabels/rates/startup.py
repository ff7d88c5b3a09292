"""What a job costs before its own work: the interpreter, Snakemake's preamble and the imports of its script."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import InputError

# what Snakemake puts before every script; the job's parameters, which it unpickles there, are not in it
PREAMBLE = "import pickle\nfrom snakemake.logging import logger\nfrom snakemake.iocontainers import Snakemake\n"
_RULE = re.compile(r"^ *rule (\w+):\n(.*?)(?=^ *rule |\Z)", re.MULTILINE | re.DOTALL)
_TIME = re.compile(r"^import time: +(\d+) \| +\d+ \| *([\w.]+)$", re.MULTILINE)


def scripts_of_rules(rules: str | os.PathLike) -> dict[str, str]:
    """Name of the script of every benchmark folder, read from the rule files (*.smk) in the folder `rules`."""
    found = {}
    for path in sorted(Path(rules).glob("*.smk")):
        for _, body in _RULE.findall(path.read_text()):
            benchmark, script = re.search(r"/benchmarks/(\w+)/", body), re.search(r'"\.\./scripts/(\w+\.py)"', body)
            if benchmark and script:
                # two rules share a folder: the first, which is the photometric one, stands for both
                found.setdefault(benchmark[1], script[1])
    return found


def import_statements(script: str | os.PathLike) -> str:
    """All import statements of a script, wherever they stand, one a line."""
    try:
        tree = ast.parse(Path(script).read_text())
    except FileNotFoundError as error:
        raise InputError(script, "does not exist", "Run the profile from the workflow that made the results") from error
    return "\n".join(ast.unparse(node) for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom)))


def startup_seconds(statements: str, scripts: str | os.PathLike, repeat: int = 1) -> float:
    """Core-seconds (median of `repeat`) of a fresh interpreter that runs these statements after Snakemake's preamble.

    Modules that functions of the package import when they are called are not seen.
    """
    found = []
    for _ in range(repeat):
        process = subprocess.Popen([sys.executable, "-c", PREAMBLE + statements], env=_environment(scripts), stderr=subprocess.PIPE)
        with process.stderr:
            said = process.stderr.read().decode(errors="replace").strip()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise InputError("imports of a script", f"failed ({said.rpartition(chr(10))[2]})", "Run `make env`")
        found.append(usage.ru_utime + usage.ru_stime)
    return float(np.median(found))


def import_shares(statements: str, scripts: str | os.PathLike) -> pd.Series:
    """Seconds that each package needs for its own modules while these statements run, by `python -X importtime`.

    Returns
    -------
    Series
        Seconds by top-level package, largest first.
    """
    command = [sys.executable, "-X", "importtime", "-c", PREAMBLE + statements]
    text = subprocess.run(command, env=_environment(scripts), capture_output=True, text=True).stderr
    rows = [(name.partition(".")[0], int(micro) / 1e6) for micro, name in _TIME.findall(text)]
    return pd.DataFrame(rows, columns=["package", "seconds"]).groupby("package")["seconds"].sum().sort_values(ascending=False)


def _environment(scripts: str | os.PathLike) -> dict[str, str]:
    # the variables that adapter.py sets, so that no thread pool is started for nothing
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {**os.environ, **threads, "PYTHONPATH": str(scripts)}
