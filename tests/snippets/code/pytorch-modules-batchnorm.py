bn = model.get_submodule("bn")
bn.requires_grad_(False)  # gamma and beta
model.train()
for m in model.modules():
    if isinstance(m, nn.modules.batchnorm._BatchNorm): m.eval()
model(x)  # stored statistics
# bn.eval() keeps the statistics
