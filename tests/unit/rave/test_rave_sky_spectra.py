"""Files of the simulated spectra: bytes as astropy writes them, wavelengths, noise, bad pixels, a folder that appears whole."""

import io

import numpy as np
import pytest
from astropy.io import fits
from unit.rave.rave_sky import small_config

from starlabels.errors import InputError
from starlabels.sky.rave import layout, simulate
from starlabels.sky.rave.native import spectra, spectrum_files


def _by_astropy(name, flux, error, start, step):
    primary = fits.PrimaryHDU()
    primary.header["ROI"] = name
    hdus = [primary]
    for title, values in (("SPECTRUM", flux), ("ERROR", error)):
        hdu = fits.ImageHDU(values.astype(">f4"), name=title)
        for key, value in (("CRPIX1", 1.0), ("CRVAL1", start), ("CDELT1", step), ("CTYPE1", "AWAV"), ("CUNIT1", "Angstrom")):
            hdu.header[key] = value
        hdus.append(hdu)
    buffer = io.BytesIO()
    fits.HDUList(hdus).writeto(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(("start", "step", "pixels"), [(8410.0, 0.38, 1000), (8408.1003, 0.362001, 720), (8412.3456, 0.39999, 1441)])
@pytest.mark.parametrize("name", ["20100313_0823m14_113", "20040403_1042m11b_024"])
def test_bytes_are_those_of_astropy(name, start, step, pixels):
    rng = np.random.default_rng(3)
    flux = rng.normal(1, 0.02, pixels).astype(np.float32)
    flux[7] = np.nan
    error = np.full(pixels, 0.02, np.float32)
    assert spectrum_files.file_bytes(name, flux, error, start, step) == _by_astropy(name, flux, error, start, step)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    config = small_config()
    folder = tmp_path_factory.mktemp("native") / "south1-000"
    simulate.run_simulate_rave("south1-000", config, {"spectra": folder})
    stars, visits = simulate.made_up(layout.shard(config, "south1-000"), config)
    return config, folder, stars, visits


def _read(folder, name):
    with fits.open(folder / name[:8] / f"RAVE_{name}.fits") as hdus:
        header = hdus["SPECTRUM"].header
        wavelength = header["CRVAL1"] + (np.arange(header["NAXIS1"]) + 1 - header["CRPIX1"]) * header["CDELT1"]
        return hdus[0].header["ROI"], wavelength, hdus["SPECTRUM"].data.astype(float), hdus["ERROR"].data.astype(float)


def test_one_file_a_spectrum(written):
    config, folder, stars, visits = written
    files = sorted(p.name for p in folder.rglob("*.fits"))
    assert files == sorted(f"RAVE_{name}.fits" for name in visits["rave_obs_id"])
    assert not list(folder.parent.glob(".*"))
    for i in (0, 50, 200):
        name = visits["rave_obs_id"].iloc[i]
        roi, wavelength, flux, error = _read(folder, name)
        assert roi == name and 8408 < wavelength[0] < 8440 and 8780 < wavelength[-1] < 8797
        good = error > 0
        snr = visits["snr"].iloc[i]
        assert np.median(error[good]) == pytest.approx(1 / snr, rel=0.15)
        assert np.median(flux[good]) == pytest.approx(0.97, abs=0.06)
        triplet = np.abs(wavelength - 8542.09) < 1.0
        assert flux[triplet].min() < 0.8
        assert fits.open(folder / name[:8] / f"RAVE_{name}.fits")["SPECTRUM"].header["CUNIT1"] == "Angstrom"


def test_noise_is_what_the_error_says(written):
    config, folder, stars, visits = written
    hot = (stars["teff"] > 5800).to_numpy()[visits["star"]]  # few lines
    normal = visits[(visits["class_1"] == "n") & hot & visits["snr"].between(10, 32)]
    scatter = []
    for name in normal["rave_obs_id"]:
        _, wavelength, flux, error = _read(folder, name)
        flat = (wavelength > 8760) & (wavelength < 8785) & (error > 0)
        # neighbours share noise, so pixels five apart are compared
        scatter.append(np.median(np.abs(np.diff(flux[flat][::5]))) / 0.954 / np.median(error[flat]))
    assert len(scatter) > 10 and np.median(scatter) == pytest.approx(1.0, abs=0.25)


def test_a_spectrum_does_not_depend_on_the_others(written, tmp_path):
    config, folder, stars, visits = written
    few = visits.iloc[[3, 40, 41]].reset_index(drop=True)
    spectra.write_spectra(tmp_path / "few", stars, few, config)
    for name in few["rave_obs_id"]:
        place = f"{name[:8]}/RAVE_{name}.fits"
        assert (tmp_path / "few" / place).read_bytes() == (folder / place).read_bytes()


def test_grids_follow_the_velocity_and_stay_inside():
    config, index = small_config(), np.arange(4000)
    rest = spectra.grids(np.zeros(4000), index, config)
    fast = spectra.grids(np.full(4000, 300.0), index, config)
    assert (rest["start"] >= fast["start"]).all() and np.median(rest["step"] / fast["step"]) == pytest.approx(1.001, abs=1e-4)
    for grid in (rest, fast, spectra.grids(np.full(4000, -400.0), index, config)):
        end = grid["start"] + grid["step"] * (grid["pixels"] - 1)
        assert grid["start"].min() >= 8408 and end.max() <= 8797 and grid["pixels"].max() < spectra.WIDTH
    late = rest["start"] > 8416
    assert 0.003 < late.mean() < 0.02
    whole = spectra.wavelengths(rest.iloc[:5])
    assert whole.shape == (5, spectra.WIDTH) and (np.diff(whole, axis=1) >= 0).all()


def test_bad_pixels_have_no_error():
    n = 4000
    flux, error = np.ones((n, 1090), np.float32), np.full((n, 1090), 0.02, np.float32)
    spectra.spoil(flux, error, np.arange(n), small_config())
    bad = np.isnan(flux).sum(axis=1)
    np.testing.assert_array_equal(np.isnan(flux), error == 0)
    assert (bad > 0).mean() == pytest.approx(0.03, abs=0.01) and 0 < (bad > 100).sum() < 20
    assert bad[(bad > 0) & (bad < 100)].max() <= 15


def test_the_folder_appears_whole_or_not_at_all(tmp_path):
    content = spectrum_files.file_bytes("20100313_0823m14_113", np.ones(10, np.float32), np.ones(10, np.float32), 8410.0, 0.4)
    folder = tmp_path / "a"
    with pytest.raises(RuntimeError), spectrum_files.SpectraFolder(folder) as target:
        target.write("20100313_0823m14_113", content)
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    for name in ("20100313_0823m14_113", "20100313_0823m14_114"):
        with spectrum_files.SpectraFolder(folder) as target:
            target.write(name, content)
    assert [p.name for p in folder.rglob("*.fits")] == ["RAVE_20100313_0823m14_114.fits"]
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"), spectrum_files.SpectraFolder(tmp_path / "file" / "b"):
        pass
