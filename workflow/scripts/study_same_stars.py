"""The data sets on the same stars (Sections 3.2 and 3.3)."""

from adapter import stage

with stage(snakemake):
    from starlabels.sages.validation.test_set import run_same_stars

    params = snakemake.params
    samples = dict(zip(params.sets, snakemake.input.samples, strict=True))
    run_same_stars(samples, params.sages, params.simulated, snakemake.output[0], seed=params.seed)
