"""The truth frame: determinism, consistency of its columns, the mixture, the four classes, cluster members."""

import numpy as np
import pandas as pd
import pytest

from starlabels.errors import InputError
from starlabels.sky import clusters, colours, populations, remnants, stars
from starlabels.sky import random as rnd

N = 40_000
REDDENING = dict(
    zip(colours.BANDS, (2.364, 2.998, 1.737, 0.748, 0.453, 0.306, 0.194, 0.138, 4.324, 3.917, 7.294), strict=True)
)  # fmt: skip
CONFIG = {
    "seed": 42,
    "sky": {"binaries": True, "metal_poor_boost": 0.02},
    "sages": {"bands": {b: {"reddening": r} for b, r in REDDENING.items()}},
}


def _places(index):
    u = rnd.uniforms(9, "places", index, 2)
    return 140 + 4 * u[:, 0], 38 + 4 * u[:, 1], 0.01 + 0.05 * u[:, 1]


def _draw(index, config=CONFIG, **options):
    index = np.asarray(index, np.int64)
    return stars.draw_field_stars(index, *_places(index), config, **options)


@pytest.fixture(scope="module")
def sky():
    return _draw(np.arange(N))


def test_chunks_and_order_change_no_bit(sky):
    part = np.arange(3000)
    pieces = [_draw(part[a:b]) for a, b in ((0, 1), (1, 38), (38, 1001), (1001, 3000))]
    pd.testing.assert_frame_equal(pd.concat(pieces, ignore_index=True), sky.iloc[:3000], check_exact=True)
    back = _draw(part[::-1])[::-1].reset_index(drop=True)
    pd.testing.assert_frame_equal(back, sky.iloc[:3000], check_exact=True)


def test_columns_and_types(sky):
    assert tuple(sky.columns) == stars.COLUMNS
    kinds = {"star_index": "int64", "component": "str", "kind": "str", "is_binary": "bool"}
    assert {c: str(t) for c, t in sky.dtypes.items()} == {c: kinds.get(c, "float64") for c in stars.COLUMNS}
    empty = _draw(np.zeros(0, np.int64))
    assert len(empty) == 0 and (empty.dtypes == sky.dtypes).all()


def test_seed_matters():
    assert not np.array_equal(_draw(range(50)).distance, _draw(range(50), {**CONFIG, "seed": 43}).distance)


def test_only_labels_of_remnants_are_missing(sky):
    remnant = sky.kind.isin(["white_dwarf", "hot_subdwarf"])
    labels = ["age", "teff", "logg", "feh", "alpha_fe", "mg_fe", "si_fe", "al_fe", "ni_fe"]
    assert sky.loc[remnant, labels].isna().all(axis=None)
    rest = sky.columns.drop("mass_ratio")
    assert sky.loc[~remnant, rest].notna().all(axis=None)
    assert np.array_equal(sky.mass_ratio.notna(), sky.is_binary)


def test_columns_agree_with_each_other(sky):
    assert np.allclose(sky.parallax * sky.distance, 1000, rtol=1e-12)
    for band in colours.BANDS:
        expected = sky[f"abs_{band}"] + 5 * np.log10(sky.distance / 10) + REDDENING[band] * sky.ebv
        assert np.abs(sky[band] - expected).max() < 1e-9
    labelled = sky[sky.teff.notna()]
    assert labelled.teff.between(3800, 8000).all()
    assert ((labelled.logg < 3.6) == (labelled.kind == "giant")).all()
    single = labelled[~labelled.is_binary]
    luminosity = 10 ** (4.438 + np.log10(single.mass) - single.logg + 4 * np.log10(single.teff / 5772))
    ideal = colours.absolute_magnitudes(*(c.to_numpy() for c in (luminosity, single.teff, single.logg, single.feh)))
    scatter = single[[f"abs_{b}" for b in colours.BANDS]].to_numpy() - ideal
    assert scatter.std(axis=0) == pytest.approx(stars.truth.COSMIC_SCATTER, rel=0.03)
    assert np.abs(scatter.mean(axis=0)).max() < 0.001


def test_magnitudes_distances_and_limits(sky):
    assert sky.gaia_g.min() > 10.9 and sky.gaia_g.max() < 18.05
    counts = np.histogram(sky.gaia_g, bins=[11, 12, 13, 14, 15, 16, 17, 18])[0]
    assert (np.diff(counts) > 0).all()
    limit = dict(zip(populations.COMPONENTS, populations.DISTANCE_LIMIT, strict=True))
    assert (sky.distance <= sky.component.map(limit) * (1 + 1e-12)).all()
    # the last resort (distance or temperature put on its limit) must stay a rare exception
    at_limit = (sky.distance >= sky.component.map(limit) * (1 - 1e-12)) | (sky.teff == 8000) | (sky.teff == 3800)
    assert at_limit.mean() < 0.002
    bright = _draw(range(2000), g_range=(12, 13))
    assert bright.gaia_g.between(11.95, 13.05).mean() > 0.995


def test_mixture_and_shares(sky):
    share = sky.component.value_counts(normalize=True)
    assert share["thin"] == pytest.approx(0.98 * 0.80, abs=0.01)
    assert share["thick"] == pytest.approx(0.98 * 0.16, abs=0.01)
    assert 0.01 < (sky.feh < -2).mean() < 0.04
    # a tenth of the boost; the halo's own tail adds single stars
    assert (sky.feh < -3).mean() == pytest.approx(0.1 * CONFIG["sky"]["metal_poor_boost"], rel=0.25)
    dwarfs = sky[sky.kind == "dwarf"]
    assert dwarfs.is_binary.mean() == pytest.approx(0.29, abs=0.015)
    assert not sky.is_binary[sky.kind != "dwarf"].any()
    assert dwarfs.mass_ratio.min() >= 0.2 and dwarfs.mass_ratio.max() <= 1
    assert not _draw(range(500), {**CONFIG, "sky": {**CONFIG["sky"], "binaries": False}}).is_binary.any()


def test_share_of_giants(sky):
    # bright stars keep the drawn 16 %; giants of the disc beyond 4 kpc are not there, so faint samples have fewer
    giant = sky.kind == "giant"
    assert giant[sky.gaia_g < 13].mean() == pytest.approx(0.16, abs=0.015)
    assert 0.05 < giant[sky.gaia_g < 17.3].mean() < 0.11
    assert giant[sky.gaia_g > 17].mean() < 0.03


def test_clump(sky):
    thin = sky[(sky.kind == "giant") & (sky.component == "thin") & sky.logg.between(2.2, 2.7)]
    assert len(thin) > 300
    assert thin.teff.median() == pytest.approx(4714, abs=40)
    assert thin.teff.quantile(0.16) == pytest.approx(4604, abs=50) and thin.teff.quantile(0.84) == pytest.approx(4832, abs=50)
    assert thin.abs_tmass_ks.median() == pytest.approx(-1.64, abs=0.1)


def test_four_classes_of_the_colour_magnitude_diagram(sky):
    # borders of the classes as in the configuration; true magnitudes without errors
    colour, m = sky.abs_gaia_bp - sky.abs_gaia_rp, sky.abs_gaia_g
    giant = m < -1.8 + 6.5 * colour - colour**2
    white = (m > 6 + 5 * colour) & (m > 7)
    sub = (colour < 0.2) & (m <= 7) & (m > 5.5 + 7 * colour)
    assert (sky.kind[white] == "white_dwarf").all() and white[sky.kind == "white_dwarf"].all()
    assert (sky.kind[sub] == "hot_subdwarf").all() and sub[sky.kind == "hot_subdwarf"].mean() > 0.9
    assert white.sum() > 50 and sub.sum() > 5
    assert (white | sub).mean() == pytest.approx(remnants.SHARE, abs=0.001)
    assert giant[sky.kind == "giant"].mean() > 0.99
    assert 0.05 < giant.mean() < 0.09  # 6.7 % in the paper's catalogue
    assert 0.02 < (colour > 1.598).mean() < 0.10  # the cool stars that the final catalogue masks


def test_fast_stars(sky):
    total = np.hypot(sky.pmra, sky.pmdec)
    assert (total > 100).mean() > 0.018 and (total > 400).mean() > 0.0015
    assert sky.rv.abs().max() < 900


@pytest.mark.parametrize("name", list(clusters.CLUSTERS))
def test_cluster_members(name):
    values = clusters.cluster(name)
    index = np.arange(300) + 10**12
    members = stars.draw_cluster_stars(index, values, CONFIG)
    assert tuple(members.columns) == stars.COLUMNS and (members.component == name).all()
    away = np.hypot((members.ra - values["ra"]) * np.cos(np.radians(values["dec"])), members.dec - values["dec"])
    assert 0.7 * values["radius"] < away.max() < 1.02 * values["radius"]
    assert members.distance.nunique() == members.age.nunique() == 1
    assert members.feh.std() == pytest.approx(values["feh_spread"], rel=0.15, abs=1e-9)
    assert members.pmra.std() == pytest.approx(0.15, rel=0.15) and members.pmra.mean() == pytest.approx(values["pmra"], abs=0.04)
    assert members.pmdec.std() == pytest.approx(0.15, rel=0.15) and members.pmdec.mean() == pytest.approx(values["pmdec"], abs=0.04)
    assert members.gaia_g.between(values["g_min"] - 0.02, values["g_max"] + 0.02).mean() > 0.99
    parts = [stars.draw_cluster_stars(index[a:b], values, CONFIG) for a, b in ((0, 7), (7, 300))]
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), members, check_exact=True)


def test_globular_members_are_giants_and_open_ones_mostly_dwarfs():
    index = np.arange(200)
    assert (stars.draw_cluster_stars(index, clusters.cluster("NGC 7089"), CONFIG).kind == "giant").all()
    assert (stars.draw_cluster_stars(index, clusters.cluster("NGC 2682"), CONFIG).kind == "dwarf").mean() > 0.7


def test_what_a_user_may_get_wrong():
    with pytest.raises(InputError, match="no cluster 'NGC 1'"):
        clusters.cluster("NGC 1")
    with pytest.raises(InputError, match="sages.bands.galex_nuv"):
        stars.reddening_of({"sages": {"bands": {b: {"reddening": 1} for b in colours.BANDS[:-1]}}})
    with pytest.raises(InputError, match="g_range"):
        _draw(range(3), g_range=(18, 11))
