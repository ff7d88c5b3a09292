"""Classes of Figure 1."""

import numpy as np
import pandas as pd
import pytest
from tiny_stars import settings

from starlabels.errors import InputError
from starlabels.sages.classes import borders, classify, classify_cmd, giant_limit, white_dwarf_limit


@pytest.mark.parametrize(
    ("colour", "magnitude", "expected"),
    [
        (0.82, 4.67, "dwarf"),  # the Sun
        (1.20, 0.5, "giant"),  # the red clump
        (2.2, 3.5, "giant"),
        (2.2, 9.5, "dwarf"),  # an M dwarf
        (-0.35, 4.5, "hot_subdwarf"),  # the typical sdB of A-10
        (0.0, 12.0, "white_dwarf"),
        (1.0, 14.5, "white_dwarf"),
        (0.0, 1.0, "dwarf"),  # an A star
        (0.45, 3.2, "dwarf"),  # the metal-poor turn-off
        (0.9, 2.9, "giant"),
        (np.nan, 4.0, "unclassified"),
        (0.8, np.nan, "unclassified"),
    ],
)
def test_well_known_stars(colour, magnitude, expected):
    assert classify_cmd([colour], [magnitude], settings()).tolist() == [expected]


def test_borders_are_those_of_the_configuration():
    cfg = settings(classes={"giant": [0.0, 1.0, 0.0]})
    assert classify_cmd([1.0, 1.0, 1.0], [0.99, 1.0, 1.01], cfg).tolist() == ["giant", "dwarf", "dwarf"]


def test_every_point_of_the_plane_has_one_class_and_the_drawn_lines_part_them():
    cfg = settings()
    colour, magnitude = (a.ravel() for a in np.meshgrid(np.linspace(-1, 5, 121), np.linspace(-5, 18, 231)))
    kinds = classify_cmd(colour, magnitude, cfg)
    assert set(kinds) == {"dwarf", "giant", "hot_subdwarf", "white_dwarf"}
    lines = borders(cfg, np.linspace(-1, 5, 601))
    for name, faint_side in (("giant", "dwarf"), ("white_dwarf", "white_dwarf")):
        line = lines[(lines["border"] == name) & lines["colour"].between(0.3, 1.5)]
        bright = classify_cmd(line["colour"], line["abs_magnitude"] - 0.01, cfg)
        faint = classify_cmd(line["colour"], line["abs_magnitude"] + 0.01, cfg)
        assert set(faint) == {faint_side}
        assert set(bright) == {"giant" if name == "giant" else "dwarf"}
    hot = lines[lines["border"] == "hot_subdwarf"]
    assert hot["colour"].max() == pytest.approx(0.2) and hot["abs_magnitude"].max() == 7.0
    assert set(classify_cmd(hot["colour"] - 1e-6, hot["abs_magnitude"] + 1e-3, cfg)[:-2]) == {"hot_subdwarf"}
    assert (giant_limit(cfg, 0.8) < white_dwarf_limit(cfg, 0.8)).all()


def test_columns_of_the_configured_colour():
    frame = pd.DataFrame({"gaia_bp_0": [15.41, 15.6], "gaia_rp_0": [14.59, 14.4], "abs_gaia_g_0": [4.67, 0.5]})
    assert classify(frame, settings()).tolist() == ["dwarf", "giant"]
    with pytest.raises(InputError, match="gaia_rp_0.*absent"):
        classify(frame.drop(columns="gaia_rp_0"), settings())


def test_rule_logg():
    cfg = settings(classes={"rule": "logg", "logg_giant": 3.5})
    assert classify(pd.DataFrame({"logg": [4.4, 3.5, 3.49, np.nan]}), cfg).tolist() == ["dwarf", "dwarf", "giant", "unclassified"]
    assert borders(cfg, np.linspace(0, 1, 5)).empty


def test_unknown_rule():
    with pytest.raises(InputError, match="classes.rule.*'kiel'"):
        classify(pd.DataFrame({"logg": [4.4]}), settings(classes={"rule": "kiel"}))
