"""The network with photometry beside the one of spectra alone (Figure 23)."""

from adapter import stage

with stage(snakemake):
    from starlabels.rave.validation.photometry_gain import run_photometry_gain

    inp, out, params = snakemake.input, snakemake.output, snakemake.params
    run_photometry_gain(
        list(inp.stars),
        list(inp.photometry),
        list(inp.spectra),
        inp.k2,
        inp.literature,
        params.cfg,
        params.simulated,
        out.density,
        out.summary,
        seed=params.seed,
    )
