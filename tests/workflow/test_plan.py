"""What a run would do, known before it starts."""

import re

import pytest


@pytest.fixture(scope="module")
def project(new_project):
    return new_project("plan")


def test_default_run_plans_every_figure_and_table(project):
    outputs = [path for _, _, made in project.jobs(configfile=None) for path in made]
    for n in range(1, 13):
        for ending in ("pdf", "png", "csv"):
            assert any(re.fullmatch(rf"figures/sages/fig{n:02d}_\w+\.{ending}", p) for p in outputs), (n, ending)
    for n in range(1, 4):
        for ending in ("tex", "csv"):
            assert any(re.fullmatch(rf"figures/sages/table{n}_\w+\.{ending}", p) for p in outputs), (n, ending)
    assert {f"results/sages/catalog/sages_set{k}.{e}" for k in (1, 2) for e in ("fits", "parquet")} <= set(outputs)


def test_jobs_are_planned_for_every_cell(project):
    jobs = project.jobs(configfile=None)
    count = {rule: sum(name == rule for name, _, _ in jobs) for rule in ("stars", "labels", "features", "predict")}
    assert count["stars"] == count["labels"] == count["features"] == count["predict"] / 2 > 4


@pytest.mark.parametrize("target", ["all", "sages", "figures", "tables", "catalogs", "studies"])
def test_targets(project, target):
    assert project.planned(target)


def test_only_validation_reads_the_truth(project):
    readers = {rule for rule, inputs, _ in project.jobs("all", "studies") if any("native/truth/" in p for p in inputs)}
    assert readers and all(rule.startswith("validate_") for rule in readers)


def test_no_stage_after_the_catalogues_reads_native_tables(project):
    """One way: only `catalog` reads native tables (the dust map is queried in place)."""
    for rule, inputs, _ in project.jobs("all", "studies"):
        native = [p for p in inputs if "results/native/" in p and "/truth/" not in p and "/dust/" not in p]
        assert not native or rule == "catalog", (rule, native)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sages: {cuts: {ebv_max_trian: 0.1}}", "`sages.cuts.ebv_max_trian`: is not known. Did you mean `ebv_max_train`?"),
        ("sead: 1", "`sead`: is not known. Did you mean `seed`?"),
        ("cells: {list: [999999]}", "names cell 999999"),
        ("source: files", "`datasets."),
    ],
)
def test_a_wrong_configuration_is_one_clear_error(project, text, message):
    (project.folder / "wrong.yaml").write_text(text + "\n")
    done = project.run("-n", check=False, configfile="wrong.yaml")
    assert done.returncode != 0
    assert message in done.stdout
    assert "Traceback" not in done.stdout
