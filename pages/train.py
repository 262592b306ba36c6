"""Train: short runs that compare residual scales, beside the reference runs that ship with the lab."""

from inception_lab.ui import experiment, frame, train

LEAD = (
    "The paper says that very wide residual networks die early in training unless the residual is scaled down before "
    "the add. Choose scales, start, and watch: the lab shows what it measures, whatever it is."
)

with frame.page("Train", LEAD, warm=False):
    chosen = experiment.form()
    train.views(chosen)
    train.definitions()
