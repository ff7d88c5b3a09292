"""Figures 6 to 12 and A.1 to A.4 of the RAVE paper and the companions against the truth, drawn from made-up runs."""

import importlib
import io
import shutil

import numpy as np
import pytest
import yaml
from matplotlib.image import imread
from matplotlib.text import Text
from unit.rave.made_up_rave import LABELS, ROOT, configuration, world

from starlabels.errors import InputError
from starlabels.figures import style
from starlabels.io import read_json, read_table, write_json, write_table
from starlabels.rave.validation.abundance_grid import METALLICITY, run_abundance_grids
from starlabels.rave.validation.kiel import run_kiel
from starlabels.rave.validation.labels import run_labels
from starlabels.rave.validation.poor_parallax import run_poor_parallax
from starlabels.rave.validation.truth import run_truth

CFG = configuration()
V = "rave/validation"
POINTS = f"{V}/labels_points.parquet"
BOTH = {"networks": "rave/models/main/photometry/ensemble.json", "networks_alone": "rave/models/main/spectra/ensemble.json"}
ONE = {"networks": BOTH["networks"]}
GRID = {"kiel": f"{V}/abundances_kiel.parquet", "summary": f"{V}/abundances.json"}


def grid(label, *samples):
    return GRID | {s: f"{V}/abundances_{label}_{s}.parquet" for s in samples}


INPUTS = {
    "fig06_labels": {"points": POINTS, "histograms": f"{V}/labels_hist.parquet", "summary": f"{V}/labels.json"} | ONE,
    "fig07_kiel_training": {"points": POINTS} | ONE, "fig08_abundances": {"points": POINTS} | ONE,
    "fig09_alpha_training": grid("alpha_m", "training"), "fig11_alpha_observed": grid("alpha_m", "observed"),
    "fig10_kiel_observed": {"cells": f"{V}/kiel.parquet", "summary": f"{V}/kiel.json"},
    "fig12_poor_parallax": {"cells": f"{V}/poor_parallax.parquet", "trend": f"{V}/poor_parallax_trend.parquet",
                            "summary": f"{V}/poor_parallax.json"},
    "figA1_mg": grid("mg_fe", "training", "observed"), "figA2_si": grid("si_fe", "training", "observed"),
    "figA3_al": grid("al_fe", "training", "observed"), "figA4_ni": grid("ni_fe", "training", "observed"),
    "figx_truth": {"density": f"{V}/truth_density.parquet", "points": f"{V}/truth_points.parquet",
                   "histograms": f"{V}/truth_hist.parquet", "summary": f"{V}/truth.json"} | ONE,
    "figx_truth_snr": {"snr": f"{V}/truth_snr.parquet"} | BOTH,
}
MODULE = {k: "abundance_grid" for k in INPUTS if k[:4] == "figA" or k in ("fig09_alpha_training", "fig11_alpha_observed")}
PANELS = {"fig07_kiel_training": 4, "fig08_abundances": 10, "fig10_kiel_observed": 12, "fig12_poor_parallax": 4, "fig06_labels": 18,
          "figx_truth": 18, "figx_truth_snr": 9}
DRAWN_ONCE = sorted(set(INPUTS) - {"figA2_si", "figA3_al", "figA4_ni"})              # these differ from A.1 in their numbers only


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A results folder with every file that the figures read."""
    folder = tmp_path_factory.mktemp("results")
    run, out = world(tmp_path_factory.mktemp("run"), n=2500, n_training=700), folder / V
    ph, both = run.predictions["photometry"], run.training_predictions
    run_labels(run.training, both["photometry"], both["spectra"], CFG, True, out / "labels.json", out / "labels_points.parquet",
               out / "labels_hist.parquet")
    run_kiel(run.stars, ph, CFG, True, out / "kiel.parquet", out / "kiel.json")
    files = [{y: out / f"abundances_{y}_{kind}.parquet" for y in METALLICITY} for kind in ("training", "observed")]
    run_abundance_grids(run.stars, ph, run.training, both["photometry"], CFG, True, *files, out / "abundances_kiel.parquet",
                        out / "abundances.json")
    run_poor_parallax(run.stars, ph, CFG, True, out / "poor_parallax.parquet", out / "poor_parallax_trend.parquet",
                      out / "poor_parallax.json")
    names = ("truth.json", "truth_density.parquet", "truth_hist.parquet", "truth_points.parquet", "truth_snr.parquet")
    run_truth(run.stars, run.predictions, run.training, both, run.truth, CFG, *(out / n for n in names))
    return folder


def draw(name, folder, cfg=CFG, simulated=True):
    module = importlib.import_module(f"starlabels.figures.rave.{MODULE.get(name, name)}")
    with style.context():
        return module.draw({k: folder / p for k, p in INPUTS[name].items()}, cfg, simulated)


@pytest.fixture(scope="module")
def drawn(results):
    """Draw a figure once, also as a small picture."""
    made = {}

    def get(name):
        if name not in made:
            with style.context():
                figure, numbers = draw(name, results)
                buffer = io.BytesIO()
                figure.savefig(buffer, format="png", dpi=60)
            buffer.seek(0)
            made[name] = figure, numbers, imread(buffer)
        return made[name]

    return get


def texts(figure) -> list[str]:
    return [t.get_text() for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]


def test_entries_in_the_list_of_figures_read_the_same_files():
    listed = {e["id"]: e for e in yaml.safe_load((ROOT / "config/figures.yaml").read_text())["figures"] if e["paper"] == "rave"}
    mine = {k: e for k, e in listed.items() if k in INPUTS}
    assert set(mine) == set(INPUTS)
    assert {k: e["inputs"] for k, e in mine.items()} == {k: INPUTS[k] for k in mine}
    assert {k: e.get("module", k) for k, e in mine.items()} == {k: MODULE.get(k, k) for k in mine}


@pytest.mark.parametrize("name, text", [
    *((f, "CNN labels: mean over 32 of 40 networks.") for f in ("fig06_labels", "fig07_kiel_training", "fig08_abundances", "figx_truth")),
    ("figx_truth_snr", "Mean over 32 of 40 networks; spectra alone: 16 of 20."), ("fig09_alpha_training", "fewer than 50 spectra"),
    ("fig10_kiel_observed", "There are 3 triangles, and they overlap."),
])
def test_captions_hold_numbers_of_the_run(name, text, tmp_path):
    write_json(tmp_path / BOTH["networks"], {"n_kept": 32, "n_networks": 40})
    write_json(tmp_path / BOTH["networks_alone"], {"n_kept": 16, "n_networks": 20})
    write_json(tmp_path / f"{V}/kiel.json", {"supergiant": {"spectra": [{}] * 3}})
    module = importlib.import_module(f"starlabels.figures.rave.{MODULE.get(name, name)}")
    cfg = {"validation": {"bin_min_stars": 50}}
    assert text in module.notes({k: tmp_path / p for k, p in INPUTS[name].items()}, cfg, True)


@pytest.mark.parametrize("name", DRAWN_ONCE)
def test_figure_fits_the_page_and_its_text_is_readable(name, drawn):
    figure = drawn(name)[0]
    width, height = figure.get_size_inches() * 25.4
    assert np.isclose(width, style.PAGE) and height < 240
    assert min(t.get_fontsize() for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()) >= 7
    assert texts(figure).count("Simulated sky") == 1


@pytest.mark.parametrize("name", DRAWN_ONCE)
def test_every_panel_shows_something_and_states_its_number(name, drawn):
    figure, numbers, picture = drawn(name)
    height, width = picture.shape[:2]
    for ax in figure.axes:
        box = ax.get_window_extent().transformed(figure.transFigure.inverted())
        part = picture[int(np.ceil((1 - box.y1) * height)) + 1:int((1 - box.y0) * height) - 1,
                       int(np.ceil(box.x0 * width)) + 1:int(box.x1 * width) - 1, :3]
        assert part.size and part.std() > 0.005, f"{ax.get_title()} {ax.get_ylabel()} is blank"
    wanted = PANELS.get(name) or len({p for p in numbers["panel"] if " K, log g" in p})
    assert sum(t.startswith("N = ") or "\nN = " in t for t in texts(figure)) == wanted
    assert len(numbers) and set(numbers.columns) >= {"panel", "element", "series"}


@pytest.mark.parametrize("name", DRAWN_ONCE)
def test_texts_stay_on_the_page(name, drawn):
    figure = drawn(name)[0]
    page, words = figure.bbox, [*figure.texts, *(t for legend in figure.legends for t in legend.get_texts())]
    for ax in figure.axes:                                                  # tick labels beyond the limits are not drawn
        words += [*ax.texts, ax.title, ax.xaxis.label, ax.yaxis.label]
    for text in words:
        if text.get_text().strip():
            box = text.get_window_extent()
            assert box.x0 >= -3 and box.y0 >= -3 and box.x1 <= page.x1 + 3 and box.y1 <= page.y1 + 3, text.get_text()


def test_labels_page_prints_the_statistics_and_draws_every_spectrum(results, drawn):
    figure, numbers, _ = drawn("fig06_labels")
    found = read_json(results / V / "labels.json")
    own = found["networks"]["photometry"]["teff"]["test"]
    value = numbers[(numbers["panel"] == "teff") & (numbers["series"] == "sigma test")]["value"].iloc[0]
    assert value == pytest.approx(own["sigma"]) and any(f"{own['sigma']:.0f} K" in t for t in texts(figure))
    for label in LABELS:
        points = numbers[(numbers["panel"] == label) & (numbers["element"] == "point")]
        assert points["series"].value_counts().to_dict() == {r: found["n"][r] for r in ("train", "test")}
    main = next(ax for ax in figure.axes if ax.get_ylabel().startswith("CNN"))
    marks = [line for line in main.lines if line.get_marker() in ("o", "x")]
    assert {(m.get_marker(), m.get_markeredgecolor()) for m in marks} == {("o", style.ROLE["train"]), ("x", style.ROLE["test"])}
    assert all(ax.get_xscale() == "log" or ax.get_yscale() == "log" for ax in figure.axes if ax.get_ylabel() == "N")


def test_kiel_diagrams_have_the_axes_of_the_paper(drawn):
    for name in ("fig07_kiel_training", "fig10_kiel_observed", "fig12_poor_parallax"):
        diagrams = [ax for ax in drawn(name)[0].axes if ax.get_ylim() == (5.5, 0)]
        assert len(diagrams) == {"fig07_kiel_training": 4, "fig10_kiel_observed": 12, "fig12_poor_parallax": 2}[name]
        assert all(ax.get_xlim() == (7400, 3500) for ax in diagrams)


def test_supergiant_is_in_the_last_row_only(drawn):
    figure, numbers, _ = drawn("fig10_kiel_observed")
    marked = [ax for ax in figure.axes if any(line.get_marker() == "^" for line in ax.lines)]
    assert len(marked) == 2 and all("80 <" in t.get_text() for ax in marked for t in ax.texts)
    assert (numbers["series"] == "supergiant").sum() == 12


def test_grid_marks_its_bins_and_counts_their_stars(results, drawn):
    for name, sample in (("fig09_alpha_training", "training"), ("fig11_alpha_observed", "observed")):
        figure, numbers, _ = drawn(name)
        bins = read_json(results / V / "abundances.json")[sample]["bins"]
        panels = [ax for ax in figure.axes if ax.get_title()]
        assert len(panels) == len(bins) and all(len(ax.child_axes) == 1 for ax in panels)
        assert numbers.loc[numbers["series"] == "n", "value"].tolist()[:-1] == [b["n"] for b in sorted(
            bins, key=lambda b: (b["logg_lo"], b["teff_lo"]))]
        colours = {line.get_color() for ax in panels for line in ax.child_axes[0].lines}
        assert colours == {style.BLUE, style.RED}
    titles = texts(drawn("figA1_mg")[0])
    assert any("Training sample" in t for t in titles) and any("Observed sample" in t for t in titles) and "[Mg/Fe] (dex)" in titles


def test_empty_slice_says_so_and_no_supergiant_is_no_error(results, tmp_path):
    shutil.copytree(results, tmp_path / "r")
    summary = read_json(tmp_path / "r" / V / "kiel.json")
    summary["slices"][2]["n"], summary["supergiant"]["spectra"] = 0, []
    write_json(tmp_path / "r" / V / "kiel.json", summary)
    cells = read_table(tmp_path / "r" / V / "kiel.parquet")
    write_table(tmp_path / "r" / V / "kiel.parquet", cells[cells["snr_lo"] != 40])
    figure, _ = draw("fig10_kiel_observed", tmp_path / "r")
    assert sum("no star" in t for t in texts(figure)) == 2


def test_no_dwarf_with_a_poor_parallax_is_no_error(results, tmp_path):
    shutil.copytree(results, tmp_path / "r")
    for stem in ("poor_parallax", "poor_parallax_trend"):
        path = tmp_path / "r" / V / f"{stem}.parquet"
        write_table(path, read_table(path)[lambda f: f["plane"] != "dwarfs"])
    summary = read_json(tmp_path / "r" / V / "poor_parallax.json") | {"n_dwarfs": 0}
    write_json(tmp_path / "r" / V / "poor_parallax.json", summary)
    figure, _ = draw("fig12_poor_parallax", tmp_path / "r")
    assert any(t.endswith("N = 0") for t in texts(figure))


def test_grid_without_a_bin_and_missing_columns_are_named(results, tmp_path):
    shutil.copytree(results, tmp_path / "r")
    path = tmp_path / "r" / V / "abundances_alpha_m_training.parquet"
    write_table(path, read_table(path).iloc[:0])
    with pytest.raises(InputError, match="no bin with enough stars"):
        draw("fig09_alpha_training", tmp_path / "r")
    points = tmp_path / "r" / POINTS
    write_table(points, read_table(points).drop(columns="mh_cnn"))
    with pytest.raises(InputError, match="column mh_cnn"):
        draw("fig07_kiel_training", tmp_path / "r")


def test_real_sky_is_not_called_simulated(results):
    assert "Simulated sky" not in texts(draw("fig07_kiel_training", results, simulated=False)[0])
