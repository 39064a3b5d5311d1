bn = model.get_submodule("bn")
bn.requires_grad_(False)  # gamma and beta
model.train()
model.train()
model(x)  # batch statistics
# bn.eval() keeps the statistics
