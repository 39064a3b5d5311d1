bn = model.get_submodule("bn")
bn.requires_grad_(True)  # gamma and beta
bn.momentum = 0.25
model.train()
for x in batches[:3]: model(x)  # batch statistics
# bn.eval() keeps the statistics
