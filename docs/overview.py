"""Draw docs/overview.svg, the picture at the top of the README."""

from pathlib import Path

BLUE, GREEN, ORANGE, PINK = "#0072B2", "#009E73", "#D55E00", "#CC79A7"
# one row a paper: (title, lines, colour) of each box
ROWS = [
    ("Gu et al. 2025: photometry, forests", [
        ("raw catalogues", "SAGES, Gaia, 2MASS,\nAllWISE, GALEX, LAMOST, ...", BLUE),
        ("cross-match", "every source at its own\ndate, to Gaia", GREEN),
        ("features, samples", "reddening, colours, classes,\nTable 2 cuts, each counted", GREEN),
        ("forests", "5 random forests x 2 sets,\nerrors, domain", ORANGE),
        ("final catalogues", "FITS and Parquet,\nTable 3", ORANGE),
        ("figures, tables", "1 to 12, 1 to 3; test sets,\nother catalogues, truth", PINK),
    ]),
    ("Guiglion et al. 2020: spectra, networks", [
        ("raw catalogues", "RAVE DR6 and its spectra,\nAPOGEE, StarHorse, ...", BLUE),
        ("one grid", "spectra resampled, bad\npixels and files counted", GREEN),
        ("stars, samples", "spectra, photometry, labels;\ncuts, each counted; split", GREEN),
        ("networks", "ensembles with and without\nphotometry, best 80 % kept", ORANGE),
        ("final catalogue", "FITS and Parquet, Table 1:\nlabels, errors, flags", ORANGE),
        ("figures, table", "1 to 25, A.1 to A.4; seismic\nlog g, literature, truth", PINK),
    ]),
]  # fmt: skip
W, H, GAP, TITLE = 190, 78, 20, 28


def box(x: float, y: float, title: str, text: str, colour: str) -> str:
    lines = "".join(
        f'<text x="{x + W / 2}" y="{y + 44 + 17 * n}" font-size="12" text-anchor="middle">{t}</text>'
        for n, t in enumerate(text.split("\n"))
    )
    return (
        f'<rect x="{x}" y="{y}" width="{W}" height="{H}" rx="6" fill="{colour}" fill-opacity="0.13" stroke="{colour}" stroke-width="1.6"/>'
        f'<text x="{x + W / 2}" y="{y + 22}" font-size="15" font-weight="bold" text-anchor="middle">{title}</text>{lines}'
    )


def row(top: float, title: str, boxes: list) -> str:
    y = top + TITLE
    parts = [f'<text x="10" y="{top + 18}" font-size="14" font-style="italic" fill="#444">{title}</text>']
    parts += [box(10 + k * (W + GAP), y, *b) for k, b in enumerate(boxes)]
    arrows = [f'<path d="M{10 + k * (W + GAP) + W} {y + H / 2} h{GAP - 4}" marker-end="url(#a)"/>' for k in range(len(boxes) - 1)]
    return "".join(parts) + f'<g fill="none" stroke="#444" stroke-width="1.6">{"".join(arrows)}</g>'


columns, step = max(len(boxes) for _, boxes in ROWS), TITLE + H + 14
width, height = 20 + columns * W + (columns - 1) * GAP, 6 + len(ROWS) * step
svg = (
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="Helvetica, Arial, sans-serif" role="img">'
    "<title>From raw catalogues to figures</title>"
    f'<rect width="{width}" height="{height}" fill="white"/>'
    '<defs><marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M0 0 L8 4 L0 8 z" fill="#444"/></marker></defs>' + "".join(row(2 + k * step, *r) for k, r in enumerate(ROWS)) + "</svg>\n"
)
Path(__file__).with_name("overview.svg").write_text(svg)
