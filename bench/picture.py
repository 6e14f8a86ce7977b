"""A picture of what a delivery costs: bars on a logarithmic scale, for light pages and dark ones."""

import math
from collections.abc import Sequence

from bench.tables import Row, short

WIDTH, LEFT, RIGHT, TOP, LINE, BAR = 860, 250, 90, 56, 26, 16
OURS, THEIRS, LIMIT = "#2f81f7", "#9198a1", "#bf8700"
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1f2328}.grid{stroke:#d1d9e0}.small{font-size:11px;fill:#59636e}"
    "@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.grid{stroke:#3d444d}.small{fill:#9198a1}}"
)


def picture(rows: Sequence[Row]) -> str:
    """Return an SVG of CPU per delivery, one bar for each system, cheapest first."""
    wanted = [row for row in rows if row["shape"] == "thousand" and row.get("window") == 8 and row.get("cpu_us")]  # noqa: PLR2004
    wanted.sort(key=lambda row: float(row["cpu_us"]))
    if not wanted:
        return ""
    values = [float(row["cpu_us"]) for row in wanted]
    lowest, highest = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    each = (WIDTH - LEFT - RIGHT) / max(1, highest - lowest)
    height = TOP + LINE * len(wanted) + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>CPU per delivery</title><style>{STYLE}</style>",
        f'<text x="0" y="18">CPU of the server per delivery, {wanted[0]["each"]:,} viewers, 8 events in flight</text>',
        '<text class="small" x="0" y="36">microseconds of a core, logarithmic; shorter is better</text>',
    ]
    for power in range(lowest, highest + 1):
        x = LEFT + (power - lowest) * each
        parts.append(f'<line class="grid" x1="{x:.0f}" x2="{x:.0f}" y1="{TOP - 6}" y2="{height - 22}"/>')
        parts.append(f'<text class="small" x="{x:.0f}" y="{height - 8}" text-anchor="middle">{10.0**power:g}</text>')
    for place, (row, value) in enumerate(zip(wanted, values, strict=True)):
        y = TOP + LINE * place
        length = (math.log10(value) - lowest) * each
        parts.append(f'<text x="{LEFT - 8}" y="{y + 13}" text-anchor="end">{row["system"]}</text>')
        parts.append(
            f'<rect x="{LEFT}" y="{y}" width="{max(1.0, length):.1f}" height="{BAR}" rx="2" fill="{_colour(row)}"/>'
        )
        parts.append(f'<text x="{LEFT + length + 6:.0f}" y="{y + 13}">{short(value)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _colour(row: Row) -> str:
    if row["system"].startswith("Usher"):
        return OURS
    return LIMIT if row["system"] == "C floor" else THEIRS
