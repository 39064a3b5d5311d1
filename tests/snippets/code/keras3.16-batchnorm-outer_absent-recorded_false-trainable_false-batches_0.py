layer = base.get_layer("bn")
layer.trainable = False
model(x)                  # stored statistics
model(x, training=False)  # stored statistics
# PyTorch needs bn.eval() instead
