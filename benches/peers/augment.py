"""Prints a table: nine new versions of a 160 x 160 photo by each augmentation layer alone, beside albumentations and torchvision.

usage: python augment.py [PROGRAM] [RUNS]     PROGRAM: modelens, built with --release
Needs: pip install torch torchvision albumentations
One thread each, processor time, the least of RUNS runs. The peers draw with the same probabilities and similar strengths.
Layers of Keras compute with float32, as Keras does, and transforms of torchvision with bytes. The peers are measured with both;
the ratio is that to the faster one with the same values as modelens.
A redraw of modelens also computes how far each picture is from the photo, what the step does without training, and pictures for
the screen. Of a transform that is never off it draws both sides, eighteen pictures; the time is half of that.
"""

import json
import os
import subprocess
import sys
import time

os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
import albumentations as A
import cv2
import numpy as np
import torch
import torchvision
from torchvision.transforms import v2

program = sys.argv[1] if len(sys.argv) > 1 else "modelens"
RUNS = int(sys.argv[2]) if len(sys.argv) > 2 else 3
cv2.setNumThreads(0)
torch.set_num_threads(1)
SIDE = 160
# A run of a peer repeats its work for this long. modelens repeats each redraw so often: its clock has steps of 10 ms.
SECS, REPEATS = 0.1, 300
BILINEAR = v2.InterpolationMode.BILINEAR
REFLECT = {"border_mode": cv2.BORDER_REFLECT}

NOT_RANDOM = {"v2.Resize", "v2.CenterCrop", "v2.Pad", "v2.ToImage", "v2.ToDtype", "v2.Normalize"}

# The layer of modelens, then what does the same in albumentations and in torchvision.
ROWS = {
    "RandomFlip": (A.HorizontalFlip(p=0.5), v2.RandomHorizontalFlip()),
    "RandomRotation": (A.Rotate(72, p=1, **REFLECT), v2.RandomRotation(72, BILINEAR)),
    "RandomZoom": (A.Affine(scale=(0.7, 1.3), p=1, **REFLECT), v2.RandomAffine(0, scale=(0.7, 1.3), interpolation=BILINEAR)),
    "RandomTranslation": (A.Affine(translate_percent=0.2, p=1, **REFLECT), v2.RandomAffine(0, (0.2, 0.2), interpolation=BILINEAR)),
    "RandomShear": (A.Affine(shear=(-15, 15), p=1, **REFLECT), v2.RandomAffine(0, shear=15, interpolation=BILINEAR)),
    "RandomContrast": (A.RandomBrightnessContrast(0, 0.5, p=1), v2.ColorJitter(contrast=0.5)),
    "RandomBrightness": (A.RandomBrightnessContrast(0.2, 0, p=1), v2.ColorJitter(brightness=0.2)),
    "RandomCrop": (A.RandomCrop(SIDE, SIDE, p=1), v2.RandomCrop(SIDE)),
    "RandomHue": (A.ColorJitter((1, 1), (1, 1), (1, 1), (-0.15, 0.15), p=1), v2.ColorJitter(hue=0.15)),
    "RandomSaturation": (A.ColorJitter((1, 1), (1, 1), (0.5, 1.5), (0, 0), p=1), v2.ColorJitter(saturation=0.5)),
    "RandomSharpness": (A.Sharpen(p=1), v2.RandomAdjustSharpness(2, 1)),
    "RandomColorDegeneration": (A.ColorJitter((1, 1), (1, 1), (0.5, 1), (0, 0), p=1), v2.ColorJitter(saturation=(0.5, 1))),
    "RandomColorJitter": (A.ColorJitter(0.2, 0.4, 0.4, 0.05, p=1), v2.ColorJitter(0.2, 0.4, 0.4, 0.05)),
    "RandomGrayscale": (A.ToGray(p=0.5), v2.RandomGrayscale(0.5)),
    "RandomPosterization": (A.Posterize((2, 6), p=1), v2.RandomPosterize(4, 1)),
    "RandomInvert": (A.InvertImg(p=0.5), v2.RandomInvert(0.5)),
    "Solarization": (A.Solarize(p=1), v2.RandomSolarize(128, 1)),
    "RandomGaussianBlur": (A.GaussianBlur((7, 7), (0.1, 1), p=0.5), v2.RandomApply([v2.GaussianBlur(7, (0.1, 1))])),
    "RandomErasing": (A.Erasing(fill="random", p=0.5), v2.RandomErasing(value="random")),
    "RandomPerspective": (A.Perspective((0.05, 0.2), p=0.5), v2.RandomPerspective(0.5, 0.5)),
    "RandomElasticTransform": (A.ElasticTransform(p=0.5), v2.RandomApply([v2.ElasticTransform()])),
    "RandAugment": (None, v2.RandAugment(interpolation=BILINEAR)),
    "AugMix": (None, v2.AugMix()),
    "AutoContrast": (A.AutoContrast(p=1), v2.RandomAutocontrast(1)),
    "Equalization": (A.Equalize(p=1), v2.RandomEqualize(1)),
    "ContrastLimitedAdaptiveHistogramEqualization": (A.CLAHE(p=1), None),
    "Resizing": (A.Resize(SIDE, SIDE, p=1), v2.Resize((SIDE, SIDE))),
    "Rescaling": (A.ToFloat(255, p=1), v2.ToDtype(torch.float32, scale=True)),
    "v2.RandomHorizontalFlip": (A.HorizontalFlip(p=0.5), v2.RandomHorizontalFlip()),
    "v2.RandomVerticalFlip": (A.VerticalFlip(p=0.5), v2.RandomVerticalFlip()),
    "v2.ColorJitter": (A.ColorJitter(0.4, 0.4, 0.4, 0.1, p=1), v2.ColorJitter(0.4, 0.4, 0.4, 0.1)),
    "v2.RandomPhotometricDistort": (None, v2.RandomPhotometricDistort()),
    "v2.RandomChannelPermutation": (A.ChannelShuffle(p=1), v2.RandomChannelPermutation()),
    "v2.RandomGrayscale": (A.ToGray(p=0.1), v2.RandomGrayscale()),
    "v2.RandomEqualize": (A.Equalize(p=0.5), v2.RandomEqualize()),
    "v2.RandomInvert": (A.InvertImg(p=0.5), v2.RandomInvert()),
    "v2.RandomAutocontrast": (A.AutoContrast(p=0.5), v2.RandomAutocontrast()),
    "v2.RandomPosterize": (A.Posterize(3, p=0.5), v2.RandomPosterize(3)),
    "v2.RandomSolarize": (A.Solarize(p=0.5), v2.RandomSolarize(128)),
    "v2.RandomAdjustSharpness": (A.Sharpen(p=0.5), v2.RandomAdjustSharpness(2)),
    "v2.GaussianBlur": (A.GaussianBlur((5, 5), (0.1, 2), p=1), v2.GaussianBlur(5)),
    "v2.GaussianNoise": (A.GaussNoise((0.1, 0.1), p=1), v2.GaussianNoise()),
    "v2.JPEG": (A.ImageCompression(quality_range=(5, 50), p=1), v2.JPEG((5, 50))),
    "v2.AutoAugment": (None, v2.AutoAugment()),
    "v2.RandAugment": (None, v2.RandAugment()),
    "v2.TrivialAugmentWide": (None, v2.TrivialAugmentWide()),
    "v2.AugMix": (None, v2.AugMix()),
    "v2.RandomApply": (None, v2.RandomApply([v2.ColorJitter(0.4, 0.4, 0.4, 0.1)])),
    "v2.RandomChoice": (None, v2.RandomChoice([v2.RandomHorizontalFlip(), v2.RandomGrayscale(1)])),
    "v2.RandomOrder": (None, v2.RandomOrder([v2.RandomHorizontalFlip(), v2.ColorJitter(0.4, 0.4, 0.4, 0.1)])),
    "v2.RandomResizedCrop": (A.RandomResizedCrop((SIDE, SIDE), p=1), v2.RandomResizedCrop(SIDE)),
    "v2.RandomRotation": (A.Rotate(30, interpolation=cv2.INTER_NEAREST, border_mode=cv2.BORDER_CONSTANT, p=1), v2.RandomRotation(30)),
    "v2.RandomAffine": (
        A.Affine(rotate=(-20, 20), translate_percent=0.1, scale=(0.8, 1.2), interpolation=cv2.INTER_NEAREST, p=1),
        v2.RandomAffine(20, (0.1, 0.1), (0.8, 1.2)),
    ),
    "v2.RandomPerspective": (A.Perspective((0.05, 0.2), p=0.5), v2.RandomPerspective()),
    "v2.ElasticTransform": (A.ElasticTransform(alpha=50, sigma=5, p=1), v2.ElasticTransform()),
    "v2.RandomCrop": (A.Compose([A.Pad(SIDE // 8, p=1), A.RandomCrop(SIDE, SIDE, p=1)]), v2.RandomCrop(SIDE, padding=SIDE // 8)),
    "v2.RandomResize": (None, v2.RandomResize(SIDE // 2, SIDE + 1)),
    "v2.RandomShortestSize": (None, v2.RandomShortestSize((SIDE // 2, SIDE * 3 // 4, SIDE))),
    "v2.ScaleJitter": (A.RandomScale((-0.5, 0.5), p=1), v2.ScaleJitter((SIDE, SIDE), (0.5, 1.5))),
    "v2.RandomZoomOut": (None, v2.RandomZoomOut()),
    "v2.RandomErasing": (A.Erasing(p=0.5), v2.RandomErasing()),
    "v2.Resize": (A.Resize(SIDE, SIDE, p=1), v2.Resize((SIDE, SIDE))),
    "v2.CenterCrop": (A.CenterCrop(SIDE, SIDE, p=1), v2.CenterCrop(SIDE)),
    "v2.Pad": (A.Pad(4, p=1), v2.Pad(4)),
    "v2.ToDtype": (A.ToFloat(255, p=1), v2.ToDtype(torch.float32, scale=True)),
    "v2.Normalize": (A.Normalize(p=1), v2.Compose([v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])),
}
# These mix a batch of nine.
LABELS = torch.eye(9)
BATCHES = {
    "MixUp": v2.MixUp(),
    "CutMix": v2.CutMix(),
    "v2.MixUp": v2.Compose([v2.ToDtype(torch.float32, scale=True), v2.MixUp()]),
    "v2.CutMix": v2.CutMix(),
}

noise = np.random.default_rng(7).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
PHOTOS = [(photo, torch.from_numpy(photo.transpose(2, 0, 1).copy())) for photo in (noise, (noise / 255).astype(np.float32))]


def seconds(work):
    """Processor time of nine calls."""
    work()
    least = float("inf")
    for _ in range(RUNS):
        calls, start = 0, time.process_time()
        while (spent := time.process_time() - start) < SECS:
            for _ in range(9):
                work()
            calls += 1
        least = min(least, spent / calls)
    return least


def peers(name):
    """Albumentations and torchvision with bytes, then with floats; None where there is none, or it takes no such values."""
    found = []
    for photo, planes in PHOTOS:
        works = [None, None]
        if name in BATCHES:
            batch = planes.expand(9, -1, -1, -1).contiguous()
            works[1] = lambda: BATCHES[name](batch, LABELS)
        elif name in ROWS:
            ours, theirs = ROWS[name]
            if ours is not None:
                compose = A.Compose([ours])
                works[0] = lambda: compose(image=photo)
            if theirs is not None:
                works[1] = lambda: theirs(planes)
        for work in works:
            try:
                found.append(work and seconds(work) / (9 if name in BATCHES else 1))
            except (TypeError, RuntimeError, ValueError):
                found.append(None)
    return found


def modelens():
    least = {}
    for _ in range(RUNS):
        command = [program, "bench", "--json", "--runs", str(REPEATS), "--only", "redraw_nine_"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "RAYON_NUM_THREADS": "1"})
        for key, secs in json.loads(done.stdout).items():
            if key.endswith("_cpu_secs"):
                name = key.removeprefix("redraw_nine_").removesuffix("_cpu_secs")
                least[name] = min(secs, least.get(name, secs))
    return least


own = modelens()
print(f"| nine of 160 x 160, ms | modelens | albumentations {A.__version__}, bytes | torchvision {torchvision.__version__.split('+')[0]}, bytes | albumentations, floats | torchvision, floats | ratio |")
print("|---" + "|---:" * 6 + "|")
slower = []
for name, secs in sorted(own.items(), key=lambda row: row[0].startswith("v2.")):
    of_torchvision = name.startswith("v2.")
    if of_torchvision and name not in NOT_RANDOM:
        secs /= 2
    times = peers(name)
    same = [time for time in times[:2] if time] if of_torchvision else [time for time in times[2:] if time]
    ratio = f"{secs / min(same):.2f}" if same else ""
    if same and secs > min(same):
        slower.append(name)
        ratio = f"**{ratio}**"
    print(f"| {name} | {secs * 1e3:.2f} | " + " | ".join(f"{time * 1e3:.2f}" if time else "" for time in times) + f" | {ratio} |")
print("slower than the faster peer:", ", ".join(slower) or "none")
