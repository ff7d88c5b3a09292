"""Counts of each class in the colour-magnitude diagram (Figure 1)."""

from adapter import stage

with stage(snakemake):
    from starlabels.sages.validation.cmd import run_cmd

    out, params = snakemake.output, snakemake.params
    run_cmd(list(snakemake.input.features), params.sages, params.simulated, out.table, out.summary)
