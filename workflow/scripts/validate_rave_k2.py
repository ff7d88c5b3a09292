"""Surface gravities against K2 asteroseismology (Figure 14)."""

from adapter import stage

with stage(snakemake):
    from starlabels.rave.validation.k2 import run_k2

    inp, out, params = snakemake.input, snakemake.output, snakemake.params
    run_k2(
        list(inp.stars),
        list(inp.photometry),
        list(inp.spectra),
        inp.training,
        inp.training_photometry,
        inp.training_spectra or None,
        params.cfg,
        params.simulated,
        out.table,
        out.summary,
        seed=params.seed,
    )
