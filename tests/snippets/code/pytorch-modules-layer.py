bn = model.get_submodule("bn")
bn.requires_grad_(False)  # gamma and beta
model.train()
model.get_submodule("bn").eval()
model(x)  # stored statistics
# bn.eval() keeps the statistics
