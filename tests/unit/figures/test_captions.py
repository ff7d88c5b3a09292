"""The page of captions."""

from matplotlib.figure import Figure

from starlabels.figures.captions import caption_of, write_page

ENTRIES = [
    {"id": "fig01_x", "paper": "sages", "title": "First", "caption": "What is\n  shown.", "inputs": {}},
    {"id": "table1_y", "paper": "sages", "title": "Second", "caption": "Rows.", "inputs": {}},
]


def test_page_shows_figures_links_tables_and_says_simulated(tmp_path):
    write_page(ENTRIES, True, tmp_path / "captions.md")
    text = (tmp_path / "captions.md").read_text()
    assert "![fig01_x](fig01_x.png)" in text and "[table1_y.tex](table1_y.tex)" in text
    assert "Simulated sky. What is shown." in text and "First (simulated sky)" in text
    write_page(ENTRIES, False, tmp_path / "captions.md")
    assert "imulated" not in (tmp_path / "captions.md").read_text()


def test_page_has_the_caption_of_the_picture(tmp_path):
    text = "Simulated sky. Shown. Of 21\N{THIN SPACE}919 stars 3 are below \N{MINUS SIGN}0.7."
    Figure().savefig(tmp_path / "fig01_x.png", metadata={"Description": text})
    assert caption_of(tmp_path / "fig01_x.png") == text
    write_page(ENTRIES, True, tmp_path / "captions.md", {"fig01_x": tmp_path / "fig01_x.png"})
    page = (tmp_path / "captions.md").read_text()
    assert text in page and "What is shown" not in page and "Simulated sky. Rows." in page
