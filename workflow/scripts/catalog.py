"""One catalogue from native to canonical, cut into cells."""

from adapter import stage

with stage(snakemake):
    from starlabels.catalogs import run_catalog

    run_catalog(
        snakemake.wildcards.dataset,
        list(snakemake.input.native),
        snakemake.params.spec,
        snakemake.params.cells,
        snakemake.params.nside,
        snakemake.params.margin_arcsec,
        dict(zip(snakemake.params.cells, snakemake.output.cells, strict=True)),
        snakemake.output.selection,
    )
