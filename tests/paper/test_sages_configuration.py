"""The default configuration holds what Gu et al. 2025 print (typed from the paper's tables, independently of the configuration)."""

import pytest
from paths import ROOT

from starlabels import photometry, settings

TABLE_1 = {"NUV": 7.294, "u": 4.324, "v": 3.917, "G": 2.364, "BP": 2.998, "RP": 1.737, "J": 0.748, "H": 0.453}
TABLE_1 |= {"K": 0.306, "W1": 0.194, "W2": 0.138}
TABLE_2 = {  # band: (training, prediction)
    "u": (0.1, 0.2), "v": (0.1, 0.2), "G": (0.01, 0.1), "BP": (0.01, 0.1), "RP": (0.01, 0.1), "J": (0.04, 0.1), "H": (0.05, 0.1),
    "K": (0.05, 0.2), "W1": (0.03, 0.1), "W2": (0.05, 0.1), "NUV": (0.1, 0.2),
}  # fmt: skip
NAMES = {
    "NUV": "galex_nuv", "u": "sages_u", "v": "sages_v", "G": "gaia_g", "BP": "gaia_bp", "RP": "gaia_rp", "J": "tmass_j", "H": "tmass_h",
    "K": "tmass_ks", "W1": "wise_w1", "W2": "wise_w2",
}  # fmt: skip


@pytest.fixture(scope="module")
def sages():
    return settings.load_yaml(ROOT / "config/sages.yaml")["sages"]


@pytest.mark.parametrize("band", TABLE_1)
def test_table_1(sages, band):
    assert sages["bands"][NAMES[band]]["reddening"] == TABLE_1[band]


@pytest.mark.parametrize("band", TABLE_2)
def test_table_2_bands(sages, band):
    entry = sages["bands"][NAMES[band]]
    assert (entry["err_max_train"], entry["err_max_predict"]) == TABLE_2[band]


def test_table_2_stars_and_labels(sages):
    cuts = sages["cuts"]
    assert cuts["parallax_over_err_min"] == 1
    assert (cuts["ebv_max_train"], cuts["ebv_max_predict"]) == (0.05, 0.5)
    assert (cuts["teff_err_max"], cuts["logg_err_max"], cuts["feh_err_max"]) == (200, 0.3, 0.2)


def test_section_2_4(sages):
    assert {k: sages["forest"][k] for k in ("n_estimators", "max_features", "max_depth")} == {
        "n_estimators": 300, "max_features": None, "max_depth": 17,
    }  # fmt: skip
    assert max(sages["scan"]["n_estimators"]) == 750 and sages["scan"]["repeats"] == 3


def test_section_2_5(sages):
    assert set(sages["models"]) == {"feh_dwarf", "feh_giant", "teff_dwarf", "teff_giant", "logg_all"}
    assert [len(photometry.feature_names(sages, k)) for k in (1, 2)] == [18, 69]
    assert [len(photometry.colour_names(sages, k)) for k in (1, 2)] == [10, 55]


def test_section_2_3_and_section_3_5_and_section_4(sages):
    assert sages["samples"]["test"]["vmp"]["feh_offset"] == 0.427
    assert list(sages["samples"]["train"]) == ["lamost", "pastel", "rave5"] and list(sages["samples"]["test"]) == ["apogee", "vmp"]
    assert sages["clusters"]["pm_err_max"] == 0.3 and sages["clusters"]["snr_min"] == 20
    assert [c["name"] for c in sages["clusters"]["list"]] == ["NGC 2420", "NGC 2682", "NGC 6934", "NGC 7089"]
    assert sages["cool_mask"]["colour_max"] == 1.598


def test_published_numbers_that_figures_print(sages):
    assert sages["published"]["fractions"] == {1: [81.11, 4.88, 0.03], 2: [77.59, 2.18, 0.05]}
