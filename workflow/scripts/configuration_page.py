"""Write docs/configuration.md from the schema (`make docs`)."""

from pathlib import Path

from starlabels import settings

root = Path(__file__).resolve().parents[2]
page = settings.reference_page(settings.load_yaml(root / "workflow/schemas/config.schema.yaml"))
(root / "docs/configuration.md").write_text(page)
