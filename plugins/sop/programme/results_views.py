"""Pages of budget, self-assessment and scorecard of a programme."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from plugins.sop.blueprint import blueprint
from plugins.sop.programme import assessing, budget, measures, pictures, plan, queries, questionnaire, services
from plugins.sop.programme import vocabulary as words
from plugins.sop.programme.forms import AssessmentForm, BudgetForm, ScoreForm, read_answers
from plugins.sop.programme.models import AFTER, BEFORE, SopAssessment, SopProgramme
from plugins.sop.programme.permissions import PROGRAMME, PROGRAMME_MANAGE
from plugins.sop.programme.views import tabs
from portal.auth.current import current_actor
from portal.core import clock
from portal.core.errors import Conflict, ErrorList, Invalid
from portal.core.forms import new_token
from portal.core.permissions import can
from portal.core.transaction import transaction
from portal.core.web import access
from portal.i18n import _, _n


def _common(programme: SopProgramme, active: str) -> dict[str, Any]:
    return {
        "programme": programme,
        "words": words,
        "tabs": tabs(programme, active),
        "may_manage": can(current_actor(), PROGRAMME_MANAGE),
        "today": clock.today(),
    }


# ---- budget --------------------------------------------------------------------------------------------------------


@blueprint.get("/programmes/<int:programme_id>/budget")
@access(PROGRAMME)
def programme_budget(programme_id: int) -> str:
    """All modes side by side; days and fee can be tried out in the address."""
    form = BudgetForm(request.args if request.args else None, meta={"csrf": False})
    problems = ErrorList()
    offers = services.priced(form.days, form.fee.data, problems)
    for field, sentence in problems.pairs:
        form[field].errors = [*form[field].errors, sentence]
    for offer in offers:
        name = f"days_{offer.mode.key}"
        if name in form and form[name].data is None and not form[name].errors:
            form[name].data = offer.days
    form.token.data = new_token()
    return _budget_page(queries.load_programme(programme_id), form, offers)


@blueprint.post("/programmes/<int:programme_id>/budget")
@access(PROGRAMME_MANAGE)
def choose_budget(programme_id: int) -> str | Response | tuple[str, int]:
    """Keep the decision for a mode."""
    form = BudgetForm()
    if form.validate_on_submit():
        try:
            with transaction():
                services.choose_budget(queries.load_programme(programme_id), form.to_input(), current_actor())
        except Invalid as error:
            form.show(error)
        else:
            flash(_("The decision was kept."), "success")
            return redirect(url_for("sop.programme_budget", programme_id=programme_id))
    offers = services.priced(form.days, form.fee.data, ErrorList())
    return _budget_page(queries.load_programme(programme_id), form, offers), 400


def _budget_page(programme: SopProgramme, form: BudgetForm, offers: list[budget.Offer]) -> str:
    return render_template(
        "sop/programme/budget.html",
        form=form,
        offers=offers,
        choices=queries.choices_of(programme.id),
        chart=pictures.cost_chart(offers),
        **_common(programme, "budget"),
    )


# ---- self-assessment -----------------------------------------------------------------------------------------------


@blueprint.get("/programmes/<int:programme_id>/assessment")
@access(PROGRAMME)
def programme_assessment(programme_id: int) -> str:
    """The assessments compared, with their problems."""
    programme = queries.load_programme(programme_id)
    results = queries.results_of(programme.id)
    return render_template(
        "sop/programme/assessment.html",
        results=results,
        chart=pictures.assessment_chart(results) if results else None,
        questions=questionnaire.QUESTIONS,
        **_common(programme, "assessment"),
    )


@blueprint.route("/programmes/<int:programme_id>/assessment/new", methods=["GET", "POST"])
@access(PROGRAMME_MANAGE)
def new_assessment(programme_id: int) -> str | Response | tuple[str, int]:
    """Fill in a questionnaire."""
    programme = queries.load_programme(programme_id)
    form = AssessmentForm()
    if request.method == "GET":
        done = {result.assessment.moment for result in queries.results_of(programme.id)}
        form.moment.data = questionnaire.END if questionnaire.START in done else questionnaire.START
        form.assessed_on.data = clock.today()
    return _assess(programme_id, None, form)


@blueprint.route("/programmes/assessments/<int:assessment_id>", methods=["GET", "POST"])
@access(PROGRAMME_MANAGE)
def edit_assessment(assessment_id: int) -> str | Response | tuple[str, int]:
    """Correct a questionnaire."""
    assessment = queries.load_assessment(assessment_id)
    return _assess(assessment.programme_id, assessment, AssessmentForm(obj=assessment))


def _assess(
    programme_id: int, assessment: SopAssessment | None, form: AssessmentForm
) -> str | Response | tuple[str, int]:
    assessment_id = assessment.id if assessment else None
    if form.validate_on_submit():
        try:
            with transaction():
                assessing.save_assessment(
                    queries.load_programme(programme_id),
                    queries.load_assessment(assessment_id) if assessment_id else None,
                    form.to_input(request.form),
                    current_actor(),
                )
        except Invalid as error:
            form.show(error)
        else:
            flash(_("The self-assessment was kept."), "success")
            return redirect(url_for("sop.programme_assessment", programme_id=programme_id))
    if request.method == "POST":
        answers = read_answers(request.form)
    else:
        kept = assessment.answers if assessment else []
        answers = {item.question: assessing.AnswerInput(item.own, item.industry, item.problem) for item in kept}
    page = render_template(
        "sop/programme/questionnaire.html",
        form=form,
        answers=answers,
        assessment_id=assessment_id,
        questions=questionnaire.QUESTIONS,
        levels=questionnaire.LEVELS,
        empty=assessing.AnswerInput(None, None),
        **_common(queries.load_programme(programme_id), "assessment"),
    )
    return page, 400 if request.method == "POST" else 200


# ---- scorecard -----------------------------------------------------------------------------------------------------


@blueprint.get("/programmes/<int:programme_id>/scorecard")
@access(PROGRAMME)
def programme_scorecard(programme_id: int) -> str:
    """The measures before and after, and every value that was ever kept."""
    programme = queries.load_programme(programme_id)
    return render_template(
        "sop/programme/scorecard.html",
        lines=queries.scorecard(programme.id),
        history=queries.score_history(programme.id),
        measures=measures,
        **_common(programme, "scorecard"),
    )


def _period(programme: SopProgramme, side: str) -> tuple[date, date]:
    """The year before the first day, or the same length up to yesterday after the last one."""
    begins_on = programme.steps[0].begins_on
    today = clock.today()
    if side == BEFORE:
        return min(plan.months_later(begins_on, -12), today), min(begins_on - timedelta(days=1), today)
    ends_on = max(step.ends_on for step in programme.steps)
    last = min(plan.months_later(ends_on, 12), today)
    return max(plan.months_later(last, -12) + timedelta(days=1), min(ends_on, last)), last


@blueprint.get("/programmes/<int:programme_id>/scorecard/<any(before, after):side>")
@access(PROGRAMME_MANAGE)
def edit_scores(programme_id: int, side: str) -> str:
    """Enter values of one side."""
    programme = queries.load_programme(programme_id)
    lines = queries.scorecard(programme.id)
    kept = {line.measure.key: line.before if side == BEFORE else line.after for line in lines}
    form = ScoreForm(formdata=None, side=side)
    known = next((value for value in kept.values() if value is not None), None)
    form.first.data, form.last.data = (known.first, known.last) if known else _period(programme, side)
    values = {key: f"{value.value:f}" for key, value in kept.items() if value is not None and value.value is not None}
    return _scores_page(programme, side, form, values, {})


@blueprint.post("/programmes/<int:programme_id>/scorecard/<any(before, after):side>")
@access(PROGRAMME_MANAGE)
def save_scores(programme_id: int, side: str) -> str | Response | tuple[str, int]:
    """Keep typed values, or let the portal compute what it knows."""
    actor = current_actor()
    form = ScoreForm()
    form.side.data = side
    problems: dict[str, str] = {}
    if form.validate():
        data, wrong = form.to_input(request.form)
        problems = dict(wrong)
        try:
            if request.form.get("compute"):
                with transaction():
                    programme = queries.load_programme(programme_id)
                    count = assessing.compute_scores(programme, side, data.first, data.last, actor)
                flash(_n("%(num)s value was computed.", "%(num)s values were computed.", count), "success")
                return redirect(url_for("sop.edit_scores", programme_id=programme_id, side=side))
            if not problems:
                with transaction():
                    assessing.save_scores(queries.load_programme(programme_id), data, actor)
                flash(_("The scorecard was kept."), "success")
                return redirect(url_for("sop.programme_scorecard", programme_id=programme_id))
        except Invalid as error:
            problems = {name: str(sentence) for name, sentence in error.errors if name in measures.BY_KEY}
            form.show(Invalid([pair for pair in error.errors if pair[0] not in measures.BY_KEY]))
        except Conflict as error:
            flash(str(error), "warning")
    values = {key: request.form.get(key, "")[:30] for key in measures.BY_KEY}
    return _scores_page(queries.load_programme(programme_id), side, form, values, problems), 400


def _scores_page(
    programme: SopProgramme, side: str, form: ScoreForm, values: dict[str, str], problems: dict[str, str]
) -> str:
    return render_template(
        "sop/programme/scores.html",
        form=form,
        side=side,
        values=values,
        problems=problems,
        measures=measures,
        before=BEFORE,
        after=AFTER,
        **_common(programme, "scorecard"),
    )
