"""Home: what the lab is, where to start, what this machine offers."""

import streamlit as st

from inception_lab.ui import frame, home

LEAD = (
    "Take apart, train, break and question the networks of *Inception-v4, Inception-ResNet and the Impact of Residual "
    "Connections on Learning* (Szegedy, Ioffe, Vanhoucke, Alemi; AAAI-17)."
)

with frame.page("Inception Lab", LEAD):
    home.doors()
    home.headline()
    st.divider()
    home.machine()
