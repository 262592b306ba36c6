"""Classify: a photograph, what the networks say it is, and which pixels made them say so."""

import streamlit as st

from inception_lab.ui import classify, frame, photos

LEAD = "Give a photograph to a network, see its best guesses, and ask which pixels they came from."

with frame.page("Classify", LEAD):
    above = st.container()  # which samples there are depends on the network, chosen below them
    network = classify.pick_network()
    with above:
        uploads = photos.choose(network)
    classify.show(uploads, network)
