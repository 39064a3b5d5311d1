"""The MobileNetV2 base without head in TensorFlow: forward in both modes, and forward with backward.

usage: python tensorflow_speed.py [RUNS] [BATCH]     needs: pip install tensorflow
Prints JSON: median seconds a piece of work, and the peak of resident memory in bytes.
"""

import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf

from timing import medians

runs, batch = (int(a) for a in (sys.argv[1:] + ["5", "32"][len(sys.argv) - 1 :]))
tf.config.threading.set_intra_op_parallelism_threads(2)
tf.config.threading.set_inter_op_parallelism_threads(2)
base = tf.keras.applications.MobileNetV2(input_shape=(160, 160, 3), include_top=False, weights=None)
x = tf.random.uniform((batch, 160, 160, 3), -1.0, 1.0, seed=7)


def forward(training):
    function = tf.function(lambda x: base(x, training=training))
    return lambda: function(x).numpy()


def step(first):
    """Gradients of the mean square of the output at every weight from this layer on."""
    for i, layer in enumerate(base.layers):
        layer.trainable = i >= first
    weights = list(base.trainable_weights)

    @tf.function
    def gradients(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(base(x, training=True)))
        return tape.gradient(loss, weights)

    return lambda: [g.numpy() for g in gradients(x)]


work = {
    "forward_inference": forward(False),
    "forward_training": forward(True),
    "backward_open": step(0),
    "backward_from_120": step(120),
}
medians(f"TensorFlow {tf.__version__}", work, runs)
