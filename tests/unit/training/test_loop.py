import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from nifos_stream.training.batches import Mix, batches
from nifos_stream.training.loop import Plan, Progress, SparseRows, Training
from nifos_stream.training.noise import RowDropout, with_row_dropout

from . import tiny

TEXTS = ["숲이 좋았다", "산이 좋았다!", "길이 나빴다", "숲길이 나빴다.", "그냥 그냥", "별로 나빴다"]
TARGETS = torch.eye(3)[[2, 2, 0, 0, 1, 0]]
SOURCES = [0, 1, 0, 1, 0, 1]


def seconds() -> Callable[[], float]:
    """A clock that goes on by one second whenever it is read."""
    ticks: Iterator[int] = itertools.count()
    return lambda: float(next(ticks))


def training(plan: Plan) -> Training:
    tokenizer = tiny.tokenizer()
    ids = [tokenizer.encode(text).ids for text in TEXTS]
    model = tiny.model()
    with_row_dropout(model)
    endless = batches([len(one) for one in ids], ["a"] * len(ids), Mix({}, 16, 7))
    return Training(model, plan, endless, ids, TARGETS, SOURCES, now=seconds())


def plan(total: float = 40.0, **changes: float) -> Plan:
    return Plan(seconds=total, peak_rate=3e-3, warmup_steps=4, rows_per_step=4, bf16=False, **changes)  # type: ignore[arg-type]


def silent(progress: Progress) -> None:
    """Report to nobody."""


def test_a_training_ends_with_its_time_and_has_learned(tmp_path: Path) -> None:
    told: list[Progress] = []
    end = training(plan(200.0, report_seconds=50.0)).run(tmp_path / "a.pt", told.append)
    assert end.seconds == 200.0
    assert end.share == 1.0
    assert [round(one.share, 2) for one in told] == [0.25, 0.5, 0.75, 1.0]
    assert end.loss < told[0].loss - 0.1


def test_the_rate_rises_for_the_warm_up_and_falls_to_zero_with_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates: list[float] = []
    monkeypatch.setattr(Training, "_one_step", lambda _self, rate: rates.append(rate))
    one = training(plan(100.0))
    one.step = 10
    one.run(tmp_path / "a.pt", silent)
    assert rates[0] == pytest.approx(3e-3)
    assert rates[-1] == pytest.approx(3e-5)
    assert rates == sorted(rates, reverse=True)


def test_a_killed_training_that_resumes_ends_with_the_same_weights(tmp_path: Path) -> None:
    whole = training(plan())
    whole.run(tmp_path / "whole.pt", silent)
    training(plan()).run(tmp_path / "cut.pt", silent, steps=17)
    resumed = training(plan())
    resumed.resume(tmp_path / "cut.pt")
    resumed.run(tmp_path / "cut.pt", silent)
    assert resumed.progress() == whole.progress()
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(tensor, resumed.model.state_dict()[name]), name


def test_a_checkpoint_is_written_while_the_training_runs(tmp_path: Path) -> None:
    one = training(plan(100.0, checkpoint_seconds=10.0))
    one.run(tmp_path / "a.pt", silent, steps=12)
    assert torch.load(tmp_path / "a.pt", weights_only=True)["place"][0] == 12
    assert [path.name for path in tmp_path.iterdir()] == ["a.pt"]


def test_the_sparse_rows_move_like_adam_when_every_row_is_touched() -> None:
    torch.manual_seed(3)
    start = torch.randn(5, 4)
    dense = nn.Parameter(start.clone())
    adam = torch.optim.Adam([dense], lr=0.01, betas=(0.9, 0.98))
    weight = start.clone()
    sparse = SparseRows(weight, (0.9, 0.98))
    for step in range(1, 6):
        gradient = torch.randn(5, 4)
        dense.grad = gradient.clone()
        adam.step()
        sparse.step(torch.arange(5), gradient, 0.01, step)
    assert torch.allclose(dense, weight, atol=1e-6)


def test_rows_that_a_step_did_not_touch_stay_as_they_were() -> None:
    weight = torch.ones(4, 2)
    SparseRows(weight, (0.9, 0.98)).step(torch.tensor([2]), torch.ones(1, 2), 0.1, 1)
    assert torch.equal(weight[[0, 1, 3]], torch.ones(3, 2))
    assert (weight[2] < 1).all()


def test_summed_gradients_of_the_threads_are_those_of_one_pass() -> None:
    one = training(plan())
    for module in one.model.modules():
        if isinstance(module, RowDropout):
            module.p = 0.0
    groups = [[0, 0], [2]]
    answers = [one._gradients(place, group) for place, group in enumerate(groups)]
    loss = sum(
        F.cross_entropy(
            one.model(input_ids=torch.tensor([one.ids[row]])).logits,
            one.targets[[row]],
            label_smoothing=0.05,
        )
        for group in groups
        for row in group
    )
    assert isinstance(loss, torch.Tensor)
    trained = [parameter for parameter in one.model.parameters() if parameter.requires_grad]
    expected = torch.autograd.grad(loss / 4, trained)
    for place, gradient in enumerate(expected):
        assert torch.allclose(answers[0][1][place] + answers[1][1][place], gradient, atol=1e-6)


def test_a_training_that_is_to_tell_sources_apart_learns_to(tmp_path: Path) -> None:
    one = training(plan(300.0, source_loss=1.0))
    one.run(tmp_path / "a.pt", silent)
    one.model.train(False)
    head = torch.load(tmp_path / "a.pt", weights_only=True)["source_head"]
    for row, source in enumerate(SOURCES):
        states = one.model.electra(input_ids=torch.tensor([one.ids[row]])).last_hidden_state[:, 0]
        assert int(F.linear(states, head["weight"], head["bias"]).argmax()) == source


def test_targets_may_be_unsure_and_the_model_becomes_so(tmp_path: Path) -> None:
    one = training(plan(300.0, label_smoothing=0.0))
    one.targets = torch.tensor([[0.6, 0.0, 0.4]]).expand(len(TEXTS), 3)
    one.run(tmp_path / "a.pt", silent)
    one.model.train(False)
    told = one.model(input_ids=torch.tensor([one.ids[0]])).logits.softmax(-1)
    assert torch.allclose(told, torch.tensor([[0.6, 0.0, 0.4]]), atol=0.05)
