//! The layer table of the workspace as data, and the check that every arrow points down.

use super::{Dependency, Finding, Package};

/// A floor of the house; a crate may use the floors below its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Layer {
    /// The words all rooms share.
    Words,
    /// Rooms: each does one job and knows no other room.
    Rooms,
    /// The one place that composes the rooms.
    Assembly,
    /// Ways into the assembly.
    Doors,
    /// What a user installs.
    Stitch,
    /// Not part of the house: tests, measurements, this program.
    Beside,
}

use Layer::{Assembly, Beside, Doors, Rooms, Stitch, Words};

/// Every crate there is or is planned, with its floor.
const LAYERS: &[(&str, Layer)] = &[
    ("spikard-problem", Words),
    ("spikard-core", Words),
    ("spikard-routing", Rooms),
    ("spikard-extractors", Rooms),
    ("spikard-validation", Rooms),
    ("spikard-compression", Rooms),
    ("spikard-sse", Rooms),
    ("spikard-websocket", Rooms),
    ("spikard-rate-limit", Rooms),
    ("spikard-cors", Rooms),
    ("spikard-auth", Rooms),
    ("spikard-static-files", Rooms),
    ("spikard-openapi", Rooms),
    ("spikard-asyncapi", Rooms),
    ("spikard-codegen", Rooms),
    ("spikard-service", Assembly),
    ("spikard-server", Doors),
    ("spikard-testclient", Doors),
    ("spikard-py", Stitch),
    ("spikard", Stitch),
    ("spikard-cli", Stitch),
    ("spikard-fixtures", Beside),
    ("spikard-bench", Beside),
    ("xtask", Beside),
];

/// The arrows within one floor: the shared words are themselves told in terms of the problem document.
const ARROWS_WITHIN_A_LAYER: &[(&str, &str)] = &[("spikard-core", "spikard-problem")];

/// The crate whose fixtures every crate may test with.
const FIXTURES: &str = "spikard-fixtures";

/// The only crate that knows Python.
const PYTHON_DOOR: &str = "spikard-py";

/// Where this table lies, for the messages.
const TABLE: &str = "xtask/src/tidy/layers.rs";

pub(super) fn check(packages: &[Package]) -> Vec<Finding> {
    packages.iter().flat_map(check_package).collect()
}

fn check_package(package: &Package) -> Vec<Finding> {
    let manifest = format!("{}/Cargo.toml", package.folder);
    let Some(layer) = layer_of(&package.name) else {
        let message = format!(
            "{} has no layer: give it one in {TABLE} and a line in ARCHITECTURE.md",
            package.name
        );
        return vec![Finding::new(manifest, message)];
    };
    package
        .dependencies
        .iter()
        .filter_map(|dependency| objection(package, layer, dependency))
        .map(|message| Finding::new(&manifest, message))
        .collect()
}

fn objection(package: &Package, layer: Layer, dependency: &Dependency) -> Option<String> {
    let (name, other) = (package.name.as_str(), dependency.name.as_str());
    if is_of_pyo3(other) && name != PYTHON_DOOR {
        return Some(format!(
            "{name} uses {other}, but only {PYTHON_DOOR} knows Python: move the code that needs it there"
        ));
    }
    let other_layer = layer_of(other)?;
    if dependency.is_for_tests && other == FIXTURES {
        return None;
    }
    if layer == Beside || other_layer < layer || ARROWS_WITHIN_A_LAYER.contains(&(name, other)) {
        return None;
    }
    let fix = match (layer, other_layer) {
        (_, Beside) => {
            "keep what is beside the house out of it, or make it a dev-dependency on spikard-fixtures"
        }
        (Rooms, Rooms) => {
            "rooms do not know each other: let spikard-service compose them, or move the shared word to spikard-core"
        }
        _ => {
            "arrows only point down: define a trait in the lower crate and implement it in the upper one"
        }
    };
    Some(format!(
        "{name} ({layer:?}) uses {other} ({other_layer:?}); {fix}"
    ))
}

fn layer_of(name: &str) -> Option<Layer> {
    LAYERS
        .iter()
        .find(|(crate_name, _)| *crate_name == name)
        .map(|(_, layer)| *layer)
}

fn is_of_pyo3(name: &str) -> bool {
    name == "pyo3" || name.starts_with("pyo3-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, dependency: &str, is_for_tests: bool) -> Package {
        Package {
            name: name.to_owned(),
            folder: format!("crates/{name}"),
            description: None,
            dependencies: vec![Dependency {
                name: dependency.to_owned(),
                is_for_tests,
            }],
        }
    }

    #[test]
    fn arrows_only_point_down() {
        // Crate, dependency, whether for tests, part of the objection.
        for (name, dependency, is_for_tests, expected) in [
            ("spikard-service", "spikard-routing", false, None),
            ("spikard-server", "spikard-core", false, None),
            ("spikard-core", "spikard-problem", false, None),
            ("spikard-routing", "matchit", false, None),
            ("spikard-py", "pyo3", false, None),
            ("spikard-py", "pyo3-build-config", false, None),
            ("spikard-routing", "spikard-fixtures", true, None),
            ("spikard-bench", "spikard-py", false, None),
            (
                "spikard-problem",
                "spikard-core",
                false,
                Some("spikard-problem (Words) uses spikard-core (Words)"),
            ),
            (
                "spikard-routing",
                "spikard-extractors",
                false,
                Some("rooms do not know each other"),
            ),
            (
                "spikard-codegen",
                "spikard-openapi",
                false,
                Some("rooms do not know each other"),
            ),
            (
                "spikard-core",
                "spikard-service",
                false,
                Some("arrows only point down"),
            ),
            (
                "spikard-testclient",
                "spikard-server",
                false,
                Some("arrows only point down"),
            ),
            (
                "spikard-routing",
                "spikard-service",
                true,
                Some("arrows only point down"),
            ),
            (
                "spikard-routing",
                "spikard-fixtures",
                false,
                Some("beside the house"),
            ),
            (
                "spikard-service",
                "spikard-bench",
                true,
                Some("beside the house"),
            ),
            (
                "spikard-service",
                "pyo3",
                false,
                Some("only spikard-py knows Python"),
            ),
            (
                "xtask",
                "pyo3-ffi",
                false,
                Some("only spikard-py knows Python"),
            ),
            ("spikard-shop", "spikard-core", false, Some("has no layer")),
        ] {
            let findings = check(&[package(name, dependency, is_for_tests)]);
            let case = format!("{name} -> {dependency}: {findings:?}");
            match expected {
                None => assert!(findings.is_empty(), "{case}"),
                Some(part) => {
                    assert_eq!(findings.len(), 1, "{case}");
                    assert!(findings[0].message.contains(part), "{case}");
                    assert_eq!(
                        findings[0].file,
                        format!("crates/{name}/Cargo.toml"),
                        "{case}"
                    );
                }
            }
        }
    }
}
