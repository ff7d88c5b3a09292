"""All predictions of a data set against the simulated truth."""

from adapter import stage

with stage(snakemake):
    from starlabels.sages.validation.truth import run_truth

    out, params = snakemake.output, snakemake.params
    run_truth(
        list(snakemake.input.predictions),
        list(snakemake.input.truth),
        params.sages,
        int(snakemake.wildcards.k),
        out.summary,
        out.density,
        out.hist,
        out.bins,
        seed=params.seed,
    )
