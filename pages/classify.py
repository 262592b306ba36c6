"""Classify: a photograph, what the networks say it is, and which pixels made them say so."""

import streamlit as st

from inception_lab.ui import classify, frame, networks, photos

LEAD = "Give a photograph to a network, ask which pixels and branches its guesses came from, and test the answers."

with frame.page("Classify", LEAD):
    above = st.container()  # which samples there are depends on the network, chosen below them
    network = networks.pick()
    with above:
        uploads = photos.choose(network)
    classify.show(uploads, network)
