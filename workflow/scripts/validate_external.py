"""Predictions against another catalogue (Figures 9 and 10)."""

from adapter import stage

with stage(snakemake):
    from starlabels.sages.validation.external import run_external

    out, params = snakemake.output, snakemake.params
    run_external(
        list(snakemake.input.predictions),
        list(snakemake.input.external),
        params.sages,
        snakemake.wildcards.external,
        params.simulated,
        out.summary,
        out.density,
        out.hist,
        seed=params.seed,
    )
