"""The engine's stages round one network of the user's own, step by step, for comparison with plain scripts."""

import math

import torch
from torch.func import functional_call

from liebig.nets.surgery import Materials, anatomy_of, decay_everything, network_for, specs_of, statistics_of
from liebig.stack.batch import Batch
from liebig.stack.draws import Draws
from liebig.stack.flat import size_of, views
from liebig.techniques.stage import Ground, Lowered, Progress

CPU = torch.device("cpu")


def materials_of(build, x):
    network = build()
    return Materials(build, (x[:8],), statistics_of([x], anatomy_of(network, (x[:8],))))


def trained_by_stages(recipe, build, train_set, valid_set, classes, seed, decays_everything=False):
    """The weights to evaluate with, by name, and the epochs that were trained."""
    x, y = train_set
    network = network_for(recipe.network, materials_of(build, x), seed)
    specs = specs_of(network, anatomy_of(build(), (x[:8],)))
    seen = decay_everything(specs) if decays_everything else specs
    size, accumulate = recipe.batching.size, recipe.batching.accumulates
    batches = [slice(start, start + size) for start in range(0, len(x), size)]
    groups = [batches[i : i + accumulate] for i in range(0, len(batches), accumulate)]
    epochs = recipe.stopping.epochs
    shares = tuple((y == code).float().mean().item() for code in range(max(classes, 2))) if classes else ()
    outputs = classes if classes > 2 else 1
    ground = Ground(seen, outputs, classes > 0, len(x), len(groups), epochs, shares, CPU)
    flat = torch.cat([value.detach().flatten() for value in network.parameters()])[None].clone()
    assert flat.shape[1] == size_of(specs)
    weights = views(flat, specs)
    stages = [type(each).stage([each], ground) for each in recipe.techniques]
    for stage in stages:
        first = Batch(x[None, :8], y[None, :8].float())
        for weight, prepared in zip(weights, stage.prepare(list(weights), [0], first, None), strict=True):
            weight.copy_(prepared)
    states = [stage.start([each.clone() for each in weights]) for stage in stages]
    optimizer = type(recipe.optimizer).stage([recipe.optimizer], ground)
    objective = type(recipe.objective).stage([recipe.objective], ground)
    memory = optimizer.start(flat)
    schedule_state, stopping_state = recipe.schedule.start(), recipe.stopping.start()
    lowered, step, kept = 1.0, 0, None

    def answers(at, rows):
        named = {spec.name: value[0] for spec, value in zip(specs, at, strict=True)}
        out = functional_call(network, named, (rows,))
        return out.reshape(1, len(rows), -1)

    for epoch in range(epochs):
        network.train()
        for group in groups:
            rate = recipe.optimizer.learning_rate * lowered
            rate *= recipe.schedule.multiplier(step, epochs * len(groups), len(groups))
            everyone = sum(len(x[part]) for part in group)
            total = torch.zeros_like(flat)
            for part in group:
                batch = Batch(x[None, part], y[None, part].float())
                for stage in stages:
                    batch = stage.on_batch(batch, Draws((0,), step, CPU))
                leaves = [each.clone().requires_grad_() for each in weights]
                loss = objective.losses(answers(leaves, batch.dense[0]), batch.target).mean()
                for stage in stages:
                    penalty = stage.on_loss(leaves)
                    loss = loss if penalty is None else loss + penalty[0]
                share = len(x[part]) / everyone if len(group) > 1 else 1.0
                found = torch.autograd.grad(loss * share, leaves)
                total += torch.cat([each.flatten() for each in found])[None]
            parts = views(total, specs)
            for stage in stages:
                parts = stage.on_gradients(parts)
            memory = optimizer.step(flat, total, torch.tensor([rate]), memory, step)
            states = [stage.after_step(weights, state, step) for stage, state in zip(stages, states, strict=True)]
            step += 1
        states = [stage.after_epoch(weights, state, epoch) for stage, state in zip(stages, states, strict=True)]
        evaluated = views(optimizer.eval_weights(flat, memory), specs)
        for stage, state in zip(stages, states, strict=True):
            evaluated = stage.eval_weights(evaluated, state)
        network.eval()
        with torch.no_grad():
            out = answers(evaluated, valid_set[0])
            loss = objective.judged(out, valid_set[1][None].float()).mean().item()
            if classes:
                given = out[0].argmax(1) if outputs > 1 else (out[0, :, 0] > 0).long()
                metric = (given == valid_set[1]).float().mean().item()
            else:
                metric = math.sqrt(loss)
        progress = Progress(epoch, 0.0, loss, metric, classes > 0, rate)
        schedule_state, change = recipe.schedule.after_epoch(schedule_state, progress)
        lowered *= change.factor if isinstance(change, Lowered) else 1.0
        stopping_state, decision = recipe.stopping.after_epoch(stopping_state, progress)
        if decision.keep or kept is None or not recipe.stopping.chooses:
            kept = [each.clone() for each in evaluated]
        if decision.stop:
            break
    return {spec.name: value[0] for spec, value in zip(specs, kept, strict=True)}, epoch + 1
