"""python -m bench [NAME…]: measure, and print medians and ratios beside what was promised."""

from __future__ import annotations

import json
import signal
import sys
from importlib import import_module

import click

from bench.harness import BENCHES, Result, Skip, amount, measure

# importing registers; the quick ones first
for module in (
    "package",
    "classify",
    "runtimes",
    "explore",
    "crowd",
    "features",
    "crops",
    "attribute",
    "memory",
    "waiting",
    "tick",
    "training",
    "loop",
    "stacked",
    "sweep",
    "app",
):
    import_module(f"bench.{module}")

OTHER = 24  # letters of the column of what ours is held against
WIDE = max(map(len, BENCHES)) + 2  # letters of the first column


@click.command()
@click.argument("names", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout, nothing else there.")
@click.option("--rounds", type=click.IntRange(min=1), help="Measured rounds per benchmark; each has its own default.")
@click.option("--list", "only_list", is_flag=True, help="Say what there is, and measure nothing.")
def main(names: tuple[str, ...], as_json: bool, rounds: int | None, only_list: bool) -> None:
    """Run all benchmarks, or those named. Exit status 1 says that a promise was not kept."""
    if unknown := set(names) - set(BENCHES):
        raise click.UsageError(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}")
    if only_list:
        for one in BENCHES.values():
            click.echo(f"{one.name:<{WIDE}}{one.what} {one.target}")
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers and browsers end with this process
    results: list[Result] = []
    skipped: dict[str, str] = {}
    for name in names or tuple(BENCHES):
        click.echo(f"measuring {name} …", err=True)
        try:
            results.append(measure(BENCHES[name], rounds=rounds))
        except Skip as reason:
            skipped[name] = str(reason)
    click.echo(as_text(results, skipped) if not as_json else as_document(results, skipped))
    sys.exit(not all(result.met for result in results))


def as_document(results: list[Result], skipped: dict[str, str]) -> str:
    """For machines."""
    return json.dumps({"benches": [result.to_dict() for result in results], "skipped": skipped}, indent=1)


def as_text(results: list[Result], skipped: dict[str, str]) -> str:
    """For people: one line for each benchmark."""
    lines = [f"{'benchmark':<{WIDE}}{'ours':>10}{'other':>{OTHER}}{'ratio':>9}{'promised':>18}{'n':>5}  kept"]
    for result in results:
        (_, ours), *others = result.medians.items()
        other = "".join(f"{side} {amount(measured, result.bench.unit)}" for side, measured in others[:1])
        ratio = f"{result.ratio:.2f} ×" if result.ratio is not None else ""
        count, own = len(next(iter(result.seconds.values()))), amount(ours, result.bench.unit)
        lines.append(
            f"{result.bench.name:<{WIDE}}{own:>10}{other:>{OTHER}}{ratio:>9}{result.bench.target!s:>18}{count:>5}"
            f"  {'yes' if result.met else 'NO'}"
        )
    for result in results:
        if noise := result.bench.target.noise:
            lines.append(f"{result.bench.name}: {result.bench.what}; {noise:.0%} of measurement noise allowed")
    lines += [f"{name:<{WIDE}}not measured: {reason}" for name, reason in skipped.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
