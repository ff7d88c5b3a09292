"""Benchmarks: this workflow's engines against named peers, in one run, alternately, with equal results required.

`python -m benchmarks` from the project's root runs them and writes a table; docs/performance.md explains them.

A benchmark is a module of this folder with NAME (its own name), SIZES (settings of the sizes "tiny", for tests, "bench" and "large")
and run(Setting) -> list[Row], one row a comparison, each with the benchmark's NAME. Its name stands in `run.NAMES` and in the table
of docs/performance.md. What is timed is made by factories, functions of a module that a new process can import, named
"module:function": they prepare everything outside the clock and return the call that is timed, or a `Task`. A peer that is not
installed is a row made by `rows.missing`, never an error.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))  # the package is run in place, not installed
