bn = base.get_layer("bn")
eps = bn.epsilon
sync = keras.layers.BatchNormalization(synchronized=True)
bn.trainable = False  # the frozen one
group = keras.layers.GroupNormalization(3, epsilon=eps)
layer = keras.layers.GroupNormalization(1, epsilon=eps)
for norm in group, layer:
    norm.build(bn.input.shape)
    norm.set_weights([bn.gamma, bn.beta])
