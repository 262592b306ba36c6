"""Predict, then run: a tap for each arm before Run unlocks, the score after the runs have ended."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from inception_lab.figures.calibration import calibration as reliability
from inception_lab.jobs import predictions, scoring
from inception_lab.jobs.predictions import LONGEST_NAME, WORDS, Prediction, Word, arm_key
from inception_lab.jobs.scoring import CONFIDENCE, FORMULA, Ended, Score
from inception_lab.jobs.store import Run
from inception_lab.training import rule
from inception_lab.training.outcomes import DEFINITIONS
from inception_lab.training.settings import Settings
from inception_lab.ui import components, drawer, runs
from inception_lab.ui.runs import Arm
from inception_lab.ui.widgets import plain

WHO, SKIP = "predict-who", "predict-skip"
USUAL = "certain"


def unlocked(arms: Sequence[Settings]) -> bool:
    """Ask for one tap an arm; whether Run may start: every arm has its word, or the person chose to skip.

    `arms` are the settings about to run; seeds are no arms of their own. Nothing is kept before `keep`.
    """
    asked = distinct(arms)
    if not asked:
        return False
    with st.container(key="predict"):
        st.markdown("What will become of each arm? One tap a row unlocks Run.")
        st.caption("How sure: " + ", ".join(f"{word} {share:.0%}" for word, share in CONFIDENCE.items()) + ".")
        skip = st.toggle("Skip predicting", key=SKIP, help="Run unlocks at once; that you skipped is noted.")
        if not skip:
            for each in asked:
                _row(each, label=differing(each, asked))
            st.text_input(
                "Your name on the score board (optional)",
                key=WHO,
                max_chars=LONGEST_NAME,
                placeholder=_guest(),
                help="Kept on this machine beside your predictions; anybody who opens these runs sees it.",
            )
        missing = sum(_word(each) is None for each in asked)
        if skip:
            st.caption("Skipped: no score for you this time.")
        elif missing:
            st.caption(f"{missing} of {len(asked)} arms still without a word.")
        else:
            st.caption("Every arm has its word. Run is unlocked; predictions are kept when it is pressed.")
    return skip or not missing


def keep(group: str, arms: Sequence[Settings]) -> int:
    """Record what was tapped for the runs just submitted as `group`; returns how many predictions were new."""
    skipped = bool(st.session_state.get(SKIP))
    said = [
        Prediction(
            group=group,
            arm=arm_key(each),
            who=who(),
            word=None if skipped else _word(each),
            probability=1.0 if skipped else CONFIDENCE[st.session_state.get(_key("sure", each)) or USUAL],
        )
        for each in distinct(arms)
    ]
    return predictions.record(said)


def who() -> str:
    """The name given in this session, else a random one that stays as long as the session."""
    return str(st.session_state.get(WHO) or "").strip() or _guest()


def scores(group: str, arms: Sequence[Arm] = ()) -> None:
    """Who was right about the runs of a group: people, everybody, the rule on these `arms`, and the calibration.

    Words of arms that have not ended stay hidden, so that nobody copies.
    """
    said = predictions.of_group(group)
    made = runs.of_group(group)
    ended = scoring.ended(made)
    if not said:
        return
    st.subheader("Predicted and came true", anchor=False)
    waiting = {one.arm for one in said} - {run.arm for run in ended} - _undecidable(made)
    if waiting:
        count = "1 arm is" if len(waiting) == 1 else f"{len(waiting)} arms are"
        st.caption(f"{count} still to be decided; what was said is shown when the runs have ended.")
    if short := scoring.too_short(made):
        st.caption(short)
    board = scoring.scores(said, ended)
    _notes(said, ended)
    if not board:
        return
    _board([*board, scoring.class_score(said, ended)], arms)
    figure, alt = reliability(bins := scoring.calibration(said, ended))
    components.live_plot(figure, alt=alt, key="calibration", height=320)
    st.caption("Said against came true. Pairs that share a run are not independent, so the intervals are too narrow.")
    drawer.table(
        pd.DataFrame({"said": b.said, "came true": b.true, "n": b.n, "low": b.low, "high": b.high} for b in bins),
        name="calibration",
        title="Calibration as a table",
        alt=alt,
    )


def distinct(arms: Sequence[Settings]) -> list[Settings]:
    """One of each arm, in order: what differs in more than the seed."""
    return list({arm_key(each): each for each in reversed(arms)}.values())[::-1]


def differing(one: Settings, among: Sequence[Settings]) -> str:
    """An arm in words: its scale, and whatever else differs among the arms."""
    tables = [each.with_(seed=0).to_dict() for each in among]
    varied = [name for name, value in tables[0].items() if any(table[name] != value for table in tables)]
    if varied == ["stage_scales"] or not varied:
        varied = ["scale", *varied]
    mine = one.to_dict()
    return ", ".join(f"{name.replace('_', ' ')} {_short(mine[name])}" for name in varied)


def _row(one: Settings, *, label: str) -> None:
    name, tap, sure = st.columns([2, 5, 4], vertical_alignment="center")
    name.markdown(f"**{plain(label)}**")
    tap.pills(
        f"What becomes of {label}",
        WORDS,
        key=_key("tap", one),
        label_visibility="collapsed",
        help="\n".join(f"- **{word}**: {DEFINITIONS[word]}" for word in WORDS),
    )
    sure.segmented_control(
        f"How sure of {label}",
        list(CONFIDENCE),
        default=None if _key("sure", one) in st.session_state else USUAL,
        key=_key("sure", one),
        label_visibility="collapsed",
        required=True,
    )


def _board(board: Sequence[Score], arms: Sequence[Arm]) -> None:
    rows = [
        {
            "who": score.who,
            "Brier score": score.brier,
            "words that came true": f"{score.right} of {score.n}",
            "95 % interval": f"{score.low:.0%} to {score.high:.0%}",
            "arms": score.arms,
        }
        for score in board
    ]
    cases = rule.cases_of(arm for arm in arms if arm.status == "finished")
    frame = pd.DataFrame(rows)
    column = {"Brier score": st.column_config.NumberColumn(format="%.3f", help=FORMULA)}
    st.dataframe(frame, hide_index=True, column_config=column, key="board", alt="Score of everybody who predicted")
    drawer.download("CSV", lambda: frame.to_csv(index=False), "predictions.csv", "text/csv")
    st.caption(FORMULA)
    if cases:
        st.caption(
            f"The instant forecast on the same runs, over its own two words, fails and holds: right in "
            f"{rule.score(cases)}, Brier score {scoring.rule_brier(cases):.3f} (0.5 is an even chance). Two words are "
            "easier than five, so this is no race."
        )
    elif arms:
        st.caption("The instant forecast has no score here: the rule does not speak of these runs.")


def _undecidable(made: Sequence[Run]) -> set[str]:
    """The arms all of whose runs finished too early to be judged: nothing more is to come of them."""
    decides: dict[str, bool] = {}
    for run in made:
        short = run.pure and (run.result or {}).get("outcome") == "short"
        arm = arm_key(run.settings)
        decides[arm] = decides.get(arm, False) or not short
    return {arm for arm, may in decides.items() if not may}


def _notes(said: Sequence[Prediction], ended: Sequence[Ended]) -> None:
    late = scoring.late(said, ended)
    skipped = {one.who for one in said if one.word is None}
    notes = []
    if late:
        notes.append(f"{len(late)} predictions came after a run of their arm had ended and do not count.")
    if skipped:
        notes.append(f"{len(skipped)} {'person' if len(skipped) == 1 else 'people'} skipped predicting.")
    if notes:
        st.caption(" ".join(notes))


def _word(one: Settings) -> Word | None:
    word: Word | None = st.session_state.get(_key("tap", one))
    return word


def _key(kind: str, one: Settings) -> str:
    return f"predict-{kind}-{arm_key(one)}"


def _guest() -> str:
    name: str = st.session_state.setdefault("predict-guest", f"guest {secrets.token_hex(2)}")
    return name


def _short(value: object) -> str:
    match value:
        case float():
            return f"{value:g}"
        case list():
            return "/".join(_short(item) for item in value)
        case str() if len(value) > 40:
            return f"{value[:40]}…"
        case _:
            return str(value)
