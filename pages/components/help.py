"""What each screen is for, how to read it and what it does not do: opened from the bar that is the same everywhere."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.components.text import md, t


def show(screen: str) -> None:
    """The help of a screen, by its address; the empty address is Home."""
    lines = SCREENS.get(screen)
    if lines is None:
        return
    with st.popover(t("Help"), icon=":material/help:", type="tertiary", key="help_popover"):
        st.markdown("\n".join(f"- {md(line)}" for line in lines()))


def _home() -> list[str]:
    return [
        t(
            "Demo projects are finished results on generated data whose truth is known: open one to see what a result looks like."
        ),
        t(
            "'Use my file' takes a text table, a workbook, a Parquet file or an archive, and leads from there to a model and a report."
        ),
        t(
            "Recent work lists the newest runs, and Runs has all; a row opens what it found. A training goes on when the browser is closed."
        ),
    ]


def _data() -> list[str]:
    return [
        t(
            "The preview shows how the file is read; what is wrong can be corrected before it is imported. Every line is accounted for."
        ),
        t(
            "Workbooks, Parquet files and archives are taken apart first; several files at once are shown as one table before they are stored."
        ),
        t(
            "A role says what a column is: time orders the rows, a group is a lot, unit or serial, the target is what you want to know, sensors are what it is learned from."
        ),
        t(
            "Specification limits are the customer's; they are drawn where parts are judged and never mixed with control limits."
        ),
        t("A changed role makes a new version of the dataset. Earlier runs keep the version they learned from."),
        t("Reshape makes a new dataset with a regular time step, one row a group, or the columns of another table by time."),
    ]


def _screening() -> list[str]:
    return [
        t(
            "Each column has a grade: A is ready, B can be used with care, C wants a decision first. A row opens its reasons with their places."
        ),
        t(
            "A fix is a step of the cleaning recipe or the role 'ignore'; it changes no cell of the uploaded table. What is as it should be can be left, and that is remembered."
        ),
        t(
            "In control counts rows without a signal of Nelson's rules 1 to 4 on a chart of individuals, with limits from the first 60 % of the rows. Slow sensors are seldom in control and may be fine."
        ),
        t(
            "A possible leak is a question, not a verdict: only you know whether the column is known before the result. Such columns are never ignored by the button for all fixes."
        ),
    ]


def _explore() -> list[str]:
    return [
        t(
            "A control chart tells what the process does by itself from what happened to it: a point outside the limits, or a pattern that chance seldom makes, is a signal to look for a cause."
        ),
        t(
            "The limits come from the points themselves, or from a baseline period that you draw on the chart (Phase I); then they stay as they are for all later points (Phase II). They are not the customer's limits, which never stand on a control chart."
        ),
        t(
            "The chart is proposed from the kind of data and the number of values behind a point. Rules are those of a named book; ranges and standard deviations are judged by their limits alone."
        ),
        t(
            "Points of a slow sensor hang together, and a chart of individuals then gives signals where nothing has happened. Fewer rows a day, a chart of means, or a model's residuals help."
        ),
        t(
            "Measurement system asks how much of what is seen comes from measuring or judging itself. It needs a study of its own: parts that several people measured or rated again and again. The view shows what such a table looks like."
        ),
        t(
            "Relations answers four questions: which columns hang together, which machine, lot or shift differs, what occurs most, and which sensor follows which. It tells what goes together, not what causes what."
        ),
    ]


def _clean() -> list[str]:
    return [
        t("Steps are done in their order, on a copy: the uploaded table never changes, and the recipe travels with the model."),
        t("Outliers are marked by default and not removed: an outlier may be the very fault that is looked for."),
        t(
            "Each step learns its numbers from the training part alone. The counts say how many cells it changes in the rows shown."
        ),
        t(
            "Propose recipe looks at the training part and gives steps with their reasons, to be edited. Undo and redo survive a refresh; Changed cells lists every cell with the step that changed it."
        ),
    ]


def _train() -> list[str]:
    return [
        t(
            "Choose a question and the columns it needs; the recommended model comes with its reason, and the split shows which rows will judge it."
        ),
        t(
            "A simple baseline is fitted first, on the same rows: a network is worth its trouble only where it is clearly better."
        ),
        t("The validation part chooses the best epoch and the limits; the test part is opened once, at the end."),
        t("Stop keeps the best weights so far. An interrupted training goes on from its last checkpoint."),
    ]


def _runs() -> list[str]:
    return [
        t("Each row is one training with its figure on the test part beside the baseline's on the same rows."),
        t("Two runs can be compared when they answer one question on one split; where they do not, the screen says so."),
        t("Deleting a run takes its model, scores and verdicts with it; its dataset stays."),
    ]


def _predictions() -> list[str]:
    return [
        t(
            "All figures are of rows that the model has not seen, unless another part is chosen. Intervals say how far they might be off by chance."
        ),
        t(
            "For values: points on the line are right; the band is the interval that covers the promised share of new parts if the process stays as it is."
        ),
        t(
            "For remaining life, Fleet shows which units that run will need work soon, by the model and by age alone, and how long units last. Choose a dataset of units in service: they are scored by the model."
        ),
        t(
            "For a forecast: the next values come first; a row of the test part shows what was forecast there beside what came, and the table how far each step ahead can be trusted."
        ),
        t(
            "For classes: the decision limit trades defects caught against good parts rejected; moving it moves every view, the table and the files."
        ),
        t(
            "Labels lists rows whose label is likely wrong, of those that the model was not fitted on. Label them anew first, blindly: label and model's answer show after yours."
        ),
        t(
            "Why says what each column adds to a row, which change would have brought another result, and which columns the model lives on."
        ),
    ]


def _anomalies() -> list[str]:
    return [
        t("A score says how odd a row is; a row above the decision limit is flagged, and flags close together are one event."),
        t(
            "The limit comes from a false-alarm budget on normal rows that were held back. Where they are too few for a promise, the screen says how many are missing."
        ),
        t(
            "Of a forecast the score is how far a row is from what was forecast one row before, as a multiple of the usual residual."
        ),
        t(
            "An event names the sensors that made it, each with the band in which it normally runs. Your verdict is kept with its date."
        ),
        t(
            "Seeded faults says how large a fault must be to be found: faults of known size are put into copies of held-out normal rows and judged by the run's own limit."
        ),
        t(
            "A challenge set holds known cases with the answer that each must get. It is scored before new data is scored and after each training; a case that escapes blocks until somebody releases the run by name."
        ),
        t(
            "Why says an event in a sentence, what repairing each sensor takes off the score, and what would have kept it normal."
        ),
        t(
            "When it began is told by a change point before the first flag, or it is said that this cannot be told. Lead and lag say which sensor changed first."
        ),
        t(
            "Is / is not holds the event's rows against normal rows by machine, shift, lot and other columns; similar events come with their cause and what fixed them."
        ),
        t(
            "False alarms can join the normal rows of the next training; they are no test rows any more. With 5 cases of one cause and a second cause a classifier of faults can be trained."
        ),
    ]


def _reports() -> list[str]:
    return [
        t(
            "A report is one HTML file that opens anywhere, without internet and without Andon: data, recipe, split, settings, figures and charts."
        ),
        t("It holds no file path, no name of this computer and no raw rows beyond those in its tables."),
    ]


def _validation() -> list[str]:
    return [
        t(
            "Published worked examples are computed anew by this installation, from their data, and held against what is printed."
        ),
        t("Each opens its figures: as printed, as computed here, and whether they agree to the last printed digit."),
        t("The command line does the same: python -m core validate."),
    ]


SCREENS: dict[str, Callable[[], list[str]]] = {
    "": _home,
    "data": _data,
    "screening": _screening,
    "explore": _explore,
    "clean": _clean,
    "train": _train,
    "runs": _runs,
    "predictions": _predictions,
    "anomalies": _anomalies,
    "reports": _reports,
    "validation": _validation,
}
