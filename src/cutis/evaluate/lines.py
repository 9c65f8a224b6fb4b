"""Figures along a scale: of how much is answered, of what is risked, and of how much a picture is disturbed."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cutis.evaluate.abstention import COMBINED, COVERED, Abstention
from cutis.evaluate.decisions import OWN, THRESHOLDS, Decisions
from cutis.evaluate.figures import (
    BLACK,
    BLUE,
    DASHED,
    DOTTED,
    GREY,
    PALE,
    STRIP,
    VERMILION,
    WIDTH,
    draw_band,
    draw_line,
    framed,
    name_outer_sides,
    spoken,
    with_strip,
    write_legend,
)
from cutis.evaluate.robustness import Disturbed, Robustness
from cutis.vocabulary.estimate import Estimate

ALONE: dict[str, dict[str, Any]] = {
    "uncertainty": {"color": VERMILION, "linestyle": DASHED},
    "disagreement": {"color": BLACK, "linestyle": DOTTED},
    "distance": {"color": GREY, "linestyle": (0, (6, 1.5, 1, 1.5))},
}
TRUSTED = 0.8  # share of answers that the finding is told of
DISTURBED: dict[str, dict[str, Any]] = {
    "macro_auc": {"label": "macro AUC", "color": BLUE, "marker": "o"},
    "argmax/balanced_accuracy": {
        "label": "balanced accuracy",
        "color": VERMILION,
        "marker": "s",
        "linestyle": DASHED,
        "markerfacecolor": "white",
    },
    "overconfidence": {"label": "overconfidence", "color": BLACK, "marker": "^", "linestyle": DOTTED},
}
APART = 0.12  # of one strength: how far the lines stand beside each other, so that their bars do not cover each other


def risk_coverage_figure(abstention: Abstention, *, of_what: str) -> Figure:
    """Draw the share of wrong answers against the share of cases that are answered, by each signal and all combined."""
    combined = abstention.risk[COMBINED]
    some = combined[COVERED.index(TRUSTED)]
    title = f"Wrong answers: {_share(combined[-1])} of all, {_share(some)} of the {TRUSTED:.0%} it trusts most"
    reading = (
        "If only the most trusted cases are answered (across), this share of the answers is wrong (up); a good signal "
        "falls to the left. Band: 95% intervals of the combined signal. "
    )
    answered, right = (abstention.estimates[what].value for what in ("answered", "accuracy_where_answered"))
    with framed(title, of_what, reading + _of_the_rule(abstention), height=STRIP + 3.7) as figure:
        strip, body = with_strip(figure, height=3.7)
        axes = body.subplots()
        draw_band(axes, COVERED, combined, colour=BLUE)
        for signal, line in ALONE.items():
            draw_line(axes, COVERED, abstention.risk[signal], intervals=False, linewidth=1.3, label=signal, **line)
        draw_line(axes, COVERED, combined, intervals=False, color=BLUE, linewidth=2.2, label="all three combined")
        if answered is not None and right is not None:
            axes.plot(answered, 1 - right, "D", color=BLUE, markerfacecolor="white", markersize=6, zorder=3)
        axes.set(xlabel="share of pictures that are answered", ylabel="share of wrong answers", xlim=(0, 1.02))
        axes.set_ylim(bottom=0)
        write_legend(strip, axes)
    return figure


def decision_curve_figure(decisions: Decisions, *, of_what: str) -> Figure:
    """Draw the net benefit of the network, of calling everybody malignant and of nobody, a panel per prevalence."""
    shares = {OWN: decisions.own} | {at: float(at) for at in decisions.net_benefit if at != OWN}
    columns = min(2, len(shares))
    rows = -(-len(shares) // columns)
    reading = (
        "Net benefit: cases found per person, less the false alarms at the price that the threshold puts on them, for "
        "somebody who acts from this probability of malignancy on. Band: 95% intervals. Other prevalences: as if "
        "only the frequency of malignancy differed."
    )
    with framed(_worth(decisions), of_what, reading, height=STRIP + 2.3 * rows) as figure:
        strip, body = with_strip(figure, height=2.3 * rows)
        panels = body.subplots(rows, columns, sharex=True, squeeze=False).ravel().tolist()
        for axes, (at, share) in zip(panels, shares.items(), strict=False):
            lines = decisions.net_benefit[at]
            _draw_net_benefit(axes, lines, share)
            said = f"prevalence {100 * share:.3g}%{', as in this test' * (at == OWN)}"
            axes.set_title(said, loc="left", fontsize=9, weight="bold")
        acting = "probability from which on one acts"
        name_outer_sides(panels, len(shares), columns=columns, across=acting, up="net benefit")
        write_legend(strip, panels[0])
    return figure


def robustness_figure(robustness: Robustness, *, of_what: str) -> Figure:
    """Draw macro AUC, balanced accuracy and overconfidence under each kind of disturbance, by its strength."""
    kinds = [(name, list(group)) for name, group in groupby(robustness.disturbed, key=_kind_of)]
    columns, rows = 4, -(-len(kinds) // 4)
    reading = (
        f"Across: strength, 0 the pictures as they are ({robustness.cases:,} pictures of {robustness.clusters:,} "
        f"{robustness.cluster_kind}s; what each strength is stands in the tables). Bars: 95% intervals. "
        "Overconfidence: mean probability of the answer less the share of right answers."
    )
    with framed(_worst(robustness), of_what, reading, height=STRIP + WIDTH / columns * rows) as figure:
        strip, body = with_strip(figure, height=WIDTH / columns * rows)
        panels = body.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel().tolist()
        for axes, (name, disturbed) in zip(panels, kinds, strict=False):
            _draw_disturbed(axes, robustness.undisturbed, disturbed)
            axes.set_title(name, loc="left", fontsize=9, weight="bold")
            axes.set(xticks=range(4), xlim=(-0.4, 3.4))
            axes.locator_params(axis="y", nbins=5)
            axes.grid(axis="y", color=PALE, linewidth=0.6)
        name_outer_sides(panels, len(kinds), columns=columns, across="strength")
        write_legend(strip, panels[0])
    return figure


def _share(estimate: Estimate) -> str:
    """Return a share in per cent, with its interval."""
    if estimate.value is None:
        return "not available"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.0%}"
    return f"{estimate.value:.0%} ({estimate.low:.0%}–{estimate.high:.0%})"


def _of_the_rule(abstention: Abstention) -> str:
    if abstention.acceptance.abstain_above is None:
        return "◇: all are answered, since too few cases were there to choose a limit by."
    return f"◇: the limit that the network has; it was to answer {abstention.acceptance.share:.0%}."


def _draw_net_benefit(axes: Axes, lines: Mapping[str, list[Estimate]], prevalence: float) -> None:
    draw_band(axes, THRESHOLDS, lines["network"], colour=BLUE)
    nobody: dict[str, Any] = {"color": BLACK, "linestyle": DOTTED, "linewidth": 1.4}
    everybody: dict[str, Any] = {"color": VERMILION, "linestyle": DASHED, "linewidth": 1.5}
    axes.plot(THRESHOLDS, [0.0] * len(THRESHOLDS), label="nobody malignant", **nobody)
    draw_line(axes, THRESHOLDS, lines["all"], intervals=False, label="everybody malignant", **everybody)
    draw_line(axes, THRESHOLDS, lines["network"], intervals=False, color=BLUE, linewidth=2, label="the network")
    axes.set(xlim=(0, max(THRESHOLDS)), ylim=(-0.35 * prevalence, 1.1 * prevalence))
    axes.locator_params(axis="y", nbins=5)


def _worth(decisions: Decisions) -> str:
    """Say at which thresholds the network is worth more than both others, at the prevalence of the test."""
    lines = decisions.net_benefit[OWN]
    better = [
        threshold
        for threshold, network, everybody in zip(THRESHOLDS, lines["network"], lines["all"], strict=True)
        if network.value is not None and network.value > max(everybody.value or 0.0, 0.0)
    ]
    if not better:
        return "In this test's mix, nowhere worth more than calling everybody or nobody malignant"
    between = f"{better[0]:.3g}–{better[-1]:.3g}" if len(better) > 1 else f"{better[0]:.3g}"
    whole = THRESHOLDS[THRESHOLDS.index(better[0]) : THRESHOLDS.index(better[-1]) + 1]
    mostly = "mostly " * (len(whole) > len(better))
    return (
        f"In this test's mix, {mostly}worth more than calling everybody or nobody malignant at thresholds of {between}"
    )


def _kind_of(disturbed: Disturbed) -> str:
    return disturbed.disturbance.kind.name


def _draw_disturbed(axes: Axes, undisturbed: Mapping[str, Estimate], disturbed: list[Disturbed]) -> None:
    strengths = [0, *(each.disturbance.strength for each in disturbed)]
    for number, (figure, style) in enumerate(DISTURBED.items()):
        places = [strength + APART * (number - 1) for strength in strengths]
        estimates = [undisturbed[figure], *(each.estimates[figure] for each in disturbed)]
        draw_line(axes, places, estimates, markersize=4, linewidth=1.2, **style)


def _worst(robustness: Robustness) -> str:
    """Say which disturbance takes most from the balanced accuracy."""
    figure = "argmax/balanced_accuracy"
    losses = [
        (difference.value, each, difference)
        for each in robustness.disturbed
        if (difference := each.differences[figure]).value is not None
    ]
    if not losses or min(losses, key=lambda loss: loss[0])[0] >= 0:
        return "No disturbance takes from the balanced accuracy"
    _, worst, difference = min(losses, key=lambda loss: loss[0])
    return f"Largest loss of balanced accuracy: {spoken(difference, signed=True)}, {worst.disturbance}"
