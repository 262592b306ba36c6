"""A page of nothing but the parts under test: two scales, with what a run would be given."""

import streamlit as st

from inception_lab.training.presets import preset
from inception_lab.ui import forecast, frame, predict, runs

ARMS = [preset("micro", scale=scale, seed=seed) for seed in (0, 1) for scale in (1.0, 0.1)]

with frame.sentences():
    group = st.text_input("Group", key="group")
    ready = predict.unlocked(ARMS)
    if st.button("Run", key="run", disabled=not ready, type="primary"):
        st.session_state["new"] = predict.keep(group, ARMS)
    if group:
        predict.scores(group, [runs.arm(run) for run in runs.of_group(group)])
    if st.toggle("Forecast", key="with-forecast"):
        forecast.forecast_panel(ARMS)
