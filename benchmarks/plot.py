"""The picture of the README: how the cost grows with the mailbox, and where it does not."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")

from matplotlib import pyplot as plt

from benchmarks.scenarios import first_log, news


def draw(curves: Mapping[str, Mapping[int, float]], path: Path) -> None:
    """Writes an SVG of seconds by size, as far as they were measured. The same figures, the same bytes."""
    with mpl.rc_context({"svg.hashsalt": "mail-scaling", "svg.fonttype": "none"}):
        figure, (first, ten) = plt.subplots(ncols=2, figsize=(10, 4), layout="constrained")
        for name, marker in zip(first_log.CURVES.values(), "osd", strict=True):
            points = sorted(curves.get(name, {}).items())
            first.plot(
                [size for size, _ in points], [value for _, value in points], marker=marker, label=name
            )
        first.set(title="First log of a mailbox", xlabel="messages in the mailbox", ylabel="seconds")
        first.legend(frameon=False)
        points = sorted(curves.get(news.CURVE, {}).items())
        ten.plot([size for size, _ in points], [value * 1000 for _, value in points], marker="o")
        ten.set(title="Ten new messages", xlabel="messages seen before", ylabel="milliseconds", xscale="log")
        for axes in (first, ten):
            axes.set_ylim(0, None)
            axes.grid(alpha=0.3)
        figure.savefig(path, format="svg", metadata={"Date": None})
        plt.close(figure)
