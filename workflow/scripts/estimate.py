"""What the configured run would cost, before anything of it runs; printed, and written as Markdown and JSON."""

from adapter import stage

with stage(snakemake) as log:
    from pathlib import Path

    from starlabels.io import atomic, read_json, write_json
    from starlabels.plan import Plan
    from starlabels.rates import dry_run, estimate, estimate_page, rows

    snakefile, checked = Path(snakemake.params.snakefile), Path(snakemake.params.checked)
    config, rates = snakemake.config, estimate.measured()
    jobs = dry_run.jobs_of_run(config, snakefile)
    learned = rows.learned_from(read_json(checked) if checked.exists() else None)
    size = rows.size_of(config, Plan(config, snakefile.parent), rates["simulated"], learned)
    table = estimate.costs(config, size, jobs, rates, snakemake.params.cores)
    sums = estimate.sums(table, size, config, rates, snakemake.params.cores)
    page = estimate_page.page(config, size, table, sums, rates)
    with atomic(snakemake.output.page) as part:
        part.write_text(page)
    write_json(snakemake.output.numbers, estimate_page.numbers(size, table, sums, rates))
    print(page, flush=True)
