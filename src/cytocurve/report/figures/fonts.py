"""Fonts inside SVG files: text stays text, and looks the same where the font is not installed."""

import base64
import io
from pathlib import Path
from xml.etree import ElementTree as ET

import matplotlib as mpl
from fontTools import subset

_FACES = {"normal": "DejaVuSans.ttf", "bold": "DejaVuSans-Bold.ttf"}
_TEXT = "{http://www.w3.org/2000/svg}text"


def with_fonts(svg: str) -> str:
    """The figure with the glyphs that it uses of matplotlib's own font embedded."""
    texts = list(ET.fromstring(svg).iter(_TEXT))  # noqa: S314 - drawn here
    letters = {
        "bold": {letter for each in texts if "bold" in each.get("style", "") for letter in "".join(each.itertext())},
        "normal": {letter for each in texts for letter in "".join(each.itertext())},
    }
    faces = "".join(_face(weight, letters[weight]) for weight in _FACES if letters[weight])
    return svg.replace("<defs>", f'<defs><style type="text/css">{faces}</style></defs><defs>', 1)


def _face(weight: str, letters: set[str]) -> str:
    path = Path(mpl.get_data_path()) / "fonts" / "ttf" / _FACES[weight]
    options = subset.Options(flavor="woff", hinting=False, layout_features=[])
    options.drop_tables += ["FFTM", "GDEF", "GPOS", "GSUB"]
    subsetter = subset.Subsetter(options)
    subsetter.populate(text="".join(sorted(letters)))
    data = io.BytesIO()
    with subset.load_font(path, options) as font:
        subsetter.subset(font)
        subset.save_font(font, data, options)
    text = base64.b64encode(data.getvalue()).decode()
    return f"@font-face{{font-family:'DejaVu Sans';font-weight:{weight};src:url(data:font/woff;base64,{text})}}"
