layer = base.get_layer("bn")
layer.trainable = True
model(x, training=True)   # bound by the recorded training=False
model(x, training=False)  # stored statistics
# PyTorch needs bn.eval() instead
