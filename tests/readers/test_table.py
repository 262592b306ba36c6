"""The ways a table is handed on."""

from __future__ import annotations

import json

from inception_lab.nets.catalog import net
from inception_lab.readers.shapes import shapes


def test_plain_data_is_the_contract() -> None:
    table = shapes("inception_resnet_v2", size=(400, 600))
    plain = json.loads(json.dumps(table.to_dict()))
    assert plain["network"] == "inception_resnet_v2"
    assert plain["size"] == [400, 600]
    assert (plain["parameters"], plain["multiply_adds"]) == (table.parameters, table.multiply_adds)
    row = next(row for row in plain["rows"] if row["address"] == "inception_resnet_v2/B/07/body/branch2/conv2")
    assert (row["op"], row["output"], row["kernel"]) == ("conv", [160, 23, 35], [1, 7])
    assert (row["parameters"], row["multiply_adds"]) == (128 * 160 * 7 + 2 * 160, 128 * 160 * 7 * 23 * 35)
    assert row["activation_bytes"] == 4 * 160 * 23 * 35
    assert row["receptive_field"] == max(row["receptive_field_sides"])


def test_rows_under_an_address() -> None:
    table = shapes("inception_resnet_v2")
    assert [row.address.split("/")[-1] for row in table.under("inception_resnet_v2/C/10")][-4:] == [
        "concat",
        "linear",
        "scale",
        "add",
    ]
    assert len(table.under("inception_resnet_v2/C/1")) == 0
    assert table.under("inception_resnet_v2") == table.rows


def test_data_frame() -> None:
    table = shapes("inception_v3")
    frame = table.to_pandas()
    assert frame["parameters"].sum() == table.parameters
    assert frame.loc["inception_v3/head/pool", "op"] == "avg pool"


def test_notebook_view_escapes_names() -> None:
    shown = shapes(net("inception_v3").with_(name="<b>"))._repr_html_()
    assert "<b>" not in shown
    assert "23,834,568" in shown
