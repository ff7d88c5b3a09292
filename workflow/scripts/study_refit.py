"""The forests trained without the stars of the test set (A-9)."""

from adapter import stage

with stage(snakemake):
    from starlabels.sages.studies_forest import run_refit_leakage_free

    params = snakemake.params
    models = {name: snakemake.input[name] for name in params.sages["models"]}
    run_refit_leakage_free(
        snakemake.input.sample,
        params.sages,
        int(snakemake.wildcards.k),
        list(models),
        models,
        params.seed,
        snakemake.threads,
        snakemake.output[0],
    )
