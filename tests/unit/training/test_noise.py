import torch
from torch import nn

from nifos_stream.training import noise
from nifos_stream.training.noise import RowDropout

HIDDEN = 3


def test_row_dropout_drops_the_same_units_for_all_tokens_of_a_text() -> None:
    torch.manual_seed(0)
    dropped = RowDropout(0.5)(torch.ones(3, 7, 64))
    assert torch.equal(dropped, dropped[:, :1].expand_as(dropped))
    assert set(dropped.unique().tolist()) == {0.0, 2.0}
    assert not torch.equal(dropped[0], dropped[1])


def test_row_dropout_is_silent_outside_training() -> None:
    layer = nn.Sequential(RowDropout(0.5)).train(False)
    assert torch.equal(layer(torch.ones(2, 3)), torch.ones(2, 3))


def test_a_share_of_the_pieces_is_hidden_and_never_the_first_or_the_last() -> None:
    noise.seed(5)
    ids = torch.arange(10, 10 + 200 * 42).view(200, 42)
    read = noise.without_pieces(ids, 0.25, HIDDEN)
    hidden = read == HIDDEN
    assert 0.23 < hidden[:, 1:-1].float().mean() < 0.27
    assert not hidden[:, [0, -1]].any()
    assert torch.equal(read[~hidden], ids[~hidden])


def test_the_same_seed_hides_the_same_pieces_and_another_does_not() -> None:
    ids = torch.arange(100).view(4, 25)
    drawn = []
    for number in (1, 1, 2):
        noise.seed(number)
        drawn.append(noise.without_pieces(ids, 0.5, HIDDEN))
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


def test_nothing_is_hidden_where_nothing_is_to_be() -> None:
    ids = torch.arange(100).view(4, 25)
    assert noise.without_pieces(ids, 0.0, HIDDEN) is ids
