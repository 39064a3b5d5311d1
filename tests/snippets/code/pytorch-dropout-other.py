drop = nn.Dropout(p=0.5)
drop.train(); drop(x)  # a new mask every call
drop.eval();  drop(x)  # identity
# Monte Carlo: only noise in training mode
model.get_submodule("dropout").p = 0.5
model.eval()
for m in model.modules():
    if isinstance(m, nn.Dropout): m.train()
ys = [model(photo) for _ in range(4)]
