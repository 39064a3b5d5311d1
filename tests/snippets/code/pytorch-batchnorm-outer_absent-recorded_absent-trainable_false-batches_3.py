bn = model.get_submodule("bn")
bn.requires_grad_(False)  # gamma and beta
bn.momentum = 0.25
for x in batches[:3]: model(x)  # batch statistics
# bn.eval() keeps the statistics
