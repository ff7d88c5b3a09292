"""Shared by all tests: where the project and the real data are."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
#: Real catalogues, beside the project where they exist; tests that use them are skipped elsewhere.
SHARED = ROOT.parent / "shared" / "data"


@pytest.fixture
def root() -> Path:
    """The project's root."""
    return ROOT


@pytest.fixture
def shared() -> Path:
    """The folder of real data."""
    return SHARED
