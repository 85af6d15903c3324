//! What `auto` would use on this machine, and what is missing.

use std::path::Path;

#[cfg(feature = "containers")]
use super::container::IMAGE;
#[cfg(feature = "containers")]
use super::engine::Engine;
use super::lease::RunRoot;
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

fn line(what: &str, found: impl Into<String>, ok: bool, advice: Option<String>) -> DoctorLine {
    DoctorLine {
        what: what.to_owned(),
        found: found.into(),
        ok,
        advice,
    }
}

/// Looks at everything a run may need, for designs of this major version. Starts nothing; the last line says what `auto` would use.
pub async fn doctor(places: &Places, major: u16) -> Vec<DoctorLine> {
    let mut lines = Vec::new();
    let container = containers(places, major, &mut lines).await;
    let looked = places.clone();
    let programs = tokio::task::spawn_blocking(move || find_programs(&looked))
        .await
        .unwrap_or_default();
    let local = local(&programs, major, container, &mut lines);
    folders(places, &mut lines);
    lines.push(verdict(container, local, major));
    lines
}

#[cfg(feature = "containers")]
async fn containers(places: &Places, major: u16, lines: &mut Vec<DoctorLine>) -> bool {
    const WHAT: &str = "container engine";
    let podman = Engine::find_podman(places)
        .map(|host| format!("Podman is there: `export DOCKER_HOST={host}`"));
    let Some(engine) = Engine::find(places) else {
        let advice =
            podman.unwrap_or_else(|| "install and start Docker, or set DOCKER_HOST".to_owned());
        lines.push(line(WHAT, "no socket found", false, Some(advice)));
        return false;
    };
    match engine.version().await {
        Ok(version) => lines.push(line(
            WHAT,
            format!("{version} at {}", engine.host()),
            true,
            None,
        )),
        Err(reason) => {
            let advice = podman.unwrap_or_else(|| {
                "start it, and make sure that the current user may use it".to_owned()
            });
            lines.push(line(
                WHAT,
                format!("no answer at {}: {reason}", engine.host()),
                false,
                Some(advice),
            ));
            return false;
        }
    }
    let image = format!("{IMAGE}:{major}");
    let what = format!("image {image}");
    match engine.has_image(&image).await {
        Ok(true) => lines.push(line(&what, "present", true, None)),
        Ok(false) => {
            let advice = "the first run pulls it; where no registry can be reached, `docker load` it \
                          or use local programs";
            lines.push(line(&what, "not present", false, Some(advice.to_owned())));
            return false;
        }
        Err(reason) => {
            lines.push(line(
                &what,
                reason,
                false,
                Some("check the container engine".to_owned()),
            ));
            return false;
        }
    }
    true
}

#[cfg(not(feature = "containers"))]
async fn containers(_: &Places, _: u16, lines: &mut Vec<DoctorLine>) -> bool {
    let advice = "build pgproof with the feature `containers` to use them".to_owned();
    lines.push(line(
        "container engine",
        "this pgproof was built without containers",
        false,
        Some(advice),
    ));
    false
}

/// Lines about server programs; returns the ones that would be used.
fn local<'a>(
    programs: &'a [Programs],
    major: u16,
    container: bool,
    lines: &mut Vec<DoctorLine>,
) -> Option<&'a Programs> {
    const WHAT: &str = "server programs";
    let chosen = choose(programs, major);
    for found in programs {
        let exact = found.major == major;
        let advice = (chosen == Some(found) && !exact).then(|| {
            format!(
                "install PostgreSQL {major}, or target {} in the design",
                found.major
            )
        });
        lines.push(line(
            WHAT,
            found.to_string(),
            exact || advice.is_none(),
            advice,
        ));
    }
    if programs.is_empty() {
        let advice = format!(
            "install PostgreSQL {major} (`apt-get install postgresql-{major}`), or set PGPROOF_PG_BIN"
        );
        lines.push(line(
            WHAT,
            "none found",
            container,
            (!container).then_some(advice),
        ));
    } else if let Some(user) = server_user() {
        let found = format!("user {} (PostgreSQL does not run as root)", user.name);
        lines.push(line("they would run as", found, true, None));
    }
    chosen
}

fn folders(places: &Places, lines: &mut Vec<DoctorLine>) {
    let temporary = places.temporary.display();
    match RunRoot::open(&places.temporary) {
        Ok(_) => {
            let free = free_space(&places.temporary);
            let enough = free.is_none_or(|bytes| bytes > 512 << 20);
            let room = free.map_or_else(String::new, |bytes| format!(", {} MiB free", bytes >> 20));
            let advice =
                (!enough).then(|| "free some space, or point TMPDIR to another disk".to_owned());
            lines.push(line(
                "temporary folder",
                format!("{temporary}{room}"),
                enough,
                advice,
            ));
        }
        Err(error) => {
            let advice = "point TMPDIR to a folder of your own".to_owned();
            lines.push(line(
                "temporary folder",
                error.to_string(),
                false,
                Some(advice),
            ));
        }
    }
    let cache = places.cache.as_ref().map_or_else(
        || "none; every start makes its own data directory".to_owned(),
        |f| f.display().to_string(),
    );
    lines.push(line("cache folder", cache, true, None));
}

fn free_space(folder: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(folder).ok()?;
    found.f_bavail.checked_mul(found.f_frsize)
}

fn verdict(container: bool, local: Option<&Programs>, major: u16) -> DoctorLine {
    const WHAT: &str = "`--postgres auto` would use";
    match (container, local) {
        (true, _) => line(WHAT, format!("a container of postgres:{major}"), true, None),
        (false, Some(programs)) => line(WHAT, format!("server programs {programs}"), true, None),
        (false, None) => {
            let advice =
                "give it Docker, or server programs, or a URL with --allow-server".to_owned();
            line(WHAT, "nothing", false, Some(advice))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_says_what_is_used_and_when_nothing_is_says_what_to_do() {
        assert!(verdict(true, None, 15).found.contains("postgres:15"));
        let nothing = verdict(false, None, 15);
        assert!(!nothing.ok && nothing.advice.is_some());
    }

    #[test]
    fn missing_programs_are_no_fault_where_a_container_serves() {
        for (container, ok) in [(true, true), (false, false)] {
            let mut lines = Vec::new();
            assert_eq!(local(&[], 15, container, &mut lines), None);
            assert_eq!((lines[0].ok, lines[0].advice.is_none()), (ok, ok));
        }
    }
}
