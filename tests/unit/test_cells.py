"""HEALPix cells, Gaia ids, margins."""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord, offset_by

from starlabels import cells
from starlabels.errors import InputError


def test_gaia_ids_carry_their_cell():
    ra, dec = np.array([56.75, 201.7, 0.01]), np.array([24.1, -47.5, 89.9])
    pixel = cells.cell_of(ra, dec, 4096)
    ids = (pixel << 35) + np.array([0, 123456, 2**35 - 1])
    for nside in (1, 8, 64):
        np.testing.assert_array_equal(cells.cell_of_gaia_id(ids, nside), cells.cell_of(ra, dec, nside))


def test_a_disc_is_covered_by_its_cells():
    rng = np.random.default_rng(1)
    found = cells.cells_in_disc(140.0, 40.0, 2.0, 16)
    angle, r = rng.uniform(0, 360, 3000), 2 * np.sqrt(rng.uniform(size=3000))
    points = SkyCoord(140 * u.deg, 40 * u.deg).directional_offset_by(angle * u.deg, r * u.deg)
    assert set(cells.cell_of(points.ra.deg, points.dec.deg, 16)) == set(found)


@pytest.mark.parametrize("nside", [4, 16])
def test_margin_finds_every_foreign_cell_within_it(nside):
    """Dense truth: a source is in a cell's margin if any point of a fine disc of that radius falls in the cell."""
    rng = np.random.default_rng(7)
    margin = 400.0
    centre = SkyCoord(rng.uniform(0, 360, 12) * u.deg, np.degrees(np.arcsin(rng.uniform(-1, 1, 12))) * u.deg)
    lon, lat = cells._healpix(nside).boundaries_lonlat(cells.cell_of(centre.ra.deg, centre.dec.deg, nside), step=3)
    corner = SkyCoord(lon.ravel(), lat.ravel())
    near = corner[:, None].directional_offset_by(
        rng.uniform(0, 360, (len(corner), 6)) * u.deg, rng.uniform(0, 500, (len(corner), 6)) * u.arcsec
    )
    ra, dec = near.ra.deg.ravel(), near.dec.deg.ravel()
    own = cells.cell_of(ra, dec, nside)
    index, cell = cells.other_cells_within(ra, dec, own, nside, margin)
    found = set(zip(index.tolist(), cell.tolist(), strict=True))
    truth = set()
    for radius in np.linspace(0.02, 1.0, 25) * margin:
        for angle in np.arange(0, 360, 2.0):
            there = cells.cell_of(*offset(ra, dec, angle, radius), nside)
            truth |= {(i, int(there[i])) for i in np.flatnonzero(there != own)}
    assert truth and truth <= found
    assert len(found) < 3 * len(truth)


def offset(ra, dec, angle_deg, distance_arcsec):
    lon, lat = offset_by(ra * u.deg, dec * u.deg, angle_deg * u.deg, distance_arcsec * u.arcsec)
    return lon.deg, lat.deg


@pytest.mark.parametrize(("nside", "margin"), [(1, 3600.0), (8, 200.0), (8, 10.0), (64, 300.0), (32, 3600.0), (4096, 30.0)])
def test_no_pair_is_left_out_and_none_is_far_away(nside, margin):
    """All over the sky, and near the corners and poles: against rings of points within the margin, and within some three margins."""
    rng = np.random.default_rng(8)
    ra, dec = rng.uniform(0, 360, 16_000), np.degrees(np.arcsin(rng.uniform(-1, 1, 16_000)))
    ra[:4_000] = (rng.integers(0, 9, 4_000) * 45 + rng.normal(0, margin / 1800, 4_000)) % 360
    dec[2_000:6_000] = np.clip(rng.choice([41.81, -41.81, 0, 90, -90], 4_000) + rng.normal(0, margin / 1800, 4_000), -90, 90)
    own = cells.cell_of(ra, dec, nside)
    own[-50:] = 0                                                          # a Gaia id may say another cell than the position
    index, cell = cells.other_cells_within(ra, dec, own, nside, margin)
    assert (cell >= 0).all() and (cell != own[index]).all()
    found = index * 12 * nside**2 + cell
    assert (np.diff(found) > 0).all()
    pairs = []
    for radius in np.concatenate([np.linspace(0, 1, 9), [1.3, 1.6, 2.0, 2.4, 2.8, 3.2]]) * margin:
        there = cells.cell_of(*offset(ra, dec, np.arange(48)[:, None] * 7.5, radius), nside)
        foreign = np.nonzero(there != own)
        pairs.append(np.unique(foreign[1] * 12 * nside**2 + there[foreign]))
    within, near = np.unique(np.concatenate(pairs[:9])), np.unique(np.concatenate(pairs))
    assert len(within) > 400 and np.isin(within, found).all()
    assert np.isin(found, near).mean() > 0.999                             # 48 directions miss the tip of a corner


def test_margin_limits():
    none = cells.other_cells_within(np.array([10.0]), np.array([0.0]), np.array([0]), 8, 0)
    assert len(none[0]) == 0
    with pytest.raises(InputError, match="margin_arcsec"):
        cells.other_cells_within(np.array([10.0]), np.array([0.0]), np.array([0]), 8, 4000)
    with pytest.raises(InputError, match="smaller `cells.nside`"):
        cells.other_cells_within(np.array([10.0]), np.array([0.0]), np.array([0]), 64, 3000)
