"""One forest of one data set."""

from adapter import stage

with stage(snakemake):
    from starlabels.sages.models import run_train

    run_train(
        snakemake.input.sample,
        snakemake.params.sages,
        int(snakemake.wildcards.k),
        snakemake.wildcards.model,
        snakemake.params.seed,
        snakemake.threads,
        snakemake.output.model,
        snakemake.output.summary,
    )
