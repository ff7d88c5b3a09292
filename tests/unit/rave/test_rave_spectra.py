"""Reading, resampling and packing of RAVE spectra: grid, bad pixels, edges, refusals, determinism."""

import gzip
import time

import numpy as np
import pytest
from astropy.io import fits
from unit.rave.rave_survey_files import configuration, ids, write_spectrum

from starlabels import spectra as sp
from starlabels.errors import InputError
from starlabels.io import read_json
from starlabels.spectra_fits import read_spectrum
from starlabels.spectra_pack import Packed, list_spectra, read_packed, run_pack, take_spectra

NAME = "20100313_0823m14_001"
N = 1040                                             # pixels of a file: 8405.0 to 8805.0 Angstrom


@pytest.fixture
def cfg():
    return configuration()["spectra"]


def wave(n=N, start=8405.0, step=0.385):
    return start + step * np.arange(n)


def line(w, centre=8542.09, depth=0.6, sigma=1.2):
    return 1 - depth * np.exp(-0.5 * ((w - centre) / sigma) ** 2)


def on_grid(path, cfg, **changes):
    cfg = {**cfg, **changes}
    return sp.resample(read_spectrum(path), sp.grid_of(cfg), cfg["resampling"], cfg["edge_max"], cfg["bad_max"])


def test_grid_of_the_published_network(cfg):
    grid = sp.grid_of(cfg)
    assert grid.pixels == 912 and grid.wavelength[0] == 8420.0
    np.testing.assert_allclose(grid.wavelength[-1], 8784.4)
    np.testing.assert_allclose(np.diff(grid.edges), 0.4)


@pytest.mark.parametrize("changes", [{"step": 0.0}, {"pixels": 0}, {"resampling": "spline"}])
def test_impossible_grid_is_refused(cfg, changes):
    with pytest.raises(InputError, match="rave.spectra"):
        sp.grid_of({**cfg, **changes})


def test_wavelength_scale_and_id(tmp_path):
    flux = line(wave())
    spectrum = read_spectrum(write_spectrum(tmp_path, NAME, flux, crpix=3.0))
    assert spectrum.rave_obs_id == NAME and spectrum.flux.dtype == np.float64
    np.testing.assert_allclose(spectrum.wavelength[[0, 1]], [8405.0 - 2 * 0.385, 8405.0 - 0.385])
    np.testing.assert_allclose(spectrum.flux, flux.astype(np.float32))
    np.testing.assert_allclose(spectrum.error, 0.02, rtol=1e-6)


@pytest.mark.parametrize(("unit", "factor"), [("nm", 0.1), ("m", 1e-10), ("um", 1e-4), ("angstrom", 1), ("Angstroms", 1), ("A", 1)])
def test_units_of_length_are_converted(tmp_path, unit, factor):
    spectrum = read_spectrum(write_spectrum(tmp_path, NAME, np.ones(N), start=8405.0 * factor, step=0.385 * factor, unit=unit))
    np.testing.assert_allclose(spectrum.wavelength, wave(), rtol=1e-9)


def test_falling_wavelengths_and_scaled_integers(tmp_path, cfg):
    flux = line(wave())
    up = on_grid(write_spectrum(tmp_path / "a", NAME, flux), cfg)[0]
    down = on_grid(write_spectrum(tmp_path / "b", NAME, flux[::-1], start=wave()[-1], step=-0.385), cfg)[0]
    np.testing.assert_allclose(down, up, atol=1e-6)
    path = write_spectrum(tmp_path / "c", NAME, flux)
    with fits.open(path, mode="update") as hdus:
        hdus["SPECTRUM"].scale("int16", bscale=5e-5, bzero=1.0)
    np.testing.assert_allclose(on_grid(path, cfg)[0], up, atol=6e-5)


@pytest.mark.parametrize("method", sp.METHODS)
def test_resampled_line(tmp_path, cfg, method):
    flux, n_bad, n_edge = on_grid(write_spectrum(tmp_path, NAME, line(wave())), cfg, resampling=method)
    assert flux.dtype == np.float32 and (n_bad, n_edge) == (0, 0)
    grid = sp.grid_of(cfg)
    np.testing.assert_allclose(flux, line(grid.wavelength), atol=0.012)
    np.testing.assert_allclose((1 - flux.astype(float)).sum() * grid.step, 0.6 * 1.2 * np.sqrt(2 * np.pi), rtol=2e-3)


def test_flux_method_conserves_the_flux_of_noise(tmp_path, cfg):
    rng = np.random.default_rng(3)
    w = wave()
    values = np.where((w > 8430) & (w < 8770), 1 + 0.05 * rng.normal(size=N), 1.0).astype(np.float32)
    flux, _, _ = on_grid(write_spectrum(tmp_path, NAME, values), cfg, resampling="flux")
    np.testing.assert_allclose((flux.astype(float) - 1).sum() * 0.4, (values.astype(float) - 1).sum() * 0.385, atol=2e-4)


def test_file_on_the_grid_is_unchanged(tmp_path, cfg):
    rng = np.random.default_rng(1)
    values = (1 + 0.1 * rng.normal(size=912)).astype(np.float32)
    path = write_spectrum(tmp_path, NAME, values, start=8420.0, step=0.4)
    for method in sp.METHODS:
        flux, n_bad, n_edge = on_grid(path, cfg, resampling=method)
        np.testing.assert_allclose(flux, values, atol=1e-5)
        assert (n_bad, n_edge) == (0, 0)


@pytest.mark.parametrize("method", sp.METHODS)
def test_no_extrapolation_edges_are_one(tmp_path, cfg, method):
    first = 8420.0 + 0.4 * 12 + (0.2 if method == "flux" else 0.0)                  # the 13th grid pixel is the first covered
    path = write_spectrum(tmp_path, NAME, np.full(960, 0.8), start=first, step=0.4)
    flux, _, n_edge = on_grid(path, cfg, resampling=method)
    assert n_edge == (13 if method == "flux" else 12)
    assert (flux[:n_edge] == 1).all()
    np.testing.assert_allclose(flux[n_edge:], 0.8, rtol=1e-6)


def test_bad_pixels_are_bridged_and_counted(tmp_path, cfg):
    w = wave()
    flux, error = np.linspace(0.9, 1.1, N), np.full(N, 0.02)
    expected = np.interp(sp.grid_of(cfg).wavelength, w, flux)
    at = np.flatnonzero((w > 8500) & (w < 8502))
    error[at[0]], error[at[1]], flux[at[2]], flux[at[3]] = 0.0, -1.0, np.nan, np.inf
    error[5] = np.nan                                                               # outside the grid: of no concern
    for method in sp.METHODS:
        out, n_bad, n_edge = on_grid(write_spectrum(tmp_path, NAME, flux, error), cfg, resampling=method)
        assert (n_bad, n_edge) == (4, 0)
        np.testing.assert_allclose(out, expected, atol=1e-4)


def test_bad_pixels_at_an_end_are_edge(tmp_path, cfg):
    flux = np.ones(N)
    flux[wave() < 8424.0] = np.nan
    out, n_bad, n_edge = on_grid(write_spectrum(tmp_path, NAME, 0.9 * flux), cfg)
    assert n_bad == 0 and 10 <= n_edge <= 11 and (out[:n_edge] == 1).all() and np.isfinite(out).all()


def ones(**changes):
    return {"flux": np.ones(N), **changes}


REFUSED = {
    sp.TOO_SHORT: ones(flux=np.ones(900), step=0.4, start=8450.0),
    sp.TOO_MANY_BAD: ones(error=np.where(np.arange(N) % 5 == 0, 0.0, 0.02)),
    sp.NO_FLUX: ones(flux=np.full(N, np.nan)),
    sp.ZERO_FLUX: ones(flux=np.zeros(N)),
    sp.NO_GOOD: ones(error=np.zeros(N)),
    sp.NOT_NORMALISED: ones(flux=np.full(N, 1500.0)),
    sp.WRONG_UNIT: ones(unit="pixel"),
    sp.NO_WAVELENGTH: ones(drop=("CDELT1",)),
    sp.NO_SPECTRUM: ones(drop=("SPECTRUM",)),
    sp.NO_ERROR: ones(drop=("ERROR",)),
    sp.OTHER_ID: ones(roi="20100313_0823m14_002"),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_refusals(tmp_path, cfg, reason):
    with pytest.raises(sp.RefusedError, match=f"^{reason}$"):
        on_grid(write_spectrum(tmp_path, NAME, **REFUSED[reason]), cfg)


@pytest.mark.parametrize("changes", [{"CTYPE1": "WAVE-LOG"}, {"DC-FLAG": 1}, {"step": 0.0}, {"unit": ""}, {"unit": "Hz"}])
def test_other_scales_are_refused(tmp_path, cfg, changes):
    with pytest.raises(sp.RefusedError, match="CUNIT1|wavelength"):
        on_grid(write_spectrum(tmp_path, NAME, np.ones(N), **changes), cfg)


def test_cut_files_are_refused_wherever_they_end(tmp_path):
    path = write_spectrum(tmp_path, NAME, np.ones(N))
    whole = path.read_bytes()
    data_end = len(whole) - (-4 * N) % 2880                                          # behind it only padding
    for length in (0, 1, 80, 2879, 2880, 5000, 5760, 7000, 9000, 12000, data_end - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(sp.RefusedError):
            read_spectrum(path)
    path.write_bytes(whole[:data_end])
    assert len(read_spectrum(path).flux) == N
    path.write_bytes(b"not FITS at all" * 400)
    with pytest.raises(sp.RefusedError, match=sp.UNREADABLE):
        read_spectrum(path)


def test_compressed_file(tmp_path, cfg):
    path = write_spectrum(tmp_path, NAME, line(wave()))
    other = path.with_name(path.name + ".gz")
    other.write_bytes(gzip.compress(path.read_bytes()))
    np.testing.assert_array_equal(on_grid(other, cfg)[0], on_grid(path, cfg)[0])


def survey(folder, n=30):
    for k, name in enumerate(ids(n)):
        write_spectrum(folder, name, np.full(N, 0.5 + 0.01 * k))
    return folder


def test_pack_sorts_counts_and_refuses(tmp_path, cfg):
    folder = survey(tmp_path / "in")
    names = ids(34)[30:]
    write_spectrum(folder, names[0], np.full(N, np.nan))
    write_spectrum(folder, names[1], np.zeros(N))
    write_spectrum(folder, names[2], np.zeros(N))
    write_spectrum(folder / "again", ids(1)[0], np.ones(N))
    (folder / ".RAVE_hidden.part").write_bytes(b"x")
    run_pack([folder], cfg, True, tmp_path / "s.h5", tmp_path / "s.json")
    packed, counts = read_packed(tmp_path / "s.h5", sp.grid_of(cfg)), read_json(tmp_path / "s.json")
    assert isinstance(packed, Packed) and packed.simulated and packed.flux.dtype == np.float32
    assert packed.ids.tolist() == sorted(ids(30)) and packed.flux.shape == (30, 912)
    np.testing.assert_allclose(packed.flux[7], 0.57, rtol=1e-6)
    assert (counts["files"], counts["read"]) == (34, 30)
    assert counts["refused"] == {
        sp.NO_FLUX: {"n": 1, "first": [names[0]]}, sp.ZERO_FLUX: {"n": 2, "first": names[1:3].tolist()},
        sp.DUPLICATE: {"n": 1, "first": [ids(1)[0]]},
    }  # fmt: skip


def test_pack_gives_equal_bytes_however_the_files_lie(tmp_path, cfg):
    one, other = survey(tmp_path / "one"), tmp_path / "other"
    for k, name in enumerate(ids(30)[::-1]):
        write_spectrum(other / f"deep{k % 3}", name, np.full(N, 0.5 + 0.01 * (29 - k)))
    run_pack([one], cfg, True, tmp_path / "a.h5", tmp_path / "a.json")
    time.sleep(1.1)                                                                 # HDF5 can keep the second of writing
    run_pack([other / "deep2", other / "deep0", other / "deep1"], cfg, True, tmp_path / "b.h5", tmp_path / "b.json")
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()
    assert read_json(tmp_path / "a.json") == read_json(tmp_path / "b.json")


def test_empty_folder_and_useless_spectra_end_the_run(tmp_path, cfg):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no FITS file"):
        list_spectra([tmp_path / "empty"])
    with pytest.raises(InputError, match="is no folder"):
        list_spectra([tmp_path / "none"])
    write_spectrum(tmp_path / "bad", NAME, np.zeros(N))
    with pytest.raises(InputError, match="no usable spectrum.*zero flux"):
        run_pack([tmp_path / "bad"], cfg, True, tmp_path / "s.h5", tmp_path / "s.json")
    assert not (tmp_path / "s.h5").exists()


def test_months_without_observations_make_an_empty_file(tmp_path, cfg):
    (tmp_path / "none").mkdir()
    run_pack([tmp_path / "none"], cfg, False, tmp_path / "s.h5", tmp_path / "s.json", may_be_empty=True)
    packed = read_packed(tmp_path / "s.h5", sp.grid_of(cfg))
    assert packed.ids.shape == (0,) and packed.flux.shape == (0, cfg["pixels"]) and read_json(tmp_path / "s.json")["read"] == 0


def test_packed_files_are_checked(tmp_path, cfg):
    run_pack([survey(tmp_path / "in")], cfg, False, tmp_path / "s.h5", tmp_path / "s.json")
    with pytest.raises(InputError, match="has the grid"):
        read_packed(tmp_path / "s.h5", sp.Grid(8420.0, 0.4, 901))
    (tmp_path / "broken.h5").write_bytes((tmp_path / "s.h5").read_bytes()[:3000])
    with pytest.raises(InputError, match="no file of packed spectra"):
        read_packed(tmp_path / "broken.h5")
    with pytest.raises(InputError, match="does not exist"):
        read_packed(tmp_path / "absent.h5")
    wanted = ids(30)[[20, 3, 11]]
    taken = take_spectra([tmp_path / "s.h5"], wanted)
    assert taken.ids.tolist() == wanted.tolist()
    np.testing.assert_allclose(taken.flux[:, 5], [0.7, 0.53, 0.61], rtol=1e-6)
    with pytest.raises(InputError, match="lack 1 spectra, the first 19990101"):
        take_spectra([tmp_path / "s.h5"], [*wanted, "19990101_0000m00_001"])
