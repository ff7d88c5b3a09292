"""The networks of one job of an ensemble."""

from adapter import stage

with stage(snakemake):
    from starlabels.rave.fit import run_train

    given, params = snakemake.input, snakemake.params
    run_train(
        given.training,
        given.spectra,
        given.scaling,
        params.rave,
        snakemake.wildcards.variant,
        snakemake.wildcards.network,
        params.networks,
        params.seed,
        snakemake.threads,
        snakemake.output.model,
        snakemake.output.summary,
    )
