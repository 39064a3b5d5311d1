"""Makes the two bundled Inter files from the upstream ones.

Usage: python make_tabular.py Inter-Regular.otf Inter-SemiBold.otf  (needs fonttools)

Three changes: the digits that characters map to are the font's own tabular ones (feature `tnum`),
so that columns of numbers align, because egui cannot switch OpenType features on; only the
characters that European interface text needs are kept; and what the font has no letter for is a
box, because nothing at all looks like an empty name. Other outlines and metrics are untouched.
The family is called "Modelens Sans", so that nobody takes it for the original.
"""

import sys
from pathlib import Path

from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

FAMILY = "Modelens Sans"
KEEP = [*range(0x20, 0x180), *range(0x2010, 0x2060), *range(0x2070, 0x20C0), *range(0x2190, 0x2194),
        0x0394, 0x03B2, 0x03B3, 0x03BC, 0x03C3, 0x2122, 0x2202, 0x2212, 0x221A, 0x221E, 0x2248, 0x2260, 0x2264, 0x2265, 0x2713]


def tabular(font: TTFont) -> dict[str, str]:
    gsub = font["GSUB"].table
    mapping: dict[str, str] = {}
    for record in gsub.FeatureList.FeatureRecord:
        if record.FeatureTag == "tnum":
            for index in record.Feature.LookupListIndex:
                for table in gsub.LookupList.Lookup[index].SubTable:
                    mapping |= getattr(table, "ExtSubTable", table).mapping
    return mapping


def box(font: TTFont) -> None:
    """Draws the glyph `.notdef` as an upright frame, as high as a capital."""
    cff = font["CFF "].cff.topDictIndex[0]
    width, height = font["hmtx"][".notdef"][0], font["OS/2"].sCapHeight
    edge, line = width // 8, width // 16
    old = cff.CharStrings[".notdef"]
    pen = T2CharStringPen(width - old.private.nominalWidthX, None)
    outer = [(edge, 0), (width - edge, 0), (width - edge, height), (edge, height)]
    inner = [(edge + line, line), (edge + line, height - line), (width - edge - line, height - line), (width - edge - line, line)]
    for corners in (outer, inner):
        pen.moveTo(corners[0])
        for corner in corners[1:]:
            pen.lineTo(corner)
        pen.closePath()
    cff.CharStrings[".notdef"] = pen.getCharString(old.private, old.globalSubrs)


for source in map(Path, sys.argv[1:]):
    font = TTFont(source)
    swap = tabular(font)
    digits = {ord(c) for c in "0123456789"}
    for table in font["cmap"].tables:
        for code, glyph in table.cmap.items():
            if code in digits:
                table.cmap[code] = swap.get(glyph, glyph)  # subtables may share one map
    options = Options()
    options.layout_features = ["kern", "mark", "mkmk", "ccmp", "locl"]
    options.name_IDs = ["*"]
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=KEEP)
    subsetter.subset(font)
    box(font)
    style = source.stem.split("-")[1]
    names = {1: FAMILY, 2: style, 3: f"{FAMILY} {style}", 4: f"{FAMILY} {style}", 6: f"ModelensSans-{style}", 16: FAMILY, 17: style}
    for record in font["name"].names:
        if record.nameID in names:
            record.string = names[record.nameID]
    cff = font["CFF "].cff
    cff.fontNames[0] = names[6]
    cff.topDictIndex[0].FamilyName = FAMILY
    cff.topDictIndex[0].FullName = names[4]
    font.save(Path(__file__).parent / f"ModelensSans-{style}.otf")
