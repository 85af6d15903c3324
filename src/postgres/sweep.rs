//! Removing what runs left that were killed before they could: their servers, folders and containers.

use std::path::Path;
use std::process::Command;

use super::lease::{RunFolder, RunRoot};
use super::places::Places;
use super::process::{prepared, server_user};
use super::programs::find_programs;
use crate::error::Error;

/// What a sweep found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Ids of the dead runs whose remains are gone.
    pub removed: Vec<String>,
    /// What could not be removed, in whole sentences.
    pub left: Vec<String>,
}

/// Removes what dead runs of this user left on this machine. Every start of a server does it first.
pub async fn sweep(places: &Places) -> Result<Swept, Error> {
    let mut swept = Swept::default();
    for run in RunRoot::open(&places.temporary)?.dead()? {
        let id = run.id.clone();
        match remove(run, places).await {
            Ok(()) => swept.removed.push(id),
            Err(reason) => swept.left.push(format!(
                "a dead run's remains could not be removed: {reason}"
            )),
        }
    }
    Ok(swept)
}

async fn remove(run: RunFolder, places: &Places) -> Result<(), Error> {
    if let Some(host) = run.noted("container") {
        remove_containers(&host, &run.id).await?;
    }
    let places = places.clone();
    let removed = tokio::task::spawn_blocking(move || {
        stop_server(&run.path.join("data"), &places);
        run.remove()
    });
    removed
        .await
        .unwrap_or_else(|e| Err(Error::Internal(format!("sweeping panicked: {e}"))))
}

#[cfg(feature = "containers")]
async fn remove_containers(host: &str, run: &str) -> Result<(), Error> {
    const LIMIT: std::time::Duration = std::time::Duration::from_secs(20);
    let engine = super::engine::Engine::at(host);
    let removed = tokio::time::timeout(LIMIT, engine.remove_run(run)).await;
    let removed = removed.unwrap_or_else(|_| Err("it does not answer".to_owned()));
    removed.map_err(|reason| Error::Environment {
        message: format!("a container of run {run} is left at {host}: {reason}"),
        help: "start the engine; the next run of pgproof then removes it".to_owned(),
    })
}

#[cfg(not(feature = "containers"))]
async fn remove_containers(host: &str, run: &str) -> Result<(), Error> {
    Err(Error::Environment {
        message: format!(
            "a container of run {run} may be left at {host}, and this pgproof was built without containers"
        ),
        help: format!(
            "remove it with `docker rm -f -v $(docker ps -aq --filter label=pgproof.run={run})`"
        ),
    })
}

/// Ends a server that outlived its run (the kernel ends it on Linux). `pg_ctl` finds the process by the data directory; it runs as the
/// server's user, so it can end no process of anybody else, whatever the file says that it reads.
fn stop_server(data: &Path, places: &Places) {
    if !data.join("postmaster.pid").exists() {
        return;
    }
    let user = server_user();
    for programs in find_programs(places) {
        let mut command = Command::new(programs.folder.join("pg_ctl"));
        command
            .args(["stop", "-m", "immediate", "-w", "-t", "10", "-D"])
            .arg(data);
        if prepared(command, user.as_ref())
            .output()
            .is_ok_and(|output| output.status.success())
        {
            return;
        }
    }
}
