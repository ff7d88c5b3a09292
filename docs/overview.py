"""Draw docs/overview.svg, the picture at the top of the README."""

from pathlib import Path

BOXES = [
    ("raw catalogues", "SAGES, Gaia, 2MASS, AllWISE,\nGALEX, LAMOST, APOGEE, ...", "#0072B2"),
    ("canonical tables", "units, sentinels, ids;\none file a piece of the sky", "#0072B2"),
    ("cross-match", "every source at its own\ndate, to Gaia", "#009E73"),
    ("features, samples", "reddening, colours, classes,\nTable 2 cuts, each counted", "#009E73"),
    ("models", "5 random forests x 2 sets,\nerrors, domain", "#D55E00"),
    ("final catalogues", "FITS and Parquet,\nTable 3", "#D55E00"),
    ("validation", "test sets, H23, A23,\nclusters, truth", "#CC79A7"),
    ("figures, tables", "1 to 12, 1 to 3; PDF, PNG\nand the numbers drawn", "#CC79A7"),
]
W, H, GAP = 205, 84, 26


def box(i: int, title: str, text: str, colour: str) -> str:
    column, row = i % 4, i // 4
    x, y = 10 + column * (W + GAP), 10 + row * (H + 40)
    lines = "".join(
        f'<text x="{x + W / 2}" y="{y + 46 + 18 * n}" font-size="12.5" text-anchor="middle">{t}</text>'
        for n, t in enumerate(text.split("\n"))
    )
    return (
        f'<rect x="{x}" y="{y}" width="{W}" height="{H}" rx="6" fill="{colour}" fill-opacity="0.13" stroke="{colour}" stroke-width="1.6"/>'
        f'<text x="{x + W / 2}" y="{y + 24}" font-size="15" font-weight="bold" text-anchor="middle">{title}</text>{lines}'
    )


def arrows() -> str:
    out = []
    for row in range(2):
        y = 10 + row * (H + 40) + H / 2
        out += [f'<path d="M{10 + c * (W + GAP) + W} {y} h{GAP - 4}" marker-end="url(#a)"/>' for c in range(3)]
    y = 10 + H
    out.append(f'<path d="M{10 + 3 * (W + GAP) + W / 2} {y} v20 H{10 + W / 2} v16" marker-end="url(#a)"/>')
    return f'<g fill="none" stroke="#444" stroke-width="1.6">{"".join(out)}</g>'


width, height = 20 + 4 * W + 3 * GAP, 20 + 2 * H + 40
svg = (
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="Helvetica, Arial, sans-serif" role="img">'
    "<title>From raw catalogues to figures</title>"
    f'<rect width="{width}" height="{height}" fill="white"/>'
    '<defs><marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M0 0 L8 4 L0 8 z" fill="#444"/></marker></defs>' + "".join(box(i, *b) for i, b in enumerate(BOXES)) + arrows() + "</svg>\n"
)
Path(__file__).with_name("overview.svg").write_text(svg)
