"""The picture of the README: how long the first log of a mailbox takes, by its size."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")

from matplotlib import pyplot as plt


def draw(seconds: Mapping[str, Sequence[float]], sizes: Sequence[int], path: Path) -> None:
    """Writes an SVG with one line a name: seconds for each size. The same figures give the same bytes."""
    with mpl.rc_context({"svg.hashsalt": "mail-scaling", "svg.fonttype": "none"}):
        figure, axes = plt.subplots(figsize=(7, 4))
        for (name, values), marker in zip(seconds.items(), "osd^v", strict=False):
            axes.plot(sizes, values, marker=marker, label=name)
        axes.set(
            xlabel="messages in the mailbox", ylabel="seconds", title="First log of a mailbox", ylim=(0, None)
        )
        axes.set_xlim(0, None)
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
        figure.savefig(path, format="svg", metadata={"Date": None}, bbox_inches="tight")
        plt.close(figure)
