"""A network in TensorFlow: forward in both modes, and forward with backward.

usage: python tensorflow_speed.py [RUNS] [BATCH] [NETWORK]     needs: pip install tensorflow
NETWORK: one of networks.py; by default the MobileNetV2 base without head.
Prints JSON: median seconds a piece of work, and the peak of resident memory in bytes.
"""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf

from networks import BASE, SIZES, of_keras
from timing import arguments, medians

runs, batch, network = arguments()
tf.config.threading.set_intra_op_parallelism_threads(2)
tf.config.threading.set_inter_op_parallelism_threads(2)
model = of_keras(network)
side = SIZES[network][1]
x = tf.random.uniform((batch, side, side, 3), -1.0, 1.0, seed=7)


def forward(training):
    function = tf.function(lambda x: model(x, training=training))
    return lambda: function(x).numpy()


def step(first):
    """Gradients of the mean square of the output at every weight from this layer on."""
    for i, layer in enumerate(model.layers):
        layer.trainable = i >= first
    weights = list(model.trainable_weights)

    @tf.function
    def gradients(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(x, training=True)))
        return tape.gradient(loss, weights)

    return lambda: [g.numpy() for g in gradients(x)]


work = {
    "forward_inference": forward(False),
    "forward_training": forward(True),
    "backward_open": step(0),
}
if network == BASE:
    work["backward_from_120"] = step(120)
medians(f"TensorFlow {tf.__version__}", work, runs)
