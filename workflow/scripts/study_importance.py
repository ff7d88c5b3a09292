"""What each feature is worth; how far log g rests on the parallax (Section 5)."""

from adapter import stage

with stage(snakemake):
    from starlabels.sages.studies_forest import run_permutation_importance

    out, params = snakemake.output, snakemake.params
    models = {name: snakemake.input[name] for name in params.sages["models"]}
    run_permutation_importance(
        snakemake.input.sample,
        models,
        params.sages,
        params.data_set,
        list(models),
        params.seed,
        snakemake.threads,
        out.table,
        out.summary,
    )
