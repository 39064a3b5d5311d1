"""Opens every model file below a folder and compares what opens with its framework; prints docs/opened-files.md.

usage: opened_files.py FOLDER MODELENS > docs/opened-files.md
needs keras 3, tf_keras and onnxruntime. Inference and training (without noise) are compared on random input; ONNX only in inference.
"""
import collections, json, os, re, subprocess, sys, tempfile
os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
import numpy as np
FOLDER, MODELENS = sys.argv[1:3]
ENDINGS = ('.h5', '.hdf5', '.keras', '.onnx', '.pth', '.pt', '.safetensors')
REASONS = [('a Git LFS pointer: the file was not downloaded', 'Git LFS'), ('PyTorch tensors of a network of its author\'s: a state dict has no graph', 'no architecture that is known|network is none'),
    ('Keras weights alone, of a network of its author\'s and without `model.json` beside them', 'weights and no configuration'), ('a Lambda layer: Python code, which is not executed', 'a Lambda'),
    ('rows of numbers, sequences or tables, not images', r'rows of|not that of an image|\d axes; only models of images'), ('several inputs', r'takes \d+ inputs'),
    ('recurrent or attention layers', 'LSTM|GRU|Attention|Embedding'), ('quantised to 8 bits', 'quantised|[Qq]uantize|QLinear'), ('attention: products of two values', 'depends on the photo'),
    ('weights in another file, which is missing', 'which is not in its folder')]
run = lambda *args: subprocess.run([MODELENS, *args], capture_output=True, text=True, timeout=600)

def far(y, e): return 'shape' if y.shape != e.shape else float(np.abs(y - e).max() / max(np.abs(e).max(), 1e-30))

def ours(path, x, mode, folder):
    np.savez(os.path.join(folder, 'x.npz'), x=x); out = os.path.join(folder, 'y.npz')
    done = run('run', path, '--input', os.path.join(folder, 'x.npz'), '--mode', mode, '--no-random', '--out', out)
    if done.returncode: raise RuntimeError(done.stderr)
    return np.load(out)['y']

def walk(m):
    for l in m.layers:
        yield l
        if hasattr(l, 'layers'): yield from walk(l)

def keras_model(path, report):
    import keras, tf_keras
    K = tf_keras if report['semantics'] == 'keras2' else keras
    beside = [f for f in os.listdir(os.path.dirname(path)) if f.endswith('.json')]
    if 'beside the weights' in report['card']['recognised_by']:
        name = report['card']['recognised_by'].split(' beside')[0]; m = K.models.model_from_json(open(os.path.join(os.path.dirname(path), name)).read()); m.load_weights(path); return m
    try: return K.models.load_model(path, compile=False)
    except Exception:
        if K is keras and path.endswith('.keras'): raise
        return (keras if K is tf_keras else tf_keras).models.load_model(path, compile=False)

def compare(path, report, folder):
    r = np.random.default_rng(0); h, w, c = report['card']['input']; shape = (4, h or 64, w or 64, c or 3); x = r.random(shape, dtype='f4')
    if path.endswith('.onnx'):
        import onnxruntime
        s = onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider']); i = s.get_inputs()[0]; fed = x
        if isinstance(i.shape[0], int): x = x[:i.shape[0]]; fed = x
        if i.shape[1] in (shape[3], 'channels') or i.shape[-1] != shape[3]: fed = x.transpose(0, 3, 1, 2)
        dtype = {'tensor(uint8)': 'u1', 'tensor(float16)': 'f2'}.get(i.type, 'f4')
        return {'inference': far(ours(path, x, 'inference', folder), s.run(None, {i.name: fed.astype(dtype)})[0])}
    m = keras_model(path, report); fed = x[..., 0] if len(m.input_shape) == 3 else x; first = lambda y: np.asarray(list(y.values())[0] if isinstance(y, dict) else y[0] if isinstance(y, (list, tuple)) else y)
    found = {'inference': far(ours(path, x, 'inference', folder), first(m(fed, training=False)))}
    if any(type(l).__name__.startswith('Random') or 'Noise' in type(l).__name__ for l in walk(m)): return found
    for l in walk(m):
        if 'Dropout' in type(l).__name__: l.rate = 0.
    found['training'] = far(ours(path, x, 'training', folder), first(m(fed, training=True))); return found

kinds = collections.defaultdict(lambda: [0, 0, 0, 0.]); reasons = collections.Counter(); odd = []; repositories = set(); total = 0
with tempfile.TemporaryDirectory() as folder:
    for at, _, files in sorted(os.walk(FOLDER)):
        for name in sorted(f for f in files if f.lower().endswith(ENDINGS)):
            path = os.path.join(at, name); total += 1; repositories.add(os.path.relpath(path, FOLDER).split(os.sep)[0])
            ending = '.' + name.rsplit('.', 1)[1].lower(); ending = {'.hdf5': '.h5', '.pt': '.pth'}.get(ending, ending); done = run('inspect', path, '--json')
            if done.returncode:
                kinds[ending][0] += 1; said = done.stderr.strip().split('\n')[-1]; known = [text for text, pattern in REASONS if re.search(pattern, said)]
                reasons[known[0] if known else said.split(': ' + path)[0].removeprefix('modelens: ')] += 1; continue
            report = json.loads(done.stdout); kind = f"{ending}, {'Keras ' + report['framework'].split()[1].split('.')[0] if report['framework'].startswith('Keras') else report['framework'].split(' ')[0]}"
            k = kinds[kind]; k[0] += 1; k[1] += 1
            if report['framework'] == 'PyTorch': continue
            try: found = compare(path, report, folder)
            except Exception as e: odd.append(f'{os.path.relpath(path, FOLDER)}: {str(e).strip().splitlines()[-1][:200]}'); continue
            worst = [v for v in found.values() if v == 'shape' or not v < 1e-3]
            if worst: odd.append(f'{os.path.relpath(path, FOLDER)}: {found}')
            else: k[2] += 1; k[3] = max(k[3], *found.values())
opened = sum(k[1] for k in kinds.values())
print(f'''# What opens

{total} model files that people published, from {len(repositories)} repositories of courses, student projects and demonstrations. {opened} open. Each
that opens was compared with its framework on random input, Keras' in inference and in training (dropout off), ONNX in
inference. `docs/opened_files.py FOLDER MODELENS` makes this page from a folder of files; none of them is kept here.

| files | number | open | equal to the framework | largest difference |
|---|---|---|---|---|''')
for kind, (n, o, equal, most) in sorted(kinds.items()):
    if o: print(f'| `{kind.split(", ")[0]}`, {kind.split(", ")[1]} | {n} | {o} | {equal} | {most:.0e} |')
shut = {kind: k[0] for kind, k in kinds.items() if not k[1]}
print(f'\n{len(odd)} could not be compared, because the framework refuses the file itself.' if odd else '')
print('\nThe difference is the largest one as a part of the largest value.\n\n## What does not open, and why\n\n| reason | files |\n|---|---|')
for text, n in reasons.most_common(): print(f'| {text} | {n} |')
print(f'\nBy ending: {", ".join(f"{n} `{kind}`" for kind, n in sorted(shut.items()))}.')
for text in odd: print('not compared or different:', text, file=sys.stderr)
