"""A tiny sky for the tests of the simulation."""

from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]


def _tiny(**sky) -> dict:
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text()) | yaml.safe_load((ROOT / "config/sages.yaml").read_text())
    config["sky"].update({"n_sages": 600, "clusters": ["NGC 6934"], "fields": config["sky"]["fields"][:2], **sky})
    return config


@pytest.fixture(scope="session")
def tiny():
    """Make the default configuration with a few hundred stars; keyword arguments replace keys of `sky`."""
    return _tiny


@pytest.fixture(scope="session")
def default_config():
    """The configuration of the default run."""
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    return config | yaml.safe_load((ROOT / "config/sages.yaml").read_text())


@pytest.fixture(scope="session")
def sample(tiny):
    """4 000 field stars with neighbours, as the observers see them, and their configuration."""
    from starlabels.sky import layout, simulate

    config = tiny(n_sages=4000, shard_stars=10_000, fields=[{"name": "one", "ra": 140.0, "dec": 40.0}], clusters=[])
    return simulate.true_stars(layout.shards(config)[0], config), config
