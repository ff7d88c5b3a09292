"""Repeats, alpha against DR6, kinematic components, cartography, statements and studies on made-up stars with known answers."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from unit.rave import rave_made_up_galaxy as made_up

from starlabels.errors import InputError
from starlabels.io import read_json, read_table, write_json, write_table
from starlabels.rave.published import configured, look_up, published
from starlabels.rave.studies.maps import run_maps
from starlabels.rave.studies.mono_alpha import run_mono_alpha
from starlabels.rave.studies.statements import alpha_line, judge
from starlabels.rave.studies.variants import bases, change, one_network, ratios, run_variants
from starlabels.rave.studies.volume import compare, run_volume
from starlabels.rave.validation import collected
from starlabels.rave.validation.alpha import run_alpha
from starlabels.rave.validation.cartography import by_height, order, run_cartography
from starlabels.rave.validation.components import SINGLE, component_masks, run_components
from starlabels.rave.validation.gradients import gradient, sign_of_rotation
from starlabels.rave.validation.hexagons import Hexagons
from starlabels.rave.validation.repeats import bin_width, dispersion, run_repeats
from starlabels.rave.validation.smooth import smooth_density
from starlabels.rave.validation.star_pairs import pairs_of
from starlabels.rave.validation.two_gaussians import fit_two_gaussians

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def cfg() -> dict:
    found = yaml.safe_load((ROOT / "config/rave.yaml").read_text())["rave"]
    found["validation"]["bootstrap"] = 8
    return found


@pytest.fixture(scope="module")
def sky(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sky")
    return folder, made_up.write_slices(folder, 5000)


@pytest.fixture(scope="module")
def nothing(tmp_path_factory):
    """Slices in the right form without an observed star."""
    folder = tmp_path_factory.mktemp("nothing")
    paths = made_up.write_slices(folder, 40, pieces=1)
    for kind, (path,) in paths.items():
        table = read_table(path)
        write_table(path, table.assign(in_observed=False) if kind == "stars" else table.iloc[:0])
    return folder, paths


# --- repeats ------------------------------------------------------------------------------------------------------


def test_pairs_are_all_of_a_star_later_minus_earlier():
    frame = pd.DataFrame({
        "rave_obs_id": ["c", "a", "b", "d", "e", "f"], "raveid": ["x"] * 4 + ["y", "y"],
        "gaia_dr2_source_id": np.array([7, 7, 7, 8, -1, -1]),
        "obsdate": ["20100101", "20090101", "20100101", "20100101", "20080101", "20070101"],
    })
    pairs = pairs_of(frame)
    named = {(frame["rave_obs_id"][i], frame["rave_obs_id"][j]) for i, j in zip(pairs["first"], pairs["second"], strict=True)}
    assert named == {("a", "b"), ("a", "c"), ("b", "c"), ("f", "e")}            # by date, then by id; no Gaia source: by RAVE's name
    assert pairs.groupby("star")["weight"].sum().tolist() == pytest.approx([1.0, 1.0])
    assert len(pairs_of(frame.iloc[:1])) == 0


def test_two_gaussians_are_found_again():
    rng = np.random.default_rng(0)
    x = np.where(rng.random(40000) < 0.7, rng.normal(2, 30, 40000), rng.normal(20, 100, 40000))
    edges = np.arange(-400, 401, 5.0)
    fit = fit_two_gaussians(edges, np.histogram(x, edges)[0], 40.0)
    assert fit["narrow"]["sigma"] == pytest.approx(30, rel=0.05) and fit["wide"]["sigma"] == pytest.approx(100, rel=0.08)
    assert fit["narrow"]["share"] == pytest.approx(0.7, abs=0.04) and not fit["at_limit"]
    assert fit["wide"]["mean"] - fit["narrow"]["mean"] == pytest.approx(18, abs=5)


@pytest.mark.parametrize("counts, spread", [(np.ones(3), 1.0), (np.zeros(30), 1.0), (np.full(30, 5.0), 0.0)])
def test_no_fit_without_enough(counts, spread):
    assert fit_two_gaussians(np.arange(len(counts) + 1.0), counts, spread) is None


def test_few_stars_fall_back_to_the_robust_sigma():
    rng = np.random.default_rng(1)
    pairs = pd.DataFrame({"star": np.arange(20), "weight": 1.0})
    found, table = dispersion(rng.normal(0, 0.05, 20), pairs, 0.01, 5, 0)
    assert found["narrow"] is None and found["sigma"] == found["robust_sigma"] and "20 stars" in found["fit"]
    assert found["sigma_single"] == pytest.approx(found["sigma"] / math.sqrt(2)) and table["pairs"].sum() == 20
    same, empty = dispersion(np.zeros(20), pairs, 0.01, 5, 0)
    assert same["sigma"] == 0.0 and len(empty) == 0
    none, _ = dispersion(np.full(20, np.nan), pairs, 0.01, 5, 0)
    assert none["n_pairs"] == 0 and none["sigma"] is None


def test_repeats_measure_the_noise_and_the_loss_without_photometry(sky, cfg, tmp_path):
    _, paths = sky
    networks = {"photometry": paths["photometry"], "spectra": paths["spectra"]}
    found = run_repeats(paths["stars"], networks, cfg, True, tmp_path / "t.parquet", tmp_path / "s.json")
    claim = found["claims"]["rave.repeats"]["value"]
    for label in ("teff", "logg", "mh"):
        assert claim[label] == pytest.approx(made_up.NOISE[label], rel=0.4)
    assert claim["teff_no_photometry"] > 1.3 * claim["teff"] and claim["logg_no_photometry"] > 1.3 * claim["logg"]
    table = read_table(tmp_path / "t.parquet")
    own = table[(table["network"] == "photometry") & (table["label"] == "teff")]
    assert np.allclose(own["hi"] - own["lo"], bin_width("teff", cfg))
    outside = found["networks"]["photometry"]["teff"]["n_outside"]
    assert own["pairs"].sum() + outside == found["n"]["pairs"] > found["n"]["stars"]
    assert own["weight"].sum() <= found["n"]["stars"] + 1e-6
    once = (tmp_path / "s.json").read_bytes(), (tmp_path / "t.parquet").read_bytes()
    run_repeats(paths["stars"][::-1], {k: v[::-1] for k, v in networks.items()}, cfg, True, tmp_path / "t.parquet", tmp_path / "s.json")
    assert once == ((tmp_path / "s.json").read_bytes(), (tmp_path / "t.parquet").read_bytes())


# --- alpha, components, cartography ---------------------------------------------------------------------------------


def test_alpha_finds_the_shift_and_the_larger_scatter(sky, cfg, tmp_path):
    _, paths = sky
    found = run_alpha(paths["stars"], paths["photometry"], cfg, True, tmp_path / "t.parquet", tmp_path / "s.json")
    assert found["claims"]["rave.alpha_shift"]["value"] == pytest.approx(0.14, abs=0.02)
    assert abs(found["shift"]["poor"]["bias"]) < 0.1 and all(s["dr6_larger"] for s in found["scatter"].values())
    n = found["n"]
    assert n["all"] == n["dwarfs"] + n["giants"]
    table = read_table(tmp_path / "t.parquet")
    cells = table.groupby(["panel", "side"])["count"].sum()
    for panel, total in (("kiel", n["all"]), ("dwarfs", n["dwarfs"]), ("giants", n["giants"])):
        for side in ("cnn", "dr6"):
            assert cells[panel, side] + found["outside"][f"{panel}/{side}"] == total
    strict = {**cfg, "validation": {**cfg["validation"], "alpha": {**cfg["validation"]["alpha"], "chisq_max": 0.1}}}
    assert run_alpha(paths["stars"], paths["photometry"], strict, True, tmp_path / "u.parquet", tmp_path / "u.json")["n"]["all"] == 0


def test_components_by_their_limits(cfg):
    frame = pd.DataFrame({
        "ecc": [0.1, 0.5, 0.5, 0.1, 0.9, np.nan, 0.1], "z_max": [0.3, 2.0, 0.3, 2.0, 3.0, 1.0, 0.1],
        "v_phi": [210, 150, 150, 200, -20, 100, 20.0],
    })
    masks = component_masks(frame, cfg)
    assert {k: np.flatnonzero(m).tolist() for k, m in masks.items()} == {"thin_disc": [0], "dissipative": [1], "accreted": [4, 6]}


def test_components_gradients_have_the_right_signs_whatever_the_sign_of_v_phi(sky, cfg, tmp_path):
    folder, paths = sky
    found = run_components(paths["stars"], paths["photometry"], cfg, True, tmp_path / "t.parquet", tmp_path / "s.json")
    lines = found["gradients"]
    assert lines["thin_disc"]["mh"]["slope"] < 0 < lines["dissipative"]["mh"]["slope"]
    assert found["sign"] == 1 and lines["thin_disc"]["feh"]["n"] == found["n"]["thin_disc"]
    assert found["statements"]["thin_disc_above_minus_1"] > 0.95
    errors = found["errors"]["dissipative"]
    assert errors[0]["mh"] > errors[-1]["mh"]
    table = read_table(tmp_path / "t.parquet")
    for name in ("thin_disc", "dissipative", "accreted"):
        own = table[(table["component"] == name) & (table["panel"] == "alpha")]
        assert own["count"].sum() == found["n"][name]
        if found["n"][name] < SINGLE:                       # a row a spectrum
            assert (own["x_lo"] == own["x_hi"]).all() and (own["y_lo"] == own["y_hi"]).all() and (own["count"] == 1).all()
            continue
        inside = own[own["smooth"] >= found["levels"]["alpha"][name]["0.6"]]
        assert inside["count"].sum() / own["count"].sum() == pytest.approx(0.6, abs=0.12)
    turned = []
    for path in paths["stars"]:
        frame = read_table(path)
        turned.append(tmp_path / Path(path).name)
        write_table(turned[-1], frame.assign(v_phi=-frame["v_phi"]))
    again = run_components(turned, paths["photometry"], cfg, True, tmp_path / "u.parquet", tmp_path / "u.json")
    assert again["sign"] == -1 and again["n"] == found["n"] and again["gradients"] == lines


def test_gradient_of_a_line_and_of_too_few():
    x = np.linspace(-1, 0, 400)
    y = 200 - 20 * x + np.random.default_rng(0).normal(0, 5, 400)
    found = gradient(x, y, 30, 1)
    assert found["slope"] == pytest.approx(-20, abs=3 * found["slope_error"]) and 0.3 < found["slope_error"] < 2
    assert found["slope_interval"][0] < found["slope"] < found["slope_interval"][1]
    assert gradient(x[:5], y[:5])["slope"] is None and gradient(np.zeros(20), np.ones(20))["slope"] is None
    assert sign_of_rotation([-200, -180, 10]) == -1 and sign_of_rotation([np.nan]) == 1


def test_hexagons_hold_every_point_near_their_centre():
    rng = np.random.default_rng(3)
    x, y = rng.uniform(-1, 1, 3000), rng.uniform(-0.2, 0.2, 3000)
    cells = Hexagons((-1.5, 1.5), (-0.3, 0.3), 0.1, 0.0225)
    cells.add(x[:1000], y[:1000])
    cells.add(x[1000:], y[1000:])
    table = cells.table()
    assert table["count"].sum() == 3000 and cells.outside == 0
    one = Hexagons((-1.5, 1.5), (-0.3, 0.3), 0.1, 0.0225)
    one.add(x[:1], y[:1])
    centre = one.table().iloc[0]
    assert abs(centre["x"] - x[0]) <= 0.05 + 1e-9 and abs(centre["y"] - y[0]) <= 0.0225 / 3 + 1e-9
    one.add([9.0, np.nan], [0.0, 0.0])
    assert one.outside == 2


def test_contours_hold_the_share_of_the_stars():
    rng = np.random.default_rng(5)
    table, levels = smooth_density(rng.normal(0, 0.1, 400), rng.normal(0, 0.1, 400), np.linspace(-1, 1, 41), np.linspace(-1, 1, 41))
    for share, level in levels.items():
        assert table.loc[table["smooth"] >= level, "count"].sum() / 400 == pytest.approx(float(share), abs=0.06)


def test_smooth_density_of_nothing_has_no_levels():
    table, levels = smooth_density(np.empty(0), np.empty(0), np.linspace(0, 1, 11), np.linspace(0, 1, 11))
    assert table.empty and levels == {}


def test_cartography_orders_the_sequences(sky, cfg, tmp_path):
    _, paths = sky
    found = run_cartography(paths["stars"], paths["photometry"], cfg, True, tmp_path / "t.parquet", tmp_path / "s.json")
    claim = found["claims"]["rave.cartography"]
    assert claim["poor_dominate_below"] is True and claim["rich_rise_with_height"] is True
    assert claim["value"] == (claim["of_rich_above_border"] > 0.5)                 # the text: "mostly located at larger height"
    assert claim["rich_dominate_above"] == (claim["share_rich_above"]["share"] > 0.5)
    table = read_table(tmp_path / "t.parquet")
    drawn = table[table["kind"] == "hexagon"].groupby(["r_lo", "z_lo"])["count"].sum()
    for own in found["bins"]:
        assert drawn.get((own["r_lo"], own["z_lo"]), 0) + own["outside"] == own["n"]
    assert len(table) < 60000


@pytest.mark.parametrize("below, above, holds", [(10, 90, True), (90, 10, False), (60, 300, False)])
def test_cartography_tells_where_the_rich_stars_lie(below, above, holds):
    """200 poor stars in each of two layers; in the last case 60 below, as many as rich ones."""
    poor = {0.2: 60 if below == 60 else 200, 0.7: 200}
    rows = [(z, 0.0) for z, n in poor.items() for _ in range(n)] + [(0.2, 0.3)] * below + [(0.7, 0.3)] * above
    frame = pd.DataFrame(rows, columns=["z_gal", "alpha_m_cnn"]).assign(feh_cnn=-0.5)
    settings = {"z": [0, 0.5, 1.0]}
    found = order(frame, "alpha_m", settings, by_height(frame, "alpha_m", settings))
    assert found["holds"] is holds and found["rich_dominate_above"] is (above > 200)


def test_no_star_no_crash(nothing, cfg, tmp_path):
    _, paths = nothing
    out = {k: (tmp_path / f"{k}.parquet", tmp_path / f"{k}.json") for k in "abcde"}
    repeats = run_repeats(paths["stars"], {k: paths[k] for k in ("photometry", "spectra")}, cfg, True, *out["a"])
    assert repeats["n"]["pairs"] == 0 and repeats["claims"]["rave.repeats"]["value"]["teff"] is None
    assert run_alpha(paths["stars"], paths["photometry"], cfg, True, *out["b"])["n"]["all"] == 0
    components = run_components(paths["stars"], paths["photometry"], cfg, True, *out["c"])
    assert components["claims"]["rave.gradient.thin"]["value"] is None
    assert run_cartography(paths["stars"], paths["photometry"], cfg, True, *out["d"])["claims"]["rave.cartography"]["value"] is None
    assert run_mono_alpha(paths["stars"], paths["photometry"], cfg, True, *out["e"])["components"]["all"]["n_ranges"] == 0
    for table, summary in out.values():
        assert len(read_table(table)) == 0 and read_json(summary)["simulated"] is True


# --- statements -----------------------------------------------------------------------------------------------------


def test_published_claims_are_those_of_the_list(cfg):
    entries = published()
    assert {e["kind"] for e in entries} == {"config", "count", "stat", "order"} and all(e["id"].startswith("rave.") for e in entries)
    assert set(configured(cfg)) <= {e["id"] for e in entries}
    assert configured(cfg)["rave.network"]["value"]["parameters"] == 58549


def test_values_are_found_in_any_form():
    assert look_up({"teff": [1.0, 2.0]}, "teff.sigma") == 2.0 and look_up({"teff": {"bias": 3.0}}, "teff.bias") == 3.0
    assert look_up(4.0, "") == 4.0 and look_up({"teff": 1.0}, "logg") is None and look_up(None, "teff") is None


@pytest.mark.parametrize("claim, part, paper, found, verdict", [
    ("rave.gradient.thin", "", -20, -9.0, "yes"), ("rave.gradient.thin", "", -20, 9.0, "no"),
    ("rave.gradient.thin", "", -20, None, "not measured"),
    ("rave.epochs", "", 120, 150, "no"), ("rave.train_time", "", [70, 90], 80.0, "yes"), ("rave.split", "", 0.06, 0.06, "yes"),
    ("rave.split", "", 0.06, 0.03, "no"), ("rave.n.observed", "", 420165, 12, ""), ("rave.irfm.cool", "bias", -20, 15.0, "yes"),
    ("rave.irfm.hot", "bias", -250, 260.0, "no"), ("rave.precision", "abundances", [0.02, 0.04], [0.03, 0.05], "yes"),
    ("rave.precision", "abundances", [0.02, 0.04], [0.3, 0.5], "no"), ("rave.cartography", "", True, False, "no"),
    ("rave.photometry_gain.teff_error", "", 20, 5.9, "no"), ("rave.photometry_gain.teff_error", "", 20, -15.0, "no"),
    ("rave.photometry_gain.teff_error", "", 20, 12.0, "yes"), ("rave.photometry_gain.bdasp_offset", "", 0.25, 0.73, "no"),
    ("rave.photometry_gain.bdasp_offset", "", 0.25, 0.2, "yes"), ("rave.bdasp.training_gain", "", True, False, "no"),
])
def test_verdicts_are_computed(claim, part, paper, found, verdict):
    entry = {e["id"]: e for e in published()}[claim]
    assert collected.compare(entry, part, paper, found)["verdict"] == verdict


def test_real_counts_are_compared_by_size():
    entry = {e["id"]: e for e in published()}["rave.n.observed"]
    assert collected.compare(entry, "", 420165, 425000, simulated=False)["verdict"] == "yes"
    assert collected.compare(entry, "", 420165, 300000, simulated=False)["verdict"] == "no"


def test_claims_are_gathered_and_written(cfg, tmp_path):
    write_json(tmp_path / "a.json", {"claims": {
        "rave.repeats": {"value": {"teff": 40.0, "logg": 0.04, "teff_no_photometry": 30.0}, "n": 10}, "rave.gradient.thin": {"value": None},
        "rave.n.fig24": {"value": {"thin_disc": 10, "dissipative": 20, "accreted": 1}}, "rave.other": {"value": 1},
    }})
    write_json(tmp_path / "b.json", {"claims": {"rave.gradient.thin": {"value": -11.0, "interval": [-12, -10]}, "rave.fig6.train": {
        "found": {"teff": [3.0, 60.0]}, "intervals": {"teff": [[2.0, 4.0], [59.0, 61.0]]}}}})
    write_json(tmp_path / "c.json", {"nothing": 1})
    out = [tmp_path / f"claims.{k}" for k in ("json", "csv", "md")]
    content = collected.run_claims([tmp_path / f"{k}.json" for k in "cba"], cfg, True, *out)
    rows = {(r["claim"], r["part"]): r for r in content["claims"]}
    assert content["unknown"] == ["rave.other"]
    assert rows["rave.gradient.thin", ""]["verdict"] == "yes" and rows["rave.gradient.thin", ""]["interval"] == [-12, -10]
    assert rows["rave.fig6.train", "teff.sigma"]["found"] == 60.0 and rows["rave.fig6.train", "teff.sigma"]["interval"] == [59.0, 61.0]
    assert rows["rave.repeats", "teff_no_photometry"]["verdict"] == "no"              # smaller without photometry
    assert rows["rave.n.fig24", "thin_disc"]["same_order"] == "no" and rows["rave.repeats", "feh"]["verdict"] == "not measured"
    page = out[2].read_text()
    assert "Values of the configuration: yes 24, no 1, not measured 0." in page and "A bias below 0.5 of the scatter" in page
    assert "simulated sky" in page and "| rave.gradient.thin | 8.1, Fig. 24 |" in page
    assert "found (simulated sky)" in out[1].read_text().splitlines()[0]
    real = collected.run_claims([tmp_path / "b.json"], cfg, False, *out)
    assert not real["simulated"] and "imulated" not in out[2].read_text().splitlines()[0]


# --- studies --------------------------------------------------------------------------------------------------------


def test_scatter_of_one_network_does_not_hang_on_their_number():
    rng = np.random.default_rng(4)
    networks = rng.normal(0, 1, (40, 3000, 2)) + rng.normal(0, 2, (1, 3000, 2))
    for n in (3, 40):
        part = networks[:n]
        found = one_network(part.mean(axis=0), part.std(axis=0))
        assert found == pytest.approx(np.sqrt(5.0) * np.ones(2), rel=0.06)


def test_change_needs_size_and_certainty():
    assert change(1.2, [1.1, 1.3]) == "worse"
    assert change(1.02, [1.01, 1.03]) == change(1.2, [0.9, 1.5]) == "no clear change"
    assert change(0.8, [0.7, 0.9]) == "better" and change(None, [None, None]) is None
    rng = np.random.default_rng(0)
    small, large = ((s * rng.normal(0, 1, (400, 2)), np.zeros((400, 2))) for s in (1.0, 1.5))
    found = ratios(large, small, False, 40, 1)
    assert found["overall"] == pytest.approx(1.5, rel=0.12) and found["overall_interval"][0] > 1


@pytest.fixture(scope="module")
def variants(tmp_path_factory, cfg):
    folder = tmp_path_factory.mktemp("variants")
    chosen = {"main": {"networks": 20}, "kernel_5": {}, "kernel_50": {"factor": 3.0}, "snr_40": {"snr_min": 40.0, "seed": 8},
              "no_convolution": {"factor": 2.5, "epochs": 280}, "snr_below_30": {"flat": True, "seed": 9}, "no_extinction": {"factor": 2.0},
              "label_noise": {}, "star_grouped": {"seed": 5}}
    files = {name: made_up.write_variant(folder, name, **how) for name, how in chosen.items()}
    return folder, [{v: p[k] for v, p in files.items()} for k in ("training.parquet", "predictions.parquet", "ensemble.json")]


def test_variants_are_judged(variants, cfg, tmp_path):
    _, files = variants
    found = run_variants(*files, cfg, True, tmp_path / "t.parquet", tmp_path / "s.json")
    holds = {(s["variant"], s["question"]): s["holds"] for s in found["statements"]}
    assert holds["kernel_50", "worse"] and holds["no_convolution", "abundances"] and holds["no_convolution", "longer"]
    assert holds["snr_below_30", "straight"] and holds["label_noise", "errors"] and holds["no_extinction", "extinction"]
    assert holds["star_grouped", "report"] is None
    assert found["variants"]["kernel_5"]["basis"] == "common" and found["variants"]["snr_40"]["basis"] in ("shared", "own")
    assert found["variants"]["main"]["ensemble"]["n_networks"] == 20 and found["variants"]["snr_40"]["share_of_main"] < 1
    table = read_table(tmp_path / "t.parquet")
    own = table[(table["variant"] == "kernel_50") & (table["basis"] == "common")]
    assert len(own) == 9 and (own["ratio"] > 1.2).all() and (own["n"] == own["n_main"]).all()
    assert set(table.loc[table["variant"] == "main", "basis"]) == {"own"}
    with pytest.raises(InputError, match="lacks the variant main"):
        run_variants({}, {}, {}, cfg, True, tmp_path / "t.parquet", tmp_path / "s.json")


def test_test_spectra_of_two_samples():
    variant = pd.DataFrame({"role": ["test", "test", "train"]}, index=["a", "b", "c"])
    main = pd.DataFrame({"role": ["test", "train", "test"]}, index=["a", "b", "d"])
    found = bases(variant, main)
    assert [list(f.index) for f in found["common"]] == [["a"], ["a"]]
    assert [list(f.index) for f in found["shared"]] == [["a", "b"], ["a"]] and len(found["own"][1]) == 2


def test_a_straight_line_keeps_no_spread():
    rng = np.random.default_rng(2)
    mh = rng.uniform(-1, 0.3, 2000)
    alpha = np.where(rng.random(2000) < 0.5, 0.02, 0.22)
    frame = pd.DataFrame({"mh": mh, "mh_cnn": mh, "alpha_m": alpha, "alpha_m_cnn": 0.1 - 0.1 * mh})
    found = alpha_line(frame)["alpha_m"]
    assert found["kept"] < 0.1 and found["r2"] == pytest.approx(1.0) and found["slope"] == pytest.approx(-0.1)
    assert judge({"main": {}}, []) == []


def test_volume_tells_samples_apart(sky, cfg, tmp_path):
    _, paths = sky
    stars = pd.concat([read_table(p) for p in paths["stars"]])
    near = stars[(stars["z_gal"].abs() < 0.3).to_numpy(bool)]
    for name, rows in (("same", stars.iloc[::7]), ("near", near.iloc[::3])):
        write_table(tmp_path / f"{name}.parquet", rows[["rave_obs_id"]])
    found = {k: run_volume(paths["stars"], tmp_path / f"{k}.parquet", cfg, True, tmp_path / "t.parquet", tmp_path / "s.json")
             for k in ("same", "near")}
    assert found["same"]["same_volume"] and found["same"]["same_ages"] and found["same"]["same_shape_of_ages"]
    assert not found["near"]["same_volume"] and found["near"]["quantities"]["abs_z"]["ks"] > 0.2
    assert read_table(tmp_path / "t.parquet").groupby(["quantity", "sample"])["share"].sum().to_numpy() == pytest.approx(1.0)
    assert compare(np.array([]), np.arange(5.0))["ks"] is None


def test_mono_alpha_and_maps(sky, cfg, tmp_path):
    _, paths = sky
    found = run_mono_alpha(paths["stars"], paths["photometry"], cfg, True, tmp_path / "t.parquet", tmp_path / "s.json")
    whole = found["components"]["all"]
    table = read_table(tmp_path / "t.parquet")
    assert whole["n_ranges"] == (table["component"] == "all").sum() > 2 and (table["slope_error"] > 0).all()
    tables, summaries = ({r: tmp_path / f"{r}.{k}" for r in ("mg_fe", "si_fe")} for k in ("parquet", "json"))
    maps = run_maps(paths["stars"], paths["photometry"], cfg, True, tables, summaries)
    assert maps["mg_fe"]["order"]["poor_dominate_below"] and maps["mg_fe"]["larger_scatter"] in (True, False)
    assert read_json(summaries["si_fe"])["ratio"] == "si_fe" and len(read_table(tables["si_fe"]))


def test_continuum_is_measured(variants, cfg, tmp_path, monkeypatch):
    from types import SimpleNamespace

    from starlabels.rave.studies import continuum

    _, (training, _, _) = variants
    frame = read_table(training["main"]).assign(**{name: 1.0 for name in cfg["inputs"]})
    write_table(tmp_path / "training.parquet", frame)
    about = SimpleNamespace(architecture=SimpleNamespace(inputs=9), weights=np.zeros((3, 2)))
    packed = SimpleNamespace(ids=frame["rave_obs_id"].to_numpy(), flux=np.ones((len(frame), 5), np.float32))
    seen = []

    def predicted(flux, raw, ensemble, settings, threads):
        seen.append(flux)
        level = flux.mean(axis=1) - 1
        columns = {f"{p}_cnn": frame[p].to_numpy() + made_up.NOISE[p] * (np.sin(np.arange(len(frame))) + 20 * level) for p in cfg["labels"]}
        return np.ones(len(frame), bool), columns | {f"{p}_cnn_err": np.zeros(len(frame)) for p in cfg["labels"]}

    monkeypatch.setattr(continuum, "label_columns", predicted)
    monkeypatch.setattr(continuum, "read_packed", lambda path, grid: packed)
    monkeypatch.setattr(continuum.Ensemble, "load", classmethod(lambda cls, path: about))
    out = tmp_path / "t.parquet", tmp_path / "s.json"
    found = continuum.run_continuum(tmp_path / "training.parquet", "s.h5", "e.npz", cfg, True, 1, *out)
    assert found["holds"] is False and found["ways"]["scaled"]["test"]["change"] == "worse" and found["n_networks"] == 3
    assert np.abs(seen[1].mean(axis=1) - 1).max() <= 0.2 + 1e-6 and np.ptp(seen[1], axis=1).max() < 1e-6
    table = read_table(out[0])
    assert len(table) == 2 * 2 * 9 and (table["moved"] > 0).all()
