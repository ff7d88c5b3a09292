"""The checks and the flow of one catalogue that several jobs have read."""

from adapter import stage

with stage(snakemake):
    from starlabels.catalog_parts import run_catalog_counts

    run_catalog_counts(snakemake.wildcards.dataset, list(snakemake.input.counts), snakemake.params.spec, snakemake.output.selection)
