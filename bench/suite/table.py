"""Figures and targets as lines of text."""

import statistics

AT_MOST, AT_LEAST = "≤", "≥"


class Row:
    """One line: a figure of a measurement, and limits that may hang on the other contenders."""

    def __init__(self, label, measure, key, unit="", scale=1.0, digits=2, limits=(), worst=False):
        self.label, self.measure, self.key = label, measure, key
        self.unit, self.scale, self.digits = unit, scale, digits
        self.limits = limits
        self.worst = worst  # the largest value of all runs instead of the median

    def value(self, runs, contender):
        found = [r["output"]["results"].get(self.key) for r in runs
                 if r["measure"] == self.measure and r["contender"] == contender and r["output"]]
        found = [x * self.scale for x in found if x is not None]
        if not found:
            return None
        return max(found) if self.worst else statistics.median(found)

    def show(self, x):
        return "" if x is None else f"{x:,.{self.digits}f}"


def merged_percentile(counts, share):
    """Of `counts`: value -> how often; as `histogram::percentile` of the load generator, 0 of nothing."""
    rank = int(share * sum(counts.values()))
    seen = 0
    for value in sorted(counts):
        seen += counts[value]
        if seen > rank:
            return value
    return max(counts, default=0)


def verdict(row, values, extra):
    """What to write beside the limits."""
    said = []
    for text, way, limit_of in row.limits:
        try:
            limit = limit_of({**values, **extra})
        except (KeyError, TypeError):
            limit = None
        if limit is None or values.get("tidings") is None:
            said.append((text, "not measured"))
            continue
        value = values["tidings"]
        met = value <= limit if way == AT_MOST else value >= limit
        by = f"{abs(value - limit) / limit * 100:.0f} %" if limit else f"{value:,.0f}"
        said.append((text, "met" if met else f"missed by {by}"))
    return said


def make_table(runs, table_rows):
    measured = {r["measure"] for r in runs}
    values = {(row.measure, row.key): {c: row.value(runs, c) for c in ("tidings", "floor", "nchan")}
              for row in table_rows}
    extra = {f"{m} {k}": v["tidings"] for (m, k), v in values.items()}
    lines = [("", "unit", "tidings", "floor", "nchan", "× floor", "× nchan", "target", "")]
    rows = []
    for row in table_rows:
        if row.measure not in measured:
            continue
        v = {c: x for c, x in values[row.measure, row.key].items() if x is not None}
        ratios = [f"{v['tidings'] / v[c]:.2f}" if "tidings" in v and v.get(c) else ""
                  for c in ("floor", "nchan")]
        said = verdict(row, v, extra)
        bad = [r for r in runs if r["measure"] == row.measure
               and (not r["output"] or not r["output"]["results"].get("complete"))]
        note = ", ".join(result for _, result in said)
        if bad:
            who = sorted({r["contender"] for r in bad})
            note += f"{', ' if note else ''}{len(bad)} runs incomplete ({', '.join(who)})"
        lines.append((row.label, row.unit, *(row.show(v.get(c)) for c in ("tidings", "floor", "nchan")),
                      *ratios, ", ".join(text for text, _ in said), note))
        rows.append({"measure": row.measure, "label": row.label.strip(), "key": row.key,
                     "unit": row.unit, **v, "incomplete_runs": len(bad),
                     "targets": [{"target": text, "result": result} for text, result in said]})
    return rows, columns(lines)


def columns(lines, numbers=range(2, 7)):
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join("  ".join(
        cell.rjust(width) if i in numbers else cell.ljust(width)
        for i, (cell, width) in enumerate(zip(line, widths))).rstrip() for line in lines)


def make_growth_table(runs, growth):
    """Figures of the same work at several sizes side by side, and how much the last is of the first."""
    rows = []
    lines = []
    for label, measure, key, unit, scale, sizes in growth:
        for contender in ("tidings", "floor"):
            found = {size: Row(label, f"{measure}-{size}", key, unit, scale).value(runs, contender)
                     for size in sizes}
            if any(x is None for x in found.values()):
                continue
            who = label if contender == "tidings" else f"  {contender}"
            factor = found[sizes[-1]] / found[sizes[0]]
            cells = [f"{size:,}: {value:,.2f}" for size, value in found.items()]
            lines.append((who, unit, *(cells + [""])[:3], f"× {factor:.2f}"))
            rows.append({"label": label, "contender": contender, "unit": unit, "key": key,
                         "values": {str(k): v for k, v in found.items()}, "factor": factor})
    return rows, columns([("how cost grows", "unit", "", "", "", "last ÷ first"), *lines]) if lines else ""
