"""Shares of metal-poor stars and the histograms of Figure 12."""

from adapter import stage

with stage(snakemake):
    from starlabels.sages.validation.fractions import run_fractions

    out, params = snakemake.output, snakemake.params
    predictions = {k: snakemake.input[f"set{k}"] for k in params.sets}
    run_fractions(predictions, params.sages, params.simulated, out.summary, out.table, published=params.sages["published"]["fractions"])
