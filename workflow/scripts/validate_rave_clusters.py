"""Labels of cluster stars against the literature (Figure 20)."""

from adapter import stage

with stage(snakemake):
    from starlabels.rave.validation.clusters import run_clusters

    inp, out, params = snakemake.input, snakemake.output, snakemake.params
    run_clusters(
        inp.literature,
        list(inp.stars),
        list(inp.photometry),
        list(inp.spectra),
        inp.training,
        params.cfg,
        params.simulated,
        out.table,
        out.summary,
        seed=params.seed,
        matches=inp.matches,
    )
