"""The instant forecast on a page: P of the arms about to run, the map, what the rule scores, the trunk's variance."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from inception_lab.errors import LabError, RunError
from inception_lab.figures.forecast import WRONG, Finished, Slice, blocks, cells, p_map, variance
from inception_lab.jobs import forecasts
from inception_lab.training import foretold, rule
from inception_lab.training.foretold import DEPTHS, INITS, WIDTHS, Forecast
from inception_lab.training.rule import THRESHOLD, Case, Score
from inception_lab.training.settings import Init, Settings
from inception_lab.ui import cache, components, drawer, runs
from inception_lab.ui.predict import differing, distinct
from inception_lab.ui.runs import Arm
from inception_lab.ui.widgets import plain

RATES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.045, 0.1, 0.2, 0.5, 1.0)
VALIDITY = (
    "The rule holds for momentum 0.9 (SGD, or RMSProp with decay 0.9 and ε 1), unclipped, batch 32, a constant rate of "
    "0.01 or more, fixed scale, no end batch norm, 4 to 40 blocks, Fashion-MNIST, fp32."
)
READ = 200  # finished runs of the store that the refit reads, newest first


def forecast_panel(arms: Sequence[Settings], *, finished: Sequence[Arm] = ()) -> None:
    """All of the forecast for the arms about to run; `finished` runs on screen are drawn over the map."""
    asked = distinct(arms)
    st.markdown(
        f"**P = rate × gradient norm at step 0**, from one forward and one backward pass. Above {THRESHOLD:g} a run is "
        f"expected to fail; that number was {rule.FITTED_ON}. An empirical rule, no theorem."
    )
    made = _table(asked) if asked else []
    _map(asked, [*runs.shipped(), *finished])
    _rescored(finished)
    if made:
        _trunk(made, asked)


def _table(asked: Sequence[Settings]) -> list[Forecast]:
    """P of each arm where it is known, and a button for the others; returns those that are known."""
    found = {each: forecasts.known(each) for each in asked}
    lacking = [each for each, one in found.items() if one is None]
    if lacking:
        label = f"Forecast {len(lacking)} arm{'s' * (len(lacking) != 1)}"
        place = st.empty()
        told = "A few seconds, most of them to load torch in a process of its own."
        if place.button(label, key="forecast", help=told):
            try:
                with st.spinner("One forward and one backward pass each"):
                    forecasts.forecasts(lacking)
                found = {each: forecasts.known(each) for each in asked}
                place.empty()
            except LabError as error:
                st.error(plain(error), icon=":material/error:")
    rows = [_row(each, found[each], asked) for each in asked]
    columns = {"P": st.column_config.NumberColumn(format="%.3g"),
               "gradient norm": st.column_config.NumberColumn(format="%.4g")}  # fmt: skip
    st.dataframe(
        pd.DataFrame(rows), hide_index=True, column_config=columns, key="forecasts", alt="Forecast of each arm"
    )
    reasons = list(dict.fromkeys(reason for each in asked for reason in rule.valid(each)))
    if reasons:
        st.warning("The rule does not speak of every arm: " + plain("; ".join(reasons)) + ".", icon=":material/info:")
    return [one for one in found.values() if one is not None]


def _row(one: Settings, made: Forecast | None, asked: Sequence[Settings]) -> dict[str, object]:
    silent = bool(rule.valid(one))
    return {
        "arm": differing(one, asked),
        "gradient norm": made.gradient_norm if made else None,
        "P": made.p if made else None,
        "forecast": "not made yet" if made is None else f"({made.word}: outside the rule)" if silent else made.word,
        "seed": one.seed,
    }


def _map(asked: Sequence[Settings], finished: Sequence[Arm]) -> None:
    rate, plane = _plane(asked[0] if asked else Settings(), {each.rate for each in asked})
    known = foretold.load()
    over = {  # a run made again is one run
        arm.settings: Finished(arm.settings, arm.judgement.outcome)
        for arm in finished
        if arm.judgement and arm.status == "finished" and not rule.valid(arm.settings)
    }
    figure, alt = p_map(known, plane, rate=rate, runs=over.values())
    components.live_plot(figure, alt=alt, key="p-map", height=420)
    seeds = {scale: known.spread(scale) for scale in (1.0, 0.1)}
    spread = [f"scale {scale:g}: {min(norms):.3g} to {max(norms):.3g}" for scale, norms in seeds.items()]
    st.caption(
        f"One seed a point, seed 0; batch 32 of the shipped Fashion-MNIST, lab {known.version}, torch "
        f"{known.libraries.get('torch', 'unknown')}. Gradient norm of the preset micro over three seeds: "
        f"{'; '.join(spread)}. Marks: finished runs at this rate, any seed. The line is interpolated between the "
        "points. " + VALIDITY
    )
    rows = [
        {"scale": one.scale, plane.title: one.row, "gradient norm": one.gradient_norm, "P": one.p, "rule": one.says}
        for one in cells(known, plane, rate=rate)
    ]
    drawer.table(pd.DataFrame(rows), name="forecast-map", title="This map as a table", alt=alt)


def _plane(first: Settings, rates: set[float]) -> tuple[float, Slice]:
    """The rate and the part of the map to show, chosen by the person; at first those of the first arm."""
    left, middle, right = st.columns([3, 2, 2])
    offered = sorted({*RATES, *rates})
    rate = left.select_slider(
        "Rate of the map",
        offered,
        value=first.rate if first.rate in offered else 0.2,
        key=f"map-rate-{first.rate:g}",
        format_func=lambda value: f"{value:g}",
    )
    init: Init = middle.segmented_control(
        "Weights", list(INITS), default=first.init if first.init in INITS else "he", key="map-init", required=True
    )
    fixed = {
        **{f"width {width:g}": Slice(init=init, width=width) for width in WIDTHS},
        **{f"{blocks(depth)} blocks": Slice(init=init, repeats=depth) for depth in DEPTHS},
    }
    usual = f"width {first.width if first.width in WIDTHS else 0.25:g}"
    name = right.selectbox("Held fixed", list(fixed), index=list(fixed).index(usual), key="map-fixed")
    return float(rate), fixed[name]


def _rescored(finished: Sequence[Arm]) -> None:
    """What 3.6 and a refitted threshold score on the shipped runs and on this lab's own."""
    everything = st.toggle(f"Score on all runs of this lab's store too (the newest {READ})", key="refit-store")
    shipped = runs.shipped()
    own = _stored() if everything else [arm for arm in finished if arm.kind == "here" and arm.status == "finished"]
    sources = {"shipped": rule.cases_of(shipped)}
    if (cases := rule.cases_of(own)) or everything:
        sources["the lab's store" if everything else "the runs on screen"] = cases
    if cases:
        sources["both, equal settings once"] = rule.cases_of([*shipped, *own])
    rows = [row for name, cases in sources.items() for row in _scored(name, cases)]
    frame = pd.DataFrame(rows)
    st.dataframe(frame, hide_index=True, key="refit", alt="What the rule scores on finished runs")
    drawer.download("CSV", lambda: frame.to_csv(index=False), "forecast-scores.csv", "text/csv")
    st.caption(
        f"A run has failed when the mean accuracy of 20 batches up to step {rule.CALLED_AT} is below "
        f"{rule.FAILED_ACCURACY:g}; runs of fewer than {rule.FEWEST_STEPS} steps, and those outside the rule, are left "
        "out. Fitted: on the same runs, so it flatters. Left out: each run forecast from a fit to all others. "
        "AUC: the share of pairs of a failed and a held run in which the failed one has the larger P."
    )


def _scored(name: str, cases: Sequence[Case]) -> list[dict[str, object]]:
    lost = f"{sum(case.failed for case in cases)} of {len(cases)}"
    frozen = {"runs": name, "failed": lost, "threshold": f"{THRESHOLD:g}, frozen", **_share(rule.score(cases))}
    if not cases:
        return [frozen]
    try:
        fit = rule.refit(cases)
    except RunError:
        return [frozen]  # all failed, or all held: nothing divides them
    return [
        {**frozen, "AUC": f"{fit.auc:.3f}"},
        {"runs": name, "failed": lost, "threshold": f"{fit.threshold:.3g}, fitted", **_share(fit.fitted), "AUC": ""},
        {"runs": name, "failed": lost, "threshold": "fitted, left out", **_share(fit.left_out), "AUC": ""},
    ]


def _share(score: Score) -> dict[str, object]:
    if not score.n:
        return {"right": "no run yet", "95 % interval": ""}
    return {"right": f"{score} ({score.accuracy:.0%})", "95 % interval": f"{score.low:.0%} to {score.high:.0%}"}


def _stored() -> list[Arm]:
    ended = [run for run in cache.store().runs(limit=READ) if run.status == "finished" and not rule.valid(run.settings)]
    return [runs.arm(run) for run in reversed(ended)]


def _trunk(made: Sequence[Forecast], asked: Sequence[Settings]) -> None:
    names = {differing(one.settings, asked): one for one in made if one.addresses}
    if not names:
        return
    if st.session_state.get("trunk") not in names:
        st.session_state["trunk"] = next(iter(names))
    one = names[st.selectbox("Variance along the trunk at step 0, of", list(names), key="trunk")]
    figure, alt = variance(one)
    components.live_plot(figure, alt=alt, key="trunk-plot", height=340)
    st.caption(
        f"{WRONG} Adding is an upper bound: the ReLU after the add cuts something off. Seed {one.settings.seed}."
    )
    rows = zip(one.addresses, one.variance, one.additive, one.product, strict=True)
    frame = pd.DataFrame(rows, columns=["block", "measured", "adding", "multiplying"])
    drawer.table(frame, name="variance", title="These variances as a table", alt=alt)
