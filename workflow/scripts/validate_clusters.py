"""Members and metallicities of the clusters (Figure 11)."""

from adapter import stage

with stage(snakemake):
    from starlabels.sages.validation.clusters import run_clusters
    from starlabels.sky.clusters import CLUSTERS

    out, params = snakemake.output, snakemake.params
    run_clusters(
        list(snakemake.input.predictions),
        params.sages,
        params.simulated,
        out.table,
        out.summary,
        harris_path=snakemake.input.harris or None,
        seed=params.seed,
        sky_feh={name: row["feh"] for name, row in CLUSTERS.items()} if params.simulated else None,
    )
