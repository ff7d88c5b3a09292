"""Some cells of one catalogue from all its parts."""

from adapter import stage

with stage(snakemake):
    from starlabels.catalog_parts import run_catalog_merge

    run_catalog_merge(
        snakemake.wildcards.dataset,
        list(snakemake.input.parts),
        list(snakemake.input.counts),
        snakemake.params.spec,
        snakemake.params.cells,
        snakemake.params.nside,
        dict(zip(snakemake.params.cells, snakemake.output.cells, strict=True)),
    )
