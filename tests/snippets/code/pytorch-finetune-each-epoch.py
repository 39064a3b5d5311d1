base.requires_grad_(False)
for epoch in range(4):
    model.train()
    base.eval()  # after model.train()
    for x, y in loader:
        loss = loss_fn(head(base(x)), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
