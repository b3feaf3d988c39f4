"""One function for each thing a user does. Pages, the command line and HTTP call nothing else of `core`."""

from core.anomalies.lead_lag import Lag
from core.clean import CellChanges, History
from core.data.formats.one_wide import looks_wide
from core.jobs.study_request import StudyRequest
from core.workflows.agreement import AgreementSettings, AgreementView, agreement_view, export_agreement
from core.workflows.alarm_budget import (
    AlarmBudgetSettings,
    AlarmBudgetView,
    AlarmChoice,
    alarm_budget_view,
    counts_weeks,
    weekly_budget,
)
from core.workflows.anomalies import (
    AnomalyView,
    EventDetail,
    SensorTrace,
    anomaly_view,
    breaks_promise,
    event_detail,
    with_deviations,
)
from core.workflows.apart import Prepared, open_file, prepare_files, preview_table, workplace
from core.workflows.budget_events import BudgetEvent, budget_events, how_counted, within_beginning
from core.workflows.calibration import CalibrationView, calibration_view, export_calibrated
from core.workflows.capability import CapabilityView, capability_view
from core.workflows.capability_export import export_capability
from core.workflows.capability_settings import CapabilitySettings
from core.workflows.challenge import (
    CaseResult,
    ChallengeCheck,
    check_bundle,
    check_run,
    escape_problem,
    existing_workspace,
    gate,
    release_run,
    released_by,
    withdraw_challenge,
)
from core.workflows.challenge_cases import ChallengeSettings, add_challenge
from core.workflows.challenge_sets import (
    Case,
    ChallengeSet,
    KeptSet,
    WithdrawnSet,
    kept_challenges,
    list_challenges,
    read_challenge,
    withdrawn_challenges,
)
from core.workflows.choices import CandidateLine, ChoiceFacts, candidate_words, measure_title, settings_words
from core.workflows.class_costs import (
    CostSettings,
    CostView,
    cost_matrix,
    cost_view,
    costs_as_text,
    export_cost_calls,
    limit_prices,
    with_limit_prices,
)
from core.workflows.class_limits import LimitSettings, LimitView, limit_view
from core.workflows.class_timeline import ClassTimeline, class_timeline
from core.workflows.cleaning import RecipePreview, list_changes, preview_recipe
from core.workflows.combining import columns_differ
from core.workflows.comparing import comparable, compare_datasets, in_a_sentence, named_dataset
from core.workflows.control import control_view
from core.workflows.control_export import export_control
from core.workflows.control_many import Contribution, ManySettings, ManyView, control_many, export_many, point_contributions
from core.workflows.control_record import ControlView
from core.workflows.control_settings import OF_EXPERTS, WITHOUT_RULES, ControlSettings, check_used, used_by
from core.workflows.csv_out import without_formula, write_csv
from core.workflows.curves import CurveReader
from core.workflows.datasets import (
    change_columns,
    dataset_findings,
    dataset_lines,
    delete_dataset,
    list_datasets,
    open_dataset,
    rejected_rows,
    rename_dataset,
    repaired_rows,
    summarise_dataset,
)
from core.workflows.demos import DemoCard, demo_cards, demos_wanted, ensure_demos
from core.workflows.event_export import EventList, event_list, export_events
from core.workflows.event_facts import SHIFT, EventFacts, EventSettings, event_facts, event_of, event_scores_of
from core.workflows.explain_work import (
    Gradients,
    find_gradients,
    read_gradients,
    start_gradients,
    stop_gradients,
    why_no_gradients,
)
from core.workflows.explaining import (
    ColumnEffect,
    Explainer,
    RowWhy,
    Said,
    open_explainer,
    rest_words,
    row_why,
    what_is_said,
    worst_rows,
)
from core.workflows.explaining_changes import CounterfactualView, Goal, goal_of, outputs_after, row_counterfactual
from core.workflows.explaining_events import EventWhy, SensorWhy, event_rows, event_why, open_event, repair_words, sentence_of
from core.workflows.explaining_global import DependenceView, ImportanceView, column_dependence, global_importance
from core.workflows.false_alarms import (
    FalseAlarmPreview,
    RealEffect,
    false_alarms,
    preview_false_alarms,
    real_effect,
    train_with_false_alarms,
)
from core.workflows.families import FamilyBranch, FamilyCard, family_tree, offered_families
from core.workflows.fault_classes import CauseCases, FaultClasses, fault_classes, train_fault_classes
from core.workflows.file_imports import facts_of, known_import, remember_import
from core.workflows.fleet import export_fleet, fleet_view, fleets_of, lives_view, read_remaining
from core.workflows.fleet_charts import due_figure, fleet_caption, survival_figure, weibull_figure
from core.workflows.fleet_lives import FleetLives, FleetSettings
from core.workflows.fleet_plan import FleetView
from core.workflows.forecast_charts import fan_figure, known_values, steps_figure
from core.workflows.forecasts import Fan, ForecastView, Origins, fan, forecast_view, last_row, latest_values, origins
from core.workflows.gage import COMPONENT_TITLES, VERDICT_WORDS, GageSettings, GageView, export_gage, gage_view
from core.workflows.import_again import import_again
from core.workflows.import_many import import_files
from core.workflows.importing import Imported, import_file, preview_file
from core.workflows.label_view import (
    LabelProblem,
    LabelSettings,
    LabelView,
    Relabelling,
    answer_row,
    export_label_problems,
    export_relabelled,
    label_view,
    relabelling,
    row_with_neighbours,
    undo_answer,
)
from core.workflows.leak_notes import leak_note
from core.workflows.left_out import LeftOut, causes_of, entries_of
from core.workflows.originals import Original, has_original, hash_of_all, same_original, take_original, unpack_original
from core.workflows.people import LONGEST_NAME, is_named, signed
from core.workflows.predictions import (
    PART_TITLES,
    ClassificationView,
    RegressionView,
    classification_view,
    regression_view,
)
from core.workflows.privacy import delete_with_everything, list_audit, made_from_dataset
from core.workflows.proposing import Proposal, propose_recipe, to_decide
from core.workflows.recipe_text import change_words, recipe_text, step_reason, step_title
from core.workflows.recipes import (
    CleanedFile,
    clean_dataset,
    get_draft,
    get_recipe,
    read_recipe,
    recipe_from,
    recipe_json,
    save_draft,
    save_recipe,
    use_recipe,
    write_changes,
)
from core.workflows.records import Curves, Diagnosis, Run, SplitPreview, StoredEvent, TaskChoice, TrainingPlan
from core.workflows.relation_maps import Cells, CellsView, RowMap, RowMapSettings, drawn_cells, row_map
from core.workflows.relations import (
    LagSettings,
    LagView,
    RelationsSettings,
    RelationsView,
    export_lags,
    export_relations,
    lag_view,
    relations_view,
)
from core.workflows.remarks import REMARK, WordView, largest, telling_words, text_column, with_remarks, words_of_row
from core.workflows.remedies import Remedy, remedy_of
from core.workflows.reports import ReportFile, delete_report, list_reports, make_report, run_id_of
from core.workflows.results import Results, open_results
from core.workflows.score_chart import ScoreChartSettings, ScoreChartView, export_score_chart, score_chart_view
from core.workflows.score_rows import PADDED, ROW_KINDS, count_unknown, filter_scores, matching_rows, scored_rows, scores_at
from core.workflows.scoring import evaluate_file, export_scores, read_table, resolve_bundle, score_file
from core.workflows.screening import (
    ColumnTrace,
    Screened,
    apply_fixes,
    column_trace,
    ignore_columns,
    is_screened,
    key_of,
    leave_reasons,
    screen_dataset,
    screened,
    with_decisions,
)
from core.workflows.screening_job import find_screening, is_large, start_screening, stop_screening
from core.workflows.seeding import is_large_seeding, kept_seeding, newest_seeding, seed_faults, sensors_of
from core.workflows.seeding_job import find_seeding, start_seeding, stop_seeding
from core.workflows.seeding_records import FAULT_TITLES, SeededFault, SeededView, SeedSettings, export_seeding, fault_sentence
from core.workflows.series import Series, TableAxis, column_series, periods_of, with_periods
from core.workflows.shaping import (
    OPERATIONS,
    Origin,
    ShapePreview,
    dataset_origin,
    preview_shape,
    shape_dataset,
    shape_settings,
)
from core.workflows.short_jobs import ShortWork
from core.workflows.similar_events import PastEvent, SimilarEvents, past_events, similar_events
from core.workflows.strata import (
    ParetoSettings,
    ParetoView,
    StrataView,
    export_pareto,
    export_strata,
    pareto_view,
    strata_view,
)
from core.workflows.studies import (
    STUDY_TITLES,
    StudyCell,
    StudyWork,
    get_study,
    kept_request,
    list_studies,
    resume_study,
    start_study,
    stop_study,
)
from core.workflows.training import (
    TASK_CHOICES,
    delete_run,
    diagnose,
    get_run,
    jobs_overview,
    list_runs,
    plan_training,
    read_curves,
    read_events,
    recommend,
    rename_run,
    resume_run,
    stage_title,
    start_training,
    stop_run,
)
from core.workflows.unit_words import spoken_unit, unit_words
from core.workflows.validation import Validation, validate
from core.workflows.verdicts import (
    VERDICT_TITLES,
    confirm_verdict,
    history_of,
    list_verdicts,
    set_verdict,
    verdict_state,
)
from core.workflows.workspace import Workspace, open_workspace
from core.workflows.worst_strata import StrataErrorSettings, WorstStrata, export_worst, worst_strata
from core.workflows.zones import ZONE_NAMES, ZoneSettings, ZoneView, export_zones, zone_view

__all__ = [name for name in dir() if not name.startswith("_")]
