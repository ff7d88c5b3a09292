"""How far the measures depend on the seed of the forest (A-31)."""

from adapter import stage

with stage(snakemake):
    from starlabels.sages.studies_forest import run_seeds

    out, params = snakemake.output, snakemake.params
    run_seeds(
        snakemake.input.sample,
        params.sages,
        params.data_set,
        params.sages["models"],
        params.seeds,
        snakemake.threads,
        out.table,
        out.summary,
    )
