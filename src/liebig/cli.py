"""The command line. Results go to standard output, progress to standard error; a user's mistake is one sentence.

Our own package is imported inside the commands, so that ``liebig --help`` is instant.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException

from liebig.core.errors import UserError

app = typer.Typer(
    help="Finds what limits a neural network, lifts it, and proves that it helped.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


class Scheduler(StrEnum):
    NONE = "none"
    PLATEAU = "plateau"
    STEP = "step"
    EXPONENTIAL = "exponential"
    COSINE = "cosine"
    ONE_CYCLE = "one-cycle"


class Monitor(StrEnum):
    LOSS = "loss"
    METRIC = "metric"


class Mode(StrEnum):
    AUTO = "auto"
    MIN = "min"
    MAX = "max"


class Refit(StrEnum):
    AUTO = "auto"
    NONE = "none"
    ALL = "all"


Table = Annotated[
    str,
    typer.Argument(
        metavar="TABLE", help="A CSV, Parquet or Arrow file; pictures: a folder, a zip or npz file; or sequences: npz."
    ),
]
Target = Annotated[str | None, typer.Option(help="The column to predict. Without it the columns are listed.")]
TaskName = Annotated[
    str | None, typer.Option("--task", help="binary, multiclass or regression; found from the target.")
]
MetricName = Annotated[
    str | None, typer.Option("--metric", help="roc_auc, log_loss, accuracy, balanced_accuracy, f1, rmse, mae or r2.")
]
Columns = Annotated[str, typer.Option(help="What to take columns for: zip=category,id=ignore.")]
Weights = Annotated[str | None, typer.Option(help="Column of row weights.")]
Group = Annotated[str | None, typer.Option(help="Column whose equal rows stay in one part (a patient, a user).")]
Time = Annotated[str | None, typer.Option(help="Column of time: the future is never used to predict the past.")]
Test = Annotated[str | None, typer.Option(help="Your own test set; it becomes the sealed part.")]
Unlabelled = Annotated[
    str | None, typer.Option(help="Rows whose target nobody knows, as a table: pretraining reads them.")
]
Seed = Annotated[int, typer.Option(help="Seed of every random choice.")]
AsJson = Annotated[bool, typer.Option("--json", help="One machine-readable object on standard output.")]
Memory = Annotated[str | None, typer.Option(help="Memory to stay under, such as 4GiB. Default: 60 % of what is free.")]
Size = Annotated[int | None, typer.Option(help="Pictures: the side in pixels that they are squeezed to.")]
Cache = Annotated[
    str | None, typer.Option(help="Decoded pictures: what they may take on disk, or none. Default: 4GiB.")
]
Backbone = Annotated[
    str | None,
    typer.Option(help="Pictures: weights to begin with: a file (ResNet-18, 34 or 50), or timm:NAME."),
]
Series = Annotated[str | None, typer.Option(help="Long tables: the column that says which sequence a row belongs to.")]
Horizon = Annotated[int | None, typer.Option(help="Forecast so many next values of the target.")]
Lookback = Annotated[int | None, typer.Option(help="Forecasts: how many steps before are seen.")]
Verbose = Annotated[int, typer.Option(min=0, max=2, help="0 nothing, 1 a bar for each epoch, 2 a line for each epoch.")]


def _say(text: str, answer: Mapping[str, Any], as_json: bool) -> None:
    typer.echo(json.dumps(_finite(answer), ensure_ascii=False, default=str) if as_json else text)


def _finite(value: Any) -> Any:
    """JSON has no NaN: what is not a number is null."""
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None
    if isinstance(value, Mapping):
        return {str(key): _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return value


@app.command()
def improve(
    table: Annotated[
        str | None,
        typer.Argument(
            metavar="[TABLE]",
            help="A CSV, Parquet or Arrow file; pictures: a folder, a zip or npz file; or my_project.py:task for a "
            "network of your own.",
        ),
    ] = None,
    target: Target = None,
    budget: Annotated[str | None, typer.Option(help="Time in all, such as 60s, 5m, 1h30m. Default: 5m.")] = None,
    task: TaskName = None,
    metric: MetricName = None,
    columns: Columns = "",
    weights: Weights = None,
    group: Group = None,
    time: Time = None,
    test: Test = None,
    unlabelled: Unlabelled = None,
    seed: Seed = 0,
    study: Annotated[str | None, typer.Option(help="Directory of the study. Default: NAME-study.")] = None,
    resume: Annotated[str | None, typer.Option(help="Go on with this study, which was interrupted.")] = None,
    from_: Annotated[
        str | None, typer.Option("--from", help="Begin a new study from this closed study's winner.")
    ] = None,
    trials: Annotated[
        int | None, typer.Option(min=1, help="So many treatments in place of a time: repeatable.")
    ] = None,
    refit: Annotated[
        Refit,
        typer.Option(
            help="all: train what is handed over on the sealed rows, too; auto: where more rows were measured to help."
        ),
    ] = Refit.AUTO,
    memory: Memory = None,
    only_networks: Annotated[
        bool, typer.Option("--only-networks", help="Leave classical algorithms out of everything.")
    ] = False,
    max_predict_ms: Annotated[
        float | None, typer.Option(help="What answering 1,000 rows may cost on this machine, in milliseconds.")
    ] = None,
    size: Size = None,
    cache: Cache = None,
    backbone: Backbone = None,
    series: Series = None,
    horizon: Horizon = None,
    lookback: Lookback = None,
    as_json: AsJson = False,
) -> None:
    """A better network, and the proof.

    Finds what limits it, tries the remedies beside it, keeps what helps, until the budget is spent.
    """
    from liebig import api
    from liebig.api.asking import seconds_since_process_start
    from liebig.api.options import columns_of
    from liebig.screen import Screen

    with Screen() as screen:
        done = api.improve(
            table,
            target=target,
            budget=budget,
            task=task,
            metric=metric,
            columns=columns_of(columns),
            weights=weights,
            group=group,
            time=time,
            test=test,
            unlabelled=unlabelled,
            seed=seed,
            study=study,
            resume=resume,
            begin_from=from_,
            trials=trials,
            refit=refit.value,
            memory=memory,
            only_networks=only_networks,
            max_predict_ms=max_predict_ms,
            size=size,
            cache=cache,
            backbone=backbone,
            series=series,
            horizon=horizon,
            lookback=lookback,
            on_event=screen.listen,
            elapsed=seconds_since_process_start(),
        )
    _say(done.summary(), done.as_json(), as_json)


@app.command()
def fit(
    table: Table,
    target: Target = None,
    recipe: Annotated[str, typer.Option(help="A recipe file (TOML or JSON), or: starting, textbook.")] = "starting",
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="network.dropout=0.2")] = None,
    epochs: Annotated[int | None, typer.Option(min=1)] = None,
    batch_size: Annotated[int | None, typer.Option(min=1)] = None,
    optimizer: Annotated[str | None, typer.Option(help="adamw, sgd, muon, ...")] = None,
    learning_rate: Annotated[float | None, typer.Option()] = None,
    loss: Annotated[str | None, typer.Option(help="cross-entropy, focal, mse, mae, huber, quantile.")] = None,
    activation: Annotated[str | None, typer.Option()] = None,
    dropout: Annotated[float | None, typer.Option()] = None,
    normalisation: Annotated[str | None, typer.Option(help="none, batch, layer, group, ghost-batch.")] = None,
    scale: Annotated[str | None, typer.Option(help="none, min-max, standardise, robust, quantile, ...")] = None,
    early_stopping: Annotated[bool | None, typer.Option("--early-stopping/--no-early-stopping")] = None,
    monitor: Annotated[Monitor | None, typer.Option(help="What early stopping and plateau look at.")] = None,
    mode: Annotated[Mode | None, typer.Option(help="Is smaller or larger better? auto knows.")] = None,
    patience: Annotated[int | None, typer.Option(min=1, help="Epochs without progress before training stops.")] = None,
    min_delta: Annotated[float | None, typer.Option(min=0.0, help="What counts as progress.")] = None,
    lr_scheduler: Annotated[Scheduler | None, typer.Option()] = None,
    factor: Annotated[float | None, typer.Option(help="What the scheduler multiplies the rate by.")] = None,
    lr_patience: Annotated[
        int | None, typer.Option(min=0, help="Epochs without progress before the rate falls.")
    ] = None,
    min_lr: Annotated[float | None, typer.Option(min=0.0)] = None,
    checkpoint: Annotated[
        str, typer.Option(metavar="best|every:N", help="Which weights are written while it trains.")
    ] = "best",
    run: Annotated[str | None, typer.Option(help="Directory of the run. Default: NAME-runs/N.")] = None,
    task: TaskName = None,
    metric: MetricName = None,
    columns: Columns = "",
    weights: Weights = None,
    group: Group = None,
    time: Time = None,
    test: Test = None,
    unlabelled: Unlabelled = None,
    seed: Seed = 0,
    memory: Memory = None,
    size: Size = None,
    cache: Cache = None,
    backbone: Backbone = None,
    series: Series = None,
    horizon: Horizon = None,
    lookback: Lookback = None,
    verbose: Verbose = 1,
    as_json: AsJson = False,
) -> None:
    """Train one recipe once.

    Writes a run directory that diagnose, compare, report and predict read.
    """
    from liebig import api
    from liebig.api.options import columns_of
    from liebig.api.training import TrainingFlags
    from liebig.screen import FitScreen

    flags = TrainingFlags(
        epochs=epochs,
        batch_size=batch_size,
        optimizer=optimizer,
        learning_rate=learning_rate,
        loss=loss,
        activation=activation,
        dropout=dropout,
        normalisation=normalisation,
        scale=scale,
        early_stopping=early_stopping,
        monitor=monitor.value if monitor else None,
        mode=mode.value if mode else None,
        patience=patience,
        min_delta=min_delta,
        lr_scheduler=lr_scheduler.value if lr_scheduler else None,
        factor=factor,
        lr_patience=lr_patience,
        min_lr=min_lr,
    )
    with FitScreen(verbose=verbose) as screen:
        done = api.fit(
            table,
            target=target,
            recipe=recipe,
            changes=tuple(set_ or ()),
            flags=flags,
            checkpoint=checkpoint,
            run=run,
            task=task,
            metric=metric,
            columns=columns_of(columns),
            weights=weights,
            group=group,
            time=time,
            test=test,
            unlabelled=unlabelled,
            seed=seed,
            memory=memory,
            size=size,
            cache=cache,
            backbone=backbone,
            series=series,
            horizon=horizon,
            lookback=lookback,
            on_event=screen.listen,
        )
    _say(done.summary(), done.as_json(), as_json)


@app.command()
def diagnose(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run directory that `liebig fit` wrote, or a study.")],
    probe: Annotated[
        bool,
        typer.Option("--probe", help="Experiment on a copy of the run's network first; takes some seconds."),
    ] = False,
    all_: Annotated[bool, typer.Option("--all", help="Every finding and how every other check answered.")] = False,
    as_json: AsJson = False,
) -> None:
    """What limits this run?"""
    from liebig import api
    from liebig.api.telling import diagnosis_json, diagnosis_text

    diagnosis = api.diagnose(run, probe=probe)
    _say(diagnosis_text(diagnosis, everything=all_), diagnosis_json(diagnosis), as_json)


@app.command()
def compare(
    things: Annotated[
        list[str],
        typer.Argument(metavar="TABLE RECIPE RECIPE... | RUN RUN...", help="A table and recipes, or run directories."),
    ],
    target: Target = None,
    budget: Annotated[str | None, typer.Option(help="Time in all, such as 60s or 5m. Default: 5m.")] = None,
    blocks: Annotated[int, typer.Option(min=3, max=20, help="At most so many blocks.")] = 12,
    tolerance: Annotated[float | None, typer.Option(min=0.0, help="What still counts as equal.")] = None,
    curves_only: Annotated[
        bool, typer.Option("--curves-only", help="Run directories: show the curves, train nothing.")
    ] = False,
    output: Annotated[
        str | None, typer.Option("-o", "--output", help="Write the page here. Default: comparison.html.")
    ] = None,
    task: TaskName = None,
    metric: MetricName = None,
    columns: Columns = "",
    weights: Weights = None,
    group: Group = None,
    time: Time = None,
    test: Test = None,
    seed: Seed = 0,
    memory: Memory = None,
    as_json: AsJson = False,
) -> None:
    """Which recipe is better, and is that proven?

    Paired trials in the same blocks, each with its interval; the first recipe is the control.
    """
    from liebig import api
    from liebig.api.options import columns_of
    from liebig.screen import Screen

    with Screen() as screen:
        done = api.compare(
            *things,
            target=target,
            budget=budget,
            blocks=blocks,
            tolerance=tolerance,
            curves_only=curves_only,
            task=task,
            metric=metric,
            columns=columns_of(columns),
            weights=weights,
            group=group,
            time=time,
            test=test,
            seed=seed,
            memory=memory,
            on_event=screen.listen,
        )
    page = done.report(output or "comparison.html")
    _say(f"{done.summary()}\n\nreport  {page}", {**done.as_json(), "report": str(page)}, as_json)


@app.command()
def predict(
    model: Annotated[str, typer.Argument(help="A study, a run or a model directory.")],
    table: Table,
    output: Annotated[
        str, typer.Option("-o", "--output", help="CSV or Parquet to write; - for standard output.")
    ] = "-",
    as_json: AsJson = False,
) -> None:
    """Predict a file of any size in constant memory."""
    from liebig import api

    if output == "-" and as_json:
        raise UserError("--json and predictions on standard output exclude each other; give -o FILE")
    rows = api.predict_file(model, table, output)
    if output != "-":
        _say(f"{rows:,} rows predicted: {output}", {"rows": rows, "output": output}, as_json)


@app.command()
def report(
    study: Annotated[str, typer.Argument(metavar="STUDY", help="A study or a run directory.")],
    output: Annotated[str | None, typer.Option("-o", "--output", help="Default: report.html inside it.")] = None,
    text: Annotated[bool, typer.Option("--text", help="As text, on standard output.")] = False,
    as_json: AsJson = False,
) -> None:
    """One offline page that tells the study."""
    from liebig import api

    told = api.report(study)
    if as_json or text:
        _say(told.text, told.plain, as_json)
        return
    path = api.write_page(told, Path(output) if output else Path(study) / "report.html")
    typer.echo(f"report  {path}")


@app.command()
def look(table: Table, target: Target = None, columns: Columns = "", as_json: AsJson = False) -> None:
    """What does Liebig take each column for?"""
    from liebig import api
    from liebig.api.options import columns_of

    seen = api.look(table, target=target, columns=columns_of(columns))
    _say(str(seen), seen.as_json(), as_json)


@app.command()
def hardware(
    table: Annotated[
        str | None,
        typer.Option(
            "--table",
            metavar="FILE",
            help="Also: how fast does this table (or my_project.py:task) train on each device?",
        ),
    ] = None,
    target: Annotated[str | None, typer.Option(help="The column of that table to predict.")] = None,
    recipe: Annotated[str, typer.Option(help="A recipe file (TOML or JSON), or: starting, textbook.")] = "starting",
    task: TaskName = None,
    metric: MetricName = None,
    columns: Columns = "",
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """What this machine has, how fast it is, what is switched on.

    Says whether torch can use the graphics processor and, if not, what to do; then measures, in about ten seconds.
    """
    from liebig import api
    from liebig.api.options import columns_of
    from liebig.screen import Screen

    with Screen() as screen:
        told = api.machine(
            table,
            target,
            recipe=recipe,
            task=task,
            metric=metric,
            columns=columns_of(columns),
            seed=seed,
            on_event=screen.listen,
        )
    _say(told.summary(), told.as_json(), as_json)


@app.command()
def explain(
    name: Annotated[str | None, typer.Argument(help="A check, remedy or technique; without it all are listed.")] = None,
    as_json: AsJson = False,
) -> None:
    """The card of one check, remedy or technique."""
    from liebig.api.telling import explanation

    told = explanation(name)
    _say(told.text, told.plain, as_json)


def main() -> None:
    """Run a command. Exit code 2 and one sentence for a user's mistake, 130 for Ctrl-C."""
    sys.exit(_exit_code(sys.argv[1:]))


def _exit_code(arguments: list[str]) -> int:
    try:
        answered = app(arguments, prog_name="liebig", standalone_mode=False)
    except UserError as error:
        return _refused(str(error), arguments)
    except TyperException as error:
        return _refused(error.format_message(), arguments)
    except (KeyboardInterrupt, typer.Abort):
        typer.echo("liebig: interrupted", err=True)
        return 130
    except BrokenPipeError:
        # The reader went away (| head): nothing is wrong, and nothing more can be said to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return answered if isinstance(answered, int) else 0


def _refused(sentence: str, arguments: list[str]) -> int:
    typer.echo(f"liebig: {sentence}", err=True)
    if "--json" in arguments:
        typer.echo(json.dumps({"error": sentence}, ensure_ascii=False))
    return 2


if __name__ == "__main__":
    main()
