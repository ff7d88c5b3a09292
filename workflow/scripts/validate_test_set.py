"""Predictions of the test sample against its labels (Figures 6 and 7)."""

from adapter import stage

with stage(snakemake):
    from starlabels.sages.validation.test_set import run_test_set

    out, params = snakemake.output, snakemake.params
    run_test_set(
        snakemake.input.sample,
        params.sages,
        int(snakemake.wildcards.k),
        params.simulated,
        out.summary,
        out.density,
        out.hist,
        seed=params.seed,
    )
