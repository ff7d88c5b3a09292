"""Benchmarks: this workflow's engines against named peers, in one run, alternately, with equal results required.

`python -m benchmarks` from the project's root runs them and writes a table; docs/performance.md explains them.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))  # the package is run in place, not installed
