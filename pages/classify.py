"""Classify: a photograph, what the networks say it is, and which pixels made them say so."""

import streamlit as st

from inception_lab.ui import classify, frame, networks, photos

LEAD = "Give a photograph to a network, ask which pixels and branches its guesses came from, and test the answers."

with frame.page("Classify", LEAD):
    left, right = st.columns([4, 3])  # which samples there are depends on the network, chosen to the right of them
    with right:
        network = networks.pick()
        way = st.container()  # of the photograph into the network: which ones, the view knows
    with left:
        uploads = photos.choose(network)
    classify.show(uploads, network, way)
