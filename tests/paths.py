"""Where the project and the real data are."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: Real catalogues, beside the project where they exist; tests that use them are skipped elsewhere.
SHARED = ROOT.parent / "shared" / "data"
