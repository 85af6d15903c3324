//! What `auto` would use on this machine, and what is missing.

#[cfg(feature = "containers")]
use super::container::IMAGE;
#[cfg(feature = "containers")]
use super::engine::Engine;
use super::lease::{RunRoot, free_space};
use super::places::Places;
use super::process::server_user;
use super::programs::{Programs, choose, find_programs};

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoctorLine {
    /// What was looked at: `container engine`.
    pub what: String,
    /// What was found.
    pub found: String,
    /// Whether it is fine as it is. Something that is not needed, because something else serves, is fine.
    pub ok: bool,
    /// What to do, where it is not.
    pub advice: Option<String>,
}

impl DoctorLine {
    fn fine(what: &str, found: impl Into<String>) -> DoctorLine {
        DoctorLine {
            what: what.to_owned(),
            found: found.into(),
            ok: true,
            advice: None,
        }
    }

    fn missing(what: &str, found: impl Into<String>, advice: impl Into<String>) -> DoctorLine {
        DoctorLine {
            what: what.to_owned(),
            found: found.into(),
            ok: false,
            advice: Some(advice.into()),
        }
    }
}

/// Whether containers would serve.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "containers"),
    expect(dead_code, reason = "without containers none is ever ready")
)]
enum Containers {
    Ready,
    AfterPull,
    No,
}

/// Looks at everything a run may need, for designs of this major version. Starts nothing; the last line says what `auto` would use.
pub async fn doctor(places: &Places, major: u16) -> Vec<DoctorLine> {
    let mut lines = Vec::new();
    let containers = containers(places, major, &mut lines).await;
    let looked = places.clone();
    let programs = tokio::task::spawn_blocking(move || find_programs(&looked))
        .await
        .unwrap_or_default();
    let local = local(&programs, major, containers, &mut lines);
    folders(places, &mut lines);
    lines.push(verdict(containers, local, major));
    lines
}

#[cfg(feature = "containers")]
async fn containers(places: &Places, major: u16, lines: &mut Vec<DoctorLine>) -> Containers {
    const ENGINE: &str = "container engine";
    let advice = match Engine::find_podman(places) {
        Some(host) => format!("Podman is there: `export DOCKER_HOST={host}`"),
        None => "install and start Docker, or set DOCKER_HOST; the current user must be allowed to use it".to_owned(),
    };
    let Some(engine) = Engine::find(places) else {
        lines.push(DoctorLine::missing(ENGINE, "no socket found", advice));
        return Containers::No;
    };
    let host = engine.host();
    match engine.version().await {
        Ok(version) => lines.push(DoctorLine::fine(ENGINE, format!("{version} at {host}"))),
        Err(reason) => {
            lines.push(DoctorLine::missing(
                ENGINE,
                format!("no answer at {host}: {reason}"),
                advice,
            ));
            return Containers::No;
        }
    }
    let image = format!("image {IMAGE}:{major}");
    let (line, containers) = match engine.has_image(&format!("{IMAGE}:{major}")).await {
        Ok(true) => (DoctorLine::fine(&image, "present"), Containers::Ready),
        Ok(false) => {
            let advice =
                "the first run pulls it; where no registry can be reached, `docker load` it";
            (
                DoctorLine::missing(&image, "not present", advice),
                Containers::AfterPull,
            )
        }
        Err(reason) => (
            DoctorLine::missing(&image, reason, "check the container engine"),
            Containers::No,
        ),
    };
    lines.push(line);
    containers
}

#[cfg(not(feature = "containers"))]
async fn containers(_: &Places, _: u16, lines: &mut Vec<DoctorLine>) -> Containers {
    let advice = "build pgproof with the feature `containers` to use them";
    lines.push(DoctorLine::missing(
        "container engine",
        "this pgproof was built without",
        advice,
    ));
    Containers::No
}

/// Lines about server programs; returns the ones that would be used.
fn local<'a>(
    programs: &'a [Programs],
    major: u16,
    containers: Containers,
    lines: &mut Vec<DoctorLine>,
) -> Option<&'a Programs> {
    const WHAT: &str = "server programs";
    let chosen = choose(programs, major);
    for found in programs {
        let advice = format!(
            "install PostgreSQL {major}, or target {} in the design",
            found.major
        );
        let wrong = chosen == Some(found) && found.major != major;
        let text = found.to_string();
        lines.push(if wrong {
            DoctorLine::missing(WHAT, text, advice)
        } else {
            DoctorLine::fine(WHAT, text)
        });
    }
    if programs.is_empty() {
        let advice = format!(
            "install PostgreSQL {major} (`apt-get install postgresql-{major}`), or set PGPROOF_PG_BIN"
        );
        let ready = containers == Containers::Ready;
        let none = "none found";
        lines.push(if ready {
            DoctorLine::fine(WHAT, none)
        } else {
            DoctorLine::missing(WHAT, none, advice)
        });
    } else if let Some(user) = server_user() {
        let found = format!("user {} (PostgreSQL does not run as root)", user.name);
        lines.push(DoctorLine::fine("they would run as", found));
    }
    chosen
}

fn folders(places: &Places, lines: &mut Vec<DoctorLine>) {
    const WHAT: &str = "temporary folder";
    const ENOUGH: u64 = 512 << 20;
    let temporary = places.temporary.display();
    lines.push(
        match (
            RunRoot::open(&places.temporary),
            free_space(&places.temporary),
        ) {
            (Ok(_), Some(free)) if free < ENOUGH => {
                let found = format!("{temporary}, {} MiB free", free >> 20);
                DoctorLine::missing(
                    WHAT,
                    found,
                    "free some space, or point TMPDIR to another disk",
                )
            }
            (Ok(_), _) => DoctorLine::fine(WHAT, temporary.to_string()),
            (Err(error), _) => DoctorLine::missing(
                WHAT,
                error.to_string(),
                "point TMPDIR to a folder of your own",
            ),
        },
    );
    lines.push(DoctorLine::fine(
        "cache folder",
        match &places.cache {
            Some(folder) => folder.display().to_string(),
            None => "none; every start makes its own data directory".to_owned(),
        },
    ));
}

fn verdict(containers: Containers, local: Option<&Programs>, major: u16) -> DoctorLine {
    const WHAT: &str = "`--postgres auto` would use";
    let image = format!("a container of postgres:{major}");
    match (containers, local) {
        (Containers::Ready, _) => DoctorLine::fine(WHAT, image),
        (Containers::AfterPull, Some(programs)) => DoctorLine::fine(
            WHAT,
            format!("{image}, once pulled; failing that, server programs {programs}"),
        ),
        (Containers::AfterPull, None) => DoctorLine::fine(WHAT, format!("{image}, once pulled")),
        (Containers::No, Some(programs)) => {
            DoctorLine::fine(WHAT, format!("server programs {programs}"))
        }
        (Containers::No, None) => DoctorLine::missing(
            WHAT,
            "nothing",
            "give it Docker, or server programs, or a URL with --allow-server",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_says_what_is_used_and_when_nothing_is_says_what_to_do() {
        assert!(
            verdict(Containers::Ready, None, 15)
                .found
                .contains("postgres:15")
        );
        assert!(
            verdict(Containers::AfterPull, None, 15)
                .found
                .contains("once pulled")
        );
        let nothing = verdict(Containers::No, None, 15);
        assert!(!nothing.ok && nothing.advice.is_some());
    }

    #[test]
    fn missing_programs_are_no_fault_where_a_container_serves() {
        for (containers, ok) in [
            (Containers::Ready, true),
            (Containers::AfterPull, false),
            (Containers::No, false),
        ] {
            let mut lines = Vec::new();
            assert_eq!(local(&[], 15, containers, &mut lines), None);
            assert_eq!((lines[0].ok, lines[0].advice.is_none()), (ok, ok));
        }
    }
}
