"""Makes docs/images/timeline.png from what the demo really prints.

    make demo | .venv/bin/python docs/images/timeline.py

Needs Chromium on the PATH, which draws the picture; nothing else of the project does.
"""

from __future__ import annotations

import html
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PICTURE = Path(__file__).with_name("timeline.png")
LINE = re.compile(r"^ +(\d+\.\d\d) s  (\w+) +(answers|rings|ends|calls|asks|says|presses|plays|hangs up) *(.*)$")
OUTCOME = re.compile(r"The flow asked for: (.+)\. Outcome: (\w+)\.")
WIDTH, ROW, FRAME = 1000, 34, 118
"""CSS pixels: of the picture, of a line, and of what stands above and below the lines."""

PAGE = """<!doctype html><meta charset="utf-8"><style>
* {{ box-sizing: border-box }}
body {{ margin: 0; padding: 18px 28px; font: 15px/1.3 "DejaVu Sans", Arial, sans-serif }}
body {{ color: #1f2328; background: #fff }}
h1 {{ font-size: 17px; margin: 4px 0 14px }}
h1 code {{ font: 15px "DejaVu Sans Mono", monospace; background: #eff1f3; padding: 3px 7px }}
table {{ border-collapse: collapse; width: 100% }}
td {{ height: {row}px; padding: 0 8px; border-top: 1px solid #d8dee4; white-space: nowrap }}
td:nth-child(1) {{ width: 82px; text-align: right; color: #59636e; font-variant-numeric: tabular-nums }}
td:nth-child(2) {{ width: 90px; font-weight: bold }}
td:nth-child(3) {{ width: 92px }}
.phone td:nth-child(2) {{ color: #1a7f37 }} .app td:nth-child(2) {{ color: #0550ae }}
.service td:nth-child(2) {{ color: #59636e }}
p {{ margin: 12px 8px; color: #59636e }}
</style><h1><code>make demo</code></h1><table>{lines}</table><p>{outcome}</p>"""


def page(output: str) -> tuple[str, int]:
    """The page for the output of the demo, and its height in CSS pixels."""
    found = [match.groups() for line in output.splitlines() if (match := LINE.match(line))]
    outcome = OUTCOME.search(output)
    if not found or outcome is None or "The call went as scripted." not in output:
        raise SystemExit("this is not the output of a demo that went well")
    lines = "".join(
        f'<tr class="{who}"><td>{at} s</td>'
        + "".join(f"<td>{html.escape(part)}</td>" for part in (who, what, text))
        + "</tr>"
        for at, who, what, text in found
    )
    below = f"The flow asked for {outcome[1]}. Outcome: {outcome[2]}."
    return PAGE.format(row=ROW, lines=lines, outcome=html.escape(below)), FRAME + ROW * len(found)


def main() -> None:
    """Read the demo's output, write the picture."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("Chromium is not on the PATH; on Debian: apt-get install chromium")
    document, height = page(sys.stdin.read())
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "timeline.html")
        source.write_text(document, "utf-8")
        flags = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-device-scale-factor=1.5")
        size = f"--window-size={WIDTH},{height}"
        command = [chromium, *flags, size, f"--screenshot={PICTURE}", f"--user-data-dir={folder}/profile", str(source)]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL, timeout=60)  # noqa: S603 - a path of ours
    print(f"{PICTURE.name}: {PICTURE.stat().st_size // 1024} KB")


if __name__ == "__main__":
    main()
