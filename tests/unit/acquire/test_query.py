"""The text of queries."""

import pytest

from starlabels.acquire.query import Selection, identifier, literal, native_columns, table_name
from starlabels.errors import InputError


@pytest.mark.parametrize(("name", "quoted"), [
    ("source_id", "source_id"), ("[Fe/H]", '"[Fe/H]"'), ("2MASS", '"2MASS"'), ("Jmag", '"Jmag"'), ("size", '"size"'), ("date", '"date"'),
    ("_2mass", '"_2mass"'), ('a"b', '"a""b"'), ('"Teff"', '"Teff"'), ("e_[M/H]", '"e_[M/H]"'), ("c1", "c1"),
])  # fmt: skip
def test_names_are_quoted_where_they_must_be(name, quoted):
    assert identifier(name) == quoted


def test_tables_of_vizier_are_one_word():
    assert table_name("II/246/out") == '"II/246/out"' and table_name("J/A+A/618/A93/table1") == '"J/A+A/618/A93/table1"'
    assert table_name("gaiadr3.gaia_source") == "gaiadr3.gaia_source" and table_name('viz."J/x"') == 'viz."J/x"'
    assert table_name("external.xgboost_table1") == "external.xgboost_table1" and table_name("TAP_SCHEMA.columns") == "TAP_SCHEMA.columns"


def test_slices_keep_every_digit():
    part = {"column": "source_id", "low": 6917528997577384320, "high": 6917528997577384321}
    assert Selection("t", ["source_id"], None, part).text() == (
        "SELECT source_id FROM t WHERE source_id >= 6917528997577384320 AND source_id < 6917528997577384321"
    )


def test_open_ends_text_and_conditions():
    first = Selection("t", ["rave_obs_id"], "snr > 20 OR snr IS NULL", {"column": "rave_obs_id", "low": None, "high": "2004'"})
    assert first.text() == "SELECT rave_obs_id FROM t WHERE (snr > 20 OR snr IS NULL) AND rave_obs_id < '2004'''"
    last = Selection("t", ["a"], None, {"column": "rave_obs_id", "low": "2012", "high": None})
    assert last.count() == "SELECT COUNT(*) AS n_rows FROM t WHERE rave_obs_id >= '2012'"
    assert Selection("t", ["a"], None, {"column": "x", "low": 0, "high": None}).text().endswith("WHERE x >= 0")  # zero is an end
    assert literal(0.1) == "0.1"


def test_languages():
    assert Selection("t", ["a", "[Fe/H]"]).text(top=3) == 'SELECT TOP 3 a, "[Fe/H]" FROM t'
    assert Selection("t", ["a"], language="PostgreSQL").text(top=3) == "SELECT a FROM t LIMIT 3"


def test_first_known_name_of_each_column():
    spec = {"columns": {
        "feh": {"native": ["fe_h", "[Fe/H]"]}, "teff": {"native": "teff"}, "again": {"native": "TEFF"}, "made": {"value": 3},
        "gone": {"native": "gone", "optional": True},
    }}  # fmt: skip
    assert native_columns(spec, ["[Fe/H]", "Teff", "x"], "s, table t") == ["[Fe/H]", "Teff"]
    with pytest.raises(InputError, match=r"s, table t, column fe_h or \[Fe/H\]: is absent; nearest present: feh"):
        native_columns(spec, ["feh", "teff"], "s, table t")
