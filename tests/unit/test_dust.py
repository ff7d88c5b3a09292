"""Reading SFD maps: real pixels of the north map, and small maps whose values are known everywhere."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from paths import ROOT, SHARED

from starlabels.dust import query_sfd
from starlabels.errors import InputError

SCALE = 32  # pixels from b = 0 to b = 90; the real map has 2048
CUTOUT = SHARED / "dust" / "SFD_dust_4096_ngp_cutout.fits"


def lambert(l_deg, b_deg, sign, scale):
    """Plane coordinates in pixels from the pole: the formulae in the header of the real maps (sign: +1 north, -1 south)."""
    longitude, latitude = np.radians(l_deg), np.radians(b_deg)
    radius = np.sqrt(1 - sign * np.sin(latitude)) * scale
    return radius * np.cos(longitude), -sign * radius * np.sin(longitude)


def plane(x, y, sign):
    """A linear map, which linear interpolation gives back exactly; different at the two poles."""
    return (0.2 if sign > 0 else 0.4) + 0.001 * x - 0.002 * y


def write_map(path, sign):
    half = np.arange(2 * SCALE) + 0.5 - SCALE
    image = fits.PrimaryHDU(plane(half[None, :], half[:, None], sign).astype(np.float32))
    pixel = np.degrees(np.sqrt(2.0)) / SCALE  # the equal-area radius of FITS (ZEA) is sqrt(2) times 180/pi deg at b = 0
    image.header.update({
        "CTYPE1": "GLON-ZEA", "CTYPE2": "GLAT-ZEA", "CRPIX1": SCALE + 0.5, "CRPIX2": SCALE + 0.5, "CRVAL1": 90.0, "CRVAL2": 90.0 * sign,
        "CD1_1": -pixel, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": pixel, "LONPOLE": 180.0, "LAM_NSGP": sign, "LAM_SCAL": SCALE,
    })
    image.writeto(path)


@pytest.fixture
def folder(tmp_path):
    write_map(tmp_path / "SFD_dust_4096_ngp.fits", 1)
    write_map(tmp_path / "SFD_dust_4096_sgp.fits", -1)
    return tmp_path


def icrs(l_deg, b_deg):
    position = SkyCoord(np.asarray(l_deg) * u.deg, np.asarray(b_deg) * u.deg, frame="galactic").icrs
    return position.ra.deg, position.dec.deg


def test_scale_of_the_small_maps_is_that_of_the_real_one():
    # the real header: CD 0.0395646818624 deg at 2048 pixels
    assert np.degrees(np.sqrt(2.0)) / 2048 == pytest.approx(0.0395646818624, rel=1e-9)


@pytest.mark.parametrize("sign", [1, -1])
def test_raw_value_of_the_right_pole(folder, sign):
    rng = np.random.default_rng(1)
    l_deg, b_deg = rng.uniform(0, 360, 300), sign * rng.uniform(8, 90, 300)
    expected = plane(*lambert(l_deg, b_deg, sign, SCALE), sign)
    np.testing.assert_allclose(query_sfd(*icrs(l_deg, b_deg), folder), expected, atol=2e-6)


def test_missing_positions_and_none_at_all(folder):
    out = query_sfd(np.array([np.nan, 10.0, 20.0]), np.array([5.0, np.nan, 30.0]), folder)
    assert np.isnan(out[:2]).all() and np.isfinite(out[2]) and out.dtype == np.float64
    assert query_sfd(np.empty(0), np.empty(0), folder).shape == (0,)


def test_maps_are_read_once_and_give_the_same_bits(folder, monkeypatch):
    from dustmaps.sfd import SFDQuery

    ra, dec = np.random.default_rng(2).uniform([[0], [-90]], [[360], [90]], (2, 1000))
    expected = SFDQuery(map_dir=str(folder))(SkyCoord(ra * u.deg, dec * u.deg)).astype(float)
    opened, original = [], fits.open
    monkeypatch.setattr(fits, "open", lambda path, *a, **k: opened.append(str(path)) or original(path, *a, **k))
    found = [query_sfd(ra[part], dec[part], folder) for part in (slice(0, 400), slice(400, 401), slice(401, None))]
    assert np.array_equal(np.concatenate(found), expected)
    assert sorted(opened) == [str(folder / f"SFD_dust_4096_{pole}.fits") for pole in ("ngp", "sgp")]


def test_maps_that_are_changed_or_removed_are_not_remembered(folder):
    position = np.array([192.86]), np.array([27.13])
    before = query_sfd(*position, folder)
    with fits.open(folder / "SFD_dust_4096_ngp.fits", mode="update") as hdus:
        hdus[0].data += 1
    assert query_sfd(*position, folder) == pytest.approx(before + 1, rel=1e-6)
    (folder / "SFD_dust_4096_sgp.fits").unlink()
    with pytest.raises(InputError, match="SFD_dust_4096_sgp.fits: does not exist"):
        query_sfd(*position, folder)


@pytest.mark.skipif(not CUTOUT.exists(), reason="real data are not in this checkout")
def test_real_pixels_of_the_north_map(folder):
    shutil.copy(CUTOUT, folder / "SFD_dust_4096_ngp.fits")
    data = fits.getdata(CUTOUT)
    # the cutout begins at pixel (3000, 3000) of the whole map, whose pole lies at 2047.5
    j, i = np.mgrid[1:99, 1:99].astype(float)
    for shift in (0.0, 0.5):  # pixel centres, and the middle between four of them
        x, y = i.ravel() + shift + 3000 - 2047.5, j.ravel() + shift + 3000 - 2047.5
        b_deg = np.degrees(np.arcsin(1 - (x**2 + y**2) / 2048**2))
        l_deg = np.degrees(np.arctan2(-y, x))
        found = query_sfd(*icrs(l_deg, b_deg), folder).reshape(98, 98)
        corners = [data[1 + dj:99 + dj, 1 + di:99 + di] for dj in (0, 1) for di in (0, 1)]
        expected = corners[0] if shift == 0 else np.mean(corners, axis=0)
        np.testing.assert_allclose(found, expected, atol=2e-6)


@pytest.mark.parametrize("pole", ["ngp", "sgp"])
def test_missing_map_is_named(folder, pole):
    (folder / f"SFD_dust_4096_{pole}.fits").unlink()
    with pytest.raises(InputError, match=f"SFD_dust_4096_{pole}.fits: does not exist.*dust.map"):
        query_sfd(np.array([10.0]), np.array([10.0]), folder)


def spoil(path, how):
    content = path.read_bytes()
    if how == "text":
        path.write_text("not a map\n")
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "truncated":
        path.write_bytes(content[: len(content) // 2])
    elif how == "other pole":
        path.write_bytes((path.parent / "SFD_dust_4096_sgp.fits").read_bytes())
    elif how == "no image":
        fits.PrimaryHDU().writeto(path, overwrite=True)
    elif how == "other axes":
        fits.PrimaryHDU(np.zeros((4, 4))).writeto(path, overwrite=True)
    elif how == "not numbers":
        with fits.open(path, mode="update") as hdus:
            hdus[0].data[3, 3] = np.nan


@pytest.mark.parametrize("how", ["text", "empty", "truncated", "other pole", "no image", "other axes", "not numbers"])
@pytest.mark.filterwarnings("ignore")
def test_damaged_map_is_named(folder, how):
    spoil(folder / "SFD_dust_4096_ngp.fits", how)
    with pytest.raises(InputError, match="SFD_dust_4096_ngp.fits"):
        query_sfd(np.array([10.0]), np.array([10.0]), folder)


def test_no_setting_is_written_and_nothing_is_printed(folder, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    code = f"import numpy as np; from starlabels.dust import query_sfd; query_sfd(np.array([1.]), np.array([2.]), {str(folder)!r})"
    env = {**os.environ, "HOME": str(home), "PYTHONPATH": str(ROOT / "workflow" / "scripts")}
    env.pop("DUSTMAPS_CONFIG_FNAME", None)
    done = subprocess.run([sys.executable, "-c", code], env=env, cwd=home, capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert done.stderr == ""
    assert [p for p in home.rglob("*") if "dustmaps" in p.name] == []
