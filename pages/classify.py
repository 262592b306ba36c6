"""Classify: a photograph, what the networks say it is, and which pixels made them say so."""

from inception_lab.ui import classify, frame, photos

LEAD = "Give a photograph to a network, see its five best guesses, and ask which pixels they came from."

with frame.page("Classify", LEAD):
    uploads = photos.choose()
    classify.show(uploads, classify.pick_network())
