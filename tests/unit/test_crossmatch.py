"""The cross-match against brute force, astropy and STILTS."""

import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
from astropy import units as u
from astropy.coordinates import Distance, SkyCoord
from astropy.time import Time

from starlabels import crossmatch
from starlabels.astrometry import Positions, pair_separation, propagate
from starlabels.crossmatch import AMBIGUOUS, KEPT, NO_CANDIDATE, NO_POSITION, NOT_UNIQUE, match

ARCSEC = 1 / 3600.0


def coordinates(ra, dec, pmra, pmdec, epoch=2016.0):
    return SkyCoord(ra * u.deg, dec * u.deg, pm_ra_cosdec=pmra * u.mas / u.yr, pm_dec=pmdec * u.mas / u.yr,
                    obstime=Time(epoch, format="jyear"), distance=Distance(parallax=100 * u.mas))


def offset(ra, dec, angle, arcsec):
    moved = SkyCoord(ra * u.deg, dec * u.deg).directional_offset_by(angle * u.deg, arcsec * u.arcsec)
    return moved.ra.deg, moved.dec.deg


def moving_sky(rng, n, centre, size=0.15):
    """Gaia stars in a small patch, 3 % fast ones up to Barnard's star, and a survey of most of them at its own dates."""
    ra, dec = offset(np.full(n, centre[0]), np.full(n, centre[1]), rng.uniform(0, 360, n), size * 3600 * np.sqrt(rng.random(n)))
    pm = np.where(rng.random(n) < 0.03, rng.uniform(200, 10_400, n), rng.exponential(10, n))
    angle = rng.uniform(0, 2 * np.pi, n)
    gaia = Positions(ra, dec, 2016.0, pm * np.sin(angle), pm * np.cos(angle))
    epoch = rng.uniform(1997.5, 2019.5, n)
    there = propagate(ra, dec, gaia.pmra, gaia.pmdec, epoch - 2016.0)
    seen = offset(*there, rng.uniform(0, 360, n), np.abs(rng.normal(0, 0.1, n)))
    order = rng.permutation(n)[: 4 * n // 5]
    return gaia, Positions(seen[0][order], seen[1][order], epoch[order]), order


@pytest.mark.parametrize("centre", [(150.0, 30.0), (0.0, -0.001), (40.0, 89.99), (200.0, -89.9)])
def test_propagate_agrees_with_astropy(centre):
    rng = np.random.default_rng(1)
    gaia, _, _ = moving_sky(rng, 300, centre)
    years = rng.uniform(-20, 5, 300)
    ra, dec = propagate(gaia.ra, gaia.dec, gaia.pmra, gaia.pmdec, years)
    theirs = coordinates(gaia.ra, gaia.dec, gaia.pmra, gaia.pmdec).apply_space_motion(new_obstime=Time(2016.0 + years, format="jyear"))
    assert SkyCoord(ra * u.deg, dec * u.deg).separation(theirs).arcsec.max() < 1e-4
    assert ((ra >= 0) & (ra < 360)).all()


def test_missing_motion_is_no_motion():
    ra, dec = propagate(np.array([10.0, 10.0]), np.array([5.0, 5.0]), np.array([np.nan, 100.0]), np.array([np.nan, np.nan]), -16.0)
    assert ra[0] == pytest.approx(10.0, abs=1e-12) and dec[0] == pytest.approx(5.0, abs=1e-12)
    assert (10.0 - ra[1]) * np.cos(np.radians(5.0)) * 3600 == pytest.approx(1.6, abs=1e-6)


def brute_force(left, gaia, radius):
    """All pairs within the radius, every separation by astropy at the date of the left row."""
    pairs = set()
    for i in range(len(left)):
        ra, dec = propagate(gaia.ra, gaia.dec, gaia.pmra, gaia.pmdec, left.dates()[i] - 2016.0)
        apart = SkyCoord(ra * u.deg, dec * u.deg).separation(SkyCoord(left.ra[i] * u.deg, left.dec[i] * u.deg)).arcsec
        pairs |= {(i, int(j)) for j in np.flatnonzero(apart <= radius)}
    return pairs


@pytest.mark.parametrize("centre", [(150.0, 30.0), (0.0, 0.0), (40.0, 89.95)])
def test_candidates_are_all_pairs(centre):
    rng = np.random.default_rng(2)
    gaia, left, _ = moving_sky(rng, 250, centre, size=0.01)        # crowded: many rows have several candidates
    i, j, _ = crossmatch.candidates(left, gaia, 5.0)
    expected = brute_force(left, gaia, 5.0)
    assert set(zip(i.tolist(), j.tolist(), strict=True)) == expected
    assert len(expected) > 1.5 * len(left)


def test_pairs_are_those_of_astropy():
    """Gaia moved to J2000 by apply_space_motion, nearest star by match_to_catalog_sky: the same pairs."""
    rng = np.random.default_rng(3)
    gaia, left, _ = moving_sky(rng, 3000, (230.0, 60.0), size=0.5)
    left = Positions(left.ra, left.dec, 2000.0)
    moved = coordinates(gaia.ra, gaia.dec, gaia.pmra, gaia.pmdec).apply_space_motion(new_obstime=Time(2000.0, format="jyear"))
    index, apart, _ = SkyCoord(left.ra * u.deg, left.dec * u.deg).match_to_catalog_sky(SkyCoord(moved.ra, moved.dec))
    near = apart.arcsec <= 1.0
    found = match(left, gaia, 1.0, unique=False)
    assert np.array_equal(found.left, np.flatnonzero(near))
    assert np.array_equal(found.gaia, index[near])
    assert np.allclose(found.sep_arcsec, apart.arcsec[near], atol=1e-4)
    assert 1500 < near.sum() < len(left)


@pytest.mark.skipif(shutil.which("stilts") is None, reason="stilts is not installed")
def test_pairs_are_those_of_stilts(tmp_path):
    rng = np.random.default_rng(4)
    gaia, left, _ = moving_sky(rng, 2000, (10.0, 20.0), size=0.3)
    left = Positions(left.ra, left.dec, 2000.0)
    ra, dec = propagate(gaia.ra, gaia.dec, gaia.pmra, gaia.pmdec, -16.0)
    pd.DataFrame({"i": np.arange(len(left)), "ra1": left.ra, "dec1": left.dec}).to_csv(tmp_path / "left.csv", index=False)
    pd.DataFrame({"j": np.arange(len(gaia)), "ra2": ra, "dec2": dec}).to_csv(tmp_path / "gaia.csv", index=False)
    subprocess.run(
        ["stilts", "tskymatch2", "in1=left.csv", "ifmt1=csv", "in2=gaia.csv", "ifmt2=csv", "ra1=ra1", "dec1=dec1", "ra2=ra2",
         "dec2=dec2", "error=1", "find=best1", "join=1and2", "out=pairs.csv", "ofmt=csv"],
        cwd=tmp_path, check=True, capture_output=True)
    pairs = pd.read_csv(tmp_path / "pairs.csv").sort_values("i")
    found = match(left, gaia, 1.0, unique=False)
    assert np.array_equal(found.left, pairs["i"]) and np.array_equal(found.gaia, pairs["j"])


def test_true_pairs_are_found_with_motions_and_lost_without():
    rng = np.random.default_rng(5)
    gaia, left, truth = moving_sky(rng, 20_000, (120.0, -10.0), size=2.0)
    fast = np.hypot(gaia.pmra, gaia.pmdec)[truth] > 400
    share = {}
    for move in (True, False):
        found = match(left, gaia, 1.0, 0.3, move=move)
        right = np.zeros(len(left), bool)
        right[found.left] = found.gaia == truth[found.left]
        share[move] = right[fast].mean()
    assert share[True] > 0.995
    assert share[False] < 0.5


def test_outcomes():
    """Kept, too far, ambiguous, claimed by a nearer row, without a position: one of each."""
    gaia = Positions(np.array([10.0, 20.0, 20.0, 30.0]), np.array([0.0, 0.0, 0.9 * ARCSEC, 0.0]), 2016.0, np.zeros(4), np.zeros(4))
    left = Positions(np.array([10.0, 10.0, 20.0, 30.0, 30.0, np.nan]),
                     np.array([0.4, 1.1, 0.4, 0.3, 0.2, 0.0]) * ARCSEC, np.full(6, 2016.0))
    found = match(left, gaia, 1.0, 0.3)
    assert found.outcome.tolist() == [KEPT, NO_CANDIDATE, AMBIGUOUS, NOT_UNIQUE, KEPT, NO_POSITION]
    assert found.left.tolist() == [0, 4] and found.gaia.tolist() == [0, 3]
    assert found.nearest.tolist() == [0, -1, 1, 3, 3, -1]
    assert found.counts == {"no_position": 1, "no_candidate": 1, "ambiguous": 1, "not_unique": 1, "kept": 2}
    repeats = match(left, gaia, 1.0, 0.3, unique=False)
    assert repeats.left.tolist() == [0, 3, 4] and repeats.gaia.tolist() == [0, 3, 3]


def test_a_rival_just_outside_the_radius_counts():
    gaia = Positions(np.array([20.0, 20.0]), np.array([0.0, 2.0 * ARCSEC]))
    left = Positions(np.array([20.0]), np.array([0.95 * ARCSEC]), 2016.0)
    assert match(left, gaia, 1.0, 0.3).counts["ambiguous"] == 1
    assert match(left, gaia, 1.0, 0.05).counts["kept"] == 1


def test_companions_cost_few_true_pairs():
    """3 % of the stars have a neighbour at 0.5 to 4 arcsec with its own Gaia row (errors 0.2 arcsec): below 0.5 % lost."""
    rng = np.random.default_rng(6)
    n, m = 60_000, 1800
    ra, dec = rng.uniform(0, 360, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
    near = offset(ra[:m], dec[:m], rng.uniform(0, 360, m), rng.uniform(0.5, 4.0, m))
    gaia = Positions(np.r_[ra, near[0]], np.r_[dec, near[1]])
    error = 0.2 * np.hypot(rng.normal(size=n), rng.normal(size=n))
    left = Positions(*offset(ra, dec, rng.uniform(0, 360, n), error), 2000.0)
    found = match(left, gaia, 1.0, 0.3)
    right = (found.gaia == found.left).sum()
    assert right > 0.995 * n
    assert (found.gaia != found.left).sum() < 0.0005 * n
    assert found.counts["ambiguous"] > 0


def test_pieces_and_order_do_not_matter(monkeypatch):
    rng = np.random.default_rng(7)
    gaia, left, _ = moving_sky(rng, 2000, (77.0, 5.0))
    whole = match(left, gaia, 1.0, 0.3)
    monkeypatch.setattr(crossmatch, "CHUNK", 97)
    pieces = match(left, gaia, 1.0, 0.3)
    assert np.array_equal(whole.left, pieces.left) and np.array_equal(whole.gaia, pieces.gaia)
    assert np.array_equal(whole.sep_arcsec, pieces.sep_arcsec)
    mix = rng.permutation(len(gaia))
    mixed = match(left, Positions(gaia.ra[mix], gaia.dec[mix], 2016.0, gaia.pmra[mix], gaia.pmdec[mix]), 1.0, 0.3)
    assert np.array_equal(mix[mixed.gaia], whole.gaia) and np.array_equal(mixed.sep_arcsec, whole.sep_arcsec)


def plain_match(left, gaia, radius, ambiguous, move, unique):
    """The definition, pair by pair: outcome of each left row, and the kept pairs with their separations."""
    usable = np.flatnonzero(left.usable())
    i, j = (a.ravel() for a in np.meshgrid(usable, np.arange(len(gaia)), indexing="ij"))
    sep = np.full((len(left), len(gaia)), np.inf)
    sep[i, j] = pair_separation(left, gaia, i, j, move)
    outcome, claims = np.full(len(left), NO_CANDIDATE), {}
    outcome[~left.usable()] = NO_POSITION
    for row in usable:
        near = np.argsort(sep[row], kind="stable")[:2]
        if sep[row, near[0]] > radius:
            continue
        outcome[row] = KEPT
        if sep[row, near[1]] - sep[row, near[0]] < ambiguous:
            outcome[row] = AMBIGUOUS
        else:
            claims.setdefault(int(near[0]), []).append((sep[row, near[0]], int(row)))
    if unique:
        for star, rows in claims.items():
            claims[star] = [min(rows)]
            outcome[[row for pair, row in rows if (pair, row) != min(rows)]] = NOT_UNIQUE
    return outcome, sorted((row, star, pair) for star, rows in claims.items() for pair, row in rows)


@pytest.mark.parametrize("few", [0, 4, 10**9])
@pytest.mark.parametrize(("move", "unique"), [(True, True), (True, False), (False, True)])
def test_match_is_the_definition_to_the_last_bit(monkeypatch, few, move, unique):
    """Motions, repeats of a star, close pairs, rows without a place, and each way to search: the very same numbers."""
    monkeypatch.setattr(crossmatch, "FEW", few)
    rng = np.random.default_rng(11)
    gaia, left, _ = moving_sky(rng, 700, (0.02, 60.0), size=0.012)
    again = rng.permutation(len(left))[:150]
    left = Positions(np.r_[left.ra, left.ra[again], np.nan, 5.0], np.r_[left.dec, left.dec[again] + 0.2 * ARCSEC, 1.0, 60.0],
                     np.r_[left.epoch, left.epoch[again], 2010.0, 2010.0])
    found = match(left, gaia, 1.0, 0.3, move, unique)
    outcome, pairs = plain_match(left, gaia, 1.0, 0.3, move, unique)
    assert np.array_equal(found.outcome, outcome)
    assert list(zip(found.left.tolist(), found.gaia.tolist(), found.sep_arcsec.tolist(), strict=True)) == pairs
    seen = set(outcome.tolist())
    assert seen == {NO_POSITION, NO_CANDIDATE, AMBIGUOUS, KEPT} | ({NOT_UNIQUE} if unique else set())


def test_empty_catalogues():
    none = Positions(np.empty(0), np.empty(0))
    one = Positions(np.array([1.0]), np.array([2.0]), 2000.0)
    assert match(none, one, 1.0).counts["kept"] == 0
    assert match(one, none, 1.0).outcome.tolist() == [NO_CANDIDATE]
    with pytest.raises(ValueError, match="radius_arcsec"):
        match(one, one, 0.0)
