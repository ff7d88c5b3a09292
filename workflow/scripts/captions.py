"""One page with every figure and its caption."""

from adapter import stage

with stage(snakemake):
    from starlabels.figures.captions import write_page

    write_page(snakemake.params.entries, snakemake.params.simulated, snakemake.output[0])
