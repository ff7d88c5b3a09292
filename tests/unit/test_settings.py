"""The configuration is checked before anything runs, and its reference is the schema."""

import copy

import pytest

from starlabels import settings
from starlabels.errors import InputError


@pytest.fixture
def schema(root):
    return settings.load_yaml(root / "workflow/schemas/config.schema.yaml")


@pytest.fixture
def config(root):
    merged = {}
    for name in ("config", "sages", "datasets"):
        merged.update(settings.load_yaml(root / f"config/{name}.yaml"))
    return merged


def test_defaults_pass(config, schema):
    settings.check(config, schema)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["sead"], 1, "`sead`: is not known. Did you mean `seed`"),
        (["sages", "cuts", "ebv_max_trian"], 1, "`sages.cuts.ebv_max_trian`: is not known. Did you mean `ebv_max_train`"),
        (["sages", "bands", "sages_u", "redening"], 1, "Did you mean `reddening`"),
        (["sages", "forest", "max_depth"], "deep", "`sages.forest.max_depth`"),
        (["seed"], "42", "`seed`: '42' is not of type 'integer'"),
        (
            ["sages", "data_sets"],
            [{"id": 1, "bands": ["gaia_g", "gaia_bpp"]}],
            "names `gaia_bpp`, which is not defined. Did you mean `gaia_bp`",
        ),
        (["sages", "scan", "data_set"], 7, "`sages.scan.data_set`: is 7"),
        (["sages", "photometry", "matched"], "green202", "Did you mean `green2020`"),
    ],
)
def test_one_clear_error(config, schema, path, value, message):
    broken = copy.deepcopy(config)
    target = broken
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    with pytest.raises(InputError) as caught:
        settings.check(broken, schema)
    assert message in str(caught.value)


def test_missing_section_is_named(config, schema):
    del config["sages"]["cuts"]
    with pytest.raises(InputError, match="'cuts' is a required property"):
        settings.check(config, schema)


def test_reference_page_is_in_step_with_the_schema(root, schema):
    assert (root / "docs/configuration.md").read_text() == settings.reference_page(schema), "run `make docs`"


def test_every_key_is_described(schema):
    bare = [key for key, _, text in settings.reference_rows(schema) if not text]
    assert bare == []


def test_every_default_key_is_in_the_schema_and_back(config, schema):
    """Keys without a default would be found by nobody; keys without a schema are refused."""
    known = {key for key, _, _ in settings.reference_rows(schema)}
    fixed = {k for k in known if "<name>" not in k and "[]" not in k}

    def keys(mapping, prefix=""):
        for key, value in mapping.items():
            yield f"{prefix}{key}"
            if isinstance(value, dict):
                yield from keys(value, f"{prefix}{key}.")

    present = set(keys({k: v for k, v in config.items() if k != "datasets"}))
    assert {k for k in fixed - present if k != "datasets"} == set()


def test_yaml_errors(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        settings.load_yaml(tmp_path / "no.yaml")
    (tmp_path / "bad.yaml").write_text("a: [1")
    with pytest.raises(InputError, match="not valid YAML"):
        settings.load_yaml(tmp_path / "bad.yaml")
