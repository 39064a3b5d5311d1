base.requires_grad_(False)
base.eval()
for epoch in range(4):
    model.train()  # undoes base.eval()
    for x, y in loader:
        loss = loss_fn(head(base(x)), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
