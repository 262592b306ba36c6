"""Which of the two rooflines an op meets, in arithmetic done by hand."""

from __future__ import annotations

import pytest

from inception_lab.errors import SettingsError
from inception_lab.nets.ops import Concat, Conv, Net, Pool, Residual, Stage
from inception_lab.readers.cost import cost
from inception_lab.readers.roofline import MACHINES, Machine, roofline

NET = Net(
    "toy",
    "",
    (Stage("s", (Residual(Concat(Conv(6, 3), Pool("max")), scale=0.5), Pool("avg", kernel=5))),),
    inputs=2,
    size=10,
    classes=3,
    end_norm=True,
)
MAP = 4 * 10 * 10  # bytes of one channel


@pytest.mark.parametrize("batch", [1, 4])
def test_every_kind_of_op_by_hand(batch: int) -> None:
    works = {work.address: work for work in roofline(cost(NET), Machine("m", 1e9, 1e9), batch=batch).works}
    assert {at.removeprefix("toy/"): (work.flops / batch, work.bytes) for at, work in works.items()} == {
        "s/01/body/branch1": (2 * 100 * 9 * 2 * 6, batch * MAP * (2 + 6) + 4 * (9 * 2 * 6 + 12)),
        "s/01/body/branch2": (100 * 9 * 2, batch * MAP * 4),
        "s/01/body/concat": (0, batch * MAP * 16),
        "s/01/linear": (2 * 100 * 8 * 2, batch * MAP * (8 + 2) + 4 * (8 * 2 + 2)),
        "s/01/scale": (200, batch * MAP * 4),
        "s/01/add": (200, batch * MAP * 6),
        "s/01/relu": (200, batch * MAP * 4),
        "s/02": (100 * 25 * 2, batch * MAP * 4),
        "head/norm": (600, batch * MAP * 4 + 4 * 4),
        "head/pool": (200, batch * (MAP * 2 + 8)),
        "head/dropout": (0, 0),
        "head/classifier": (2 * 2 * 3, batch * (8 + 12) + 4 * 9),
    }


def test_the_ridge_decides() -> None:
    costs = cost("inception_resnet_v2")
    row = next(row for row in costs.rows if row.address.endswith("B/01/body/branch2/conv2"))
    intensity = next(
        work.intensity for work in roofline(costs, MACHINES["laptop"]).works if work.address == row.address
    )
    for ridge, bound in ((intensity * 0.99, "products"), (intensity * 1.01, "memory")):
        machine = Machine("m", ridge * 1e9, 1e9)
        assert machine.ridge == pytest.approx(ridge)
        work = next(work for work in roofline(costs, machine).works if work.address == row.address)
        assert work.bound == bound
        assert work.seconds == max(work.flops / machine.peak, work.bytes / machine.bandwidth)


def test_shares_and_seconds_add_up() -> None:
    found = roofline(cost("inception_v4"), MACHINES["k40"], batch=32)
    assert found.share("products") + found.share("memory") + found.share("nothing") == pytest.approx(1)
    assert found.seconds >= 32 * 2 * 12_253_974_624 / MACHINES["k40"].peak
    assert sum(work.flops for work in found.works) > 32 * 2 * 12_253_974_624


def test_a_batch_shares_the_weights() -> None:
    """The classifier's weights are read once for the whole batch, so a larger batch raises its intensity."""
    one, many = (roofline(cost("inception_v4"), MACHINES["a100"], batch=batch) for batch in (1, 256))
    assert one.under("inception_v4/head/classifier")[0].bound == "memory"
    assert many.under("inception_v4/head/classifier")[0].bound == "products"


def test_concatenations_and_adds_are_bound_by_memory_on_any_of_the_machines() -> None:
    for machine in MACHINES.values():
        for work in roofline(cost("inception_resnet_v2"), machine).works:
            if work.address.rsplit("/", 1)[1] in ("concat", "add", "scale"):
                assert work.bound == "memory"


@pytest.mark.parametrize(("peak", "bandwidth"), [(0, 1), (1, -1), (float("nan"), 1), (1, float("inf"))])
def test_a_machine_that_cannot_be(peak: float, bandwidth: float) -> None:
    with pytest.raises(SettingsError, match="more than 0 FLOP/s"):
        Machine("m", peak, bandwidth)


def test_an_empty_batch() -> None:
    with pytest.raises(SettingsError, match="at least one image, not 0"):
        roofline(cost("inception_v4"), MACHINES["laptop"], batch=0)
