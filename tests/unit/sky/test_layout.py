"""Fields, shards and cells: complete, without overlap, the same for every shard size."""

import numpy as np
import pytest
from scipy import stats

from starlabels.cells import cell_of
from starlabels.errors import InputError
from starlabels.sky import layout


def test_shards_hold_every_star_once(tiny):
    config = tiny(shard_stars=97)
    pieces = layout.shards(config)
    assert len({p.name for p in pieces}) == len(pieces)
    for disc in layout.discs_of(config):
        own = [p for p in pieces if p.field == disc["field"]]
        assert [p.first for p in own] == list(range(0, disc["stars"] + disc["members"], 97))
        assert sum(p.count for p in own) == disc["stars"] + disc["members"]
        fields = np.concatenate([layout.field_positions(p, 1)[0] for p in own])
        members = np.concatenate([layout.member_indices(p) for p in own])
        assert len(fields) == disc["stars"] and len(np.unique(fields)) == len(fields)
        assert len(members) == disc["members"] and not set(members) & set(fields)


def test_shares_are_equal_and_follow_n_sages(default_config):
    discs = [d for d in layout.discs_of(default_config) if d["cluster"] is None]
    stars = [d["stars"] for d in discs]
    assert max(stars) - min(stars) <= 2
    assert sum(stars) * layout.SAGES_SHARE == pytest.approx(default_config["sky"]["n_sages"], rel=1e-3)
    area = 2 * np.pi * (1 - np.cos(np.radians(discs[0]["radius"]))) / np.radians(1) ** 2
    assert stars[0] * layout.SAGES_SHARE / area == pytest.approx(default_config["sky"]["density"], rel=1e-3)


def test_twenty_million_is_only_more_shards(tiny):
    config = tiny(n_sages=20_000_000, shard_stars=30_000)
    pieces = layout.shards(config)
    assert max(p.count for p in pieces) == 30_000
    assert sum(p.count for p in pieces if p.cluster is None) == pytest.approx(20_000_000 / layout.SAGES_SHARE, rel=1e-3)


def test_positions_do_not_depend_on_the_shard_size(tiny):
    def positions(size):
        config = tiny(shard_stars=size)
        parts = [layout.field_positions(p, config["seed"]) for p in layout.shards(config)]
        return [np.concatenate(column) for column in zip(*parts, strict=True)]

    for a, b in zip(positions(50_000), positions(61), strict=True):
        np.testing.assert_array_equal(a, b)


def test_positions_are_uniform_in_the_disc():
    piece = layout.Shard("x-000", "x", 3, 0, 20_000, ra=359.5, dec=70.0, radius=2.0)
    _, ra, dec = layout.field_positions(piece, 5)
    centre = np.radians([piece.ra, piece.dec])
    x, y = np.radians(ra), np.radians(dec)
    cosine = np.sin(centre[1]) * np.sin(y) + np.cos(centre[1]) * np.cos(y) * np.cos(x - centre[0])
    share = (1 - cosine) / (1 - np.cos(np.radians(2.0)))
    assert share.max() <= 1 + 1e-9
    assert stats.kstest(share, "uniform").pvalue > 1e-3
    assert (ra > 300).any() and (ra < 60).any()


@pytest.mark.parametrize("nside", [4, 8, 32])
def test_cells_hold_every_star_and_its_margin(tiny, nside):
    config = tiny()
    config["cells"]["nside"] = nside
    cells = layout.cells(config)
    assert cells == sorted(set(cells))
    for piece in layout.shards(config):
        _, ra, dec = layout.field_positions(piece, config["seed"])
        assert set(cell_of(ra, dec, nside)) <= set(cells)
        edge = layout.offset(piece.ra, piece.dec, piece.radius + config["cells"]["margin_arcsec"] / 3600, np.arange(0, 360, 3))
        assert set(cell_of(*edge, nside)) <= set(cells)


def test_running_numbers_are_below_2_35_and_belong_to_one_star():
    places = np.array([0, 1, layout.MAX_STARS - 1])
    index = np.array([f * layout.FIELD_STEP + p + c for f in (0, 1, 31, 32, 63) for p in places for c in (0, layout.COMPANION)])
    numbers = layout.running_number(index)
    assert len(np.unique(numbers)) == len(index)
    assert numbers.min() >= 0 and numbers.max() < 2**35


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"clusters": ["NGC 1"]}, "NGC 1"),
        ({"fields": []}, "sky.fields"),
        ({"fields": [{"name": "a", "ra": 1.0, "dec": 1.0}] * 2}, "twice"),
        ({"n_sages": 2_000_000_000}, "n_sages"),
    ],
)
def test_wrong_configuration_is_named(tiny, change, words):
    with pytest.raises(InputError, match=words):
        layout.shards(tiny(**change))


def test_unknown_shard_is_named(tiny):
    with pytest.raises(InputError, match="nowhere-000"):
        layout.shard(tiny(), "nowhere-000")
