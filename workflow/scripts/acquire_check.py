"""A look at every source of the run; printed, and written as Markdown and JSON."""

from adapter import stage

with stage(snakemake) as log:
    from starlabels.acquire import check, check_page
    from starlabels.errors import InputError
    from starlabels.io import atomic, write_json

    findings = check.acquire_check(snakemake.params.sources, dec_min=snakemake.params.get("dec_min", -90.0))
    with atomic(snakemake.output.page) as part:
        part.write_text(check_page.markdown_page(findings))
    write_json(snakemake.output.numbers, check_page.numbers(findings))
    print(check_page.page(findings), flush=True)
    for finding in findings:
        log.debug("%s: %s (%.1f s)", finding.dataset, finding.state, finding.seconds)
    if snakemake.params.get("strict") and (bad := [f.dataset for f in findings if f.defect]):
        raise InputError("sources of the run", f"are not as config/datasets.yaml says: {', '.join(bad)}", f"See {snakemake.output.page}")
