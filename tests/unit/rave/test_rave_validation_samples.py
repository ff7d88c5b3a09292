"""Distributions, errors, training runs, examples, the supergiant, the network's layers and the counts, on a made-up run."""

import json
import runpy
from types import SimpleNamespace

import h5py
import numpy as np
import pandas as pd
import pytest
import yaml
from paths import ROOT
from unit.rave.rave_made_up_samples import LABELS, SUPERGIANT, make_run

from starlabels.errors import InputError
from starlabels.io import read_json, read_table, write_json, write_table
from starlabels.rave.validation import counts, distributions, errors, example_spectra, supergiant, training_runs

CFG = yaml.safe_load((ROOT / "config/rave.yaml").read_text())["rave"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("run"))


def observed(run) -> pd.DataFrame:
    stars = pd.concat([read_table(p) for p in run.stars], ignore_index=True)
    return stars[stars["in_observed"]]


# --- distributions ----------------------------------------------------------------------------------------------------

def test_distributions_hold_every_spectrum_of_each_sample(run, tmp_path):
    out = tmp_path / "d.parquet", tmp_path / "d.json"
    content = distributions.run_distributions(run.stars, run / "samples/main/training.parquet", True, *out)
    table, stars = read_table(out[0]), observed(run)
    labelled = read_table(run / "samples/main/training.parquet")
    sizes = {"observed": len(stars), "train": (labelled["role"] == "train").sum(), "test": (labelled["role"] == "test").sum(),
             "training_test": len(labelled)}
    assert {k: v["n"] for k, v in content["samples"].items()} == sizes
    found = table.groupby(["quantity", "sample"]).agg(count=("count", "sum"), share=("share", "sum"))
    for (_, sample), row in found.iterrows():
        assert row["count"] == sizes[sample] and row["share"] == pytest.approx(1)
    assert set(table["quantity"]) == set(distributions.QUANTITIES)
    assert content["samples"]["observed"]["quantities"]["snr_rave"]["median"] == pytest.approx(stars["snr_rave"].median())


def test_distributions_leave_out_missing_values(run, tmp_path):
    stars = read_table(run.stars[0])
    stars.loc[stars.index[:50], "av_starhorse"] = np.nan
    write_table(tmp_path / "s.parquet", stars)
    out = tmp_path / "d.parquet", tmp_path / "d.json"
    content = distributions.run_distributions([tmp_path / "s.parquet"], run / "samples/main/training.parquet", False, *out)
    known = stars.loc[stars["in_observed"], "av_starhorse"].notna().sum()
    assert content["samples"]["observed"]["quantities"]["av_starhorse"]["n"] == known < content["samples"]["observed"]["n"]


def test_a_sample_without_test_rows_is_refused(run, tmp_path):
    table = read_table(run / "samples/main/training.parquet")
    write_table(tmp_path / "t.parquet", table.assign(role="train"))
    with pytest.raises(InputError, match=r"t\.parquet, column role: names no row 'test'"):
        distributions.run_distributions(run.stars, tmp_path / "t.parquet", True, tmp_path / "a.parquet", tmp_path / "a.json")


# --- errors -----------------------------------------------------------------------------------------------------------

def run_errors(run, folder, predictions=None):
    return errors.run_errors(
        run.stars, predictions or run.predictions(), run / "predictions/main/photometry/training.parquet",
        run / "models/main/photometry/ensemble.json", CFG, True, folder / "e.parquet", folder / "e.json",
    )


def test_errors_are_those_of_the_networks(run, tmp_path):
    content = run_errors(run, tmp_path)
    stars = observed(run)
    predictions = pd.concat([read_table(p) for p in run.predictions()]).set_index("rave_obs_id")
    expected = predictions.loc[stars.loc[stars["snr_rave"] > 20, "rave_obs_id"], "teff_cnn_err"]
    found = content["samples"]["observed"]
    assert found["n"] == len(expected) == content["claims"]["rave.n.fig13"]["value"]
    assert found["labels"]["teff"]["median"] == pytest.approx(expected.median())
    low, high = found["labels"]["teff"]["median_interval"]
    assert low < expected.median() < high
    claim = content["claims"]["rave.precision"]["value"]
    medians = [found["labels"][p]["median"] for p in LABELS if p not in ("teff", "logg", "mh")]
    assert claim["abundances"] == [min(medians), max(medians)] and claim["teff"] == found["labels"]["teff"]["median"]
    assert found["labels"]["logg"]["median_for_80_networks"] == pytest.approx(found["labels"]["logg"]["median"] / 0.983)
    assert content["ensemble"] == {"n_networks": 20, "n_kept": 15, "dispersion_bias": 0.983}
    table = read_table(tmp_path / "e.parquet")
    shares = table.groupby(["label", "sample"])["share"].sum()
    assert (shares > 0.985).all() and (shares <= 1 + 1e-9).all()


def test_interval_of_a_median_covers_as_often_as_it_says():
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(400):
        low, high = errors.median_with_interval(rng.normal(3, 1, 200))["median_interval"]
        hits += low <= 3 <= high
    assert 0.60 < hits / 400 < 0.77


def test_unpaired_slices_are_named(run, tmp_path):
    with pytest.raises(InputError, match="rave/predictions: has no south1-000"):
        run_errors(run, tmp_path, run.predictions()[:1])


# --- training runs ----------------------------------------------------------------------------------------------------

def test_training_runs_count_kept_dropped_and_failed(run, tmp_path):
    paths = [run / f"models/main/photometry/{name}" for name in ("history.parquet", "ensemble.json")]
    content = training_runs.run_training_runs(*paths, True, tmp_path / "t.parquet", tmp_path / "t.json")
    ensemble, table = read_json(paths[1]), read_table(tmp_path / "t.parquet")
    assert (content["n_networks"], content["n_kept"], content["n_failed"]) == (20, 15, 1)
    assert table["kept"].sum() == 15 and table["dropped"].sum() == 4
    assert (table.loc[table["kept"] > 0, "hi"] <= content["threshold"] + 1e-12).all()
    assert (table.loc[table["dropped"] > 0, "lo"] >= content["threshold"] - 1e-12).all()
    epochs = [entry["epochs"] for entry in ensemble["networks"] if not entry["failed"]]
    assert content["epochs"]["max"] == max(epochs)
    history = read_table(paths[0])
    last = [history[(history["network"] == k)]["test_r2"].iloc[-1] for k in ensemble["kept"]]
    assert content["last"]["test_r2"] == pytest.approx(np.median(last))


def test_an_ensemble_without_networks_is_refused(run, tmp_path):
    write_json(tmp_path / "e.json", {"networks": []})
    with pytest.raises(InputError, match="key networks: lists no network"):
        training_runs.run_training_runs(run / "models/main/photometry/history.parquet", tmp_path / "e.json", True, "x.parquet", "x.json")


def test_equal_losses_make_a_histogram():
    table = pd.DataFrame({"network": [0, 1], "last_test_loss": [0.01, 0.01], "kept": [True, True], "failed": [False, False]})
    assert training_runs.loss_histogram(table, None)["kept"].sum() == 2
    assert training_runs.loss_histogram(table, 0.02)["kept"].sum() == 2


# --- examples ---------------------------------------------------------------------------------------------------------

def test_examples_are_typical_and_the_same_each_time(run, tmp_path):
    given = run / "samples/main/training.parquet", run / "samples/main/training.h5"
    first = example_spectra.run_example_spectra(*given, CFG, True, tmp_path / "a.parquet", tmp_path / "a.json")
    example_spectra.run_example_spectra(*given, CFG, True, tmp_path / "b.parquet", tmp_path / "b.json")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    labelled, drawn = read_table(given[0]).reset_index().set_index("rave_obs_id"), read_table(tmp_path / "a.parquet")
    mh = {}
    with h5py.File(given[1]) as file:
        for star in first["stars"]:
            row = labelled.loc[star["rave_obs_id"]]
            assert row["role"] == "train" and (row["logg"] < 3.5) == star["kind"].endswith("giant")
            flux = drawn.loc[drawn["kind"] == star["kind"], "flux"]
            np.testing.assert_allclose(flux, file["flux"][row["index"]], rtol=1e-6)
            mh[star["kind"]] = row["mh"]
    assert len(mh) == 4
    for name in ("giant", "dwarf"):
        assert mh[f"metal_poor_{name}"] < -0.6 < 0.0 < mh[f"metal_rich_{name}"]
    groups = {s["kind"]: s["n"] for s in first["stars"]}
    dwarfs = int(((labelled["role"] == "train") & (labelled["logg"] >= 3.5)).sum())
    assert groups["metal_rich_dwarf"] == max(round(0.06 * dwarfs), 5) and groups["metal_poor_dwarf"] == max(round(0.02 * dwarfs), 5)
    assert drawn["wavelength"].iloc[0] == 8420.0 and drawn["wavelength"].max() == pytest.approx(8784.4)
    lines = np.concatenate(list(first["lines"].values()))
    assert lines.min() > 8420 and lines.max() < 8784


def test_spectra_of_another_sample_are_refused(run, tmp_path):
    with h5py.File(tmp_path / "t.h5", "w") as file:
        file["flux"] = np.ones((3, 912), np.float32)
    with pytest.raises(InputError, match=r"t\.h5, dataset flux: has the shape \(3, 912\)"):
        example_spectra.run_example_spectra(
            run / "samples/main/training.parquet", tmp_path / "t.h5", CFG, True, tmp_path / "a.parquet", tmp_path / "a.json"
        )


# --- supergiant -------------------------------------------------------------------------------------------------------

def run_supergiant(run, folder):
    return supergiant.run_supergiant(
        run.stars, run.spectra, run.predictions(), run.predictions("spectra"), CFG, True, folder / "s.parquet", folder / "s.json"
    )


def test_the_supergiant_is_found_with_all_its_spectra(run, tmp_path):
    content = run_supergiant(run, tmp_path)
    assert content["source"] == str(SUPERGIANT) and content["n_spectra"] == content["n_observed"] == 6
    spectra = read_table(tmp_path / "s.parquet")
    assert spectra["rave_obs_id"].nunique() == 6 and len(spectra) == 6 * 912
    predictions = pd.concat([read_table(p) for p in run.predictions()]).set_index("rave_obs_id")
    own = predictions.loc[[s["rave_obs_id"] for s in content["spectra"]], "logg_cnn"].to_numpy(np.float64)
    claim = content["claims"]["rave.supergiant"]
    np.testing.assert_allclose(claim["value"]["logg"], [own.mean(), own.std()], rtol=1e-5)
    assert claim["logg_below_limit"] and claim["value"]["logg_spectra_alone"] > 3
    assert set(content["claims"]["rave.supergiant.others"]["value"]) == {
        f"{p}_{s}" for p in ("teff", "logg", "mh") for s in ("bdasp", "madera")
    }
    assert content["references"]["madera"]["teff"][0] == pytest.approx(5473)


def test_a_run_without_the_supergiant_says_so(tmp_path):
    content = run_supergiant(make_run(tmp_path / "run", n=60, supergiant=False), tmp_path)
    assert content["n_spectra"] == 0 and content["claims"] == {} and len(read_table(tmp_path / "s.parquet")) == 0


def test_a_spectrum_that_is_not_packed_is_named(run, tmp_path):
    copy = make_run(tmp_path / "run", n=60)
    with h5py.File(copy.spectra[1], "a") as file:
        ids = file["rave_obs_id"][:]
        ids[2] = b"lost"
        del file["rave_obs_id"]
        file["rave_obs_id"] = ids
    with pytest.raises(InputError, match=r"south1-000\.h5, dataset rave_obs_id: lacks 20040629"):
        run_supergiant(copy, tmp_path)


# --- counts -----------------------------------------------------------------------------------------------------------

def count_arguments(run):
    return (run.stars, run / "samples/main/training.parquet", run.flows, run / "samples/main/selection.json",
            run / "models/main/photometry/ensemble.json", run.stars, run.stars[:1], CFG, True)


def test_counts_gather_what_other_validations_measured(run, tmp_path):
    write_json(tmp_path / "a.json", {"claims": {"rave.n.k2": {"value": 12, "paper": 433}, "rave.k2.labels": {"value": 1}}})
    write_json(tmp_path / "b.json", {"claims": {"rave.n.fig10": {"found": 7, "paper": 371967}, "rave.frac.plx": {"found": 0.1}}})
    for name, rows in (("x", 100.0), ("y", 60.0)):
        (tmp_path / f"{name}.tsv").write_text(f"s\tmax_rss\n{rows}\t1\n")
    content = counts.run_counts(
        *count_arguments(run), tmp_path / "c.json", [tmp_path / "a.json", tmp_path / "b.json"], [tmp_path / "x.tsv", tmp_path / "y.tsv"], 4
    )
    claims, stars = content["claims"], observed(run)
    assert claims["rave.n.k2"] == {"value": 12, "paper": 433, "from": "a.json"} and claims["rave.n.fig10"]["value"] == 7
    assert claims["rave.frac.plx"]["value"] == pytest.approx((stars["parallax_error_ratio"] < 0.2).mean())
    assert "rave.k2.labels" not in claims
    assert claims["rave.frac.av"]["value"] == pytest.approx((stars["av_starhorse"] < 0.5).mean())
    assert claims["rave.n.observed"]["value"] == len(stars) == content["flow"]["observed"][-1]["kept"]
    assert claims["rave.train_time"]["value"] == 40.0 and claims["rave.n.rave"]["value"] == 800
    everyone = pd.concat([read_table(p) for p in run.stars])
    assert claims["rave.n.common"]["value"] == everyone.loc[everyone["snr_apogee"].notna(), "gaia_dr2_source_id"].nunique()
    assert claims["rave.n.clean"]["value"] == claims["rave.n.train"]["value"] + claims["rave.n.test"]["value"]
    assert json.loads((tmp_path / "c.json").read_text())["claims"].keys() == claims.keys()


def test_counts_do_without_measured_times(run, tmp_path):
    claims = counts.run_counts(*count_arguments(run), tmp_path / "c.json")["claims"]
    assert "rave.train_time" not in claims and claims["rave.epochs"]["value"] <= 118


def test_quality_cuts_of_alpha_follow_the_configuration(run):
    stars, alpha = observed(run), CFG["validation"]["alpha"]
    loose = counts.good_alpha(stars, CFG)
    assert loose.sum() == (stars["alpha_fe_gauguin"].notna() & (stars["snr_rave"] > alpha["snr_min"])).sum() > 0
    strict = {"validation": {"alpha": {**alpha, "lines_min": 6}}}
    assert counts.good_alpha(stars, strict).sum() == 0


# --- network ----------------------------------------------------------------------------------------------------------

def test_layers_are_those_of_the_built_network(tmp_path):
    pytest.importorskip("keras")
    from starlabels.rave.validation.network_layers import run_network_layers

    content = run_network_layers(CFG, True, tmp_path / "n.json")
    layers = {layer["name"]: layer for layer in content["layers"]}
    assert content["claims"]["rave.network"]["value"] == {"n_pixels": 912, "parameters": 58549}
    assert sum(layer["parameters"] for layer in layers.values()) == 58549
    assert layers["convolution_1"]["settings"] == "8 filters, kernel 10, valid" and layers["convolution_3"]["output_shape"] == [885, 2]
    assert layers["dropout"]["settings"] == "rate 0.2" and layers["labels"]["output_shape"] == [9]
    merged = [layer for layer in layers.values() if len(layer["inputs"]) == 2]
    assert len(merged) == 1 and merged[0]["output_shape"] == [59]
    assert {name for name, layer in layers.items() if not layer["inputs"]} == {"spectrum", "photometry"}


# --- scripts ----------------------------------------------------------------------------------------------------------

class Names(SimpleNamespace):
    """Named values as a script gets them."""

    def get(self, key, default=None):
        return getattr(self, key, default)

    def __iter__(self):
        return iter(vars(self).values())


class Job:
    """What a script gets from Snakemake."""

    def __init__(self, given, out, params):
        self.input, self.output, self.params = (Names(**d) for d in (given, out, params))
        self.rule, self.log, self.threads = "test", [], 1


def test_scripts_pass_their_files_on(run, tmp_path):
    text = {k: [str(p) for p in v] for k, v in {"stars": run.stars, "spectra": run.spectra, "photometry": run.predictions(),
                                               "alone": run.predictions("spectra"), "flows": run.flows}.items()}
    main = {k: str(run / v) for k, v in {
        "training": "samples/main/training.parquet", "flux": "samples/main/training.h5", "selection": "samples/main/selection.json",
        "history": "models/main/photometry/history.parquet", "ensemble": "models/main/photometry/ensemble.json",
        "training_predictions": "predictions/main/photometry/training.parquet"}.items()}
    params = {"rave": CFG, "simulated": True}
    table, spectra, summary = (str(tmp_path / f"out_{name}") for name in ("table.parquet", "spectra.parquet", "summary.json"))
    jobs = {
        "distributions": ({"stars": text["stars"], "training": main["training"]}, {"table": table, "summary": summary}),
        "examples": ({"training": main["training"], "spectra": main["flux"]}, {"spectra": spectra, "summary": summary}),
        "training": ({"history": main["history"], "ensemble": main["ensemble"]}, {"table": table, "summary": summary}),
        "errors": ({"stars": text["stars"], "predictions": text["photometry"], "training_predictions": main["training_predictions"],
                    "ensemble": main["ensemble"]}, {"table": table, "summary": summary}),
        "supergiant": ({k: text[k] for k in ("stars", "spectra", "photometry", "alone")}, {"spectra": spectra, "summary": summary}),
        "counts": ({"stars": text["stars"], "flows": text["flows"], "obsdata": text["stars"], "apogee": text["stars"],
                    **{k: main[k] for k in ("training", "selection", "ensemble")}}, {"summary": summary}),
    }
    for name, (given, out) in jobs.items():
        runpy.run_path(str(ROOT / f"workflow/scripts/validate_rave_{name}.py"), {"snakemake": Job(given, out, params)})
        assert read_json(summary)["simulated"] is True
        (tmp_path / "out_summary.json").unlink()
