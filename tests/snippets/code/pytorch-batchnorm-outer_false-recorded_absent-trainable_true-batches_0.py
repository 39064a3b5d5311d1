bn = model.get_submodule("bn")
bn.requires_grad_(True)  # gamma and beta
model.eval()
model(x)  # stored statistics
# bn.eval() keeps the statistics
