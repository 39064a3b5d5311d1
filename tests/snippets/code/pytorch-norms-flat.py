bn = model.get_submodule("bn")
C = bn.num_features
sync = nn.SyncBatchNorm.convert_sync_batchnorm(bn)
group = nn.GroupNorm(3, C, eps=bn.eps)
whole = nn.GroupNorm(1, C, eps=bn.eps)  # LayerNorm
for norm in group, whole:
    norm.weight, norm.bias = bn.weight, bn.bias
