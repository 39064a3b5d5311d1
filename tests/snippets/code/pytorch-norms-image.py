from torchvision.ops import FrozenBatchNorm2d

bn = model.get_submodule("bn")
C = bn.num_features
sync = nn.SyncBatchNorm.convert_sync_batchnorm(bn)
frozen = FrozenBatchNorm2d(C, eps=bn.eps)  # no learning, no moving
frozen.load_state_dict(bn.state_dict())
group = nn.GroupNorm(3, C, eps=bn.eps)
whole = nn.GroupNorm(1, C, eps=bn.eps)  # LayerNorm
for norm in group, whole:
    norm.weight, norm.bias = bn.weight, bn.bias
