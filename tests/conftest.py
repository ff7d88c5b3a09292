"""Shared by all tests: where the project and the real data are."""

import pytest
from paths import ROOT, SHARED


@pytest.fixture
def root():
    """The project's root."""
    return ROOT


@pytest.fixture
def shared():
    """The folder of real data."""
    return SHARED
