"""Figures 14 to 18, 20 and 23 of Guiglion et al.: what each must show, drawn from a made-up run and from one with hardly a star."""

import io

import matplotlib.collections as mcollections
import numpy as np
import pytest
import rave_references
import yaml
from matplotlib.image import imread
from matplotlib.patches import StepPatch
from matplotlib.text import Text
from paths import ROOT

from starlabels.figures import make, style
from starlabels.figures.rave import fig20_clusters, pairs
from starlabels.figures.rave.fig20_clusters import LOOK
from starlabels.io import read_json, read_table, write_json, write_table

# figure: (module, {input: (validation, output)}, panels that state a number)
FIGURES = {
    "fig14_k2": ("fig14_k2", {"summary": ("k2", "summary"), "points": ("k2", "table")}, 3),
    "fig15_bdasp": ("dr6_comparison", {k: ("bdasp", k[:4] if k == "histogram" else k) for k in ("summary", "density", "histogram")}, 3),
    "fig16_irfm": ("dr6_comparison", {k: ("irfm", k[:4] if k == "histogram" else k) for k in ("summary", "density", "histogram")}, 3),
    "fig17_literature_planes": ("fig17_literature_planes", {"points": ("literature", "table")}, 6),
    "fig18_literature": ("fig18_literature", {"summary": ("literature", "summary"), "points": ("literature", "table")}, 9),
    "fig20_clusters": ("fig20_clusters", {"summary": ("clusters", "summary"), "points": ("clusters", "table")}, 3),
    "fig23_photometry": ("fig23_photometry", {"summary": ("photometry", "summary"), "density": ("photometry", "density"),
                                              "k2": ("k2", "table"), "literature": ("literature", "table")}, 12),
}


@pytest.fixture(scope="module")
def cfg() -> dict:
    return yaml.safe_load((ROOT / "config/rave.yaml").read_text())["rave"]


@pytest.fixture(scope="module")
def files(tmp_path_factory, cfg):
    """Files of the validations of a made-up run ("many") and of one of thirty stars ("few")."""
    made = {}
    for name, size in (("many", {"n": 2500, "n_train": 900}), ("few", {"n": 30, "n_train": 2, "n_k2": 0, "n_hr": 0, "clusters": False})):
        folder = tmp_path_factory.mktemp(name)
        made[name] = rave_references.validate(rave_references.write_run(folder, **size), folder / "validation", cfg)["files"]
    return made


@pytest.fixture(scope="module")
def drawn(files, cfg):
    """Draw a figure once: (figure, numbers, inputs, picture)."""
    made = {}

    def get(name, kind="many"):
        if (name, kind) not in made:
            module, wanted, _ = FIGURES[name]
            inputs = {k: files[kind][a][b] for k, (a, b) in wanted.items()}
            with style.context():
                figure, numbers = make.module_of("rave", module).draw(inputs, {}, True)
                buffer = io.BytesIO()
                figure.savefig(buffer, format="png", dpi=72)
            buffer.seek(0)
            made[name, kind] = figure, numbers, inputs, imread(buffer)
        return made[name, kind]

    return get


def texts(figure) -> list[str]:
    return [t.get_text() for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]


def with_label(figure, x="", y=""):
    return [a for a in figure.axes if x in a.get_xlabel() and y in a.get_ylabel()]


@pytest.mark.parametrize("name", sorted(FIGURES))
def test_entry_lists_the_inputs(name):
    entries = {e["id"]: e for e in yaml.safe_load((ROOT / "config/figures.yaml").read_text())["figures"]}
    assert set(entries[name]["inputs"]) - {"networks", "networks_alone"} == set(FIGURES[name][1])
    assert entries[name].get("module", name) == FIGURES[name][0] and entries[name]["paper"] == "rave"


@pytest.mark.parametrize("kind", ["many", "few"])
@pytest.mark.parametrize("name", sorted(FIGURES))
def test_size_text_and_note(name, kind, drawn):
    figure = drawn(name, kind)[0]
    width, height = figure.get_size_inches() * 25.4
    assert np.isclose(width, style.PAGE) and height < 240
    assert min(t.get_fontsize() for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()) >= 7
    assert texts(figure).count("Simulated sky") == 1


@pytest.mark.parametrize("kind", ["many", "few"])
@pytest.mark.parametrize("name", sorted(FIGURES))
def test_every_panel_states_its_number(name, kind, drawn):
    found = [t for t in texts(drawn(name, kind)[0]) if "N = " in t and "(N = " not in t and "S/N" not in t]
    assert len(found) == FIGURES[name][2] or name == "fig17_literature_planes" and kind == "few"
    if kind == "few" and name not in ("fig15_bdasp", "fig16_irfm"):
        assert any("no star" in t for t in texts(drawn(name, kind)[0]))


@pytest.mark.parametrize("name", sorted(FIGURES))
def test_no_panel_is_blank(name, drawn):
    figure, _, _, picture = drawn(name)
    height, width = picture.shape[:2]
    for ax in figure.axes:
        box = ax.get_window_extent().transformed(figure.transFigure.inverted())
        part = picture[int(np.ceil((1 - box.y1) * height)):int((1 - box.y0) * height), int(box.x0 * width):int(box.x1 * width), :3]
        assert part.size and part.std() > 0.005


@pytest.mark.parametrize("name", sorted(FIGURES))
def test_texts_stay_inside_the_figure(name, drawn):
    figure = drawn(name)[0]
    figure.canvas.draw()                     # positions at the resolution that the extents are measured in
    width, height = figure.get_size_inches() * figure.dpi
    for ax in figure.axes:
        key = ax.get_legend().get_texts() if ax.get_legend() else []
        for text in (t for t in (ax.title, ax.xaxis.label, ax.yaxis.label, *ax.texts, *key) if t.get_text().strip()):
            box = text.get_window_extent()
            assert box.x0 > -1 and box.y0 > -1 and box.x1 < width + 1 and box.y1 < height + 1, text.get_text()


@pytest.mark.parametrize("name", sorted(FIGURES))
def test_numbers_hold_what_is_drawn(name, drawn):
    figure, numbers, _, _ = drawn(name)
    columns = [c for c in ("x", "y", "x_lo", "x_hi", "y_lo", "y_hi", "value") if c in numbers]
    known = np.unique(np.round(numbers[columns].to_numpy(float).ravel(), 6))

    def holds(values):
        values = np.asarray(values, float)
        return np.isin(np.round(values[np.isfinite(values)], 6), known).all()

    cells = 0.0
    for ax in figure.axes:
        for line in ax.lines:
            in_data = line.get_transform().contains_branch_seperately(ax.transData)
            assert not in_data[0] or holds(line.get_xdata()), name
            assert not in_data[1] or holds(line.get_ydata()), name
        for patch in ax.patches:
            if isinstance(patch, StepPatch):
                assert holds(patch.get_data().values)
        for mesh in ax.collections:
            if isinstance(mesh, mcollections.QuadMesh) and not ax.get_xlabel().startswith(("Stars per", "Spectra per", "CNN [M/H]")):
                cells += np.ma.filled(np.ma.masked_invalid(mesh.get_array()), 0).sum()
    assert cells == pytest.approx(numbers.loc[numbers["element"] == "density", "value"].sum())


@pytest.mark.parametrize("name", ["fig14_k2", "fig18_literature"])
def test_texts_hide_no_point(name, drawn):
    figure = drawn(name)[0]
    for ax in figure.axes:
        for text in (t for t in ax.texts if "N = " in t.get_text()):
            box = text.get_window_extent()
            for line in (line for line in ax.lines if line.get_marker() == "o"):
                at = ax.transData.transform(np.column_stack([line.get_xdata(), line.get_ydata()]))
                assert not ((at[:, 0] > box.x0) & (at[:, 0] < box.x1) & (at[:, 1] > box.y0) & (at[:, 1] < box.y1)).any(), ax.get_xlabel()


def test_k2_has_one_to_one_and_residual_panels(drawn):
    figure, numbers, inputs, _ = drawn("fig14_k2")
    summary = read_json(inputs["summary"])
    assert len(with_label(figure, y="Predicted")) == len(with_label(figure, y="Trained")) == len(with_label(figure, y="APOGEE label")) == 1
    for ax in with_label(figure, y="Predicted") + with_label(figure, y="Trained"):
        assert ax.get_xlim() == ax.get_ylim()
    assert len(with_label(figure, y=r"$\Delta$")) == 3
    for name in ("labels", "trained", "predicted"):
        found = summary["panels"][name]
        assert any(f"mean = {pairs.printed(found['bias'], 'logg', True)} dex" in t and
                   f"= {pairs.printed(found['sigma'], 'logg')} dex" in t for t in texts(figure))
        own = numbers[(numbers["panel"] == f"{name}/one_to_one") & (numbers["element"] == "point")]
        assert len(own) == found["n"]


@pytest.mark.parametrize(("name", "parts"), [("fig15_bdasp", ("dwarf", "giant")), ("fig16_irfm", ("hot", "cool"))])
def test_dr6_columns(name, parts, drawn):
    figure, numbers, inputs, _ = drawn(name)
    summary = read_json(inputs["summary"])
    for column in ("labels", "trained", "predicted"):
        assert {"density", "line"} <= set(numbers.loc[numbers["panel"] == f"{column}/one_to_one", "element"])
        assert "density" in set(numbers.loc[numbers["panel"] == f"{column}/residual", "element"])
        bars = numbers[(numbers["panel"] == f"{column}/histogram") & (numbers["element"] == "bar")]
        assert set(bars["series"]) == {"all", *parts}
        label, found = summary["parameter"], summary["panels"][column]
        for part in parts:
            mean = f"{pairs.printed(found[part]['bias'], label, True)} {'K' if label == 'teff' else 'dex'}"
            words = f"{style.count(found[part]['n'])}\nmean {mean}\n"
            assert any(words in t for t in texts(figure))


def test_planes_show_both_sides_in_their_marks(drawn):
    figure, numbers, inputs, _ = drawn("fig17_literature_planes")
    kiel, *patterns = figure.axes
    assert kiel.xaxis_inverted() and kiel.yaxis_inverted() and len(patterns) == 5
    for ax in figure.axes:
        looks = {(line.get_marker(), line.get_color()) for line in ax.lines if line.get_marker() in ("o", "x")}
        assert looks == {("o", style.BLACK), ("x", style.RED)}
    n = len(read_table(inputs["points"]))
    assert (numbers.loc[numbers["series"] == "n", "value"] == n).all()


def test_one_to_one_with_the_literature(drawn):
    figure, numbers, inputs, _ = drawn("fig18_literature")
    found = read_json(inputs["summary"])["panels"]
    for label in found:
        assert numbers.loc[(numbers["panel"] == label) & (numbers["series"] == "sigma"), "value"].item() == found[label]["all"]["sigma"]
    assert sum("S/N > 50" in t for t in texts(figure)) == 1
    alpha = with_label(figure, y=r"[$\alpha$/M]")[0]
    assert r"[$\alpha$/Fe]" in alpha.get_xlabel()


def test_cluster_markers_and_words(drawn):
    figure, _, inputs, _ = drawn("fig20_clusters")
    assert {k: v[0] for k, v in LOOK.items()} == {"47 Tuc": "o", "IC 4651": "x", "Pleiades": "s", "Blanco 1": "^", "omega Cen": "v"}
    summary = read_json(inputs["summary"])
    assert sum("(one star)" in t for t in texts(figure)) == 3
    for parameter in ("teff", "logg", "feh"):
        for name, words in (("Pleiades", "Pleiades"), ("omega Cen", r"$\omega$ Cen")):
            found = summary["clusters"][name]["selected"][parameter]
            text = f"{words}: {pairs.printed(found['bias'], parameter, True)}, $\\sigma$ = {pairs.printed(found['sigma'], parameter)} "
            assert any(t.startswith(text) for t in texts(figure))
    assert sum("S/N > 40" in t for t in texts(figure)) == 3


def test_cluster_without_a_spectrum_stands_in_the_key_and_the_caption(files, tmp_path):
    summary, table = (files["many"]["clusters"][k] for k in ("summary", "table"))
    content, points = read_json(summary), read_table(table)
    assert content["unobserved"] == {} and fig20_clusters.notes({"summary": summary}, {}, True) == ""
    del content["clusters"]["Blanco 1"]
    write_json(tmp_path / "c.json", content | {"unobserved": {"Blanco 1": 1}})
    write_table(tmp_path / "c.parquet", points[points["cluster"] != "Blanco 1"])
    inputs = {"summary": tmp_path / "c.json", "points": tmp_path / "c.parquet"}
    with style.context():
        figure, numbers = fig20_clusters.draw(inputs, {}, True)
    assert texts(figure).count("Blanco 1: no spectrum observed") == 3
    assert (numbers.loc[numbers["series"] == "Blanco 1 n", "value"] == 0).all()
    assert fig20_clusters.notes(inputs, {}, True) == "No spectrum in the observed sample with S/N > 20: Blanco 1 (1 in RAVE)."


def test_with_and_without_photometry_side_by_side(drawn, tmp_path):
    figure, numbers, inputs, _ = drawn("fig23_photometry")
    titles = [a.get_title() for a in figure.axes]
    assert titles.count("with photometry") == titles.count("spectra alone") == 6
    summary = read_json(inputs["summary"])
    for panel, found in summary["panels"].items():
        for network in ("photometry", "spectra"):
            if panel != "irfm":
                own = numbers[(numbers["panel"] == f"{panel}/{network}") & (numbers["series"] == "sigma")]
                assert own["value"].item() == found[network]["sigma"]
    k2, values = with_label(figure, x="K2")[0], read_table(inputs["k2"])
    assert k2.get_xlim()[1] < values["logg_k2"].max() + 0.2 and k2.get_ylim()[1] > k2.get_xlim()[1]
    for network, counts in (("networks", (32, 40)), ("networks_alone", (16, 20))):
        write_json(tmp_path / f"{network}.json", dict(zip(("n_kept", "n_networks"), counts, strict=True)))
    given = {k: tmp_path / f"{k}.json" for k in ("networks", "networks_alone")}
    caption = make.module_of("rave", "fig23_photometry").notes(given, {}, True)
    assert caption == "Mean over 32 of 40 networks; spectra alone: 16 of 20."
    kiel = [a for a in figure.axes if a.xaxis_inverted()]
    assert len(kiel) == 2 and all(a.yaxis_inverted() for a in kiel)


def test_a_statistic_that_rounds_to_zero_has_no_minus_sign():
    assert pairs.printed(-0.0002, "feh", True) == "+0.000" and pairs.printed(-0.3, "teff", True) == "+0"
    assert pairs.printed(-0.012, "feh", True) == "\N{MINUS SIGN}0.012"


def test_room_for_a_text_grows_the_range():
    x, y = np.array([0.05, 0.9]), np.array([0.95, 0.5])
    low, high = pairs.with_room((0.0, 1.0), x, y, 45, 45, 3)
    assert low == 0.0 and high > 1.2
    assert pairs.with_room((0.0, 1.0), x[1:], y[1:], 45, 45, 3) == (0.0, 1.0)
