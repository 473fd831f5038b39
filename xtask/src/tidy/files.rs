//! What holds for single files: how they open, what they are called, what they must not name.

use std::fs;
use std::path::Path;

use anyhow::Context as _;

use super::Finding;

/// A file of the repository that is text.
#[derive(Debug)]
pub(super) struct TextFile {
    /// The path relative to the root, with `/`.
    pub(super) path: String,
    pub(super) text: String,
}

/// Folders that hold what tools make, wherever they lie.
const MADE_BY_TOOLS: [&str; 5] = [
    "target",
    "bench-results",
    "node_modules",
    "__pycache__",
    "generated",
];

/// The folders with a dot that belong to the repository.
const DOTTED: [&str; 3] = [".cargo", ".ci", ".github"];

/// Names that say nothing: whatever is used twice has a subject, and that is its name.
const EMPTY_NAMES: [&str; 7] = [
    "utils", "util", "common", "helpers", "helper", "misc", "shared",
];

/// The registries whose hosts no file names, so that a mirror works as well.
///
/// In pieces, so that this file names none either.
const REGISTRY_HOSTS: [(&str, &str); 6] = [
    ("crates", "io"),
    ("pypi", "org"),
    ("pythonhosted", "org"),
    ("npmjs", "org"),
    ("rubygems", "org"),
    ("packagist", "org"),
];

/// Where people keep their own files, in pieces as well.
const HOMES: [(&str, &str); 3] = [("/ho", "me/"), ("/Us", "ers/"), ("/ro", "ot/")];

/// Files that a package manager writes: it names the registry in them.
const LOCK_FILES: [&str; 4] = [
    "Cargo.lock",
    "uv.lock",
    "package-lock.json",
    "pnpm-lock.yaml",
];

/// Modules whose text is fixed elsewhere: the program that the README promises, word for word.
const VERBATIM: [&str; 1] = ["python/examples/quickstart.py"];

/// Reads every text file of the repository; others are passed over.
///
/// # Errors
///
/// A folder or file cannot be read.
pub(super) fn read(root: &Path) -> anyhow::Result<Vec<TextFile>> {
    let mut files = Vec::new();
    read_folder(root, "", &mut files)?;
    files.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(files)
}

fn read_folder(folder: &Path, prefix: &str, files: &mut Vec<TextFile>) -> anyhow::Result<()> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot read {}", folder.display()))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        let kind = entry
            .file_type()
            .with_context(|| format!("cannot read {path}"))?;
        if kind.is_dir() {
            let is_ours = DOTTED.contains(&name.as_str()) || !name.starts_with('.');
            if is_ours && !MADE_BY_TOOLS.contains(&name.as_str()) {
                read_folder(&entry.path(), &format!("{path}/"), files)?;
            }
        } else if kind.is_file() {
            let content = fs::read(entry.path()).with_context(|| format!("cannot read {path}"))?;
            if let Ok(text) = String::from_utf8(content) {
                files.push(TextFile { path, text });
            }
        }
    }
    Ok(())
}

pub(super) fn check(file: &TextFile) -> Vec<Finding> {
    [
        empty_name(file),
        opening(file),
        registry_host(file),
        home(file),
    ]
    .into_iter()
    .flatten()
    .map(|message| Finding::new(&file.path, message))
    .collect()
}

/// A module or folder whose name says nothing.
fn empty_name(file: &TextFile) -> Option<String> {
    let name = file.path.split('/').find_map(|part| {
        let stem = part.split('.').next().unwrap_or(part);
        EMPTY_NAMES
            .contains(&stem.trim_start_matches('_'))
            .then_some(stem)
    })?;
    is_code(&file.path).then(|| format!("`{name}` says nothing: name the subject instead"))
}

fn is_code(path: &str) -> bool {
    ends_with(path, "rs") || ends_with(path, "py") || ends_with(path, "pyi")
}

fn ends_with(path: &str, extension: &str) -> bool {
    Path::new(path)
        .extension()
        .is_some_and(|found| found == extension)
}

/// A source file that does not open by saying what it is.
fn opening(file: &TextFile) -> Option<String> {
    if ends_with(&file.path, "rs") && !file.text.starts_with("//! ") {
        return Some("does not open with a `//!` line: say there what the file is".to_owned());
    }
    let is_module = ends_with(&file.path, "py") || ends_with(&file.path, "pyi");
    if is_module && !VERBATIM.contains(&file.path.as_str()) && !opens_with_docstring(&file.text) {
        return Some("does not open with a docstring: say there what the module is".to_owned());
    }
    None
}

/// Whether a docstring is the first thing after comments and empty lines.
fn opens_with_docstring(text: &str) -> bool {
    text.lines()
        .find(|line| !line.starts_with('#') && !line.trim().is_empty())
        .is_some_and(|line| line.starts_with("\"\"\"") || line.starts_with("r\"\"\""))
}

fn registry_host(file: &TextFile) -> Option<String> {
    let name = file.path.rsplit('/').next().unwrap_or(&file.path);
    if LOCK_FILES.contains(&name) {
        return None;
    }
    REGISTRY_HOSTS.iter().find_map(|(name, suffix)| {
        let host = format!("{name}.{suffix}");
        let line = line_with(&file.text, |line| line.contains(&host))?;
        Some(format!("line {line} names the package registry {host}: leave the registry to the user's settings"))
    })
}

fn home(file: &TextFile) -> Option<String> {
    let line = line_with(&file.text, |line| {
        HOMES
            .iter()
            .any(|(start, end)| names_home(line, &format!("{start}{end}")))
    })?;
    Some(format!(
        "line {line} names a path in somebody's home: make it relative to the repository"
    ))
}

/// Whether `home` begins a path in `line`, with a name after it; not where it is the middle of a longer one.
fn names_home(line: &str, home: &str) -> bool {
    line.match_indices(home).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let after = line[start + home.len()..].chars().next();
        before.is_none_or(|character| character.is_whitespace() || "\"'`=(:<[,".contains(character))
            && after.is_some_and(|character| {
                character.is_ascii_alphanumeric() || "._-".contains(character)
            })
    })
}

/// The number of the first line that fits, counted from one.
fn line_with(text: &str, fits: impl Fn(&str) -> bool) -> Option<usize> {
    text.lines().position(fits).map(|index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_files() {
        let host = format!("{}.{}", REGISTRY_HOSTS[0].0, REGISTRY_HOSTS[0].1);
        let home = format!("{}{}", HOMES[0].0, HOMES[0].1);
        // Path, text, part of the finding.
        for (path, text, expected) in [
            ("crates/a/src/lib.rs", "//! A.\n".to_owned(), None),
            ("crates/a/src/lib.rs", "use b;\n".to_owned(), Some("`//!`")),
            ("crates/a/src/lib.rs", String::new(), Some("`//!`")),
            ("python/a.py", "\"\"\"A.\"\"\"\n".to_owned(), None),
            (
                "python/a.py",
                "#!/usr/bin/env python\n# A note.\n\nr\"\"\"A.\"\"\"\n".to_owned(),
                None,
            ),
            ("python/a.py", "import os\n".to_owned(), Some("docstring")),
            (
                "python/examples/quickstart.py",
                "import os\n".to_owned(),
                None,
            ),
            ("python/__init__.py", String::new(), Some("docstring")),
            (
                "python/a.pyi",
                "from b import c\n".to_owned(),
                Some("docstring"),
            ),
            (
                "crates/a/src/utils.rs",
                "//! A.\n".to_owned(),
                Some("`utils`"),
            ),
            (
                "crates/a/src/common/mod.rs",
                "//! A.\n".to_owned(),
                Some("`common`"),
            ),
            (
                "python/_helpers.py",
                "\"\"\"A.\"\"\"\n".to_owned(),
                Some("`_helpers`"),
            ),
            ("crates/a/src/commonly.rs", "//! A.\n".to_owned(), None),
            ("testing_data/common/a.json", "{}".to_owned(), None),
            (
                "README.md",
                format!("see\nhttps://{host}/a\n"),
                Some("line 2 names the package registry"),
            ),
            ("Cargo.lock", format!("{host}\n"), None),
            (
                "README.md",
                format!("cd {home}ada/x\n"),
                Some("line 1 names a path in somebody's home"),
            ),
            ("README.md", format!("\"{home}ada\"\n"), Some("home")),
            ("README.md", format!("GET /shop{home}ada\n"), None),
            ("README.md", format!("the route `{home}`\n"), None),
        ] {
            let findings = check(&TextFile {
                path: path.to_owned(),
                text: text.clone(),
            });
            let case = format!("{path} = {text:?}: {findings:?}");
            assert_eq!(findings.len(), usize::from(expected.is_some()), "{case}");
            assert!(
                expected.is_none_or(|part| findings[0].message.contains(part)),
                "{case}"
            );
        }
    }

    #[test]
    fn reads_what_belongs_to_the_repository() {
        let files = read(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("this crate is readable");
        let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
        assert!(
            paths.contains(&"Cargo.toml") && paths.contains(&"src/tidy/files.rs"),
            "{paths:?}"
        );
        assert!(paths.is_sorted());
    }
}
