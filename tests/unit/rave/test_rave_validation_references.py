"""CNN against K2, BDASP, IRFM, literature and clusters, and what photometry adds: offsets come back, small samples work."""

import json

import numpy as np
import pandas as pd
import pytest
import rave_references
import yaml
from paths import ROOT

from starlabels.errors import InputError
from starlabels.io import read_json, read_table, write_json, write_table
from starlabels.rave.rows import iter_observed, training_rows
from starlabels.rave.validation import clusters, photometry_gain
from starlabels.rave.validation.agreement import Panel, measured
from starlabels.rave.validation.bdasp import run_bdasp
from starlabels.rave.validation.both_networks import observed_both
from starlabels.rave.validation.clusters import cluster_name
from starlabels.rave.validation.photometry_gain import Kiel, run_photometry_gain

CLAIMS = ROOT.parent / "shared" / "design" / "claims.yaml"
IDS = {
    "rave.k2.labels", "rave.k2.trained", "rave.k2.predicted", "rave.k2.no_photometry", "rave.n.k2", "rave.bdasp.labels",
    "rave.bdasp.trained", "rave.bdasp.observed", "rave.n.bdasp", "rave.irfm.hot", "rave.irfm.cool", "rave.irfm.all", "rave.n.irfm",
    "rave.hr", "rave.hr.no_photometry", "rave.clusters", "rave.n.clusters", "rave.n.fig23", "rave.bdasp.gain", "rave.photometry_gain",
    "rave.photometry_gain.teff_error", "rave.photometry_gain.bdasp_offset", "rave.bdasp.training_gain",
}


@pytest.fixture(scope="module")
def cfg() -> dict:
    return yaml.safe_load((ROOT / "config/rave.yaml").read_text())["rave"]


@pytest.fixture(scope="module")
def run(tmp_path_factory, cfg):
    """Paths of a made-up run, and what the validations found and wrote."""
    folder = tmp_path_factory.mktemp("run")
    paths = rave_references.write_run(folder, n=2500, n_train=900)
    return paths, rave_references.validate(paths, folder / "validation", cfg)


@pytest.fixture(scope="module")
def few(tmp_path_factory, cfg):
    """The same of thirty stars, none with a K2 value or in the literature."""
    folder = tmp_path_factory.mktemp("few")
    paths = rave_references.write_run(folder, n=30, n_train=2, n_k2=0, n_hr=0, clusters=False)
    return paths, rave_references.validate(paths, folder / "validation", cfg)


def claims_of(made: dict) -> dict:
    return {k: v for found in made["found"].values() for k, v in found["claims"].items()}


def test_offsets_come_back(run):
    found = run[1]["found"]
    assert found["k2"]["panels"]["labels"]["bias"] == pytest.approx(-0.03, abs=0.02)
    assert found["k2"]["panels"]["predicted"]["sigma"] < found["k2"]["panels"]["predicted_spectra"]["sigma"]
    bdasp = found["bdasp"]["panels"]
    for panel in ("labels", "trained", "predicted"):
        assert bdasp[panel]["dwarf"]["bias"] == pytest.approx(0.1, abs=0.03) and abs(bdasp[panel]["giant"]["bias"]) < 0.03
        assert bdasp[panel]["dwarf"]["n"] + bdasp[panel]["giant"]["n"] == bdasp[panel]["all"]["n"]
    irfm = found["irfm"]["panels"]["labels"]
    assert irfm["hot"]["bias"] == pytest.approx(-250, abs=50) and irfm["cool"]["bias"] == pytest.approx(-20, abs=20)
    assert found["literature"]["panels"]["logg"]["all"]["bias"] == pytest.approx(0.13, abs=0.05)
    clusters = found["clusters"]["clusters"]
    assert list(clusters) == ["47 Tuc", "IC 4651", "Pleiades", "Blanco 1", "omega Cen"]
    assert clusters["Pleiades"]["selected"]["teff"]["bias"] == pytest.approx(-353, abs=80)
    assert clusters["47 Tuc"]["selected"]["feh"]["bias"] == pytest.approx(0.13, abs=0.06)


def test_single_star_has_a_count_and_no_statistics(run):
    blanco = run[1]["found"]["clusters"]["clusters"]["Blanco 1"]["selected"]["teff"]
    assert blanco["n"] == 1 and np.isnan(blanco["bias"]) and np.isnan(blanco["sigma"]) and np.isnan(blanco["robust_sigma"])
    stored = read_json(run[1]["files"]["clusters"]["summary"])["clusters"]["Blanco 1"]["selected"]["teff"]
    assert stored["bias"] is None and stored["sigma_interval"] == [None, None]


def test_samples_are_those_of_the_paper(run, cfg):
    paths, made = run
    table = read_table(made["files"]["k2"]["table"])
    training = read_table(paths["training"])
    own = training[(training["role"] == "train") & training["logg_k2"].notna()]
    assert set(table.loc[table["panel"] == "labels", "rave_obs_id"]) == set(own["rave_obs_id"])
    stars = pd.concat([read_table(p) for p in paths["stars"]])
    seismic = stars[stars["in_observed"] & stars["logg_k2"].notna()]
    assert made["found"]["k2"]["panels"]["predicted"]["n"] == len(seismic) and (seismic["snr_rave"] < 20).any()
    beyond = stars[stars["in_observed"] & (stars["snr_rave"] > 20)]
    assert made["found"]["bdasp"]["panels"]["predicted"]["all"]["n"] == beyond["logg_bdasp"].notna().sum()
    assert made["found"]["irfm"]["panels"]["labels"]["all"]["n"] == (training["role"] == "train").sum()
    kiel = beyond[(beyond["snr_rave"] > 40) & (beyond["parallax_error_ratio"] < 0.2) & beyond["class_normal"]]
    assert made["found"]["photometry"]["n"] == len(kiel)
    for name in ("literature", "clusters"):
        assert (read_table(made["files"][name]["table"])["snr_rave"] > cfg["validation"]["snr_min"]).all()


def test_most_recent_paper_wins(run):
    table = read_table(run[1]["files"]["literature"]["table"])
    assert set(table["list"]) == {"hr_bensby2014"} and table["rave_obs_id"].is_unique
    assert run[1]["found"]["literature"]["lists"] == {"hr_bensby2014": len(table)}


def test_one_a_star_counts_the_best_spectrum(run):
    found = run[1]["found"]["literature"]
    assert found["panels"]["teff"]["one_a_star"]["n"] == found["n_stars"] <= found["n"]
    assert "definition" in found["definition"] and found["panels"]["alpha_m"]["all"]["n"] == found["n"]
    parts = found["panels"]["feh"]
    assert parts["rich"]["n"] + parts["poor"]["n"] == parts["all"]["n"] >= parts["high_snr"]["n"]


def test_densities_hold_every_star_in_a_bounded_grid(run):
    files, found = run[1]["files"], run[1]["found"]
    for name in ("bdasp", "irfm"):
        cells, bars = read_table(files[name]["density"]), read_table(files[name]["hist"])
        for panel in ("labels", "trained", "predicted"):
            n = found[name]["panels"][panel]["all"]["n"]
            one = cells[(cells["panel"] == panel) & (cells["kind"] == "one_to_one")]
            assert one["count"].sum() == n - found[name]["panels"][panel]["outside_plot"]
            own = bars[bars["panel"] == panel]
            assert own.loc[own["part"] == "all", "count"].sum() == n == own.loc[own["part"] != "all", "count"].sum()
    wide = Panel("logg", ("dwarf", "giant"))
    rng = np.random.default_rng(1)
    for _ in range(3):
        wide.add(rng.normal(3, 2, 100_000), rng.normal(3, 2, 100_000), np.ones(100_000, bool))
    assert len(wide.density("x")) <= wide.one_to_one.counts.size + wide.trend.counts.size
    assert wide.statistics({"validation": {"bootstrap": 0}})["outside_plot"] > 0


def test_claims_are_those_of_the_paper(run):
    claims = claims_of(run[1])
    assert set(claims) == IDS
    for name, entry in claims.items():
        assert {"value", "paper", "intervals", "n", "unit", "what"} <= set(entry), name
        if isinstance(entry["paper"], dict):
            assert set(entry["paper"]) <= set(entry["value"]), name
            assert set(entry["intervals"]) <= set(entry["value"]), name
    if not CLAIMS.exists():
        pytest.skip(f"{CLAIMS} is absent")
    for entry in yaml.safe_load(CLAIMS.read_text())["rave"]:
        if entry["id"] in claims and "value" in entry:
            paper = claims[entry["id"]]["paper"]
            stated = {k: paper[k] for k in entry["value"]} if isinstance(paper, dict) else paper
            assert stated == entry["value"], entry["id"]


def test_gain_lists_every_comparison(run):
    claims = claims_of(run[1])
    claim = claims["rave.photometry_gain"]
    assert set(claim["comparisons"]) == {"bdasp", "irfm", "k2", "hr_teff", "hr_logg"}
    assert claim["value"] is True and all(c["smaller"] == "yes" for c in claim["comparisons"].values())
    assert claims["rave.photometry_gain.teff_error"]["value"] == pytest.approx(0.4 * (140 - 60), rel=1e-3)
    bdasp = run[1]["found"]["photometry"]["panels"]["bdasp"]
    ratio = abs(bdasp["photometry"]["bias"]) / abs(bdasp["spectra"]["bias"])
    assert claims["rave.photometry_gain.bdasp_offset"]["value"] == pytest.approx(ratio)
    panels = run[1]["found"]["bdasp"]["panels"]
    falls = panels["trained"]["all"]["sigma"] < panels["labels"]["all"]["sigma"]
    assert claims["rave.bdasp.training_gain"]["value"] is falls


def test_gain_is_judged_by_what_the_paper_compares():
    def both(*sigma):
        pairs = zip(("photometry", "spectra"), sigma, strict=True)
        return {k: {"sigma": v, "sigma_interval": [v, v], "bias": v, "n": 10} for k, v in pairs}

    panels = {panel: both(0.1, 0.2) for panel in ("bdasp", "k2", "hr_teff", "hr_logg")} | {"irfm": both(215.4, 215.2)}
    claim = photometry_gain.claims(10, panels, {"increase": 6.0})["rave.photometry_gain"]
    assert claim["value"] is True and claim["comparisons"]["irfm"]["smaller"] == "no" and "irfm" not in claim["judged"]
    claim = photometry_gain.claims(10, panels | {"k2": both(0.3, 0.2)}, {"increase": 6.0})["rave.photometry_gain"]
    assert claim["value"] is False


def test_clusters_without_a_spectrum_are_named(run, tmp_path):
    literature = run[0]["literature"]
    rows = read_table(literature)
    there = {clusters.cluster_name(v) for v in rows.loc[rows["kind"] == "cluster", "cluster"]}
    assert clusters.unobserved(literature, None, there) == {}
    spectra = int((rows["cluster"] == "Blanco 1").sum())
    write_json(tmp_path / "m.json", {"cl_ngc188": {"spectra": 0}, "cl_47tuc": {"spectra": 10}, "hr_reddy2003": {"spectra": 0}})
    found = clusters.unobserved(literature, tmp_path / "m.json", there - {"Blanco 1"})
    assert found == {"Blanco 1": spectra, "cl_ngc188": 0} and list(found)[0] == "Blanco 1"


def test_few_stars_give_null_and_no_error(few):
    claims, found = claims_of(few[1]), few[1]["found"]
    assert set(claims) == IDS
    assert found["k2"]["panels"]["predicted"]["n"] == 0 and found["clusters"]["clusters"] == {} and found["literature"]["n"] == 0
    stored = read_json(few[1]["files"]["literature"]["summary"])["claims"]["rave.hr"]["value"]
    assert set(stored.values()) == {None}
    assert claims["rave.photometry_gain"]["comparisons"]["k2"]["smaller"] is None
    assert few[1]["found"]["clusters"]["unobserved"] == {}
    for name, kind in (("k2", "table"), ("literature", "table"), ("clusters", "table")):
        assert len(read_table(few[1]["files"][name][kind])) == 0


def test_without_the_spectra_network(run, cfg, tmp_path):
    paths, made = run
    rows, train = (paths["stars"], paths["photometry"], []), (paths["training"], paths["training_photometry"], None)
    found = run_bdasp(*rows, *train, cfg, True, tmp_path / "b.json", tmp_path / "d.parquet", tmp_path / "h.parquet")
    assert found["panels"]["predicted"] == made["found"]["bdasp"]["panels"]["predicted"]
    assert found["panels"]["predicted_spectra"]["all"]["n"] == 0
    table = read_table(made["files"]["literature"]["table"])
    write_table(tmp_path / "l.parquet", table.assign(**{c: np.nan for c in table.columns if c.endswith("_spectra")}))
    k2 = read_table(made["files"]["k2"]["table"])
    write_table(tmp_path / "k.parquet", k2[~k2["panel"].str.endswith("_spectra")])
    given, written = (tmp_path / "k.parquet", tmp_path / "l.parquet"), (tmp_path / "g.parquet", tmp_path / "g.json")
    found = run_photometry_gain(*rows, *given, cfg, True, *written)
    assert found["claims"]["rave.photometry_gain"]["value"] is None
    assert set(read_table(tmp_path / "g.parquet")["network"]) == {"photometry"}


def test_same_run_same_bytes(run, cfg, tmp_path):
    paths, made = run
    again = rave_references.validate(paths, tmp_path, cfg)
    for name, files in made["files"].items():
        for kind, path in files.items():
            assert path.read_bytes() == again["files"][name][kind].read_bytes(), (name, kind)


def test_both_networks_stand_beside_each_other(run):
    paths, _ = run
    frame = pd.concat(observed_both(paths["stars"], paths["photometry"], paths["spectra"], ["snr_rave"], ["teff_cnn", "teff_cnn_err"]))
    plain = pd.concat(iter_observed(paths["stars"], paths["spectra"], [], ["teff_cnn"]))
    assert list(frame.columns) == ["rave_obs_id", "snr_rave", "teff_cnn", "teff_cnn_err", "teff_spectra", "teff_spectra_err"]
    assert np.array_equal(frame["teff_spectra"].to_numpy(), plain["teff_cnn"].to_numpy())


def test_absent_column_is_named(run, cfg, tmp_path):
    paths, _ = run
    bare = []
    for path in paths["stars"]:
        bare.append(tmp_path / path.name)
        write_table(bare[-1], read_table(path).drop(columns="logg_bdasp"))
    train = (paths["training"], paths["training_photometry"], None)
    with pytest.raises(InputError, match="logg_bdasp"):
        run_bdasp(bare, paths["photometry"], [], *train, cfg, True, tmp_path / "b.json", tmp_path / "d.parquet", tmp_path / "h.parquet")
    assert len(training_rows(paths["training"], paths["training_photometry"]))


def test_kiel_cell_is_the_mean_of_its_stars():
    kiel = Kiel()
    kiel.add(np.array([5010.0, 5020.0, 4000.0]), np.array([2.51, 2.52, 1.0]), np.array([-1.0, 0.0, np.nan]))
    kiel.add(np.array([5030.0]), np.array([2.53]), np.array([0.4]))
    table = kiel.table()
    assert len(table) == 1 and table["count"].item() == 3 and table["mh"].item() == pytest.approx(-0.2)


@pytest.mark.parametrize(("text", "name"), [("cl_47tuc", "47 Tuc"), ("47Tuc", "47 Tuc"), ("Omega Centauri", "omega Cen"),
                                            ("cl_omegacen", "omega Cen"), ("IC4651", "IC 4651"), ("M 67", "M 67")])
def test_cluster_names(text, name):
    assert cluster_name(text) == name


def test_statistics_of_fewer_than_two(cfg):
    assert measured(np.array([1.0, np.nan]), cfg)["n"] == 1 and np.isnan(measured(np.array([1.0]), cfg)["bias"])
    assert json.dumps(measured(np.array([1.0, 3.0]), cfg)["bias"]) == "2.0"
