"""Writes a zip with the same bytes each time: names sorted, one date, no owner.

usage: python pack.py FOLDER FILE.zip [PREFIX]   PREFIX goes before every name
"""

from __future__ import annotations

import os
import sys
import time
import zipfile
from pathlib import Path


def main(folder: str, out: str, prefix: str = "") -> None:
    """Packs everything in a folder."""
    root = Path(folder)
    date = time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", "1767225600")))[:6]
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(one for one in root.rglob("*") if one.is_file()):
            name = prefix + path.relative_to(root).as_posix()
            entry = zipfile.ZipInfo(name, date)
            entry.compress_type = zipfile.ZIP_DEFLATED
            runs = os.access(path, os.X_OK)
            entry.external_attr = (0o100755 if runs else 0o100644) << 16
            archive.writestr(entry, path.read_bytes())


if __name__ == "__main__":
    main(*sys.argv[1:])
