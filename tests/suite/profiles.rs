//! The build profiles in `Cargo.toml`.

/// A profile takes the lines of the one it inherits, and a line for one package is stronger than `"*"`: what the
/// program's own build makes fast would be fast, and large, on the page.
#[test]
fn the_page_has_a_level_for_every_package_that_the_program_makes_fast() {
    let text = include_str!("../../Cargo.toml");
    let manifest: toml::Table = text.parse().expect("TOML");
    let packages = |profile: &str| {
        let packages = manifest["profile"][profile]["package"].as_table();
        packages.expect("levels by package")
    };
    let web = packages("web");
    assert_eq!(web["modelens-kernels"]["opt-level"].as_integer(), Some(3));
    let mut fast = 0;
    for (name, level) in packages("release") {
        if level["opt-level"].as_integer() == Some(0) {
            continue;
        }
        fast += 1;
        assert!(web.contains_key(name), "{name} has no level for the page");
    }
    assert!(fast > 20, "{fast}");
}
