from torchvision.transforms import v2
augment = v2.Identity()
# belongs to the training loader only;
# model.eval() does not reach it
