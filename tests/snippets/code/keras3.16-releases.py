def forget(config):  # at single layers
    for layer in config["layers"]:
        inside = layer["config"]
        if "layers" in inside:
            forget(inside)
            continue
        for node in layer.get("inbound_nodes", []):
            node["kwargs"].pop("training", None)

config = model.get_config()
forget(config)
fresh = model.from_config(config)
fresh.set_weights(model.get_weights())
