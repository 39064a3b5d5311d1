"""The networks of keras.applications as configurations without weights, for files that hold weights only.

usage: make_architectures.py OUT.zip

One entry a network: {"config": what a `.keras` file calls config.json, "base": the network without its top}. A base that is a part
of the whole is {"output": its last layer, "layers": how many it has}, another one {"config": ...}. Written by Keras 3 (Apache License
2.0). What a layer starts with (initializers, regularizers, constraints) is left out.
"""
import os, sys, json, zipfile
os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'; os.environ['CUDA_VISIBLE_DEVICES'] = ''
import keras
APPS = keras.applications
NAMES = ['MobileNet', 'MobileNetV2', 'MobileNetV3Small', 'MobileNetV3Large', *(f'EfficientNetB{i}' for i in range(6)),
         'EfficientNetV2B0', 'EfficientNetV2B1', 'EfficientNetV2B2', 'EfficientNetV2B3', 'EfficientNetV2S',
         'ResNet50', 'ResNet101', 'ResNet152', 'ResNet50V2', 'ResNet101V2', 'VGG16', 'VGG19', 'DenseNet121', 'DenseNet169', 'DenseNet201',
         'InceptionV3', 'InceptionResNetV2', 'Xception', 'NASNetMobile', 'ConvNeXtTiny', 'ConvNeXtSmall', 'ConvNeXtBase']
LEFT_OUT = ('_initializer', '_regularizer', '_constraint')

def short(value):
    if isinstance(value, list): return [short(v) for v in value]
    if not isinstance(value, dict): return value
    return {k: short(v) for k, v in value.items() if not k.endswith(LEFT_OUT) and k not in ('build_config', 'compile_config', 'dtype', 'module_objects')}

def config(model): return short(keras.saving.serialize_keras_object(model))

with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED, compresslevel=9) as out:
    for name in NAMES:
        keras.backend.clear_session(); whole = getattr(APPS, name)(weights=None)
        keras.backend.clear_session(); base = getattr(APPS, name)(weights=None, include_top=False, input_shape=whole.input_shape[1:])
        names = [l.name for l in whole.layers]; kept = [l.name for l in base.layers]
        # ConvNeXt without its top normalises once more.
        part = {'output': base.output._keras_history.operation.name, 'layers': len(kept)} if names[:len(kept)] == kept else {'config': config(base)}
        entry = zipfile.ZipInfo(f'{name}.json', (2020, 1, 1, 0, 0, 0)); entry.compress_type = zipfile.ZIP_DEFLATED
        out.writestr(entry, json.dumps({'config': config(whole), 'base': part}, separators=(',', ':')))
        print(name, len(names), len(kept), list(part), flush=True)
