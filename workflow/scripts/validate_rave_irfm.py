"""Effective temperatures against the infrared flux method of RAVE DR6 (Figure 16)."""

from adapter import stage

with stage(snakemake):
    from starlabels.rave.validation.irfm import run_irfm

    inp, out, params = snakemake.input, snakemake.output, snakemake.params
    run_irfm(
        list(inp.stars),
        list(inp.photometry),
        list(inp.spectra),
        inp.training,
        inp.training_photometry,
        inp.training_spectra or None,
        params.cfg,
        params.simulated,
        out.summary,
        out.density,
        out.hist,
        seed=params.seed,
    )
