//! The front door of each crate: manifest, README, and the example in `lib.rs`.

use super::files::TextFile;
use super::{Finding, Package};

pub(super) fn check(packages: &[Package], files: &[TextFile]) -> Vec<Finding> {
    packages
        .iter()
        .flat_map(|package| check_package(package, files))
        .collect()
}

fn check_package(package: &Package, files: &[TextFile]) -> Vec<Finding> {
    let text_of = |name: &str| {
        let path = format!("{}/{name}", package.folder);
        let text = files
            .iter()
            .find(|file| file.path == path)
            .map(|file| file.text.as_str());
        (path, text)
    };
    let mut findings = Vec::new();

    let (manifest, text) = text_of("Cargo.toml");
    if package.folder.rsplit('/').next() != Some(package.name.as_str()) {
        findings.push(Finding::new(
            &manifest,
            format!("the folder is not named {}: rename it", package.name),
        ));
    }
    if package.description.as_deref().is_none_or(str::is_empty) {
        findings.push(Finding::new(
            &manifest,
            "no description: add the crate's one sentence",
        ));
    }
    if !text.is_some_and(inherits_lints) {
        findings.push(Finding::new(
            &manifest,
            "lints are not inherited: add `[lints]` with `workspace = true`",
        ));
    }

    let (readme, text) = text_of("README.md");
    if text.is_none_or(|text| text.trim().is_empty()) {
        findings.push(Finding::new(
            readme,
            "no README: add the crate's sentence, an example, and what it leaves out",
        ));
    }

    if let (library, Some(text)) = text_of("src/lib.rs")
        && !text.lines().any(|line| line.starts_with("//! ```"))
    {
        findings.push(Finding::new(
            library,
            "no example: add one to the crate's `//!` comment",
        ));
    }
    findings
}

fn inherits_lints(manifest: &str) -> bool {
    let mut lines = manifest
        .lines()
        .map(str::trim)
        .skip_while(|line| *line != "[lints]")
        .skip(1);
    lines
        .by_ref()
        .take_while(|line| !line.starts_with('['))
        .any(|line| line == "workspace = true")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_front_door_is_complete() {
        let good: [(&str, &str); 3] = [
            (
                "Cargo.toml",
                "[package]\nname = \"spikard-x\"\n\n[lints]\nworkspace = true\n",
            ),
            ("README.md", "# spikard-x\n"),
            ("src/lib.rs", "//! X.\n//!\n//! ```\n//! ```\n"),
        ];
        // File to replace, its text, description, part of the finding.
        for (name, text, description, expected) in [
            ("README.md", Some("# spikard-x\n"), "X", None),
            ("README.md", Some(" \n"), "X", Some("no README")),
            ("README.md", None, "X", Some("no README")),
            (
                "README.md",
                Some("# spikard-x\n"),
                "",
                Some("no description"),
            ),
            (
                "Cargo.toml",
                Some("[lints]\n[features]\nworkspace = true\n"),
                "X",
                Some("lints are not inherited"),
            ),
            ("src/lib.rs", Some("//! X.\n"), "X", Some("no example")),
            ("src/lib.rs", None, "X", None),
        ] {
            let package = Package {
                name: "spikard-x".to_owned(),
                folder: "crates/spikard-x".to_owned(),
                description: Some(description.to_owned()),
                dependencies: Vec::new(),
            };
            let kept = good
                .iter()
                .filter(|(path, _)| *path != name)
                .map(|(path, text)| (*path, *text));
            let files: Vec<TextFile> = kept
                .chain(text.map(|text| (name, text)))
                .map(|(path, text)| TextFile {
                    path: format!("crates/spikard-x/{path}"),
                    text: text.to_owned(),
                })
                .collect();
            let findings = check(&[package], &files);
            let case = format!("{name} = {text:?}, description {description:?}: {findings:?}");
            assert_eq!(findings.len(), usize::from(expected.is_some()), "{case}");
            assert!(
                expected.is_none_or(|part| findings[0].message.contains(part)),
                "{case}"
            );
        }
    }
}
