layer = base.get_layer("bn")
layer.trainable = True
model(x, training=True)   # batch statistics
model(x, training=False)  # stored statistics
# PyTorch needs bn.eval() instead
