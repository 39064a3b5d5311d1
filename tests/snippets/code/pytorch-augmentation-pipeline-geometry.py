import torch
from torchvision.transforms import v2
augment = v2.Compose([
    v2.RandomResizedCrop(64),
    v2.RandomHorizontalFlip(),
    v2.RandomVerticalFlip(),
    v2.RandomRotation(30),
    v2.RandomAffine(20, translate=(0.1, 0.1), scale=(0.8, 1.2)),
    v2.RandomPerspective(),
    v2.ElasticTransform(),
    v2.RandomCrop(64, padding=8),
    v2.RandomResize(32, 65),
    v2.RandomShortestSize((32, 48, 64)),
    v2.ScaleJitter((64, 64), scale_range=(0.5, 1.5)),
    v2.RandomZoomOut(),
    v2.RandomErasing(),
    v2.Resize(64),
    v2.CenterCrop(64),
    v2.Pad(4),
    v2.ToImage(),
    v2.ToDtype(torch.float32, scale=True),
    v2.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
])
# belongs to the training loader only;
# model.eval() does not reach it
