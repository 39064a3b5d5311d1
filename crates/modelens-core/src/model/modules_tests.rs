use super::*;
use crate::fixtures::nested;

fn calls(text: &str) -> ModuleCalls {
    ModuleCalls::parse(&nested(), text).expect("calls of modules that are there")
}

#[test]
fn a_later_call_replaces_those_that_it_undoes() {
    assert_eq!(calls("body.0.train,body.eval").to_string(), "body.eval");
    let both = calls(" body.eval() , body.0.train()");
    assert_eq!(both.to_string(), "body.eval,body.0.train");
    assert_eq!(
        calls("body.eval,stem.eval,model.train").to_string(),
        "model.train"
    );
    // A loop over the BatchNorm layers does not set the containers.
    assert_eq!(
        calls("body.eval,batchnorm.eval").to_string(),
        "body.eval,batchnorm.eval"
    );
    assert_eq!(calls("batchnorm.eval,base.eval").to_string(), "base.eval");
    assert!(calls("").is_empty());
}

#[test]
fn calls_that_change_nothing_are_left_out() {
    let model = nested();
    let mut undone = calls("body.0.bn1.eval,body.0.bn1.train");
    undone.simplify(&model.graph, Mode::Training);
    assert!(undone.is_empty(), "{undone}");
    let mut kept = calls("body.eval,body.0.bn1.train");
    kept.simplify(&model.graph, Mode::Training);
    assert_eq!(kept.to_string(), "body.eval,body.0.bn1.train");
    let mut monte_carlo = calls("drop.train");
    monte_carlo.simplify(&model.graph, Mode::Inference);
    assert_eq!(monte_carlo.to_string(), "drop.train");
}

#[test]
fn what_is_no_call_is_refused() {
    let refused = |text: &str| {
        ModuleCalls::parse(&nested(), text)
            .expect_err(text)
            .to_string()
    };
    assert!(refused("body").contains("does not end in .train or .eval"));
    assert!(refused("body.2.eval").contains("has no module `body.2`"));
    assert!(refused("body.0.dropout.eval").contains("is a function, not a module"));
    assert!(refused("body.0.evaluate").contains("does not end"));
}

#[test]
fn containers_come_before_what_they_hold() {
    let model = nested();
    let paths: Vec<String> = Container::all(&model.graph)
        .into_iter()
        .map(|c| c.path)
        .collect();
    assert_eq!(paths, ["stem", "body", "body.0", "body.1"]);
}

#[test]
fn a_dot_in_a_keras_name_makes_no_container() {
    for path in [
        "layer1.0.conv1",
        "features.3.conv.0.0",
        "bn1",
        "Mixed_5b.branch1x1",
    ] {
        assert!(is_module_path(path), "{path}");
    }
    for name in ["mobilenetv2_1.00_160", "mobilenet_0.25_128", "a..b", "net."] {
        assert!(!is_module_path(name), "{name}");
    }
}
