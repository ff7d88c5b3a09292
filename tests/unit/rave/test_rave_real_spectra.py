"""Observed spectra: readers, resolution, widths of lines, and the comparison with simulated spectra, on made-up and on real files."""

import numpy as np
import pandas as pd
import pytest
import yaml
from astropy.io import fits
from paths import ROOT, SHARED

from starlabels import real_spectra
from starlabels.ensemble import Ensemble
from starlabels.errors import InputError
from starlabels.figures.make import make_figure
from starlabels.io import read_json, read_table, write_json
from starlabels.network import initial_weights, of_configuration
from starlabels.network_fit import HISTORY
from starlabels.rave import line_ratios
from starlabels.rave import real_spectra as comparison
from starlabels.real_spectra import RealSpectrum, air, blur, read_lamost, read_mike, read_rvs
from starlabels.sky.rave.synthesis import Synthesizer

CFG = yaml.safe_load((ROOT / "config/rave.yaml").read_text())["rave"]
SUN = {"teff": 5772.0, "logg": 4.44, "feh": 0.0}
GIANT = {"teff": 4700.0, "logg": 1.6, "feh": -1.5}


def air_index(wavelength):
    square = (1e4 / wavelength) ** 2                        # Ciddor's form for standard air, for vacuum wavelengths
    return 1.0 + 0.05792105 / (238.0185 - square) + 0.00167917 / (57.362 - square)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The three surveys, made of simulated spectra: the Sun for RVS and LAMOST, a giant for MIKE."""
    root, maker, r = tmp_path_factory.mktemp("real"), Synthesizer(), np.random.default_rng(1)

    def seen(labels, wavelength, noise=0.0):
        flux = maker.spectra(comparison.labels_of(labels), wavelength)[0]
        return flux + noise * r.standard_normal(len(flux))

    path = root / "gaia-rvs-samples"
    path.mkdir()
    wave = np.arange(8460.0, 8700.0, 0.1)
    table = {"wavelength": wave / 10, "flux": seen(SUN, wave / air_index(wave)), "flux_error": 0.01}
    for name in ("Kepler-93", "unlabelled"):
        frame = pd.DataFrame(table)
        frame.loc[[0, 1, 500], "flux"] = np.nan
        frame.to_csv(path / f"{name}.csv", index=False)
    pd.DataFrame({"star": ["a"], "teff": [5000.0]}).to_csv(path / "a_table_of_another_kind.csv", index=False)

    path = root / "mike-vmp-cat-spectra"
    path.mkdir()
    header = fits.Header({"CRVAL1": 8404.0, "CDELT1": 0.05, "CRPIX1": 1.0})
    flux = seen(GIANT, 8404.0 + 0.05 * np.arange(7900))
    fits.PrimaryHDU(flux.astype(np.float32), header).writeto(path / "hd1_cat.fits")
    rows = [("hd1_cat.fits", "HD 1", 4600.0, 1.5, -1.6), ("hd1_cat.fits", "HD 1", 4800.0, 1.7, -1.4)]
    pd.DataFrame(rows, columns=["spectrum", "star", "teff", "logg", "feh"]).to_csv(path / "stellar_parameters_jinabase.csv", index=False)

    path = root / "lamost-lrs-spectra"
    path.mkdir()
    wave = np.arange(8406.0, 8800.0, 2.0)
    fine = np.arange(8404.0, 8801.0, 0.2)
    low = np.interp(wave / air_index(wave), fine, blur(fine, seen(SUN, fine), 7500.0, 1800.0))
    flux = np.array([500.0 * (1 + 3e-4 * (wave - 8600.0)) * low for _ in range(3)])
    labels = {"filename": ["a.fits", "b.fits", "c.fits"], "teff": [5772.0, np.nan, 9000.0], "logg": [4.44, np.nan, 4.0],
              "feh": [0.0, np.nan, 0.0], "snr_z": [50.0, 50.0, 50.0]}
    columns = [fits.Column(name=k, format="10A" if k == "filename" else "D", array=v) for k, v in labels.items()]
    hdus = [fits.PrimaryHDU(), fits.ImageHDU(flux.astype(np.float32), name="FLUX"),
            fits.BinTableHDU.from_columns([fits.Column(name="WAVE", format="D", array=wave)], name="WAVE"),
            fits.BinTableHDU.from_columns(columns, name="LABELS")]
    fits.HDUList(hdus).writeto(path / "lamost_cat_window_3.fits")
    return root


@pytest.fixture(scope="module")
def ensemble(tmp_path_factory):
    """Two networks without training: they give the labels' ranges something to scale."""
    a = of_configuration(CFG, "spectra")
    limits = {name: [0.0, 1.0] for name in CFG["labels"]} | {"teff": [4000.0, 7000.0]}
    about = {"variant": "main", "network": "spectra", "engine": "numba", "simulated": True, "labels": CFG["labels"], "inputs": [],
             "scaling": {"labels": limits, "inputs": {}, "flags": limits}}
    reports = [{"network": k, "seed": 1, "epochs": 1, "failed": False, "reason": "", "last_test_loss": 0.1} for k in range(2)]
    history = pd.DataFrame({"network": [0, 1], "epoch": [1, 1], **{name: [0.1, 0.1] for name in HISTORY}})
    path = tmp_path_factory.mktemp("ensemble") / "ensemble.npz"
    Ensemble(a, about, reports, np.stack([initial_weights(a, 1, k) for k in range(2)]).astype(np.float32), history).save(path)
    return path


@pytest.fixture(scope="module")
def outputs(folder, ensemble, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    paths = {"summary": out / "summary.json", "lines": out / "lines.parquet", "windows": out / "windows.parquet"}
    comparison.run_real_spectra(folder, ensemble, CFG, paths["summary"], paths["lines"], paths["windows"])
    return paths


def test_vacuum_becomes_air():
    wave = np.arange(8460.0, 8700.0, 2.0)
    assert np.abs(air(wave) - wave / air_index(wave)).max() < 0.001
    assert air(np.array([8544.44, 8544.54]))[0] == pytest.approx(8542.09, abs=0.01)       # Ca II, NIST's two wavelengths
    with pytest.raises(ValueError, match="evenly"):
        air(np.array([8400.0, 8500.0, 8550.0]))


def test_blur_gives_the_width_of_the_resolution():
    wave = np.arange(8500.0, 8700.0, 0.05)
    sharp = 1.0 - 0.5 * np.exp(-0.5 * ((wave - 8600.0) / (8600.0 / 20000 / 2.3548)) ** 2)
    wide = 1.0 - blur(wave, sharp, 20000.0, 7500.0)
    assert np.ptp(wave[wide > wide.max() / 2]) == pytest.approx(8600.0 / 7500.0, rel=0.06)
    assert wide.sum() == pytest.approx((1 - sharp).sum(), rel=1e-3)
    with pytest.raises(ValueError, match="cannot be brought"):
        blur(wave, sharp, 7500.0, 20000.0)


def test_readers(folder):
    rvs = {s.name: s for s in read_rvs(folder / "gaia-rvs-samples", {"Kepler-93": SUN})}
    assert list(rvs) == ["Kepler-93", "unlabelled"] and rvs["unlabelled"].labels == {} and rvs["Kepler-93"].labels == SUN
    assert np.isfinite(rvs["Kepler-93"].flux).all() and rvs["Kepler-93"].snr == pytest.approx(100, rel=0.1)
    (mike,) = read_mike(folder / "mike-vmp-cat-spectra")
    assert mike.name == "HD1" and mike.labels == pytest.approx({"teff": 4700.0, "logg": 1.6, "feh": -1.5})
    lamost = list(read_lamost(folder / "lamost-lrs-spectra"))
    assert [s.name for s in lamost] == ["a", "b", "c"] and [bool(s.labels) for s in lamost] == [True, False, True]
    for spectrum in (rvs["Kepler-93"], mike):
        near = np.abs(spectrum.wavelength - 8542.09) < 3
        assert spectrum.wavelength[near][np.argmin(spectrum.flux[near])] == pytest.approx(8542.09, abs=0.12)


@pytest.mark.parametrize("read, name", [(read_rvs, "*.csv"), (read_mike, "_cat.fits"), (read_lamost, "lamost_cat_window")])
def test_empty_folder_is_named(tmp_path, read, name):
    with pytest.raises(InputError, match="rave.real_spectra") as error:
        list(read(tmp_path))
    assert str(tmp_path) in str(error.value) and name.strip("*") in str(error.value)


def test_damaged_files_are_named(tmp_path, folder):
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    with pytest.raises(InputError, match="no table with wavelength"):
        list(read_rvs(tmp_path))
    fits.PrimaryHDU(np.ones(5)).writeto(tmp_path / "b_cat.fits")
    with pytest.raises(InputError, match="CRVAL1"):
        list(read_mike(tmp_path))
    fits.PrimaryHDU(np.ones(5)).writeto(tmp_path / "lamost_cat_window_1.fits")
    with pytest.raises(InputError, match="FLUX, WAVE and LABELS"):
        list(read_lamost(tmp_path))


def test_folder_with_variables_and_absent_surveys(folder, tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("OBSERVED", str(folder))
    assert len(comparison.read_all("$OBSERVED")) == 6
    (tmp_path / "mike-vmp-cat-spectra").symlink_to(folder / "mike-vmp-cat-spectra")
    assert [s.survey for s in comparison.read_all(tmp_path)] == ["MIKE"]
    assert "no spectra of LAMOST" in caplog.text
    with pytest.raises(InputError, match="has none of the folders"):
        comparison.read_all(tmp_path / "nothing")


def test_width_of_a_known_line():
    wave = np.arange(8590.0, 8630.0, 0.1)
    flux = 1.0 - 0.4 * np.exp(-0.5 * ((wave - 8611.8) / 0.4) ** 2)
    area = 0.4 * 0.4 * np.sqrt(2 * np.pi)
    assert line_ratios.width(wave, flux, 8611.8, 2.5) == pytest.approx(area, rel=1e-3)
    row = line_ratios.compare("x", "star", SUN, wave, flux, 1 - 0.5 * (1 - flux), False, True).set_index("line").loc["Fe I 8612"]
    assert row["ratio"] == pytest.approx(0.5, rel=1e-3) and row["ratio_beside"] == pytest.approx(0.5, rel=0.01)
    none = line_ratios.compare("x", "star", SUN, wave, flux, np.ones_like(flux), False, True).set_index("line").loc["Fe I 8612"]
    assert np.isnan(none["ratio"]) and none["ew_model"] == pytest.approx(0.0, abs=1e-6)


def test_flattened_removes_a_slope_and_keeps_the_lines():
    wave = np.arange(8412.0, 8792.0, 2.0)
    line = 1.0 - 0.3 * np.exp(-0.5 * ((wave - 8542.09) / 3.0) ** 2)
    flat = line_ratios.flattened(wave, 700.0 * line * (1 + 1e-3 * (wave - 8600)))
    assert np.abs(flat - line).max() < 0.005


def test_summary_has_medians_and_percentiles():
    lines = pd.DataFrame({"group": "g", "line": "l", "ratio": [0.8, 1.0, 1.3, np.nan], "ratio_beside": [0.9, 1.0, 1.1, 1.0]})
    row = line_ratios.summary(lines).iloc[0]
    assert row["n"] == 3 and row["ratio"] == 1.0 and row["low"] < 0.9 and row["high"] > 1.1


def test_simulated_spectra_agree_with_themselves(outputs):
    """The made-up observations are simulated spectra: nothing but resolution and sampling differs."""
    lines, summary = read_table(outputs["lines"]), read_json(outputs["summary"])
    assert set(lines["survey"]) == {"Gaia RVS", "MIKE", "LAMOST"}
    strong = lines[lines["line"].str.startswith("Ca II")]
    assert strong.loc[strong["survey"] != "MIKE", "ratio"].between(0.9, 1.15).all()
    # made at R = 7500 already, MIKE is brought there once more; its core loses a little to its wings
    assert strong.loc[strong["survey"] == "MIKE", "ratio"].between(0.95, 1.25).all()
    counts = {survey: list(count.values()) for survey, count in summary["spectra"].items()}
    assert counts == {"Gaia RVS": [2, 1, 1], "MIKE": [1, 1, 1], "LAMOST": [3, 2, 1]}               # read, with labels, compared
    assert not [d for d in summary["differences"] if d["line"].startswith("Ca II")]
    windows = read_table(outputs["windows"])
    assert windows.loc[windows["star"] == "unlabelled", "model"].isna().all()
    assert set(windows.loc[windows["survey"] == "LAMOST", "star"]) == {"median of 1"}


def test_predictions_of_the_observed_and_the_simulated_spectrum(outputs):
    rows = {row["star"]: row for row in read_json(outputs["summary"])["network"]}
    assert set(rows) == {"Kepler-93", "unlabelled", "HD1"} and rows["unlabelled"]["simulated"] is None
    assert rows["Kepler-93"]["n_edge"] > 300 and rows["HD1"]["n_edge"] == 0
    for row in rows.values():
        assert set(row["observed"]) == set(CFG["labels"]) and all(len(v) == 3 for v in row["observed"].values())
    assert read_json(outputs["summary"])["network_differences"]["teff"]["n"] == 2


def test_real_spectra_without_a_network(folder, tmp_path):
    found = comparison.run_real_spectra(folder, None, CFG, tmp_path / "s.json", tmp_path / "l.parquet", tmp_path / "w.parquet")
    assert found["network"] is None and found["network_differences"] == {}


def test_network_with_photometry_is_refused(folder, ensemble, tmp_path):
    loaded = Ensemble.load(ensemble)
    a = of_configuration(CFG, "photometry")
    path = tmp_path / "ensemble.npz"
    weights = np.stack([initial_weights(a, 1, k) for k in range(2)]).astype(np.float32)
    Ensemble(a, {**loaded.about, "inputs": CFG["inputs"]}, loaded.reports, weights, loaded.history).save(path)
    with pytest.raises(InputError, match="9 photometric inputs"):
        comparison.run_real_spectra(folder, path, CFG, tmp_path / "s.json", tmp_path / "l.parquet", tmp_path / "w.parquet")


def test_same_bytes_again(folder, outputs, ensemble, tmp_path):
    again = [tmp_path / name for name in ("s.json", "l.parquet", "w.parquet")]
    comparison.run_real_spectra(folder, ensemble, CFG, *again)
    for path, first in zip(again, outputs.values(), strict=True):
        assert path.read_bytes() == first.read_bytes()


def test_only_differences_in_both_continua_are_named():
    ratios = {"ratio": [0.5, 1.4, 1.4, 1.05], "ratio_beside": [0.6, 1.3, 0.9, 1.0]}
    groups = pd.DataFrame({"group": "g", "line": list("abcd"), "n": 1, **ratios})
    assert [d["line"] for d in comparison.differences(groups)] == ["a", "b"]
    assert "too weak" in comparison.differences(groups)[0]["says"]


@pytest.mark.parametrize("network", [True, False])
def test_figure(outputs, tmp_path, network):
    inputs = dict(outputs)
    if not network:
        inputs["summary"] = tmp_path / "summary.json"
        write_json(inputs["summary"], {**read_json(outputs["summary"]), "network": None})
    entry = {"paper": "rave", "title": "Spectra", "caption": "Two.", "inputs": list(inputs)}
    out = {"pdf": tmp_path / "f.pdf", "png": tmp_path / "f.png", "numbers": tmp_path / "f.csv"}
    make_figure("figx_real_spectra", inputs, CFG, entry, True, out)
    numbers = pd.read_csv(out["numbers"])
    assert {"Kepler-93", "lamost", "ratios"} <= set(numbers["panel"]) and ("teff" in set(numbers["panel"])) == network
    assert numbers.loc[numbers["panel"] == "ratios", "y"].notna().all()


def test_the_real_spectra(tmp_path):
    """Ca II of real dwarfs is right within 20 %; the very metal-poor subgiant and turn-off star are the known exceptions."""
    if not all((SHARED / name).is_dir() for name in comparison.FOLDERS.values()):
        pytest.skip(f"no real spectra below {SHARED}")
    found = comparison.run_real_spectra(SHARED, None, CFG, tmp_path / "s.json", tmp_path / "l.parquet", tmp_path / "w.parquet")
    counts = found["spectra"]
    assert counts["LAMOST"]["read"] == 176 and counts["LAMOST"]["with_labels"] == 131 and counts["Gaia RVS"]["read"] == 6
    ratio = {(g["group"], g["line"]): g["ratio"] for g in found["groups"]}
    for group in ("Gaia RVS: Kepler-93", "Gaia RVS: Kepler-409", "LAMOST: dwarfs 5000-5600 K", "LAMOST: giants", "MIKE: HE1523-0901"):
        assert ratio[group, "Ca II 8542"] == pytest.approx(1.0, abs=0.2), group
    assert ratio["MIKE: HD140283", "Ca II 8662"] < 0.85 and ratio["MIKE: G64-12", "Ca II 8662"] < 0.6


def test_labels_that_are_assumed():
    poor = comparison.labels_of(GIANT).iloc[0]
    assert poor["alpha_fe"] == pytest.approx(0.35) and comparison.labels_of(SUN).iloc[0]["alpha_fe"] == 0.0


def test_names_in_spectra_are_plain():
    spectrum = RealSpectrum("MIKE", "CD-38 245", 8405.0 + 0.1 * np.arange(3900), np.ones(3900), 28000.0, {})
    flux, bad, edge = comparison.as_rave_reads("CD38245", spectrum.wavelength, spectrum.flux, 50.0, CFG["spectra"])
    assert flux.shape == (912,) and (bad, edge) == (0, 0) and np.allclose(flux, 1.0)
    assert real_spectra.degrade(spectrum, 7500.0) == pytest.approx(np.ones(3900))
