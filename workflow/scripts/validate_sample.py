"""Colour-magnitude diagram and [Fe/H] of the training and test samples (Figures 2 and 3)."""

from adapter import stage

with stage(snakemake):
    from starlabels.sages.validation.cmd import run_sample

    out, params = snakemake.output, snakemake.params
    run_sample(snakemake.input.sample, params.sages, int(snakemake.wildcards.k), params.simulated, out.cmd, out.feh, out.summary)
