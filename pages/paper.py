"""Paper: what the paper claims, where it contradicts itself, and where it differs from the code that was released."""

from inception_lab.ui import drawer, frame, paper

LEAD = "What the paper claims, prints and contradicts, beside the code that was released, and where to try it here."

with frame.page("Paper", LEAD):
    paper.source()
    paper.claims()
    paper.slips()
    paper.released()
    paper.results()
    paper.recipe()
    paper.unconfirmed()
    drawer.code(
        """
# the network as drawn against the network as released
lab.compare("inception_resnet_v2_paper", "inception_resnet_v2")

# the printed widths, 1154 and 2048, cannot be added: the error says why
try:
    lab.shapes("inception_resnet_v2_printed")
except lab.LabError as error:
    print(error)
""",
        name="paper",
    )
