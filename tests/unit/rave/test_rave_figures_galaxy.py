"""Figures 19, 21, 24, 25 and the page of the variants, drawn from what the validations write of made-up stars."""

import io
from pathlib import Path

import numpy as np
import pytest
import yaml
from matplotlib.text import Text
from unit.rave import rave_made_up_galaxy as made_up

from starlabels.errors import InputError
from starlabels.figures import make, style
from starlabels.figures.rave import fig25_cartography
from starlabels.io import read_json, read_table, write_json, write_table
from starlabels.rave.studies.variants import run_variants
from starlabels.rave.validation.alpha import run_alpha
from starlabels.rave.validation.cartography import run_cartography
from starlabels.rave.validation.components import SINGLE, run_components
from starlabels.rave.validation.repeats import run_repeats

ROOT = Path(__file__).resolve().parents[3]

INPUTS = {
    "fig19_repeats": {"histogram": "repeats.parquet", "summary": "repeats.json"},
    "fig21_dr6_alpha": {"density": "alpha.parquet", "summary": "alpha.json"},
    "fig24_components": {"density": "components.parquet", "summary": "components.json"},
    "fig25_cartography": {"map": "cartography.parquet", "summary": "cartography.json"},
    "figx_studies": {"variants": "variants.parquet", "summary": "variants.json"},
}
PANELS = {"fig19_repeats": 9, "fig21_dr6_alpha": 6, "fig24_components": 2, "fig25_cartography": 18, "figx_studies": 9}


@pytest.fixture(scope="module")
def cfg() -> dict:
    found = yaml.safe_load((ROOT / "config/rave.yaml").read_text())["rave"]
    found["validation"]["bootstrap"] = 5
    return found


def measured(folder: Path, paths: dict, cfg: dict) -> Path:
    """Run the validations into a folder."""
    networks = {"photometry": paths["photometry"], "spectra": paths["spectra"]}
    run_repeats(paths["stars"], networks, cfg, True, folder / "repeats.parquet", folder / "repeats.json")
    for name, run in (("alpha", run_alpha), ("components", run_components), ("cartography", run_cartography)):
        run(paths["stars"], paths["photometry"], cfg, True, folder / f"{name}.parquet", folder / f"{name}.json")
    return folder


@pytest.fixture(scope="module")
def results(tmp_path_factory, cfg):
    folder = tmp_path_factory.mktemp("results")
    measured(folder, made_up.write_slices(folder, 3000), cfg)
    chosen = {"main": {"networks": 20}, "kernel_50": {"factor": 3.0}, "snr_40": {"snr_min": 40.0, "seed": 8}, "new_idea": {"factor": 0.5}}
    files = {v: made_up.write_variant(folder / "variants", v, **how) for v, how in chosen.items()}
    given = [{v: p[k] for v, p in files.items()} for k in ("training.parquet", "predictions.parquet", "ensemble.json")]
    run_variants(*given, cfg, True, folder / "variants.parquet", folder / "variants.json")
    return folder


@pytest.fixture(scope="module")
def empty(tmp_path_factory, cfg):
    """Results of a sky without an observed star."""
    folder = tmp_path_factory.mktemp("empty")
    paths = made_up.write_slices(folder, 40, pieces=1)
    for kind, (path,) in paths.items():
        table = read_table(path)
        write_table(path, table.assign(in_observed=False) if kind == "stars" else table.iloc[:0])
    return measured(folder, paths, cfg)


def draw(name: str, folder: Path, cfg: dict, simulated: bool = True, layout: bool = True):
    inputs = {key: folder / file for key, file in INPUTS[name].items()}
    with style.context():
        figure, numbers = make.module_of("rave", name).draw(inputs, cfg, simulated)
        if layout:
            figure.savefig(io.BytesIO(), format="png", dpi=50)
    return figure, numbers


@pytest.fixture(scope="module")
def drawn(results, cfg):
    made = {}
    return lambda name: made.setdefault(name, draw(name, results, cfg)) if name not in made else made[name]


def texts(figure) -> list[str]:
    return [t.get_text() for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]


@pytest.mark.parametrize("name", INPUTS)
def test_page_size_text_note_and_counts(name, drawn):
    figure, numbers = drawn(name)
    width, height = figure.get_size_inches() * 25.4
    assert np.isclose(width, style.PAGE) and height < 240
    assert min(t.get_fontsize() for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()) >= 7
    assert texts(figure).count("Simulated sky") == 1
    assert sum("N = " in t for t in texts(figure)) == PANELS[name] and len(numbers)


@pytest.mark.parametrize("name", INPUTS)
def test_numbers_hold_the_lines(name, drawn):
    figure, numbers = drawn(name)
    columns = [c for c in ("x", "y", "x_lo", "x_hi", "y_lo", "y_hi", "value") if c in numbers]
    known = np.unique(np.round(numbers[columns].to_numpy(float).ravel(), 6))
    for ax in figure.axes:
        for line in ax.lines:
            if line.get_transform() == ax.transData:
                x = np.round(np.asarray(line.get_xdata(), float), 6)
                assert np.isin(x[np.isfinite(x)], known).all()


@pytest.mark.parametrize("name", [n for n in INPUTS if n != "figx_studies"])
def test_a_panel_without_stars_says_so(name, empty, cfg):
    figure, _ = draw(name, empty, cfg, simulated=False, layout=False)
    words = " ".join(texts(figure))
    assert "no star" in words or "no repeated" in words
    assert sum("N = 0" in t for t in texts(figure)) == PANELS[name] and "Simulated sky" not in texts(figure)


def test_fig19_has_the_sum_and_both_components(drawn, results):
    figure, numbers = drawn("fig19_repeats")
    summary = read_json(results / "repeats.json")["networks"]["photometry"]
    for label, fit in summary.items():
        own = numbers[(numbers["panel"] == label) & (numbers["element"] == "gaussian")]
        assert set(own["series"]) == ({"narrow", "wide", "sum"} if fit["narrow"] else set())
        if fit["narrow"]:
            curves = {s: part["y"].to_numpy() for s, part in own.groupby("series")}
            assert np.allclose(curves["narrow"] + curves["wide"], curves["sum"])
    for ax in figure.axes:
        low, high = ax.get_xlim()
        ticks = [t for t in ax.get_xticks() if low < t < high]
        assert len(ticks) >= 3 and min(ticks) < 0 < max(ticks)
    shown = [t for t in texts(figure) if "spectra alone" in t]
    assert len(shown) == 9 and all(r"\sigma_\mathrm{n}/\sqrt{2}" in t or "1.48 MAD" in t for t in shown)


def test_fig19_without_a_fit_says_what_it_quotes(results, cfg, tmp_path):
    summary = read_json(results / "repeats.json")
    for fit in summary["networks"]["photometry"].values():
        fit |= {"narrow": None, "wide": None, "sigma": fit["robust_sigma"]}
    write_json(tmp_path / "repeats.json", summary)
    write_table(tmp_path / "repeats.parquet", read_table(results / "repeats.parquet"))
    figure, numbers = draw("fig19_repeats", tmp_path, cfg)
    assert sum("no fit\n1.48 MAD" in t for t in texts(figure)) == 9 and "gaussian" not in set(numbers["element"])
    summary["networks"] = {}
    write_json(tmp_path / "repeats.json", summary)
    with pytest.raises(InputError, match="photometry"):
        draw("fig19_repeats", tmp_path, cfg)


def test_fig21_rows_agree_and_kiel_diagrams_run_backwards(drawn):
    figure, _ = drawn("fig21_dr6_alpha")
    axes = np.array([a for a in figure.axes if a.get_title()]).reshape(3, 2)
    for left, right in axes:
        assert left.get_xlim() == right.get_xlim() and left.get_ylim() == right.get_ylim()
    assert axes[0, 0].xaxis_inverted() and axes[0, 0].yaxis_inverted() and not axes[1, 0].xaxis_inverted()
    assert [a.get_title() for a in axes[1]] == ["CNN, dwarfs", "RAVE DR6, dwarfs"]
    assert any("+0.1" in t and "mean [M/H]" in t for t in texts(figure))


def test_fig24_states_gradients_with_errors_and_counts(drawn, results):
    figure, numbers = drawn("fig24_components")
    summary = read_json(results / "components.json")
    keys = "\n".join(t.get_text() for t in figure.axes[1].get_legend().get_texts())
    for name in ("thin_disc", "dissipative"):
        line = summary["gradients"][name]["mh"]
        assert f"{line['slope']:+.1f}".replace("-", "\N{MINUS SIGN}") in keys and f"{line['slope_error']:.1f}" in keys
    legend = [t.get_text() for t in figure.legends[0].get_texts()]
    assert legend == [f"{text} ({style.count(summary['n'][k])})" for k, text in
                      (("thin_disc", "Thin disc"), ("dissipative", "Dissipative collapse"), ("accreted", "Accretion"))]
    colours = [h.get_color() for h in figure.legends[0].legend_handles]
    assert colours == [style.BLUE, style.RED, "#009E73"]
    assert (numbers["element"] == "level").sum() == 18
    table = read_table(results / "components.parquet")
    own = table[(table["component"] == "accreted") & (table["panel"] == "v_phi")]
    assert summary["n"]["accreted"] < SINGLE and len(own) == summary["n"]["accreted"]
    dots = [line for line in figure.axes[1].lines if line.get_marker() == "." and line.get_color() == colours[-1]]
    assert len(dots) == 1 and sorted(dots[0].get_ydata()) == sorted(own["y_lo"])


def test_fig25_has_the_highest_row_on_top(drawn, results):
    figure, numbers = drawn("fig25_cartography")
    summary = read_json(results / "cartography.json")
    words = fig25_cartography.notes({"summary": results / "cartography.json"}, {}, True)
    assert f"{style.count(summary['n']['map'])} of {style.count(summary['n']['all'])}" in words
    axes = [a for a in figure.axes if a.get_subplotspec() is not None and a.get_subplotspec().get_gridspec().nrows == 3]
    assert len(axes) == 18 and axes[0].get_title() == "3 < R < 5 kpc"
    notes = [t.get_text() for t in texts_of(axes[5])]
    assert any("1 < |Z| < 2" in t for t in notes)
    drawn_stars = numbers.loc[numbers["element"] == "hexagon", "value"].sum()
    assert drawn_stars == sum(b["n"] - b["outside"] for b in summary["bins"])


def texts_of(ax):
    return [t for t in ax.findobj(Text) if t.get_text().strip()]


def test_figx_studies_names_every_variant_and_colours_changes(drawn, results):
    figure, numbers = drawn("figx_studies")
    names = [t.get_text() for t in figure.axes[0].get_yticklabels()]
    assert [n.rpartition(" (")[0] for n in names] == ["S/N > 40", "kernel 50", "new idea"]
    summary = read_json(results / "variants.json")["variants"]
    assert summary["kernel_50"]["compared"][summary["kernel_50"]["basis"]]["change"] == "worse"
    used = {line.get_color() for ax in figure.axes for line in ax.lines}
    assert "#D55E00" in used and style.BLACK in used
    assert len(numbers[(numbers["element"] == "point") & (numbers["series"] == "kernel_50")]) == 9


def test_figx_studies_needs_a_variant(results, cfg, tmp_path):
    summary = read_json(results / "variants.json")
    write_json(tmp_path / "variants.json", {"variants": {"main": summary["variants"]["main"]}})
    write_table(tmp_path / "variants.parquet", read_table(results / "variants.parquet"))
    with pytest.raises(InputError, match="no variant"):
        draw("figx_studies", tmp_path, cfg)


@pytest.mark.parametrize("name", INPUTS)
def test_numbers_are_the_same_each_time(name, results, cfg, drawn):
    assert draw(name, results, cfg, layout=False)[1].equals(drawn(name)[1])
