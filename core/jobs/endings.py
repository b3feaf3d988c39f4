"""How a job ended otherwise than it should: sentences for people, exit codes for the supervisor."""

from __future__ import annotations

from core.errors import Problem, TrainingProblem
from core.messages import msg

EXIT_DONE, EXIT_FAILED, EXIT_DISK_FULL = 0, 1, 28


def own_error(error_id: str) -> Problem:
    """A mistake of ours: the traceback is in the log under this number."""
    return Problem(
        msg("The job ended by an error in Andon itself."),
        msg("This should not have happened; your data and earlier results are untouched."),
        msg("Report it with the number {error_id}; the log has the details.", error_id=error_id),
    )


def out_of_memory() -> TrainingProblem:
    """The process asked for more memory than there is, or the system ended it for that."""
    return TrainingProblem(
        msg("The job was killed, probably because memory ran out."),
        msg("Model, window and batch must fit into the free memory."),
        msg("Use a smaller batch, a shorter window or a smaller model, or close other programs; then resume."),
    )


def process_gone() -> TrainingProblem:
    """The process ended without a result: it was killed, or the machine went down."""
    return TrainingProblem(
        msg("The process that ran this job is gone."),
        msg("It should have ended with a result; it was killed or the machine was restarted."),
        msg("Resume it; it goes on from the last checkpoint if there is one."),
    )


def not_started(reason: str) -> TrainingProblem:
    """The system refused to start a process."""
    return TrainingProblem(
        msg("The job could not be started: {reason}.", reason=reason),
        msg("Expected to be able to start one more process."),
        msg("Close other programs, then resume it."),
    )
