"""Classify: a photograph, what the networks say it is, and which pixels made them say so."""

from inception_lab.ui import classify, frame

LEAD = "Give a photograph to a network, see its five best guesses, and ask which pixels they came from."

with frame.page("Classify", LEAD):
    uploads = classify.choose()
    network = classify.pick_network()
    if upload := classify.predictions(uploads, network):
        classify.explain(upload, network)
