"""Draws the pictures of the README from what the demo really prints and makes.

    make demo | .venv/bin/python docs/images/draw.py

timeline.png is the demo's output; report.png is the upper part of the page that it leaves in .switchboard/demo.
Needs Chromium on the PATH.
"""

from __future__ import annotations

import html
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

FOLDER = Path(__file__).parent
REPORT = FOLDER.parents[1] / ".switchboard" / "demo" / "report.html"
REPORT_SIZE = (1280, 900)
"""CSS pixels: down to the first lines of the transcript and of the scorecard."""
VERBS = "answers|rings|ends|calls|asks|says|presses|plays|adds|starts recording|stops recording|hangs up"
LINE = re.compile(rf"^ +(\d+\.\d\d) s  (\w+) +({VERBS}) *(.*)$")
OUTCOME = re.compile(r"The flow asked for: (.+)\. Outcome: (\w+)\.")
WELL = "The call and its report went as scripted."
WIDTH, ROW, MORE, FRAME = 1000, 30, 20, 118
"""CSS pixels: of the picture, of a line, of each further line of its text, and of what stands above and below."""
LONGEST = 78
"""Characters of a text in one line."""

PAGE = """<!doctype html><meta charset="utf-8"><style>
* {{ box-sizing: border-box }}
body {{ margin: 0; padding: 18px 28px; font: 15px/20px "DejaVu Sans", Arial, sans-serif }}
body {{ color: #1f2328; background: #fff }}
h1 {{ font-size: 17px; margin: 4px 0 14px }}
h1 code {{ font: 15px "DejaVu Sans Mono", monospace; background: #eff1f3; padding: 3px 7px }}
table {{ border-collapse: collapse; width: 100% }}
td {{ height: {row}px; padding: 0 8px; border-top: 1px solid #d8dee4; white-space: nowrap }}
td:nth-child(1) {{ width: 82px; text-align: right; color: #59636e; font-variant-numeric: tabular-nums }}
td:nth-child(2) {{ width: 90px; font-weight: bold }}
td:nth-child(3) {{ width: 142px }}
.phone td:nth-child(2) {{ color: #1a7f37 }} .app td:nth-child(2) {{ color: #0550ae }}
.service td:nth-child(2) {{ color: #59636e }}
p {{ margin: 12px 8px; color: #59636e }}
</style><h1><code>make demo</code></h1><table>{lines}</table><p>{outcome}</p>"""


def timeline(output: str) -> tuple[str, int]:
    """The page for the output of the demo, and its height in CSS pixels."""
    found = [match.groups() for line in output.splitlines() if (match := LINE.match(line))]
    outcome = OUTCOME.search(output)
    if not found or outcome is None or WELL not in output:
        raise SystemExit("this is not the output of a demo that went well")
    lines, height = "", FRAME
    for at, who, what, text in found:
        wrapped = [html.escape(part) for part in textwrap.wrap(text, LONGEST)]
        lines += f'<tr class="{who}"><td>{at} s</td><td>{who}</td><td>{what}</td><td>{"<br>".join(wrapped)}</td></tr>'
        height += ROW + MORE * max(0, len(wrapped) - 1)
    below = f"The flow asked for {outcome[1]}. Outcome: {outcome[2]}."
    return PAGE.format(row=ROW, lines=lines, outcome=html.escape(below)), height


def draw(chromium: str, source: Path, picture: Path, size: tuple[int, int], scale: float) -> None:
    """A picture of a page; `size` in CSS pixels."""
    with tempfile.TemporaryDirectory() as profile:
        command = [
            chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
            f"--force-device-scale-factor={scale}", f"--window-size={size[0]},{size[1]}",
            f"--screenshot={picture}", f"--user-data-dir={profile}", str(source),
        ]  # fmt: skip
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL, timeout=60)  # noqa: S603 - a path of ours
    print(f"{picture.name}: {picture.stat().st_size // 1024} KB")


def main() -> None:
    """Read the demo's output, write the pictures."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("Chromium is not on the PATH; on Debian: apt-get install chromium")
    document, height = timeline(sys.stdin.read())
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "timeline.html")
        source.write_text(document, "utf-8")
        draw(chromium, source, FOLDER / "timeline.png", (WIDTH, height), 1.2)
    draw(chromium, REPORT, FOLDER / "report.png", REPORT_SIZE, 1)


if __name__ == "__main__":
    main()
