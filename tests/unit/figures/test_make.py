"""Saving of figures and tables, the shared panels, the layout of the flow chart."""

import itertools
import zlib

import figure_inputs
import numpy as np
import pandas as pd
import pytest
import yaml
from matplotlib.figure import Figure
from matplotlib.image import imread
from tiny_stars import good_stars, labels_of, narrow_band_settings, settings, with_features

from starlabels.errors import InputError
from starlabels.figures import graph, latex, make, panels, style
from starlabels.figures.sages import fig05_flowchart, table2_cuts
from starlabels.io import read_json, read_meta, read_table, write_json
from starlabels.rave.plan import COMPARISONS
from starlabels.sages.samples import assemble, survey_entries
from starlabels.sages.selection import prediction_mask, training_mask

ROOT = figure_inputs.Path(__file__).resolve().parents[3]
CFG = yaml.safe_load((ROOT / "config/sages.yaml").read_text())["sages"]
LISTED = yaml.safe_load((ROOT / "config/figures.yaml").read_text())
ENTRIES = {e["id"]: e for kind in ("figures", "tables") for e in LISTED[kind] if e["paper"] == "sages"}
CONFIGS = {paper: yaml.safe_load((ROOT / f"config/{paper}.yaml").read_text())[paper] for paper in ("sages", "rave")}
NEEDS = {
    "sages": {"set1", "set2", "truth", "positions", "cmd", "external_h23", "external_a23", "clusters", "cool_mask"},
    "rave": {"rave_truth", "rave_studies", "real_spectra", "literature", *COMPARISONS},
}
KEYS = {"id", "paper", "module", "title", "caption", "needs", "inputs", "settings"}


def outputs(folder, stem="f"):
    return {"pdf": folder / f"{stem}.pdf", "png": folder / f"{stem}.png", "numbers": folder / f"{stem}.csv"}


def make_one(tmp_path, name="fig11_clusters", simulated=True, stem="f"):
    made = outputs(tmp_path, stem)
    make.make_figure(name, figure_inputs.INPUTS[name](tmp_path), CFG, ENTRIES[name], simulated, made)
    return made


# --- saving -------------------------------------------------------------------------------------------------------


def test_figure_files_are_whole_and_say_simulated_sky(tmp_path):
    made = make_one(tmp_path)
    picture = imread(made["png"])
    assert abs(picture.shape[1] - style.PAGE / 25.4 * style.PNG_DPI) <= 1 and picture[..., :3].std() > 0.02
    pdf = made["pdf"].read_bytes()
    assert pdf.startswith(b"%PDF") and b"CreationDate" not in pdf and b"ModDate" not in pdf
    assert b"simulated sky" in pdf
    assert b"Simulated sky. " in made["png"].read_bytes()
    numbers, members = pd.read_csv(made["numbers"]), read_json(tmp_path / "clusters.json")
    assert numbers.loc[numbers["element"] == "bar", "value"].sum() == sum(c["n_members"] for c in members.values()) > 0
    assert not [p for p in tmp_path.iterdir() if p.name.endswith(".part")]


def test_observed_sky_is_not_called_simulated(tmp_path):
    made = make_one(tmp_path, simulated=False)
    assert b"imulated" not in made["pdf"].read_bytes() and b"imulated" not in made["png"].read_bytes()
    assert make.title(ENTRIES["fig11_clusters"], False) == "Metallicity of star clusters"


def test_the_sentences_of_a_module_follow_the_caption(tmp_path):
    from starlabels.figures.captions import caption_of

    text = caption_of(make_one(tmp_path, "fig08_bins")["png"])
    assert text == make.caption(ENTRIES["fig08_bins"], True, "A bin holds at least 50 stars (sages.validation.bin_min_stars).")


def test_same_inputs_same_bytes(tmp_path):
    first, second = make_one(tmp_path, stem="a"), make_one(tmp_path, stem="b")
    for key in first:
        assert first[key].read_bytes() == second[key].read_bytes(), key


def test_user_settings_do_not_change_a_figure(tmp_path):
    import matplotlib

    first = make_one(tmp_path, stem="a")
    with matplotlib.rc_context({"font.size": 30, "lines.linewidth": 9, "axes.facecolor": "red", "savefig.bbox": "tight"}):
        second = make_one(tmp_path, stem="b")
        assert matplotlib.rcParams["font.size"] == 30
    assert zlib.crc32(first["png"].read_bytes()) == zlib.crc32(second["png"].read_bytes())


def test_numbers_as_parquet(tmp_path):
    frame = pd.DataFrame({"panel": ["a", "b"], "value": [1.0, np.nan]})
    style.save_numbers(frame, tmp_path / "n.parquet", "Title")
    pd.testing.assert_frame_equal(read_table(tmp_path / "n.parquet"), frame.astype({"panel": "str"}))
    assert read_meta(tmp_path / "n.parquet")["title"] == "Title"


def test_wrong_ending_of_numbers(tmp_path):
    with pytest.raises(InputError, match=r"written as \.csv or \.parquet"):
        style.save_numbers(pd.DataFrame({"a": [1]}), tmp_path / "n.txt")


@pytest.mark.parametrize("missing", ["pdf", "png", "numbers"])
def test_missing_output_is_named(tmp_path, missing):
    left = {k: v for k, v in outputs(tmp_path).items() if k != missing}
    with pytest.raises(InputError, match=missing):
        style.save(Figure(), pd.DataFrame(), left, "caption")
    assert not list(tmp_path.iterdir())


def test_a_failed_save_leaves_nothing(tmp_path, monkeypatch):
    def broken(self, target, **kwargs):
        target.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Figure, "savefig", broken)
    with pytest.raises(InputError, match="No space left"):
        style.save(Figure(), pd.DataFrame({"a": [1]}), outputs(tmp_path), "caption")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("change", "message"), [
    (lambda i: {k: v for k, v in i.items() if k != "scan"}, "input scan: is not given"),
    (lambda i: {**i, "more": "x"}, "input more: is given but not listed"),
])
def test_inputs_must_be_those_listed(tmp_path, change, message):
    name = "fig04_hyperparameters"
    with pytest.raises(InputError, match=message):
        make.make_figure(name, change(figure_inputs.scan(tmp_path)), CFG, ENTRIES[name], True, outputs(tmp_path))


def test_unknown_figure(tmp_path):
    entry = {"paper": "sages", "inputs": [], "title": "t", "caption": "c"}
    with pytest.raises(InputError, match="fig99_nothing"):
        make.make_figure("fig99_nothing", {}, CFG, entry, True, outputs(tmp_path))


def test_a_further_data_set_needs_only_an_entry(tmp_path):
    inputs = figure_inputs.samples(tmp_path, 3)
    entry = {**ENTRIES["fig02_samples_set1"], "id": "figx_samples_set3", "title": "Samples of set 3"}
    make.make_figure("figx_samples_set3", inputs, CFG, entry, True, outputs(tmp_path, "figx_samples_set3"))
    assert b"Samples of set 3" in (tmp_path / "figx_samples_set3.pdf").read_bytes()


def test_entries_are_complete():
    ids = [e["id"] for kind in ("figures", "tables") for e in LISTED[kind] if e["paper"] == "sages"]
    assert len(ids) == len(set(ids)) and set(ids) == set(figure_inputs.INPUTS)
    for kind in ("figures", "tables"):
        for entry in LISTED[kind]:
            assert set(entry) <= KEYS and {"id", "paper", "title", "caption", "inputs"} <= set(entry), entry["id"]
            assert set(entry.get("needs", [])) <= NEEDS[entry["paper"]]
            assert set(entry.get("settings", [])) <= set(CONFIGS[entry["paper"]])
            assert entry["caption"].strip().endswith(".")
            # the note is put before each caption; only this figure shows real and simulated spectra side by side
            assert "imulated" not in entry["caption"] or entry["id"] == "figx_real_spectra"


# --- panels -------------------------------------------------------------------------------------------------------


def test_grid_of_a_sparse_histogram():
    table = pd.DataFrame({"x_lo": [0.1 + 0.2, 0.5], "x_hi": [0.4, 0.6], "y_lo": [1, 2], "y_hi": [2, 3], "count": [5, 7]})
    x, y, counts = panels.grid(table)
    assert np.allclose(x, [0.3, 0.4, 0.5, 0.6]) and np.allclose(y, [1, 2, 3])
    assert counts.tolist() == [[5, 0, 0], [0, 0, 7]]


def test_grid_takes_edges_that_differ_by_rounding_for_one():
    table = pd.DataFrame({"x_lo": [0.0, 0.1 + 0.2], "x_hi": [0.3, 0.6], "y_lo": [0, 0], "y_hi": [1, 1], "count": [1, 2]})
    assert panels.grid(table)[2].tolist() == [[1, 2]]


def test_extent_holds_the_share():
    rng = np.random.default_rng(0)
    table = figure_inputs.histogram_2d(rng.normal(0, 1, 20000), rng.normal(0, 1, 20000), 0.1, 0.1)
    low, high = panels.extent(table, "y", share=0.95, pad=0.0)
    inside = table.loc[(table["y_lo"] >= low - 1e-9) & (table["y_hi"] <= high + 1e-9), "count"].sum()
    assert 0.95 <= inside / 20000 < 0.97
    whole = panels.extent(table, "y", pad=0.0)
    assert whole == (table["y_lo"].min(), table["y_hi"].max())


def test_extent_of_nothing():
    empty = pd.DataFrame({"x_lo": [], "x_hi": [], "y_lo": [], "y_hi": [], "count": []})
    assert panels.extent(empty, "x") == (0.0, 1.0)


def test_numbers_refuse_unknown_columns_and_repeat_scalars():
    numbers = panels.Numbers()
    with pytest.raises(ValueError, match="colour"):
        numbers.add("a", "line", colour=3)
    numbers.add("a", "line", x=[1, 2], y=5)
    numbers.add("b", "value", ["n", "m"], value=[7, 8])
    frame = numbers.frame()
    assert frame["y"].tolist()[:2] == [5, 5] and frame["series"].tolist() == ["", "", "n", "m"] and "text" not in frame
    assert list(panels.Numbers().frame().columns) == ["panel", "element", "series"]


def test_gaussian_has_peak_and_width():
    fit = {"mean": 1.0, "sigma": 0.5, "amplitude": 8.0}
    assert panels.gaussian(np.array([1.0, 1.5]), fit) == pytest.approx([8.0, 8 * np.exp(-0.5)])
    assert not panels.has_fit({**fit, "sigma": None}) and not panels.has_fit({}) and panels.has_fit(fit)


def test_density_is_a_bitmap_in_the_pdf():
    ax = Figure().subplots()
    table = pd.DataFrame({"x_lo": [0.0], "x_hi": [1.0], "y_lo": [0.0], "y_hi": [1.0], "count": [3]})
    panels.density(ax, table, panels.log_norm([table]), panels.Numbers(), "p")
    assert ax.collections[0].get_rasterized()


# --- flow chart ---------------------------------------------------------------------------------------------------


def big_graph(seed=0, sizes=(3, 2, 3, 4, 5, 9, 2)):
    """28 rules in layers, each read by some of the next layers."""
    rng, nodes, edges, before = np.random.default_rng(seed), [], [], []
    for k, size in enumerate(sizes):
        layer = [f"rule_{k}_{i}" for i in range(size)]
        for node in layer:
            needs = rng.choice(len(before), min(len(before), 2), replace=False) if before else []
            edges += [(before[i], node) for i in needs]
        nodes += layer
        before = (before + layer)[-8:]
    return nodes, edges


def test_dot_text_is_read(tmp_path):
    nodes, edges = graph.read_dot(figure_inputs.rulegraph(tmp_path)["rulegraph"])
    assert set(nodes) == set(figure_inputs.RULES)
    assert set(edges) == {(need, rule) for rule, needs in figure_inputs.RULES.items() for need in needs}


@pytest.mark.parametrize(("text", "message"), [("digraph {}", "no node"), ('0[label = "a"];\n0 -> 7', "unknown node 7")])
def test_bad_dot_text(tmp_path, text, message):
    path = tmp_path / "g.dot"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        graph.read_dot(path)


def test_missing_dot_file(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        graph.read_dot(tmp_path / "g.dot")


def test_reduction_drops_only_what_follows():
    edges = [("a", "b"), ("b", "c"), ("a", "c"), ("a", "d")]
    assert graph.reduced(edges) == [("a", "b"), ("b", "c"), ("a", "d")]


def test_a_cycle_is_an_error():
    with pytest.raises(InputError, match="cycle"):
        graph.layers(["a", "b"], [("a", "b"), ("b", "a")])


def test_ordering_undoes_crossings():
    nodes = ["a", "b", "c", "x", "y", "z"]
    positions, _ = graph.arrange(nodes, [("a", "z"), ("b", "y"), ("c", "x")])
    order = sorted("abc", key=lambda n: positions[n][0])
    assert sorted("xyz", key=lambda n: positions[n][0]) == [{"a": "z", "b": "y", "c": "x"}[n] for n in order]


@pytest.mark.parametrize("seed", range(4))
def test_boxes_do_not_overlap_and_stay_on_the_page(seed):
    nodes, edges = big_graph(seed)
    positions, routes = graph.arrange(nodes, edges, fig05_flowchart.CROWDED)
    rows = fig05_flowchart.Rows(positions)
    sizes = {n: rows.box(n) for n in nodes}
    assert min(w for w, _ in sizes.values()) > 14              # room for ten letters at 7 pt
    centres = {n: rows.centre(n, rows.height) for n in nodes}
    for a, b in itertools.combinations(nodes, 2):
        (x0, y0), (x1, y1) = centres[a], centres[b]
        assert abs(x0 - x1) >= (sizes[a][0] + sizes[b][0]) / 2 or abs(y0 - y1) >= (sizes[a][1] + sizes[b][1]) / 2
    for node, (x, y) in centres.items():
        width, height = sizes[node]
        assert width / 2 <= x <= style.PAGE - width / 2 and y >= height / 2
    for (a, b), route in routes.items():
        assert positions[a][1] < positions[b][1] and route[0] == positions[a] and route[-1] == positions[b]


@pytest.mark.parametrize(("rule", "stage"), [
    ("simulate", "native files"), ("simulate_maps", "native files"), ("catalog", "catalogues"), ("stars", "cross-match"),
    ("labels", "cross-match"), ("features", "features and samples"), ("samples", "features and samples"), ("train", "training"),
    ("predict", "prediction"), ("predict_samples", "prediction"), ("catalog_product", "catalogues of this work"), ("scan", "validation"),
    ("compare", "validation"), ("crossmatch_truth", "validation"), ("figure", "figures and tables"), ("table", "figures and tables"),
    ("validate_clusters", "validation"), ("something", "other"),
])
def test_stage_of_a_rule(rule, stage):
    assert fig05_flowchart.stage_of(rule)[0] == stage


# --- tables -------------------------------------------------------------------------------------------------------


def table(name, tmp_path, cfg=CFG, simulated=True):
    made = {"tex": tmp_path / "t.tex", "csv": tmp_path / "t.csv"}
    inputs = figure_inputs.INPUTS[name](tmp_path)
    make.make_table(name, inputs, cfg, ENTRIES[name], simulated, made)
    return made["tex"].read_text(), pd.read_csv(made["csv"], keep_default_na=False), inputs


@pytest.mark.parametrize("name", [n for n in figure_inputs.INPUTS if n.startswith("table")])
def test_tables_read_only_their_settings_and_say_simulated(tmp_path, name):
    cfg = {k: CFG[k] for k in ENTRIES[name].get("settings", [])}
    tex, frame, _ = table(name, tmp_path, cfg)
    assert r"\caption{Simulated sky. " in tex and frame.columns[0].endswith("(simulated sky)")
    body = tex[tex.index(r"\begin{tabular}"):tex.index(r"\end{tabular}")]
    rows = [line for line in body.splitlines() if line.endswith(r"\\")]
    assert len(rows) == len(frame) + 1 and all(len(r.split(" & ")) == frame.shape[1] for r in rows)
    assert not any(r.startswith("[") for r in rows)


def test_table1_is_that_of_the_configuration(tmp_path):
    _, frame, _ = table("table1_reddening", tmp_path, simulated=False)
    assert frame["Band"].tolist() == ["NUV", "u", "v", "G", "Bp", "Rp", "J", "H", "K", "W1", "W2"]
    assert dict(zip(frame["Band"], frame["Reddening coefficient"].astype(float), strict=True))["Bp"] == 2.998
    bands = {**CFG["bands"], "gaia_g": {**CFG["bands"]["gaia_g"], "reddening": 2.5}}
    _, frame, _ = table("table1_reddening", tmp_path, {**CFG, "bands": bands}, simulated=False)
    row = frame[frame["Band"] == "G"].iloc[0]
    assert float(row["Reddening coefficient"]) == 2.5 and row["Citation"] == "configuration"


def test_table2_adds_up(tmp_path):
    _, frame, inputs = table("table2_cuts", tmp_path, simulated=False)
    columns = list(frame.columns[3:])
    assert columns == ["Training 1", "Training 2", "Test 1", "Test 2", "Prediction 1", "Prediction 2"]
    counts = frame[columns].replace("", 0).astype(int)
    assert frame["Parameter"].iloc[0] == table2_cuts.START and frame["Parameter"].iloc[-1] == table2_cuts.END
    assert (counts.iloc[0] - counts.iloc[1:-1].sum() == counts.iloc[-1]).all()
    flows = read_json(inputs["samples"][0])["flows"]
    assert counts["Training 1"].iloc[-1] == flows["lamost"][-1]["kept"] + flows["pastel"][-1]["kept"]
    limits = frame.set_index("Parameter")["Training cut"]
    assert {"u error (mag)", "G error (mag)", "Class (added)"} <= set(limits.index)
    row = frame.set_index("Parameter").loc["Parallax over error"]
    assert row["Training cut"] == "> 1"
    assert int(row["Test 1"]) == sum(e["dropped"] for e in flows["apogee"] if e["cut"].startswith("parallax"))


def test_table2_counts_stars_drawn_at_random(tmp_path):
    inputs = figure_inputs.selections(tmp_path)
    content = read_json(inputs["samples"][0])
    last = content["flows"]["lamost"][-1]["kept"]
    content["flows"]["lamost"].append({"cut": "drawn at random, at most 9 training rows", "kept": 9, "dropped": last - 9})
    write_json(inputs["samples"][0], content)
    frame = table2_cuts.table(inputs, CFG, False).set_index("Parameter")
    assert frame.loc["Training rows drawn at random (added)", "Training 1"] == last - 9


@pytest.mark.parametrize("cut", ["sages_u is there", "parallax", "E(B-V) < 0.05 mag", "gaia_g error below 0.01", "sages_w present", ""])
def test_table2_refuses_a_cut_that_no_row_counts(tmp_path, cut):
    inputs = figure_inputs.selections(tmp_path)
    content = read_json(inputs["samples"][1])
    content["flows"]["pastel"][3]["cut"] = cut
    write_json(inputs["samples"][1], content)
    with pytest.raises(InputError, match=r"set2\.json: has a cut that no row of Table 2 counts") as error:
        table2_cuts.table(inputs, CFG, False)
    assert repr(cut) in str(error.value)


def real_flows(cfg, data_set):
    """The flows that the selection itself makes: prediction, training survey by survey, and the assembly of the samples."""
    stars = with_features(good_stars(6, cfg))
    flows, kept = {}, []
    for name, (_, survey) in survey_entries(cfg).items():
        part = stars.merge(labels_of(stars["gaia_dr3_source_id"], name, feh=-1.5), on="gaia_dr3_source_id")
        mask, flow = training_mask(part, cfg, data_set, survey, name)
        flows[name] = flow.to_list()
        kept.append(part[mask])
    return prediction_mask(stars, cfg, data_set)[1].to_list(), assemble(pd.concat(kept, ignore_index=True), cfg, 1, flows)[1]


@pytest.mark.parametrize("cfg", [
    settings(), settings(cuts={"parallax_over_err_min": None, "ebv_max_train": None, "ebv_max_predict": 1e-5}, samples={"max_train": 3}),
    settings(cuts={"parallax_over_err_min": None}, features={"abs_magnitude": None}), narrow_band_settings(),
])  # fmt: skip
def test_table2_knows_every_cut_of_the_selection(cfg):
    rows = set(table2_cuts._limits(cfg))
    for entry in cfg["data_sets"]:
        prediction, samples = real_flows(cfg, entry["id"])
        for flow in (prediction, *samples.values()):
            assert {table2_cuts.parameter_of(e["cut"], cfg) for e in flow[1:]} <= rows
        named = [table2_cuts.parameter_of(e["cut"], cfg) for e in prediction[1:]]
        assert named.count("Magnitudes of the data set") == len(entry["bands"])
        errors = [e["cut"].split(" ")[0] for e, name in zip(prediction[1:], named, strict=True) if name.endswith("error (mag)")]
        assert errors == [b for b in entry["bands"] if cfg["bands"][b]["err_max_predict"] is not None]


def test_table2_takes_one_file_or_several(tmp_path):
    inputs = figure_inputs.selections(tmp_path)
    frame = table2_cuts.table({"samples": inputs["samples"][0], "prediction": inputs["prediction"][0]}, CFG, False)
    assert "Training 1" in frame and "Training 2" not in frame


def test_table2_needs_flows(tmp_path):
    inputs = figure_inputs.selections(tmp_path)
    write_json(inputs["samples"][0], {})
    with pytest.raises(InputError, match="flows"):
        table2_cuts.table(inputs, CFG, False)


def test_table3_lists_the_columns_of_the_files(tmp_path):
    _, frame, inputs = table("table3_columns", tmp_path, simulated=False)
    assert frame["Parameter"].tolist() == ["RA", "[Fe/H]", "u", "J", "out_of_domain"]      # the order of the files, ours last
    assert set(frame["Parameter"]) == set(read_meta(inputs["catalogue"][1])["columns"])
    assert frame.set_index("Parameter").loc["J", "Data set"] == "2"
    assert frame.set_index("Parameter")["Unit"].to_dict() == {"RA": "deg", "[Fe/H]": "dex", "u": "-", "J": "-", "out_of_domain": "-"}


def test_table2_prints_the_limits_that_surveys_set():
    limits = table2_cuts._limits(CFG)
    assert limits["[Fe/H]"][0] == "PASTEL < \N{MINUS SIGN}1, RAVE DR5 < \N{MINUS SIGN}1"
    assert limits["S/N of the spectrum"][0] == "RAVE DR5 > 20"


@pytest.mark.parametrize(("text", "wanted"), [
    ("a_b & 5 %", r"a\_b \& 5 \%"), ("[Fe/H]", "{[}Fe/H]"), (r"$\sigma_1$ of x_1", r"$\sigma_1$ of x\_1"), ("5 $", r"5 \$"),
    ("\N{MINUS SIGN}2", "$-$2"),
])
def test_latex_escape(text, wanted):
    assert latex.escape(text) == wanted
