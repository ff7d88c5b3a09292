"""The final catalogue of one data set."""

from adapter import stage

with stage(snakemake):
    from starlabels.sages.catalog import run_catalog_product

    run_catalog_product(
        list(snakemake.input.predictions),
        snakemake.params.sages,
        int(snakemake.wildcards.k),
        snakemake.output.fits,
        snakemake.output.parquet,
        simulated=snakemake.params.simulated,
    )
