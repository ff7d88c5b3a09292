"""Spectra of the same star against each other (Section 6.5, Figure 19)."""

from adapter import stage

with stage(snakemake):
    from starlabels.rave.validation.repeats import run_repeats

    files, out, params = snakemake.input, snakemake.output, snakemake.params
    predictions = {"photometry": list(files.photometry), "spectra": list(files.get("spectra") or [])}
    given = {network: paths for network, paths in predictions.items() if paths}
    run_repeats(list(files.stars), given, params.rave, params.simulated, out.table, out.summary, seed=params.seed)
