//! The steps of `test-all`: the cheap and general ones first.

use crate::environment::{Environment, Profile, Purpose};
use crate::{step, tidy};

use super::{Step, Verdict, deny, expect_none};

/// All steps, in the order they run.
pub(super) const STEPS: &[Step] = &[
    Step {
        name: "format",
        about: "Rust code is formatted (rustfmt)",
        needs: &[],
        run: |workbench| workbench.cargo(&["fmt", "--all", "--check"]),
    },
    Step {
        name: "tidy",
        about: "layers, front doors and names are as the map says",
        needs: &[],
        run: |_| expect_none(tidy::check()?, "findings"),
    },
    Step {
        name: "clippy",
        about: "Rust lints, every warning denied",
        needs: &[],
        run: |workbench| {
            workbench.cargo(&[
                "clippy",
                "--workspace",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ])
        },
    },
    Step {
        name: "rust-tests",
        about: "Rust tests, the examples in doc comments among them",
        needs: &[],
        run: |workbench| workbench.cargo(&["test", "--workspace"]),
    },
    Step {
        name: "fixtures",
        about: "the shared fixtures are well-formed (their schema, in spikard-fixtures)",
        needs: &[],
        run: |workbench| workbench.cargo(&["test", "--package", "spikard-fixtures"]),
    },
    Step {
        name: "docs",
        about: "Rust documentation builds, every warning denied",
        needs: &[],
        run: |workbench| {
            let mut cargo = workbench.workspace.cargo();
            cargo
                .args(["doc", "--workspace", "--no-deps"])
                .env("RUSTDOCFLAGS", "-D warnings");
            step::run_visibly(cargo.env("PYO3_PYTHON", workbench.environment.interpreter()))?;
            Ok(Verdict::Passed)
        },
    },
    Step {
        name: "deny",
        about: "bans, licences, sources and advisories of all dependencies (cargo-deny)",
        needs: &[],
        run: |workbench| deny::run(&workbench.workspace),
    },
    Step {
        name: "environment",
        about: "the Python environment holds what the package's manifest asks for",
        needs: &[],
        run: |workbench| {
            Environment::prepare(&workbench.workspace, Purpose::Develop).map(|_| Verdict::Passed)
        },
    },
    Step {
        name: "wheel",
        about: "the extension compiles and stands in the environment",
        needs: &["environment"],
        // Optimized, because the tests of time limits and of load mean the code that users run; not across crates,
        // which the benchmark needs and a developer would wait for.
        run: |workbench| {
            workbench.environment.build_extension(
                &workbench.workspace,
                Purpose::Develop,
                Profile::Release,
            )?;
            Ok(Verdict::Passed)
        },
    },
    Step {
        name: "ruff",
        about: "Python lints and format",
        needs: &["environment"],
        run: |workbench| {
            workbench.in_python("ruff", &["check"])?;
            workbench.in_python("ruff", &["format", "--check"])
        },
    },
    Step {
        name: "mypy",
        about: "Python types, strictly: the package, its tests, the examples",
        needs: &["environment"],
        run: |workbench| workbench.in_python("mypy", &["--strict"]),
    },
    Step {
        name: "pyright",
        about: "Python types as an editor sees them",
        needs: &["environment"],
        run: |workbench| workbench.in_python("pyright", &[]),
    },
    Step {
        name: "stubtest",
        about: "the stubs of the extension are what the extension holds",
        needs: &["environment", "wheel"],
        run: |workbench| {
            workbench.in_python("python", &["-m", "mypy.stubtest", "spikard._spikard"])
        },
    },
    Step {
        name: "pytest",
        about: "Python tests",
        needs: &["environment", "wheel"],
        run: |workbench| workbench.in_python("pytest", &[]),
    },
];
