"""Both networks against the simulated truth."""

from adapter import stage

with stage(snakemake):
    from starlabels.rave.validation.truth import run_truth

    given, out, params = snakemake.input, snakemake.output, snakemake.params
    networks = [n for n in ("photometry", "spectra") if given.get(n)]
    run_truth(
        list(given.stars), {n: list(given[n]) for n in networks}, given.training, {n: given[f"training_{n}"] for n in networks},
        list(given.truth), params.rave, out.summary, out.density, out.hist, out.points, out.snr, seed=params.seed,
    )
