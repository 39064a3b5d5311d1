bn = model.get_submodule("bn")
bn.requires_grad_(False)  # gamma and beta
model.eval()
base.train()
for m in model.modules():
    if isinstance(m, nn.modules.batchnorm._BatchNorm): m.eval()
for m in model.modules():
    if isinstance(m, nn.modules.dropout._DropoutNd): m.train()
model(x)  # stored statistics
# bn.eval() keeps the statistics
