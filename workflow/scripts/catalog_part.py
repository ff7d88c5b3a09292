"""Some native files of one catalogue from native to canonical, sorted by cell."""

from adapter import stage

with stage(snakemake):
    from starlabels.catalog_parts import run_catalog_part

    run_catalog_part(
        snakemake.wildcards.dataset,
        list(snakemake.input.native),
        snakemake.params.spec,
        snakemake.params.cells,
        snakemake.params.nside,
        snakemake.params.margin_arcsec,
        snakemake.output.part,
        snakemake.output.counts,
    )
