"""The authors' public sample through our own functions: split, twins, limits, absolute magnitudes; their image of spectra."""

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from paths import SHARED
from unit.rave.rave_survey_files import configuration

from starlabels.errors import InputError
from starlabels.io import read_json, read_table
from starlabels.rave.public_sample import LABELS, PHOTOMETRY, public_rows, public_spectra, run_public_sample, same_star
from starlabels.spectra_pack import read_packed

DATA = SHARED / "guiglion2020" / "data"
real = pytest.mark.skipif(not DATA.exists(), reason="the authors' public sample is not there")

#: smallest and largest over the 3 669 training spectra, as far as they are printed
LIMITS = {
    "teff": (3658.89, 7286.50), "logg": (0.2431, 4.9322), "mh": (-1.9674, 0.5056), "feh": (-1.9444, 0.4745), "alpha_m": (-0.1408, 0.4208),
    "si_fe": (-0.3740, 0.6328), "al_fe": (-0.6833, 0.8049), "mg_fe": (-0.3757, 0.5672), "ni_fe": (-0.6164, 0.3026),
    "abs_gaia_g": (-3.034, 9.449), "abs_gaia_bp": (-2.200, 10.689), "abs_gaia_rp": (-4.066, 8.372), "abs_tmass_j": (-5.637, 6.947),
    "abs_tmass_h": (-6.492, 6.397), "abs_tmass_ks": (-6.771, 6.077), "abs_wise_w1": (-6.959, 5.920), "abs_wise_w2": (-6.766, 5.842),
}  # fmt: skip
DIGITS = {name: 4 for name in LIMITS} | {"teff": 2} | {name: 3 for name in LIMITS if name.startswith("abs_")}


def outputs(folder, *more):
    return {key: folder / key for key in ("training", "scaling", "selection", *more)}


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """Training table, scaling and selection of the public sample."""
    out = outputs(tmp_path_factory.mktemp("public"))
    run_public_sample(DATA / "training_sample_labels.csv", DATA / "training_sample_parameters.csv", configuration(), 42, out)
    return read_table(out["training"]), read_json(out["scaling"]), read_json(out["selection"])


@real
def test_split_of_the_published_run(sample):
    table, _, record = sample
    assert (record["n"], record["n_train"], record["n_test"], record["twins"]) == (3904, 3669, 235, 38)
    assert not record["simulated"]
    listed = pd.read_csv(DATA / "training_sample_labels.csv")["RAVE_OBS_ID"]
    assert table["rave_obs_id"].tolist() == listed.tolist()
    first = np.random.RandomState(42).permutation(3904)[:235]
    assert set(table.loc[table["role"] == "test", "rave_obs_id"]) == set(listed.iloc[first])


@real
def test_limits_to_the_printed_digits(sample):
    _, scaling, _ = sample
    found = scaling["labels"] | scaling["inputs"]
    assert found["av_starhorse"][0] == 0.0
    for name, expected in LIMITS.items():
        assert tuple(round(v, DIGITS[name]) for v in found[name]) == expected, name


@real
def test_absolute_magnitudes_as_the_paper_writes_them(sample):
    table, _, _ = sample
    for band in ("gaia_g", "tmass_ks", "wise_w2"):
        expected = table[band] + 5 * (np.log10(table["parallax"] / 1000) + 1)
        np.testing.assert_allclose(table[f"abs_{band}"], expected, atol=1e-12)
    assert round((table["av_starhorse"] < 0.5).mean(), 3) == 0.824
    assert (table["logg"] < 3.5).sum() == 2247 and (table["mh"] < -1).sum() == 53


def write_tables(folder, n=60):
    """Two made-up tables; rows 0 and 1 are of one star."""
    rng = np.random.default_rng(0)
    labels = pd.DataFrame({"RAVE_OBS_ID": [f"20100313_0823m14_{k:03d}" for k in range(n)]} | {c: rng.normal(size=n) for c in LABELS})
    photometry = pd.DataFrame({c: 10 + rng.random(n) for c in PHOTOMETRY})
    photometry.iloc[1, :9] = photometry.iloc[0, :9]
    paths = folder / "labels.csv", folder / "parameters.csv"
    labels.to_csv(paths[0], index=False)
    text = photometry.to_csv(index=False).replace(",", " ,     ")                       # padded as the published table is
    paths[1].write_text(text)
    return paths, labels, photometry


def test_padded_tables_and_repeats(tmp_path):
    paths, labels, photometry = write_tables(tmp_path)
    rows = public_rows(*paths)
    np.testing.assert_allclose(rows["wise_w1"], photometry["wise1"])
    np.testing.assert_allclose(rows["al_fe"], labels["AlFe"])
    key = same_star(rows)
    assert key[0] == key[1] and len(np.unique(key)) == 59


def test_image_in_either_orientation(tmp_path):
    paths, _, _ = write_tables(tmp_path)
    flux = np.random.default_rng(1).random((60, 912)).astype(np.float32)
    for k, image in enumerate((flux, flux.T, flux.astype(">f8").T)):
        path = tmp_path / f"{k}.fits"
        fits.PrimaryHDU(image).writeto(path)
        out = outputs(tmp_path / str(k), "spectra")
        run_public_sample(*paths, configuration(), 42, out, path)
        packed, table = read_packed(out["spectra"]), read_table(out["training"])
        np.testing.assert_array_equal(packed.flux, flux)
        assert packed.ids.tolist() == table["rave_obs_id"].tolist() and not packed.simulated


def test_wrong_images_are_refused(tmp_path):
    good = np.ones((60, 912), np.float32)
    holed = good.copy()
    holed[3, 4] = np.nan
    for image, text in ((good[:59], "shape"), (good[:, :900], "900 pixels"), (holed, "not finite"), (np.ones(9), "shape")):
        fits.PrimaryHDU(image).writeto(tmp_path / "x.fits", overwrite=True)
        with pytest.raises(InputError, match=text):
            public_spectra(tmp_path / "x.fits", 60, 912)
    fits.PrimaryHDU().writeto(tmp_path / "x.fits", overwrite=True)
    with pytest.raises(InputError, match="no image"):
        public_spectra(tmp_path / "x.fits", 60, 912)
    (tmp_path / "x.fits").write_bytes(b"no FITS")
    with pytest.raises(InputError, match="no readable FITS"):
        public_spectra(tmp_path / "x.fits", 60, 912)


def test_wrong_tables_are_refused(tmp_path):
    (labels, parameters), _, photometry = write_tables(tmp_path)
    photometry.iloc[:-1].to_csv(tmp_path / "short.csv", index=False)
    photometry.drop(columns="wise2").to_csv(tmp_path / "narrow.csv", index=False)
    photometry.assign(wise1=[*photometry["wise1"][:-1], np.nan]).to_csv(tmp_path / "holed.csv", index=False)
    wrong = {"short": "59 rows", "narrow": "column wise2: is absent", "holed": "column wise1: holds a missing", "none": "readable"}
    for name, text in wrong.items():
        with pytest.raises(InputError, match=text):
            public_rows(labels, tmp_path / f"{name}.csv")
    frame = pd.read_csv(labels)
    pd.concat([frame.iloc[[1]], frame.iloc[1:]]).to_csv(labels, index=False)
    with pytest.raises(InputError, match="_001 more than once"):
        public_rows(labels, parameters)
    with pytest.raises(InputError, match="lacks"):
        run_public_sample(labels, parameters, configuration(), 42, outputs(tmp_path), variant="label_noise")
