"""Training and test samples of one data set."""

from adapter import stage

with stage(snakemake):
    from starlabels.sages.samples import run_samples

    run_samples(
        list(snakemake.input.features),
        list(snakemake.input.labels),
        snakemake.params.sages,
        int(snakemake.wildcards.k),
        snakemake.params.seed,
        snakemake.output.sample,
        snakemake.output.selection,
    )
