"""The networks that the peers and `modelens bench` are timed with, with random weights.

`base` is MobileNetV2 without its head, which modelens has. The others are whole networks with 1000 classes;
`python networks.py NETWORK FILE.pth` writes one for `modelens bench --model FILE.pth`.
Frameworks are imported where they are needed, so that the memory of one does not count for another.
"""

BASE = "base"
# Batch size and the side of a photo in pixels.
SIZES = {BASE: (32, 160), "resnet50": (8, 224), "efficientnet_b0": (8, 224), "vit_tiny_patch16_224": (8, 224)}
LABELS = {
    BASE: "MobileNetV2 base",
    "resnet50": "ResNet50",
    "efficientnet_b0": "EfficientNetB0",
    "vit_tiny_patch16_224": "ViT-Tiny",
}


def of_torch(name):
    """A module that takes `[N, 3, side, side]`."""
    import torch
    import torchvision

    torch.manual_seed(7)
    if name == BASE:
        network = torchvision.models.mobilenet_v2(weights=None).features
    elif name.startswith("vit"):
        import timm

        network = timm.create_model(name, pretrained=False)
    else:
        network = getattr(torchvision.models, name)(weights=None)
    # The moving statistics of random pixels: with those of a new network, values shrink to denormal numbers, which
    # processors compute slowly.
    norms = [module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 1.0
    side = SIZES[name][1]
    with torch.no_grad():
        network.train()(torch.rand(4, 3, side, side) * 2 - 1)
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum
    return network


def of_keras(name):
    """A model that takes `[N, side, side, 3]`."""
    import keras

    side = SIZES[name][1]
    applications = keras.applications
    if name == BASE:
        return applications.MobileNetV2(input_shape=(side, side, 3), include_top=False, weights=None)
    if name.startswith("vit"):
        return vit_tiny(keras, side)
    function = {"resnet50": applications.ResNet50, "efficientnet_b0": applications.EfficientNetB0}[name]
    return function(input_shape=(side, side, 3), weights=None)


def vit_tiny(keras, side, patch=16, width=192, depth=12, heads=3):
    """timm's vit_tiny_patch16_224; Keras has none. A class token, learned positions, blocks with norms first."""
    layers, initial = keras.layers, keras.initializers.RandomNormal(stddev=0.02)

    class ClassTokenAndPositions(layers.Layer):
        def build(self, shape):
            self.token = self.add_weight(shape=(1, 1, width), initializer=initial)
            self.positions = self.add_weight(shape=(1, shape[1] + 1, width), initializer=initial)

        def call(self, x):
            token = keras.ops.broadcast_to(self.token, (keras.ops.shape(x)[0], 1, width))
            return keras.ops.concatenate([token, x], axis=1) + self.positions

    image = layers.Input((side, side, 3))
    x = layers.Conv2D(width, patch, patch)(image)
    x = layers.Reshape(((side // patch) ** 2, width))(x)
    x = ClassTokenAndPositions()(x)
    for _ in range(depth):
        y = layers.LayerNormalization(epsilon=1e-6)(x)
        x = x + layers.MultiHeadAttention(heads, width // heads)(y, y)
        y = layers.LayerNormalization(epsilon=1e-6)(x)
        y = layers.Dense(4 * width, activation="gelu")(y)
        x = x + layers.Dense(width)(y)
    x = layers.LayerNormalization(epsilon=1e-6)(x)[:, 0]
    return keras.Model(image, layers.Dense(1000)(x))


if __name__ == "__main__":
    import sys

    import torch

    torch.save(of_torch(sys.argv[1]).state_dict(), sys.argv[2])
