"""The verb `validate`: published worked examples recomputed on this machine."""

from __future__ import annotations

from core.cli.common import Answer, Options, aligned


def validate(options: Options) -> Answer:
    from core import workflows as wf

    found = wf.validate()
    answer = {
        "figures": found.n_figures,
        "equal": found.n_equal,
        "examples": [
            {
                "key": example.key,
                "title": str(example.title),
                "source": example.source,
                "remark": None if example.remark is None else str(example.remark),
                "figures": [{"name": f.name, "printed": f.printed, "ours": f.ours, "equal": f.is_equal} for f in figures],
            }
            for example, figures in found.found
        ],
    }
    lines = [str(found.headline), ""]
    for example, figures in found.found:
        equal = sum(f.is_equal for f in figures)
        lines += [f"{example.title}: {equal} of {len(figures)}", f"  {example.source}"]
        rows = [[f.name, f.printed, f"{f.ours:.10g}"] for f in figures if not f.is_equal]
        lines += [f"  {line}" for line in aligned([["figure", "printed", "here"], *rows])] if rows else []
    return answer, lines, 0 if found.n_equal == found.n_figures else 1
