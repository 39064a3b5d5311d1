bn = model.get_submodule("bn")
bn.requires_grad_(False)  # gamma and beta
model.eval()
model.get_submodule("bn").train()
model(x)  # batch statistics
# bn.eval() keeps the statistics
