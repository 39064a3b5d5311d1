bn = model.get_submodule("bn")
bn.requires_grad_(True)  # gamma and beta
model(x)  # batch statistics
# bn.eval() keeps the statistics
