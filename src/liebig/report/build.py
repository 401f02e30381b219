"""Study -> `ReportData`: everything that the report says, put together here once for all renderers."""

from __future__ import annotations

from collections.abc import Sequence

from liebig.core.check import Check
from liebig.core.study import Ended, Study
from liebig.report.data import RecipeChange, ReportData
from liebig.report.findings import Teller, data_told, diagnosis_told
from liebig.report.measured import (
    all_curves,
    augmented_told,
    capacity_told,
    confusion_told,
    duplicates_told,
    growth_told,
    histograms_told,
    importance_told,
    network_told,
    suspects_told,
    worst_pictures_told,
    worst_rows_told,
)
from liebig.report.populations import training_notes
from liebig.report.rungs import is_competition, ladder_told, parts_told, trial_told
from liebig.report.scores import challengers_told, final_of, measure_of, seal_told
from liebig.report.together import answer_in_words, combination_told, rung_of_combination
from liebig.report.toml import toml_of, toml_value
from liebig.report.words import Story, tell_story


def report_data(study: Study, checks: Sequence[Check] = (), *, recipe_toml: str | None = None) -> ReportData:
    """Everything that the report says of `study`.

    `checks` are those whose findings stand in the ledger: they tell them in words and say which stave each belongs to;
    a finding of an unknown check is told by its name and facts. `recipe_toml` is the recipe handed over as TOML; without
    it the recipe's own plain form is printed. Raises ValueError for a study without a Began entry.
    """
    teller = Teller({check.name: check for check in checks})
    measure = measure_of(study)
    seal = seal_told(study, measure)
    final = final_of(study)
    ladder = ladder_told(study, measure, teller)
    together = rung_of_combination(study, measure, ladder[-1].position) if ladder else None
    combination = combination_told(study, measure)
    growth = growth_told(study, measure)
    story = Story(
        study=study,
        measure=measure,
        seal=seal,
        ladder=(*ladder, together) if together else ladder,
        before=diagnosis_told(study, study.baseline, teller),
        after=diagnosis_told(study, final, teller) if final != study.baseline else None,
        data=data_told(study, teller),
        trials=tuple(trial_told(study, each, measure, teller) for each in study.trials if is_competition(each)),
        parts=parts_told(study, final, measure, teller),
        challengers=challengers_told(study, measure),
        together=answer_in_words(combination) if combination and combination.adopted else "",
        models=len(combination.members) if combination and combination.adopted else 1,
        growth=growth.sentence if growth else "",
    )
    told = tell_story(story)
    recipe = study.recipes[final].recipe if final else None
    return ReportData(
        name=study.began.name,
        target=study.began.target,
        task=study.began.kind.value,
        measure=measure,
        standing=told.standing,
        headline=told.headline,
        proof=told.proof,
        lead=told.lead,
        summary=told.summary,
        decimals=told.decimals,
        cards=told.cards,
        seal=seal,
        ladder=story.ladder,
        before=story.before,
        after=story.after,
        data=story.data,
        parts=story.parts,
        trials=story.trials,
        challengers=story.challengers,
        combination=combination,
        curves=all_curves(study, final),
        network=network_told(study, final),
        histograms=histograms_told(study, final),
        capacity=capacity_told(study),
        growth=growth,
        importance=importance_told(study, measure),
        worst_rows=worst_rows_told(study),
        worst_pictures=worst_pictures_told(study),
        suspects=suspects_told(study),
        duplicates=duplicates_told(study),
        confusion=confusion_told(study),
        augmented=augmented_told(study),
        recipe_name=study.recipes[final].name if final else "",
        is_users_network=_is_users_network(study),
        recipe_toml=recipe_toml if recipe_toml is not None else (toml_of(recipe.plain()) if recipe else ""),
        changes=_changes(study, final),
        environment=_environment(study),
        notes=(*study.began.notes, *training_notes(study)),
        footer=told.footer,
    )


def _changes(study: Study, final: str | None) -> tuple[RecipeChange, ...]:
    if study.baseline is None or final is None or final == study.baseline:
        return ()
    changes = study.recipes[study.baseline].recipe.diff(study.recipes[final].recipe)
    return tuple(RecipeChange(each.path, toml_value(each.before), toml_value(each.after)) for each in changes)


def _is_users_network(study: Study) -> bool:
    return any(noted.recipe.network.kind == "user-module" for noted in study.recipes.values())


def _environment(study: Study) -> dict[str, str]:
    machine, ended, began = study.began.machine, study.last(Ended), study.began
    gain = f" (measured {machine.precision_gain:.1f} times the speed of float32)" if machine.precision_gain > 1 else ""
    facts = {
        "system": machine.system,
        "processor": f"{machine.processor}, {machine.cores} core{'s' if machine.cores != 1 else ''}",
        "memory": f"{machine.memory_gib:.1f} GiB" + (f", {ended.peak_gib:.2f} GiB used at most" if ended else ""),
        "device": machine.device,
        "precision": f"{machine.precision}{gain}",
        "seed": str(began.seed),
        "data": f"fingerprint {began.fingerprint}" if began.fingerprint else "",
        # The options of a study of the user's own network are what identifies it: digests, which no reader needs.
        "network": began.options.get("source", "") if _is_users_network(study) else "",
        "options": ""
        if _is_users_network(study)
        else ", ".join(f"{name} {value}" for name, value in began.options.items()),
        "versions": ", ".join(f"{name} {version}" for name, version in machine.versions.items()),
    }
    return {name: value for name, value in facts.items() if value}
