"""Scatter and offset in bins of each label (Figure 8)."""

from adapter import stage

with stage(snakemake):
    from starlabels.sages.validation.bins import run_bins

    out, params = snakemake.output, snakemake.params
    samples = dict(zip(params.sets, snakemake.input.samples, strict=True))
    run_bins(samples, params.sages, params.simulated, out.table, out.summary, seed=params.seed)
