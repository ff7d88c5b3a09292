"""Surface gravities against BDASP of RAVE DR6 (Figure 15)."""

from adapter import stage

with stage(snakemake):
    from starlabels.rave.validation.bdasp import run_bdasp

    inp, out, params = snakemake.input, snakemake.output, snakemake.params
    run_bdasp(
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
