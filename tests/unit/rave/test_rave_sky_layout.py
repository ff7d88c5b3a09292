"""Shards of the simulated RAVE survey."""

import numpy as np
import pytest
from unit.rave.rave_sky import rave_config

from starlabels.errors import InputError
from starlabels.sky.rave import layout


@pytest.mark.parametrize("size", [37, 1000, 100_000])
def test_spectra_add_up_whatever_the_size_of_a_shard(size):
    config = rave_config(n_spectra=3000, n_apogee=800, n_k2=50, shard_spectra=size)
    shards = layout.shards(config)
    assert sum(s.spectra for s in shards) == 3000
    assert all(s.spectra <= size for s in shards if s.kind == "field")
    assert len({s.name for s in shards}) == len(shards)
    fields = [s for s in shards if s.kind == "field"]
    index = np.concatenate([s.index for s in fields])
    visits = np.concatenate([layout.visits_of(s, config["seed"]) for s in fields])
    assert len(np.unique(index)) == len(index) and visits.sum() == sum(s.spectra for s in fields)
    whole = rave_config(n_spectra=3000, n_apogee=800, n_k2=50, shard_spectra=100_000)
    again = [s for s in layout.shards(whole) if s.kind == "field"]
    np.testing.assert_array_equal(np.concatenate([s.index for s in again]), index)
    np.testing.assert_array_equal(np.concatenate([layout.visits_of(s, 42) for s in again]), visits)


def test_names_and_kinds():
    shards = layout.shards(rave_config())
    names = [s.name for s in shards]
    assert names[:2] == ["south1-000", "south1-001"] and names[-2:] == ["clusters-000", "k2-000"]
    assert layout.shard(rave_config(), "k2-000").spectra == 462
    assert layout.shard(rave_config(), "clusters-000").spectra == 12 + 12 + 1 + 8 + 12 + 6
    with pytest.raises(InputError, match="does not belong"):
        layout.shard(rave_config(), "north-000")


def test_visits_follow_the_survey():
    visits = layout.drawn_visits(42, np.arange(100_000))
    assert visits.min() == 1 and visits.max() == 6
    assert (visits > 1).mean() == pytest.approx(0.12, abs=0.005)
    assert 1 - len(visits) / visits.sum() == pytest.approx(0.14, abs=0.02)


def test_without_clusters_k2_and_supergiant():
    shards = layout.shards(rave_config(n_spectra=500, n_apogee=100, clusters=[], n_k2=0, supergiant=False))
    assert {s.kind for s in shards} == {"field"} and sum(s.spectra for s in shards) == 500


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"n_spectra": 500}, "n_spectra"), ({"n_apogee": 20_000}, "n_apogee"), ({"fields": []}, "fields"), ({"clusters": ["M 1"]}, "M 1"),
        ({"fields": [{"name": "k2", "ra": 1.0, "dec": 2.0}]}, "k2"), ({"fields": [{"name": "a", "ra": 1.0, "dec": 2.0}] * 2}, "twice"),
    ],
)  # fmt: skip
def test_impossible_layouts_are_refused(change, text):
    with pytest.raises(InputError, match=text):
        layout.shards(rave_config(**change))
