"""Every figure of the SAGES paper, drawn from small made-up inputs: axes, labels, legends, counts, and the numbers beside it."""

import ast
import io
import shutil

import figure_inputs
import matplotlib.collections as mcollections
import numpy as np
import pandas as pd
import pytest
import yaml
from matplotlib.image import imread
from matplotlib.patches import StepPatch
from matplotlib.text import Text

from starlabels.errors import InputError
from starlabels.figures import make, style
from starlabels.io import read_json, read_table, write_json, write_table

#: panels that state a number of stars
PANELS = {
    "fig01_cmd": 1, "fig02_samples_set1": 4, "fig03_samples_set2": 4, "fig04_hyperparameters": 2, "fig06_test_set1": 10,
    "fig07_test_set2": 4,
    "fig08_bins": 6, "fig09_h23": 4, "fig10_a23": 5, "fig11_clusters": 4, "fig12_metallicity": 2, "figx_crossmatch": 9,
    "figx_cluster_members": 8, "figx_truth_set1": 2, "figx_truth_set2": 1, "figx_extinction": 6, "figx_coverage": 6, "figx_methods": 2,
    "figx_cool_mask": 2,
}
COMPARISONS = ["fig06_test_set1", "fig07_test_set2", "fig09_h23", "fig10_a23", "figx_truth_set1", "figx_truth_set2"]
ROOT = figure_inputs.Path(__file__).resolve().parents[3]
MODULES = ROOT / "workflow/scripts/starlabels/figures"
ENTRIES = {e["id"]: e for e in yaml.safe_load((ROOT / "config/figures.yaml").read_text())["figures"] if e["paper"] == "sages"}


@pytest.fixture(scope="module")
def cfg() -> dict:
    return yaml.safe_load((ROOT / "config/sages.yaml").read_text())["sages"]


@pytest.fixture(scope="module")
def entries() -> dict:
    return ENTRIES


def draw(name: str, inputs: dict, cfg: dict, simulated: bool = True):
    module = make.module_of("sages", ENTRIES[name].get("module", name))
    with style.context():
        return module.draw(inputs, cfg, simulated)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory, cfg, entries):
    """Draw a figure once; it gets only the inputs and the parts of the configuration that its entry lists."""
    made = {}

    def get(name):
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            inputs = figure_inputs.INPUTS[name](folder)
            keep = {str(p) for p in inputs.values()}
            for path in folder.iterdir():
                if str(path) not in keep:
                    path.unlink()
            part = {k: cfg[k] for k in entries[name].get("settings", [])}
            with style.context():
                figure, numbers = draw(name, inputs, part)
                buffer = io.BytesIO()
                figure.savefig(buffer, format="png", dpi=72)      # also fixes the layout
            buffer.seek(0)
            made[name] = figure, numbers, inputs, imread(buffer)
        return made[name]

    return get


def notes(name: str, inputs: dict, cfg: dict, simulated: bool = True) -> str:
    return make.module_of("sages", ENTRIES[name].get("module", name)).notes(inputs, cfg, simulated)


def texts(figure) -> list[str]:
    return [t.get_text() for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]


def legend_texts(figure) -> str:
    found = [*figure.legends, *(ax.get_legend() for ax in figure.axes if ax.get_legend())]
    found += [legend for sub in figure.subfigs for legend in sub.legends]
    found += [child for ax in figure.axes for child in ax.get_children() if type(child).__name__ == "Legend"]
    return "\n".join(t.get_text() for legend in found for t in legend.get_texts())


def axis_with(figure, title=None, x=None, y=None):
    return next(a for a in figure.axes if (title is None or title in (a.get_title(), a.get_title("left")))
                and (x is None or x in a.get_xlabel()) and (y is None or y in a.get_ylabel()))


ALL = sorted(figure_inputs.INPUTS)
FIGURES = [n for n in ALL if n.startswith("fig")]


def test_every_figure_has_an_entry_a_module_and_a_test(entries):
    modules = {p.stem for p in (MODULES / "sages").glob("*.py") if p.stem != "__init__" and not p.stem.startswith("table")}
    assert {entry.get("module", name) for name, entry in entries.items()} == modules
    assert set(entries) == set(FIGURES)


@pytest.mark.parametrize("name", FIGURES)
def test_inputs_are_those_of_the_entry(name, entries, tmp_path):
    assert set(figure_inputs.INPUTS[name](tmp_path)) == set(entries[name]["inputs"])


@pytest.mark.parametrize("name", FIGURES)
def test_text_is_readable_at_the_width_of_the_journal(name, drawn):
    figure = drawn(name)[0]
    width = figure.get_size_inches()[0] * 25.4
    assert np.isclose(width, style.COLUMN) or np.isclose(width, style.PAGE)
    assert figure.get_size_inches()[1] * 25.4 < 240
    sizes = [t.get_fontsize() for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]
    assert min(sizes) >= 7


@pytest.mark.parametrize("name", FIGURES)
def test_simulated_sky_is_noted(name, drawn):
    assert texts(drawn(name)[0]).count("Simulated sky") == 1


@pytest.mark.parametrize("name", sorted(PANELS))
def test_every_panel_states_its_number_of_stars(name, drawn):
    assert sum("N = " in t for t in texts(drawn(name)[0])) == PANELS[name]


@pytest.mark.parametrize("name", FIGURES)
def test_no_panel_is_empty_in_the_picture(name, drawn):
    figure, _, _, picture = drawn(name)
    height, width = picture.shape[:2]
    for ax in figure.axes:
        box = ax.get_window_extent().transformed(figure.transFigure.inverted())
        rows = slice(int(np.ceil((1 - box.y1) * height)) + 1, int((1 - box.y0) * height) - 1)
        part = picture[rows, int(np.ceil(box.x0 * width)) + 1:int(box.x1 * width) - 1, :3]
        assert part.size and part.std() > 0.005, f"{ax.get_title()} {ax.get_ylabel()} is blank"


@pytest.mark.parametrize("name", FIGURES)
def test_axes_are_labelled(name, drawn):
    figure = drawn(name)[0]
    for ax in figure.axes:
        if not ax.axison:
            continue
        outer = "".join(f.get_supxlabel() for f in (figure, *figure.subfigs))
        if any(t.get_visible() for t in ax.get_xticklabels()) and not ax.get_xlabel():
            shared = [o.get_xlabel() for o in ax.get_shared_x_axes().get_siblings(ax)]
            assert any(shared) or outer, f"no x label: {ax.get_title()}"


@pytest.mark.parametrize("name", [n for n in FIGURES if n != "fig05_flowchart"])
def test_numbers_hold_what_is_drawn(name, drawn):
    """Every vertex of every data line, every step and every cell of a density is in the table."""
    figure, numbers, _, _ = drawn(name)
    columns = [c for c in ("x", "y", "x_lo", "x_hi", "y_lo", "y_hi", "value") if c in numbers]
    known = np.unique(np.round(numbers[columns].to_numpy(float).ravel(), 6))
    known = known[np.isfinite(known)]

    def holds(values):
        values = np.asarray(values, float)
        values = np.round(values[np.isfinite(values)], 6)
        return np.isin(values, known).all()

    cells = 0.0
    for ax in figure.axes:
        for line in ax.lines:
            # lines across the whole panel and keys have axes coordinates in one direction
            in_data = line.get_transform().contains_branch_seperately(ax.transData)
            assert not in_data[0] or holds(line.get_xdata()) or line.get_linestyle() == ":", (ax.get_title(), line.get_label())
            zero = not np.any(np.asarray(line.get_ydata(), float))
            assert not in_data[1] or holds(line.get_ydata()) or zero or line.get_linestyle() == ":", (ax.get_title(), line.get_label())
        for patch in ax.patches:
            if isinstance(patch, StepPatch):
                assert holds(patch.get_data().values)
        for mesh in ax.collections:
            if isinstance(mesh, mcollections.QuadMesh) and "Stars per cell" not in (ax.get_xlabel(), ax.get_ylabel()):
                cells += np.ma.filled(np.ma.masked_invalid(mesh.get_array()), 0).sum()
    if (numbers["element"] == "density").any():
        assert cells == pytest.approx(numbers.loc[numbers["element"] == "density", "value"].sum())


# --- figure by figure ---------------------------------------------------------------------------------------------


def test_fig01_directions_classes_borders(drawn):
    figure, numbers, inputs, _ = drawn("fig01_cmd")
    ax = axis_with(figure, x="BP")
    assert ax.yaxis_inverted() and not ax.xaxis_inverted()
    counts, legend = read_json(inputs["summary"])["counts"], legend_texts(figure)
    for name in ("dwarf", "giant", "hot_subdwarf", "white_dwarf"):
        assert f"{style.CLASS_NAME[name]} ({style.count(counts[name])})" in legend
    assert set(numbers.loc[numbers["element"] == "border", "series"]) == {"giant", "white_dwarf", "hot_subdwarf"}
    assert len({style.ROLE[c] for c in counts}) == 4


def test_fig01_counts_the_stars_left_out(tmp_path, cfg):
    inputs = figure_inputs.cmd(tmp_path)
    assert notes("fig01_cmd", inputs, cfg) == ""
    write_json(inputs["summary"], {**read_json(inputs["summary"]), "likely_giants": 1122})
    assert f"{style.count(1122)} likely giants" in notes("fig01_cmd", inputs, cfg)


def test_fig01_dwarfs_lie_on_their_side_of_the_border(drawn, cfg):
    numbers = drawn("fig01_cmd")[1]
    border = numbers[(numbers["element"] == "border") & (numbers["series"] == "giant")]
    c0, c1, c2 = cfg["classes"]["giant"]
    assert np.allclose(border["y"], c0 + c1 * border["x"] + c2 * border["x"] ** 2)


@pytest.mark.parametrize("name", ["fig02_samples_set1", "fig03_samples_set2"])
def test_samples_show_every_survey_down_to_single_stars(name, drawn):
    figure, numbers, inputs, _ = drawn(name)
    for ax in (a for a in figure.axes if "BP" in a.get_xlabel()):
        assert ax.yaxis_inverted()
    histograms = [a for a in figure.axes if "[Fe/H]" in a.get_xlabel()]
    assert all(a.get_yscale() == "log" and a.get_ylim()[0] < 1 for a in histograms)
    bars, legend = read_table(inputs["feh"]), legend_texts(figure)
    for survey, n in bars.groupby("survey")["count"].sum().items():
        assert f"{style.survey_name(survey)} ({style.count(n)})" in legend
    poorest = bars.loc[bars["count"] > 0, "lo"].min()
    assert min(a.get_xlim()[0] for a in histograms) <= poorest
    drawn_stars = numbers.loc[(numbers["element"] == "bar"), "value"].sum()
    assert drawn_stars == bars["count"].sum()


def test_samples_without_the_bands_of_the_colour_have_no_diagram(tmp_path, cfg):
    inputs = figure_inputs.samples(tmp_path, 1)
    write_table(inputs["cmd"], read_table(inputs["cmd"]).iloc[:0])
    figure, numbers = draw("fig02_samples_set1", inputs, cfg)
    assert len(figure.axes) == 2 and set(numbers["panel"]) == {"feh/train", "feh/test"}


def test_fig04_marks_the_choice_and_names_the_gain(drawn):
    figure, numbers, _, _ = drawn("fig04_hyperparameters")
    left, right = axis_with(figure, x="n_estimators"), axis_with(figure, x="max_depth")
    legend = legend_texts(figure)
    for text in ("all", "1/2", "1/3", "sqrt", "log_2", "chosen: 300 trees", "0.12 %", "2.5 times as fast as 750", "mean", "depth 17"):
        assert text in legend, text
    chosen = numbers[numbers["element"] == "chosen"].set_index("panel")["x"]
    assert chosen.to_dict() == {"trees": 300, "depth": 17}
    assert len(left.lines) == 6 and len(right.lines) == 5
    mean = next(line for line in right.lines if line.get_label() == "mean")
    assert mean.get_color() == "black" and mean.get_linestyle() == "--"


def test_fig04_draws_equal_choices_as_one_line(tmp_path, cfg):
    inputs = figure_inputs.scan(tmp_path)
    table = read_table(inputs["scan"])
    table.loc[table["max_features"] == "log2", "one_minus_oob"] = table.loc[table["max_features"] == "sqrt", "one_minus_oob"].to_numpy()
    write_table(inputs["scan"], table)
    summary = read_json(inputs["summary"])
    summary["oob_r2_by_depth"][0]["mean"] = 0.5                                # a shallow forest so bad that the rest is enlarged
    write_json(inputs["summary"], summary)
    figure, numbers = draw("fig04_hyperparameters", inputs, cfg)
    left = axis_with(figure, x="n_estimators")
    assert len(left.lines) == 5 and r"$\sqrt{p}$, $\log_2 p$" in legend_texts(figure)
    lines = numbers[(numbers["panel"] == "trees") & (numbers["element"] == "line")]
    assert set(lines["series"]) == {"all", "0.5", "0.3333", "sqrt", "log2"} and len(lines) == 50
    inset, = axis_with(figure, x="max_depth").child_axes
    assert inset.get_xlabel() == "max_depth"


def test_fig05_draws_every_rule_and_no_target(drawn):
    figure, numbers, _, _ = drawn("fig05_flowchart")
    nodes = numbers[numbers["element"] == "node"]
    assert set(nodes["text"]) == set(figure_inputs.RULES) - {"all"}
    assert "5 models" in "".join(texts(figure)) and "scan: hyper-\nparameters" in texts(figure)
    height = nodes.set_index("text")["y"]
    for rule, needs in figure_inputs.RULES.items():
        for need in needs if rule != "all" else []:
            assert height[need] > height[rule]


@pytest.mark.parametrize("name", COMPARISONS)
def test_comparison_panels(name, drawn):
    figure, numbers, inputs, _ = drawn(name)
    summary = read_json(inputs["summary"])
    tops = [a for a in figure.axes if a.get_title()]
    assert len(tops) == len(summary["panels"])
    for ax in tops:
        assert ax.get_xlim() == ax.get_ylim()
        line = ax.lines[0]
        assert np.array_equal(line.get_xdata(), line.get_ydata()) and line.get_linestyle() == "--"
        assert (line.get_color() == style.RED) == (name in ("fig09_h23", "fig10_a23"))
    for panel, fit in summary["panels"].items():
        own = numbers[numbers["panel"].str.startswith(panel + "/")]
        assert {"density", "line", "value", "residual_bar", "gaussian"} <= set(own["element"])
        assert own.loc[own["series"] == "n", "value"].item() == fit["n"]
        peak = own.loc[own["element"] == "gaussian", "x"].max()
        assert peak == pytest.approx(fit["amplitude"], rel=1e-3)
        parameter = panel.split("_")[0]
        assert any(style.number(fit["sigma"], parameter) in t and style.number(fit["mean"], parameter) in t for t in texts(figure))


def test_comparison_axes_hold_every_star(drawn):
    figure, _, inputs, _ = drawn("fig10_a23")
    cells = read_table(inputs["density"])
    cells = cells[(cells["kind"] == "one_to_one") & (cells["panel"] == "teff_dwarf")]
    low, high = axis_with(figure, title=r"$T_\mathrm{eff}$, dwarfs").get_xlim()
    assert low <= min(cells["x_lo"].min(), cells["y_lo"].min()) and high >= max(cells["x_hi"].max(), cells["y_hi"].max())


def test_comparison_names_both_sides(drawn):
    assert {"H23 [Fe/H] (dex)", "This work [Fe/H] (dex)"} <= set(texts(drawn("fig09_h23")[0]))
    assert {"A23 [M/H] (dex)", "A23 $T_\\mathrm{eff}$ (K)", "This work [Fe/H] (dex)"} <= set(texts(drawn("fig10_a23")[0]))
    assert {"Spectroscopic [Fe/H] (dex)", "This work [Fe/H] (dex)"} <= set(texts(drawn("fig06_test_set1")[0]))


def test_comparison_states_the_scatter_without_training_stars(tmp_path, cfg, drawn):
    figure, numbers, inputs, _ = drawn("fig06_test_set1")
    clean = read_json(inputs["summary"])["splits"]["leakage_free"]
    for panel, fit in clean.items():
        parameter = panel.split("_")[0]
        unit = style.PARAMETER[parameter][1]
        values = [f"${symbol}$ = {style.number(fit[k], parameter)} {unit}" for symbol, k in ((r"\mu", "mean"), (r"\sigma", "sigma"))]
        assert "\n".join([f"clean: N = {style.count(fit['n'])}", *values]) in texts(figure)
        own = numbers[numbers["panel"] == f"{panel}/one_to_one"].set_index("series")["value"]
        assert own["sigma clean"] == fit["sigma"] and own["n clean"] == fit["n"]
    summary = read_json(inputs["summary"])
    summary["splits"]["leakage_free"] = summary["panels"]                       # no star in common: nothing to add
    same = {**inputs, "summary": tmp_path / "same.json"}
    write_json(same["summary"], summary)
    assert not any("clean" in t for t in texts(draw("fig06_test_set1", same, cfg)[0]))


def test_truth_prints_the_standard_deviation_and_counts_dwarfs_too_poor(tmp_path, cfg, drawn):
    figure, numbers, inputs, _ = drawn("figx_truth_set1")
    for panel, fit in read_json(inputs["summary"])["panels"].items():
        assert any(t.endswith(f"SD = {style.number(fit['std'], panel.split('_')[0])} dex") for t in texts(figure))
        assert numbers.loc[(numbers["panel"] == f"{panel}/one_to_one") & (numbers["series"] == "std"), "value"].item() == fit["std"]
    assert not any("SD = " in t for t in texts(drawn("fig06_test_set1")[0])) and notes("figx_truth_set1", inputs, cfg) == ""
    own = {"summary": tmp_path / "truth.json"}
    poor = {"true_above": -0.6, "predicted_below": -0.7, "by": 0.5, "n": 21919, "count": 1476, "share": 1476 / 21919}
    write_json(own["summary"], {**read_json(inputs["summary"]), "too_poor": poor})
    text = notes("figx_truth_set2", own, cfg)
    assert f"Of {style.count(21919)} dwarfs" in text and f"{style.count(1476)} (6.7 %)" in text and "below \N{MINUS SIGN}0.7 " in text


def test_comparison_axes_grow_little_for_texts(tmp_path, cfg):
    """Stars everywhere: no room can be made, and the texts stand on a ground."""
    inputs = figure_inputs.comparison(tmp_path, "a23", panels=("feh_dwarf",), x="A23")
    steps = np.arange(-2.0, 0.0, 0.1)
    x, y = (a.ravel() for a in np.meshgrid(steps, steps))
    full = pd.DataFrame({"x_lo": x, "x_hi": x + 0.1, "y_lo": y, "y_hi": y + 0.1, "count": 5, "panel": "feh_dwarf", "kind": "one_to_one"})
    write_table(inputs["density"], pd.concat([full, read_table(inputs["density"]).query("kind == 'residual'")], ignore_index=True))
    figure, _ = draw("fig10_a23", inputs, cfg)
    ax = axis_with(figure, title="[Fe/H], dwarfs")
    low, high = ax.get_xlim()
    assert low == pytest.approx(-2.04) and 0.04 < high <= 0.04 + 0.1 * 2.08 + 1e-9
    assert any("N = " in t.get_text() and t.get_bbox_patch() is not None for t in ax.texts)


def test_comparison_leaves_out_a_class_without_stars(tmp_path, cfg):
    inputs = figure_inputs.comparison(tmp_path, "test_set1")
    summary = read_json(inputs["summary"])
    summary["panels"]["feh_giant"]["n"] = 0
    del summary["panels"]["teff_giant"]
    write_json(inputs["summary"], summary)
    figure, numbers = draw("fig06_test_set1", inputs, cfg, simulated=False)
    titles = [a.get_title() for a in figure.axes if a.get_title()]
    assert titles == ["[Fe/H], dwarfs", r"$T_\mathrm{eff}$, dwarfs", r"$\log\,g$, all stars"]
    assert not numbers["panel"].str.contains("giant").any()
    assert "Simulated sky" not in texts(figure)


def test_comparison_without_a_fit_prints_the_median(tmp_path, cfg):
    inputs = figure_inputs.comparison(tmp_path, "test_set1", panels=("feh_dwarf",), n=30)
    summary = read_json(inputs["summary"])
    summary["panels"]["feh_dwarf"] |= {"mean": None, "sigma": None, "amplitude": None, "median": 0.125}
    write_json(inputs["summary"], summary)
    figure, numbers = draw("fig06_test_set1", inputs, cfg)
    assert any("median = 0.125 dex" in t for t in texts(figure))
    assert "gaussian" not in set(numbers["element"])


def test_comparison_without_stars_is_an_error(tmp_path, cfg):
    inputs = figure_inputs.comparison(tmp_path, "test_set1")
    write_json(inputs["summary"], {"panels": {"feh_dwarf": {"n": 0}}, "x": "spectroscopic", "y": "this work"})
    with pytest.raises(InputError, match="no panel with stars"):
        draw("fig06_test_set1", inputs, cfg)


def test_fig08_shapes_colours_and_lines(drawn):
    figure, numbers, inputs, _ = drawn("fig08_bins")
    legend = legend_texts(figure)
    for text in ("APOGEE, data set 1", "APOGEE, data set 2", "Nine papers, data set 1", "Dwarfs", "Giants", "All stars", "data set 2"):
        assert text in legend, text
    assert numbers.loc[numbers["element"] == "point", "value"].min() >= 50
    bins = read_table(inputs["bins"])
    shown = bins[(bins["split"] == "literal") & (bins["n"] >= 50)]
    assert (numbers["element"] == "point").sum() == 2 * len(shown)
    ax = axis_with(figure, y=r"\sigma$([Fe/H])")
    shapes = {line.get_marker() for line in ax.lines if line.get_marker() != "None"}
    assert shapes == {"^", "s"} and ax.get_ylim()[0] == 0
    dashed = {line.get_color(): line.get_ydata()[0] for line in ax.lines if line.get_linestyle() == "--"}
    overall = read_json(inputs["summary"])["overall"]
    assert dashed == {style.BLUE: overall["1"]["feh"]["sigma"], style.RED: overall["2"]["feh"]["sigma"]}
    clean = read_json(inputs["summary"])["overall_leakage_free"]
    written = numbers[(numbers["panel"] == "feh/sigma") & (numbers["series"] == "clean set 2")]["y"].item()
    assert written == clean["2"]["feh"]["sigma"] and any(line.get_linestyle() == ":" for line in ax.lines) and "clean" in legend


def test_fig08_tells_five_data_sets_apart(tmp_path, cfg):
    figure, numbers = draw("fig08_bins", figure_inputs.bins(tmp_path, sets=(1, 2, 3, 4, 7)), cfg)
    figure.draw_without_rendering()
    key = {t.get_text(): h.get_color() for t, h in zip(figure.legends[0].get_texts(), figure.legends[0].legend_handles, strict=True)}
    series = {text: colour for text, colour in key.items() if ", data set" in text}
    assert len(series) == 10 and len(set(series.values())) == 10
    for ax in figure.axes:
        counts, = [t for t in ax.texts if t.get_text().startswith("N = ")]
        box, panel = counts.get_window_extent(), ax.get_window_extent()
        assert counts.get_text().count("(set ") == 5 and panel.x0 < box.x0 and box.x1 < panel.x1 and box.y1 < panel.y1
        lines = [line for line in ax.lines if line.get_marker() in "^so"]
        assert max(np.max(line.get_transform().transform(line.get_xydata())[:, 1]) for line in lines) < box.y0


def test_fig08_lines_break_where_a_bin_is_missing(tmp_path, cfg):
    inputs = figure_inputs.bins(tmp_path, sets=(1,))
    table = read_table(inputs["bins"])
    middle = table.groupby(["test_set", "parameter", "star_class"])["lo"].transform("median")
    width = table["hi"] - table["lo"]
    write_table(inputs["bins"], table[abs(table["lo"] - middle) >= width])
    figure, _ = draw("fig08_bins", inputs, cfg)
    lines = [line for ax in figure.axes for line in ax.lines if line.get_marker() in "^so"]
    assert lines and all(np.isnan(line.get_ydata()).sum() == 1 for line in lines)


def test_fig08_names_the_least_number_of_a_bin(cfg):
    assert "at least 50 stars" in notes("fig08_bins", {}, cfg)


def test_fig08_without_bins_is_an_error(tmp_path, cfg):
    inputs = figure_inputs.bins(tmp_path)
    with pytest.raises(InputError, match="bin_min_stars"):
        draw("fig08_bins", inputs, {"validation": {"bin_min_stars": 10**6}})


def test_fig11_lines_and_legend(drawn, cfg):
    figure, numbers, inputs, _ = drawn("fig11_clusters")
    summary = read_json(inputs["summary"])
    assert len(figure.axes) == 4
    for ax, cluster in zip(figure.axes, cfg["clusters"]["list"], strict=True):
        result = summary[cluster["name"]]
        looks = {line.get_color(): line.get_linestyle() for line in ax.lines}
        assert looks == {style.RED: "--", "#000000": "--"}
        words = "\n".join(t.get_text() for t in ax.get_legend().get_texts())
        assert result["reference"] in words
        assert style.number(result["mean"], "feh") in words and style.number(result["sigma"], "feh") in words
        assert any(f"{cluster['name']}\nN = {result['n_members']}" == t.get_text() for t in ax.texts)
        bars = numbers[(numbers["panel"] == cluster["name"]) & (numbers["element"] == "bar")]
        assert bars["value"].sum() == result["n_members"]


def test_fig11_shows_what_the_simulated_sky_gives_a_cluster(tmp_path, cfg):
    inputs = figure_inputs.INPUTS["fig11_clusters"](tmp_path)
    assert notes("fig11_clusters", inputs, cfg) == ""
    summary = read_json(inputs["summary"])
    summary["NGC 2420"]["simulated_feh"], summary["NGC 2682"]["simulated_feh"] = -0.10, 0.035        # the second is near its reference
    write_json(inputs["summary"], summary)
    figure, numbers = draw("fig11_clusters", inputs, cfg)
    first, second = figure.axes[:2]
    line, = [line for line in first.lines if line.get_linestyle() == ":"]
    assert line.get_xdata()[0] == -0.10 and line.get_label() == "simulated: \N{MINUS SIGN}0.10"
    assert "simulated: \N{MINUS SIGN}0.10" in legend_texts(figure) and not any(line.get_linestyle() == ":" for line in second.lines)
    assert numbers.loc[numbers["series"] == "simulated", ["panel", "x"]].to_numpy().tolist() == [["NGC 2420", -0.10]]
    text = notes("fig11_clusters", inputs, cfg)
    assert "(NGC 2420 \N{MINUS SIGN}0.10)" in text and notes("fig11_clusters", inputs, cfg, simulated=False) == ""


def test_fig11_cluster_without_members(tmp_path, cfg):
    inputs = figure_inputs.INPUTS["fig11_clusters"](tmp_path)
    summary = read_json(inputs["summary"])
    nothing = dict.fromkeys(("mean", "sigma", "amplitude", "median"))
    summary["NGC 2420"] = {"n_members": 0, **nothing, "histogram": [], "literature": -0.05}
    write_json(inputs["summary"], summary)
    figure, numbers = draw("fig11_clusters", inputs, cfg)
    assert any("NGC 2420\nN = 0" in t for t in texts(figure))


def test_fig12_counts_and_fractions(drawn):
    figure, numbers, inputs, _ = drawn("fig12_metallicity")
    table = read_table(inputs["histogram"])
    bars = numbers[numbers["element"] == "bar"]
    assert bars["value"].sum() == table["count"].sum()
    printed = texts(figure)
    assert all(style.count(n) in printed for n in bars["value"])
    assert any("81.11 %" in t for t in printed) and any("82.00 %" in t for t in printed) and any("77.59 %" in t for t in printed)
    for ax in figure.axes:
        assert ax.get_yscale() == "log" and ax.get_ylim()[0] < 1
        colours = {tuple(np.round(p.get_facecolor()[:3], 3)) for p in ax.patches}
        assert len(colours) == 2


def test_fig12_points_to_the_dwarfs_that_come_out_too_poor(drawn):
    inputs = drawn("fig12_metallicity")[2]
    assert "figx_truth_set1 and figx_truth_set2." in notes("fig12_metallicity", inputs, {})
    assert notes("fig12_metallicity", inputs, {}, simulated=False) == ""


@pytest.mark.parametrize("width", [0.1, 0.3, 1.0])
def test_fig12_draws_bars_of_any_width_as_given(tmp_path, width):
    inputs = figure_inputs.metallicity(tmp_path, width)
    figure, numbers = draw("fig12_metallicity", inputs, {})
    table = read_table(inputs["histogram"]).sort_values(["data_set", "star_class", "lo"])
    table = table[table["count"] > 0]
    bars = numbers[numbers["element"] == "bar"].sort_values(["panel", "series", "x_lo"])
    assert bars["x_lo"].tolist() == table["lo"].tolist() and bars["value"].tolist() == table["count"].tolist()
    printed = sum(t.get_rotation() == 90 for ax in figure.axes for t in ax.texts)
    assert printed == (0 if width == 0.1 else len(bars))             # narrow bars leave no room for their counts


def test_fig12_keys_and_shares_stay_apart_for_three_data_sets(tmp_path):
    figure, _ = draw("fig12_metallicity", figure_inputs.metallicity(tmp_path, sets=3), {})
    figure.draw_without_rendering()
    assert len(figure.axes) == 3
    for ax in figure.axes:
        shares = [t.get_window_extent() for t in ax.texts if any(w in t.get_text() for w in ("[Fe/H]", "this work", "Gu et al."))]
        assert len(shares) in (2, 3)
        for left, right in zip(shares, [*shares[1:], ax.get_legend().get_window_extent()], strict=True):
            assert left.x1 < right.x0


def test_fig12_without_published_fractions(tmp_path, cfg):
    inputs = figure_inputs.metallicity(tmp_path)
    content = read_json(inputs["fractions"])
    for found in content["data_sets"].values():
        found["published"] = None
    write_json(inputs["fractions"], content)
    figure, numbers = draw("fig12_metallicity", inputs, {})
    assert not any("Gu et al." in t for t in texts(figure)) and "paper" not in set(numbers["series"])


def test_crossmatch_page(drawn):
    figure, numbers, inputs, _ = drawn("figx_crossmatch")
    legend = legend_texts(figure)
    names = {t.get_text(): h.get_color() for f in figure.subfigs for key in f.legends
             for t, h in zip(key.get_texts(), key.legend_handles, strict=True)}
    assert len({names[n] for n in ("SAGES", "2MASS", "AllWISE", "GALEX", "RAVE DR5", "PASTEL", "Nine papers")}) == 7
    assert names["PASTEL"] == style.SURVEY_COLOUR["pastel"]
    shapes = {t.get_text(): h.get_marker() for f in figure.subfigs for key in f.legends
              for t, h in zip(key.get_texts(), key.legend_handles, strict=True)}
    assert shapes["Gaia at its own epoch"] == "v" and shapes["Gaia moved to each source's date"] == "o"
    assert "2MASS" in legend and "Gaia at its own epoch" in legend and "as the run kept them" not in legend
    table = read_table(inputs["table"])
    shown = table["gaia_motion"] & (table["n_true"] >= 20)
    assert (numbers["panel"] == "completeness").sum() == shown.sum() + 1


def test_cluster_pages_point_the_astronomers_way(drawn):
    figure, numbers, inputs, _ = drawn("figx_cluster_members")
    diagrams = [a for a in figure.axes if "BP" in a.get_xlabel()]
    assert len(diagrams) == 4 and all(a.yaxis_inverted() for a in diagrams)
    motions = [a for a in figure.axes if "mas" in a.get_xlabel()]
    assert all(a.xaxis_inverted() for a in motions)
    stars = read_table(inputs["clusters"])
    own = numbers[numbers["panel"].str.endswith("/cmd")]
    assert len(own) == len(stars) and (own["series"] == "member").sum() == stars["member"].sum()
    unused = (stars["probability"] > 0.9) & ~stars["member"]
    assert (own["series"] == "not used").sum() == unused.sum() > 0
    assert "probable, not used (S/N, masked)" in legend_texts(figure)


def test_coverage_shows_the_classes_of_the_models(drawn, cfg):
    numbers = drawn("figx_coverage")[1]
    series = set(numbers.loc[numbers["panel"] == "logg/feh", "series"])
    assert {s.split()[-1] for s in series if s.startswith("set")} == {"all"}
    assert not numbers["series"].str.contains("apogee").any()


@pytest.mark.parametrize("name", ["figx_coverage", "figx_extinction"])
def test_truth_of_the_first_data_set_has_open_markers(name, drawn):
    figure = drawn(name)[0]
    open_ones = {line.get_color() for ax in figure.axes for line in ax.lines if line.get_markerfacecolor() == "white"}
    assert open_ones == {style.TRUTH_COLOUR[0]}
    key = {t.get_text(): h for t, h in zip(figure.legends[0].get_texts(), figure.legends[0].legend_handles, strict=True)}
    assert key["Truth, data set 1"].get_markerfacecolor() == "white" and key["Truth, data set 2"].get_marker() in ("", "None")


def test_methods_are_all_there(drawn):
    figure, numbers, inputs, _ = drawn("figx_methods")
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == read_table(inputs["methods"])["method"].tolist()[::-1]
    assert figure.axes[1].get_xscale() == "log" and "data set 1" in figure.axes[0].get_xlabel()
    assert figure.axes[1].get_xlabel() == "Wall time (s); threads: forest 2, others 1"


def test_another_survey_has_its_own_names(tmp_path, cfg):
    other = {**cfg, "classes": {**cfg["classes"], "rule": "logg", "colour": ["splus_g", "splus_i"]}, "features": {"abs_magnitude": None},
             "data_sets": [{"id": 1, "bands": ["splus_f395", "splus_g", "splus_i"]}]}
    figure, _ = draw("fig02_samples_set1", figure_inputs.samples(tmp_path, 1), other)
    assert "$(g - i)_0$ (mag)" in texts(figure) and "$i_0$ (mag)" in texts(figure)


def test_modules_only_draw():
    """No figure module computes statistics, trains, or reads files other than through the readers of given paths."""
    forbidden = ("sklearn", "scipy", "astropy", "starlabels.metrics", "starlabels.forest", "starlabels.sages.validation", "glob", "json")
    for path in [*MODULES.glob("*.py"), *(MODULES / "sages").glob("*.py")]:
        tree = ast.parse(path.read_text())
        package = ["starlabels", "figures", *(["sages"] if path.parent.name == "sages" else [])]
        for node in ast.walk(tree):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                base = ".".join([*package[:len(package) - node.level + 1], node.module or ""]) if node.level else node.module
                names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
            for name in names:
                assert not any(name == f or name.startswith(f + ".") for f in forbidden), f"{path.name} imports {name}"
            if isinstance(node, ast.Call):
                called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                assert called not in ("open", "read_csv", "read_parquet", "glob", "iterdir", "loadtxt"), f"{path.name} calls {called}"


def test_missing_column_is_named(tmp_path, cfg):
    inputs = figure_inputs.cmd(tmp_path)
    write_table(inputs["cmd"], read_table(inputs["cmd"]).drop(columns="mag_lo"))
    with pytest.raises(InputError, match=r"cmd\.parquet, column mag_lo"):
        draw("fig01_cmd", inputs, cfg)


def test_missing_file_is_named(tmp_path, cfg):
    inputs = figure_inputs.scan(tmp_path)
    shutil.rmtree(tmp_path)
    with pytest.raises(InputError, match=r"scan\.parquet: does not exist"):
        draw("fig04_hyperparameters", inputs, cfg)


def test_numbers_are_the_same_each_time(tmp_path, cfg):
    inputs = figure_inputs.bins(tmp_path)
    pd.testing.assert_frame_equal(draw("fig08_bins", inputs, cfg)[1], draw("fig08_bins", inputs, cfg)[1])
