"""The reddening map: what the public reader gets is what the stars got."""

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits

from starlabels.sky import dustmap, layout
from starlabels.sky.clusters import cluster


@pytest.fixture(scope="module")
def written(tmp_path_factory, default_config):
    folder = tmp_path_factory.mktemp("dust")
    dustmap.write_dust(default_config, folder / "SFD_dust_4096_ngp.fits", folder / "SFD_dust_4096_sgp.fits")
    return folder


@pytest.mark.filterwarnings("ignore")
def test_the_public_reader_gets_the_same_value(written, default_config):
    from dustmaps.sfd import SFDQuery

    rng = np.random.default_rng(3)
    lon, lat = rng.uniform(0, 360, 4000), np.degrees(np.arcsin(rng.uniform(-1, 1, 4000)))
    theirs = SFDQuery(str(written))(SkyCoord(lon * u.deg, lat * u.deg, frame="galactic"))
    ours = dustmap.map_value(lon, lat, default_config)
    np.testing.assert_allclose(ours, theirs, rtol=2e-6)
    # and the map stands where it belongs: interpolated pixels follow the model itself
    model = dustmap._model(dustmap._vectors(lon, lat), default_config)
    assert np.median(np.abs(ours / model - 1)) < 1e-3


def test_two_runs_give_the_same_bytes_and_no_date(written, default_config, tmp_path):
    again = tmp_path / "n.fits", tmp_path / "s.fits"
    dustmap.write_dust(default_config, *again)
    for first, second in zip(("ngp", "sgp"), again, strict=True):
        assert (written / f"SFD_dust_4096_{first}.fits").read_bytes() == second.read_bytes()
    assert "DATE" not in fits.getheader(written / "SFD_dust_4096_ngp.fits")


def test_header_has_the_keywords_of_the_real_map(written, shared):
    real = shared / "dust" / "SFD_dust_4096_ngp_cutout.fits"
    if not real.exists():
        pytest.skip("real data are not in this checkout")
    real, ours = fits.getheader(real), fits.getheader(written / "SFD_dust_4096_ngp.fits")
    for key in ("BITPIX", "OBJECT", "BUNIT", "CTYPE1", "CTYPE2", "CRVAL1", "CRVAL2", "CD1_2", "CD2_1", "LONPOLE", "LAM_NSGP"):
        assert ours[key] == real[key], key
    scale = real["LAM_SCAL"] / ours["LAM_SCAL"]
    assert ours["CD1_1"] == pytest.approx(real["CD1_1"] * scale) and ours["CD2_2"] == pytest.approx(real["CD2_2"] * scale)


@pytest.mark.parametrize("seed", [42, 7, 1234])
def test_two_thirds_below_the_training_cut_and_a_tail_to_a_half(default_config, seed):
    config = {**default_config, "seed": seed}
    values = []
    for piece in (p for p in layout.shards(config) if p.cluster is None):
        _, ra, dec = layout.field_positions(piece, seed)
        values.append(dustmap.map_at(ra[::5], dec[::5], config))
    every = np.concatenate(values)
    assert 0.58 < np.mean(every < 0.05) < 0.75
    assert every.min() > 0.008
    assert np.histogram(every, [0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5])[0].min() > 100


def test_clusters_have_their_own_value(default_config):
    for name in default_config["sky"]["clusters"]:
        known = cluster(name)
        angle = np.arange(0, 360, 45.0)
        ra, dec = layout.offset(known["ra"], known["dec"], known["radius"], angle)
        np.testing.assert_allclose(dustmap.map_at(ra, dec, default_config), known["ebv"], rtol=0.05)


def test_catalogue_value_is_truth_times_one_plus_ten_per_cent(default_config):
    piece = layout.shards(default_config)[0]
    index, ra, dec = layout.field_positions(piece, 42)
    true = dustmap.true_ebv(ra, dec, index, default_config)
    ratio = dustmap.map_at(ra, dec, default_config) / true - 1
    assert abs(ratio.mean()) < 0.003 and ratio.std() == pytest.approx(default_config["sky"]["ebv_error"], rel=0.03)
    sharp = {**default_config, "sky": {**default_config["sky"], "ebv_error": 0.0}}
    np.testing.assert_array_equal(dustmap.true_ebv(ra, dec, index, sharp), dustmap.map_at(ra, dec, sharp))


def test_a_value_does_not_depend_on_the_other_stars(default_config):
    piece = layout.shards(default_config)[3]
    _, ra, dec = layout.field_positions(piece, 42)
    ra, dec = ra[:500], dec[:500]
    pieces = [dustmap.map_at(ra[i : i + 7], dec[i : i + 7], default_config) for i in range(0, 500, 7)]
    np.testing.assert_array_equal(dustmap.map_at(ra, dec, default_config), np.concatenate(pieces))
