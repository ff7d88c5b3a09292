"""Spectra of the simulated RAVE survey: ids, signal-to-noise, classes, who was observed; and the counts that the cuts leave."""

import numpy as np
import pandas as pd
import pytest
from unit.rave.rave_sky import rave_config, small_config

from starlabels.errors import InputError
from starlabels.sky.rave import layout, simulate, surveys


@pytest.fixture(scope="module")
def survey():
    """Stars, spectra and native tables of the whole default survey."""
    config = rave_config()
    tables, truths = {}, []
    for piece in layout.shards(config):
        stars, spectra = simulate.made_up(piece, config)
        truths.append(simulate.truth_rows(stars, spectra, config).assign(kind=piece.kind, class_2=spectra["class_2"]))
        for name, table in simulate.native_rows(stars, spectra, config).items():
            tables.setdefault(name, []).append(table)
    full = {name: pd.concat([t for t in parts if len(t)] or parts[:1], ignore_index=True) for name, parts in tables.items()}
    return pd.concat(truths, ignore_index=True), full


def test_ids_are_those_of_rave_and_unique(survey):
    truth, _ = survey
    assert len(truth) == 20_000 and truth["rave_obs_id"].is_unique
    assert truth["rave_obs_id"].str.fullmatch(r"20\d{6}_\d{4}[mp]\d{2}_(0\d\d|1[0-4]\d|150)").all()
    several = truth[truth["gaia_dr2_source_id"].duplicated(keep=False)]
    assert several.groupby("gaia_dr2_source_id")["raveid"].nunique().eq(1).all()
    assert several.groupby("gaia_dr2_source_id")["rave_obs_id"].agg(lambda ids: ids.str[:8].is_unique).all()


def test_a_visit_does_not_depend_on_the_size_of_a_shard():
    big, small = small_config(shard_spectra=100_000), small_config(shard_spectra=90)
    names = [[p for p in layout.shards(c) if p.field == "south1"] for c in (big, small)]
    whole = simulate.made_up(names[0][0], big)
    parts = [simulate.made_up(p, small) for p in names[1]]
    assert len(parts) > 2
    columns = ["index", "visit", "rave_obs_id", "snr", "class_1", "class_3", "in_apogee"]
    expected = whole[1][columns].reset_index(drop=True)
    pd.testing.assert_frame_equal(pd.concat([p[1] for p in parts], ignore_index=True)[columns], expected)
    first = pd.concat([simulate.native_rows(*p, small)["rave_gaiadr2"] for p in parts], ignore_index=True)
    pd.testing.assert_frame_equal(first, simulate.native_rows(*whole, big)["rave_gaiadr2"])


def test_signal_to_noise_laws(survey):
    truth, _ = survey
    field = truth[truth["kind"] == "field"]
    for common, shares in ((False, {20: 0.93, 30: 0.725, 40: 0.49}), (True, {20: 0.935, 30: 0.76, 40: 0.49})):
        snr = field.loc[field["in_apogee"] == common, "snr"]
        snr = snr[snr > 10]
        for limit, share in shares.items():
            assert (snr > limit).mean() == pytest.approx(share, abs=0.03)
    assert (field["snr"] < 10).mean() == pytest.approx(0.035, abs=0.01) and field["snr"].max() <= 140


def test_classes_and_the_quiet_supergiant(survey):
    truth, _ = survey
    share = truth["class"].value_counts(normalize=True)
    assert share["n"] == pytest.approx(0.89, abs=0.03) and share["o"] == pytest.approx(0.04, abs=0.015)
    assert share[["b", "c", "w"]].sum() == pytest.approx(0.047, abs=0.008)
    assert truth.loc[truth["class"] == "o", "teff"].min() > 6400
    star = truth[truth["gaia_dr2_source_id"] == 5983723702088571392]
    assert len(star) == 6 and (star["class"] == "n").all() and (star["class_2"] == "n").all() and not star["in_apogee"].any()


def test_companions_are_fainter_and_shifted():
    config = rave_config()
    stars, spectra = simulate.made_up(layout.shard(config, "south1-000"), config)
    second = surveys.companions_of(spectra, stars, config)
    assert len(second) == (spectra["class_1"] == "b").sum() > 20
    assert second["light"].between(0.25, 0.95).all() and second["speed"].abs().between(30, 150).all()
    first = stars.iloc[spectra["star"].to_numpy()[second["row"]]]
    assert (second["teff"].to_numpy() <= first["teff"].to_numpy() + 1e-9).all() and second["logg"].between(0, 5.5).all()


def test_two_fields_on_one_pointing_are_refused():
    fields = [{"name": "a", "ra": 30.0, "dec": -35.0}, {"name": "b", "ra": 30.1, "dec": -35.5}]
    config = small_config(fields=fields)
    with pytest.raises(InputError, match="0200m35"):
        simulate.made_up(layout.shards(config)[0], config)


def test_the_cuts_leave_the_papers_numbers(survey):
    """Section 2: 7 000 spectra in common, 3 904 after the cuts; Section 4: the observed sample and its shares."""
    truth, tables = survey
    names = ["rave_sparv", "rave_classification", "rave_xmatch", "rave_gaiadr2"]
    frame = truth[["rave_obs_id", "is_member"]]
    for name in names:
        frame = frame.merge(tables[name], on="rave_obs_id")
    frame = frame.merge(tables["starhorse"][["rave_obs_id", "AV50"]], on="rave_obs_id", how="left")
    apogee = tables["apogee16"]
    apogee = apogee[(apogee["EXTRATARG"] == 0) & (apogee["GAIA_SOURCE_ID"] > 0)].drop(columns=["RA", "DEC"])
    assert apogee["GAIA_SOURCE_ID"].is_unique
    frame = frame.merge(apogee, left_on="source_id", right_on="GAIA_SOURCE_ID", how="left")
    flags = frame[["flag1_class", "flag2_class", "flag3_class"]]
    magnitudes = ["e_jmag_2mass", "e_hmag_2mass", "e_kmag_2mass", "e_w1mag_allwise", "e_w2mag_allwise"]
    gaia = ["phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag", "parallax", "AV50"]
    complete = frame[magnitudes + gaia].notna().all(axis=1)
    good = frame["parallax_error"] < 0.2 * frame["parallax"]
    snr = frame["snr_med_sparv"]
    labels = [*simulate.apogee16.LABELS]
    known = (frame[labels] > -9000).all(axis=1) & (frame[[f"{e}_FLAG" for e in labels[3:4] + labels[5:]]] == 0).all(axis=1)
    clean = known & (frame["SNR"] >= 60) & (frame["ASPCAPFLAG"] == 0) & ~flags.isin(["b", "c", "w"]).any(axis=1) & complete & good
    assert frame["GAIA_SOURCE_ID"].notna().sum() == pytest.approx(7200, abs=250)
    assert (clean & (snr > 30)).sum() == pytest.approx(3904, abs=150)
    assert (clean & (snr > 20)).sum() == pytest.approx(4802, abs=150) and (clean & (snr > 50)).sum() == pytest.approx(1289, abs=120)
    stars = frame.loc[clean & (snr > 30), "source_id"].value_counts()
    assert len(stars) == pytest.approx(3549, abs=150) and (stars > 1).sum() == pytest.approx(300, abs=100)
    observed = complete & (snr > 10) & ~flags.isin(["c", "w"]).any(axis=1)
    n = observed.sum()
    normal = observed & flags.isin(["n", "o"]).all(axis=1) & good
    assert n / 20_000 == pytest.approx(0.84, abs=0.04)
    for mask, share in ((observed & (snr > 20), 0.931), (normal & (snr > 20), 0.87), (normal & (snr > 40), 0.47)):
        assert mask.sum() / n == pytest.approx(share, abs=0.03)
    assert good[observed].mean() == pytest.approx(0.95, abs=0.015)
    assert (observed & (snr > 20) & frame["is_member"]).sum() == pytest.approx(41, abs=4)
    seismic = frame["rave_obs_id"].isin(tables["rave_seismic"]["rave_obs_id"])
    assert (observed & (snr > 20) & seismic).sum() == pytest.approx(433, abs=20)


def test_labels_spread_and_correlate_as_the_published_ones(survey, shared):
    path = shared / "guiglion2020" / "data" / "training_sample_labels.csv"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    real = pd.read_csv(path).rename(columns={"Teff": "TEFF", "logg": "LOGG", "MH": "M_H", "FeH": "FE_H", "alphaM": "ALPHA_M",
                                             "SiFe": "SI_FE", "AlFe": "AL_FE", "MgFe": "MG_FE", "NiFe": "NI_FE"})  # fmt: skip
    labels = list(simulate.apogee16.LABELS)
    mine = survey[1]["apogee16"][labels].astype(float)
    mine = mine[(mine > -9000).all(axis=1)]
    np.testing.assert_allclose(mine.std() / real[labels].std(), 1, atol=0.2)
    assert np.sqrt(((mine.corr() - real[labels].corr()).to_numpy()[np.triu_indices(9, 1)] ** 2).mean()) < 0.1
