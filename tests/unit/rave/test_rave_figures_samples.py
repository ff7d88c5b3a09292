"""Figures 1 to 5, 13 and 22 of Guiglion et al.: what each must show, from the files that the validations write."""

import matplotlib.colors as mcolors
import numpy as np
import pytest
import yaml
from matplotlib.patches import StepPatch
from matplotlib.text import Text
from paths import ROOT
from unit.rave.rave_made_up_samples import make_run

from starlabels.errors import InputError
from starlabels.figures import make, style
from starlabels.io import read_json, read_table, write_json, write_table
from starlabels.rave.validation.distributions import run_distributions
from starlabels.rave.validation.errors import run_errors
from starlabels.rave.validation.example_spectra import run_example_spectra
from starlabels.rave.validation.supergiant import run_supergiant
from starlabels.rave.validation.training_runs import run_training_runs

CFG = yaml.safe_load((ROOT / "config/rave.yaml").read_text())["rave"]
LAYERS = [
    {"name": "spectrum", "kind": "InputLayer", "settings": "", "output_shape": [912, 1], "parameters": 0, "inputs": []},
    {"name": "convolution_1", "kind": "Conv1D", "settings": "8 filters", "output_shape": [903, 8], "parameters": 88,
     "inputs": ["spectrum"]},
    {"name": "features", "kind": "Flatten", "settings": "", "output_shape": [7224], "parameters": 0, "inputs": ["convolution_1"]},
    {"name": "photometry", "kind": "InputLayer", "settings": "", "output_shape": [9], "parameters": 0, "inputs": []},
    {"name": "photometric", "kind": "Dense", "settings": "27 neurons", "output_shape": [27], "parameters": 270, "inputs": ["photometry"]},
    {"name": "both", "kind": "Concatenate", "settings": "", "output_shape": [7251], "parameters": 0, "inputs": ["features", "photometric"]},
    {"name": "labels", "kind": "Dense", "settings": "9 neurons", "output_shape": [9], "parameters": 65268, "inputs": ["both"]},
]
NAMES = ("fig01_snr", "fig02_spectra", "fig03_network", "fig04_magnitudes", "fig05_training", "fig13_errors", "fig22_supergiant")


def inputs_of(run) -> dict[str, dict]:
    """The inputs of each figure, written by the validations."""
    v, ensemble, history = run / "validation", run / "models/main/photometry/ensemble.json", run / "models/main/photometry/history.parquet"
    training = run / "samples/main/training"
    run_distributions(run.stars, f"{training}.parquet", True, v / "distributions.parquet", v / "distributions.json")
    predictions = run / "predictions/main/photometry/training.parquet"
    run_errors(run.stars, run.predictions(), predictions, ensemble, CFG, True, v / "errors.parquet", v / "errors.json")
    run_example_spectra(f"{training}.parquet", f"{training}.h5", CFG, True, v / "examples.parquet", v / "examples.json")
    run_training_runs(history, ensemble, True, v / "training.parquet", v / "training.json")
    run_supergiant(run.stars, run.spectra, run.predictions(), run.predictions("spectra"), CFG, True, v / "star.parquet", v / "star.json")
    write_json(v / "network.json", {"parameters": 65626, "layers": LAYERS})
    histograms = {"histograms": v / "distributions.parquet", "summary": v / "distributions.json"}
    return {
        "fig01_snr": histograms, "fig02_spectra": {"spectra": v / "examples.parquet", "summary": v / "examples.json"},
        "fig03_network": {"layers": v / "network.json"}, "fig04_magnitudes": histograms,
        "fig05_training": {"history": history, "ensemble": ensemble, "losses": v / "training.parquet", "summary": v / "training.json"},
        "fig13_errors": {"histograms": v / "errors.parquet", "summary": v / "errors.json"},
        "fig22_supergiant": {"spectra": v / "star.parquet", "summary": v / "star.json"},
    }


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    return inputs_of(make_run(tmp_path_factory.mktemp("run")))


def draw(name: str, inputs: dict, simulated: bool = True):
    with style.context():
        return make.module_of("rave", name).draw(inputs, CFG, simulated)


@pytest.fixture(scope="module")
def drawn(given):
    return {name: draw(name, given[name]) for name in NAMES}


def texts(thing) -> str:
    return "\n".join(t.get_text() for t in thing.findobj(Text))


def outlines(ax) -> list[tuple[str, str]]:
    """Colour and dashes of each histogram outline."""
    return [(mcolors.to_hex(p.get_edgecolor()).upper(), p.get_linestyle()) for p in ax.findobj(StepPatch)]


@pytest.mark.parametrize("name", NAMES)
def test_pages_are_legible_and_say_simulated(drawn, given, name):
    figure, numbers = drawn[name]
    assert "Simulated sky" in texts(figure) and len(numbers) > 0
    sizes = {t.get_fontsize() for t in figure.findobj(Text) if t.get_text().strip()}
    assert min(sizes) >= 6.9
    width = figure.get_size_inches()[0] / style.MM
    assert round(width) in (style.COLUMN, style.PAGE)


def test_figure_1_shows_both_samples(drawn, given):
    figure, numbers = drawn["fig01_snr"]
    assert set(outlines(figure.axes[0])) == {(style.BLUE, "--"), (style.ROLE["test"], "-")}
    found = read_json(given["fig01_snr"]["summary"])["samples"]
    for name in ("observed", "training_test"):
        assert f"N = {style.count(found[name]['n'])}" in texts(figure)
        bars = numbers[(numbers["element"] == "bar") & (numbers["series"] == name)]
        assert bars["value"].sum() == pytest.approx(1)


def test_figure_2_marks_the_lines_of_seven_elements(drawn, given):
    figure, numbers = drawn["fig02_spectra"]
    stars = read_json(given["fig02_spectra"]["summary"])["stars"]
    axes = figure.axes
    assert len(axes) == 4
    for ax, star in zip(axes, stars, strict=True):
        text = texts(ax)
        assert star["rave_obs_id"] in text and f"{star['teff']:.0f} K" in text and "[M/H]" in text
    marks = numbers[(numbers["element"] == "mark") & (numbers["panel"] == "metal_poor_giant")]
    assert set(marks["series"]) == {"Ca II", "Fe", "Mg", "Si", "Al", "Ni", "Ti"}
    assert set(marks.loc[marks["series"] == "Ca II", "x"]) == {8498.02, 8542.09, 8662.14}
    assert "Wavelength" in axes[-1].get_xlabel() and axes[0].get_ylabel() == "Normalised flux"


def test_figure_3_draws_the_layers_of_the_model(drawn):
    figure, numbers = drawn["fig03_network"]
    text = texts(figure)
    for layer in LAYERS:
        assert layer["name"] in text
        if layer["parameters"]:
            assert f"{style.count(layer['parameters'])} parameters" in text
    assert "903 \N{MULTIPLICATION SIGN} 8" in text and f"{style.count(65626)} parameters" in text
    nodes = numbers[numbers["element"] == "node"].set_index("series")
    assert nodes.loc["spectrum", "x"] < nodes.loc["both", "x"] < nodes.loc["photometry", "x"]
    assert set(numbers.loc[numbers["element"] == "edge", "series"]) == {
        f"{source} -> {layer['name']}" for layer in LAYERS for source in layer["inputs"]
    }
    for a, b in (edge.split(" -> ") for edge in numbers.loc[numbers["element"] == "edge", "series"].unique()):
        assert nodes.loc[a, "y"] > nodes.loc[b, "y"]


def test_figure_3_refuses_an_unknown_layer(tmp_path):
    write_json(tmp_path / "n.json", {"parameters": 1, "layers": [{**LAYERS[1], "inputs": ["nowhere"]}]})
    with pytest.raises(InputError, match="names the unknown layer nowhere"):
        draw("fig03_network", {"layers": tmp_path / "n.json"})


def test_figure_4_has_nine_panels_of_three_samples(drawn, given):
    figure, numbers = drawn["fig04_magnitudes"]
    assert len(figure.axes) == 9
    labels = [ax.get_xlabel() for ax in figure.axes]
    for band in ("$G$", r"G_\mathrm{BP}", r"G_\mathrm{RP}", "$J$", "$H$", r"K_\mathrm{s}", "W_1", "W_2", "A_V"):
        assert sum(band in label for label in labels) == 1
    found = read_json(given["fig04_magnitudes"]["summary"])["samples"]
    looks = {(style.ROLE["train"], "-"), (style.ROLE["test"], ":"), (style.ROLE["observed"], "--")}
    for ax in figure.axes:
        assert set(outlines(ax)) == looks
        for name in ("train", "test", "observed"):
            assert f"N = {style.count(found[name]['n'])}" in texts(ax)


def test_figure_5_draws_a_line_a_network(drawn, given):
    figure, numbers = drawn["fig05_training"]
    ensemble, summary = (read_json(given["fig05_training"][k]) for k in ("ensemble", "summary"))
    loss, score, last = figure.axes
    curves = [line for line in loss.get_lines() if len(line.get_xdata()) > 2]
    assert len(curves) == 19                                 # of 20 networks one failed
    colours = [mcolors.to_hex(line.get_color()).upper() for line in curves]
    assert colours.count(style.BLUE) == len(ensemble["kept"]) == 15
    text = texts(loss)
    assert "20 networks trained (1 failed)" in text and "15 kept" in text and "4 dropped" in text
    assert f"{100 * summary['last']['test_accuracy']:.0f} % of stars" in texts(score)
    line = [entry for entry in last.get_lines() if set(entry.get_xdata()) == {ensemble["threshold"]}]
    assert len(line) == 1 and mcolors.to_hex(line[0].get_color()) == "#000000"
    assert "80th percentile" in texts(last)
    drawn_bars = numbers[(numbers["panel"] == "last_test_loss") & (numbers["element"] == "bar")]
    assert drawn_bars["value"].sum() == 19


def test_figure_5_refuses_networks_of_another_ensemble(given, tmp_path):
    history = read_table(given["fig05_training"]["history"])
    write_table(tmp_path / "h.parquet", history.assign(network=history["network"] + 50))
    with pytest.raises(InputError, match=r"h\.parquet, column network: names 50"):
        draw("fig05_training", {**given["fig05_training"], "history": tmp_path / "h.parquet"})


def test_figure_13_prints_the_medians_and_the_size_of_the_ensemble(drawn, given):
    figure, numbers = drawn["fig13_errors"]
    samples = read_json(given["fig13_errors"]["summary"])["samples"]
    assert len(figure.axes) == 9
    for ax, label in zip(figure.axes, CFG["labels"], strict=True):
        found = outlines(ax)
        assert {colour for colour, _ in found} == {style.BLUE, "#009E73", style.RED} and (style.RED, "-") in found
        for name in ("train", "test", "observed"):
            entry = samples[name]["labels"][label]
            median = f"{entry['median']:.0f}" if label == "teff" else f"{entry['median']:.3f}"
            assert f"{median} ({style.count(entry['n'])})" in texts(ax)
    assert "15 kept networks" in texts(figure) and "0.983 times that of 80" in texts(figure)
    bias = numbers[numbers["series"] == "dispersion_bias"]
    assert bias["value"].tolist() == [0.983]


def test_figure_13_is_silent_of_a_bias_that_is_none(given, tmp_path):
    summary = read_json(given["fig13_errors"]["summary"])
    summary["ensemble"] = {"n_networks": 100, "n_kept": 80, "dispersion_bias": 1.0}
    write_json(tmp_path / "e.json", summary)
    figure, _ = draw("fig13_errors", {**given["fig13_errors"], "summary": tmp_path / "e.json"})
    assert "80 kept networks" in texts(figure) and "so few" not in texts(figure)


def test_figure_22_draws_six_spectra_in_six_colours(drawn, given):
    figure, numbers = drawn["fig22_supergiant"]
    ax = figure.axes[0]
    assert len(ax.get_lines()) == 6 and len({line.get_color() for line in ax.get_lines()}) == 6
    summary = read_json(given["fig22_supergiant"]["summary"])
    text = texts(figure)
    assert all(entry["rave_obs_id"] in text for entry in summary["spectra"]) and "5983723702088571392" in text
    assert f"{summary['networks']['photometry']['teff'][0]:.0f}" in text and "BDASP" in text and "MADERA" in text
    assert np.isfinite(numbers.loc[numbers["series"] == "logg spectra", "value"]).all()


def test_captions_say_how_many_networks(given, tmp_path):
    write_json(tmp_path / "one.json", {"n_kept": 32, "n_networks": 40})
    write_json(tmp_path / "alone.json", {"n_kept": 16, "n_networks": 20})
    both = {"networks": tmp_path / "one.json", "networks_alone": tmp_path / "alone.json", "ensemble": tmp_path / "one.json"}
    said = {name: make.module_of("rave", name).notes(both, CFG, True) for name in ("fig05_training", "fig19_repeats", "fig22_supergiant")}
    assert "ensemble with photometry, of which 32 of 40" in said["fig05_training"] and "16 of 20" in said["fig05_training"]
    assert said["fig19_repeats"] == said["fig22_supergiant"] == "Mean over 32 of 40 networks; spectra alone: 16 of 20."
    assert make.module_of("rave", "fig13_errors").notes({"networks": both["networks"]}, CFG, True) == "Dispersion over 32 of 40 networks."


def test_figure_22_without_the_star_says_so(tmp_path):
    inputs = inputs_of(make_run(tmp_path, n=120, supergiant=False))["fig22_supergiant"]
    figure, _ = draw("fig22_supergiant", inputs, simulated=False)
    assert "0 spectra" in texts(figure) and "Simulated" not in texts(figure)


def test_missing_columns_are_named(given, tmp_path):
    table = read_table(given["fig13_errors"]["histograms"]).drop(columns="share")
    write_table(tmp_path / "e.parquet", table)
    with pytest.raises(InputError, match=r"e\.parquet, column share"):
        draw("fig13_errors", {**given["fig13_errors"], "histograms": tmp_path / "e.parquet"})


def test_numbers_are_the_same_each_time(given, drawn):
    for name in ("fig05_training", "fig13_errors"):
        assert draw(name, given[name])[1].equals(drawn[name][1])
