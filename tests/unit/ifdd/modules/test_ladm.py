import torch

from ifdd.modules.ladm import LADM, CrossLift, Refinement, attention_only, attention_plus_value, to_tokens


def build(combine=attention_only, **refine) -> LADM:
    torch.manual_seed(0)
    options = {"drop_path": 0.0, "mlp_drop_path": 0.0, "mlp_skip": False} | refine
    return LADM(
        8, update=CrossLift(8, 2, combine=combine), predict=CrossLift(8, 2, combine=combine), refine=Refinement(8, 2, **options)
    )


def groups() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(2, 8, 2, 3, 3, generator=generator), torch.randn(2, 8, 2, 3, 3, generator=generator)


def watch(module: torch.nn.Module, caught: dict[str, torch.Tensor], name: str) -> None:
    getattr(module, name).register_forward_hook(lambda _m, _i, out: caught.__setitem__(name, out))


def test_tokens_are_step_major() -> None:
    features = torch.arange(12.0).view(1, 1, 2, 2, 3)
    assert to_tokens(features)[0, :, 0].tolist() == list(range(12))


def test_the_equations_hold_on_the_named_activations() -> None:
    lift, caught = build(), {}
    for name in ("update", "prediction", "Y_S", "detail", "Y_D"):
        watch(lift, caught, name)
    static, dynamic = groups()
    y_static, y_dynamic = lift(static, dynamic)
    torch.testing.assert_close(caught["Y_S"], lift.norm_S(to_tokens(static)) + caught["update"])
    torch.testing.assert_close(caught["detail"], lift.norm_D(to_tokens(dynamic)) - caught["prediction"])
    torch.testing.assert_close(y_dynamic, lift.refine(caught["detail"]))
    assert y_static is caught["Y_S"]


def test_a_lift_whose_projection_is_zero_is_the_identity() -> None:
    lift = build()
    for filter_ in (lift.updater, lift.predictor):
        torch.nn.init.zeros_(filter_.project.weight)
        torch.nn.init.zeros_(filter_.project.bias)
    static, dynamic = groups()
    caught: dict[str, torch.Tensor] = {}
    watch(lift, caught, "detail")
    y_static, _ = lift(static, dynamic)
    torch.testing.assert_close(y_static, lift.norm_S(to_tokens(static)))
    torch.testing.assert_close(caught["detail"], lift.norm_D(to_tokens(dynamic)))


def test_attention_over_equal_keys_is_the_mean_of_the_values() -> None:
    filter_ = CrossLift(4, 1, combine=attention_only)
    torch.nn.init.zeros_(filter_.query.weight)
    torch.nn.init.zeros_(filter_.query.bias)
    source = torch.randn(1, 5, 4)
    value = filter_.key_value(source)[..., 4:]
    expected = filter_.project(value.mean(1, keepdim=True)).expand(1, 3, 4)
    torch.testing.assert_close(filter_(torch.randn(1, 3, 4), source), expected)
    filter_.combine = attention_plus_value
    expected = filter_.project(value.mean(1, keepdim=True) + value)
    torch.testing.assert_close(filter_(torch.randn(1, 5, 4), source), expected)


def test_released_drop_path_empties_whole_samples_and_the_paper_preset_does_not() -> None:
    tokens = torch.randn(64, 3, 8)
    torch.manual_seed(0)
    released = build(mlp_drop_path=0.5).refine.train()(tokens)
    empty = (released == 0).all((1, 2))
    assert 10 < int(empty.sum()) < 54
    assert not (build().refine.train()(tokens) == 0).all((1, 2)).any()


def test_gradcheck() -> None:
    lift = build().double()
    static, dynamic = (group.double()[:1].requires_grad_() for group in groups())
    assert torch.autograd.gradcheck(lambda s, d: lift(s, d)[1].sum(1), (static, dynamic), fast_mode=True)
