//! The container engine: where it listens, what it has, and removing what is ours. Every call opens a connection of its own, so that
//! cleaning up works from any thread and any runtime.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::StreamExt;
use testcontainers::bollard::Docker;
use testcontainers::bollard::errors::Error as EngineError;
use testcontainers::bollard::query_parameters::{
    CreateImageOptionsBuilder, InspectContainerOptions, ListContainersOptionsBuilder,
    LogsOptionsBuilder, RemoveContainerOptionsBuilder,
};

use super::places::Places;

/// The label that every container of ours has; its value is the id of the run.
pub(super) const LABEL: &str = "pgproof.run";
/// How long an engine may take to say that it is there.
const PING_LIMIT: Duration = Duration::from_secs(3);
/// How long a download may stand still.
const STALL_LIMIT: Duration = Duration::from_secs(30);
/// How old a container that does not run must be before anybody's sweep removes it.
const ABANDONED: Duration = Duration::from_secs(600);

/// A container engine, by its address.
#[derive(Clone, Debug)]
pub(super) struct Engine {
    host: String,
}

impl Engine {
    /// The engine that testcontainers would use, by the same rules.
    pub(super) fn find(places: &Places) -> Option<Engine> {
        if let Some(host) = &places.docker_host {
            return Some(Engine { host: host.clone() });
        }
        let runtime = places
            .runtime
            .iter()
            .map(|folder| folder.join(".docker/run/docker.sock"));
        let home = places.home.iter();
        let home = home.flat_map(|home| {
            [
                home.join(".docker/run/docker.sock"),
                home.join(".docker/desktop/docker.sock"),
            ]
        });
        let sockets = std::iter::once(Path::new("/var/run/docker.sock").to_owned())
            .chain(runtime)
            .chain(home);
        let found = sockets.into_iter().find(|socket| socket.exists())?;
        Some(Engine::at(&format!("unix://{}", found.display())))
    }

    /// A Podman socket, which testcontainers does not look for.
    pub(super) fn find_podman(places: &Places) -> Option<String> {
        let runtime = places
            .runtime
            .iter()
            .map(|folder| folder.join("podman/podman.sock"));
        let mut sockets = runtime.chain(std::iter::once(
            Path::new("/run/podman/podman.sock").to_owned(),
        ));
        sockets
            .find(|socket| socket.exists())
            .map(|socket| format!("unix://{}", socket.display()))
    }

    pub(super) fn at(host: &str) -> Engine {
        Engine {
            host: host.to_owned(),
        }
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Whether a folder of this machine may be a folder of the engine's, so that a socket can be shared.
    pub(super) fn shares_files(&self) -> bool {
        cfg!(target_os = "linux") && self.host.starts_with("unix://")
    }

    fn client(&self) -> Result<Docker, String> {
        Docker::connect_with_host(&self.host).map_err(|e| explain(&e))
    }

    /// Its name and version.
    pub(super) async fn version(&self) -> Result<String, String> {
        let client = self.client()?;
        let answer = tokio::time::timeout(PING_LIMIT, client.version()).await;
        let answer =
            answer.map_err(|_| format!("it did not answer within {} s", PING_LIMIT.as_secs()))?;
        let version = answer.map_err(|e| explain(&e))?;
        let podman = version
            .components
            .iter()
            .flatten()
            .any(|part| part.name.contains("Podman"));
        let name = if podman { "Podman" } else { "Docker" };
        Ok(format!("{name} {}", version.version.unwrap_or_default()))
    }

    pub(super) async fn has_image(&self, image: &str) -> Result<bool, String> {
        match self.client()?.inspect_image(image).await {
            Ok(_) => Ok(true),
            Err(EngineError::DockerResponseServerError {
                status_code: 404, ..
            }) => Ok(false),
            Err(error) => Err(explain(&error)),
        }
    }

    /// Downloads an image. Takes as long as it takes, but may not stand still.
    pub(super) async fn pull(&self, name: &str, tag: &str) -> Result<(), String> {
        let client = self.client()?;
        let options = CreateImageOptionsBuilder::new()
            .from_image(name)
            .tag(tag)
            .build();
        let mut progress = std::pin::pin!(client.create_image(Some(options), None, None));
        loop {
            match tokio::time::timeout(STALL_LIMIT, progress.next()).await {
                Ok(Some(Ok(_))) => {}
                Ok(Some(Err(error))) => return Err(explain(&error)),
                Ok(None) => return Ok(()),
                Err(_) => {
                    return Err(format!(
                        "the download stood still for {} s",
                        STALL_LIMIT.as_secs()
                    ));
                }
            }
        }
    }

    /// Whether the container is running, and what it wrote last.
    pub(super) async fn look(&self, container: &str) -> Result<(bool, String), String> {
        let client = self.client()?;
        let found = client
            .inspect_container(container, None::<InspectContainerOptions>)
            .await;
        let running = found
            .map_err(|e| explain(&e))?
            .state
            .and_then(|state| state.running)
            .unwrap_or(false);
        let options = LogsOptionsBuilder::new()
            .stdout(true)
            .stderr(true)
            .tail("30")
            .build();
        let mut lines = std::pin::pin!(client.logs(container, Some(options)));
        let mut text = String::new();
        while let Some(Ok(line)) = lines.next().await {
            text.push_str(&line.to_string());
        }
        Ok((running, text.trim_end().to_owned()))
    }

    /// Removes the containers of a run, with their volumes.
    pub(super) async fn remove_run(&self, run: &str) -> Result<(), String> {
        let client = self.client()?;
        for id in self
            .containers(&format!("{LABEL}={run}"), |_, _| true)
            .await?
        {
            remove(&client, &id).await?;
        }
        Ok(())
    }

    /// Removes containers of ours, of whatever run, that have not been running for a while: after a restart of the
    /// machine nobody remembers whose they were. Returns how many.
    pub(super) async fn remove_abandoned(&self) -> Result<usize, String> {
        let client = self.client()?;
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let old = |state: &str, created: Duration| {
            matches!(state, "exited" | "created" | "dead")
                && now.saturating_sub(created) > ABANDONED
        };
        let ids = self.containers(LABEL, old).await?;
        for id in &ids {
            remove(&client, id).await?;
        }
        Ok(ids.len())
    }

    async fn containers(
        &self,
        label: &str,
        wanted: impl Fn(&str, Duration) -> bool,
    ) -> Result<Vec<String>, String> {
        let filters = HashMap::from([("label".to_owned(), vec![label.to_owned()])]);
        let options = ListContainersOptionsBuilder::new()
            .all(true)
            .filters(&filters)
            .build();
        let found = self
            .client()?
            .list_containers(Some(options))
            .await
            .map_err(|e| explain(&e))?;
        let wanted = found.into_iter().filter(|container| {
            let state = container
                .state
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default();
            let created = u64::try_from(container.created.unwrap_or_default()).unwrap_or_default();
            wanted(&state, Duration::from_secs(created))
        });
        Ok(wanted.filter_map(|container| container.id).collect())
    }
}

async fn remove(client: &Docker, id: &str) -> Result<(), String> {
    let options = RemoveContainerOptionsBuilder::new()
        .force(true)
        .v(true)
        .build();
    match client.remove_container(id, Some(options)).await {
        // Gone, or being removed by somebody else.
        Ok(())
        | Err(EngineError::DockerResponseServerError {
            status_code: 404 | 409,
            ..
        }) => Ok(()),
        Err(error) => Err(explain(&error)),
    }
}

fn explain(error: &EngineError) -> String {
    match error {
        EngineError::DockerResponseServerError { message, .. } => message.trim().to_owned(),
        EngineError::DockerStreamError { error } => error.trim().to_owned(),
        other => {
            let mut text = other.to_string();
            let mut source = std::error::Error::source(other);
            while let Some(inner) = source {
                let inner_text = inner.to_string();
                if !text.contains(&inner_text) {
                    text = format!("{text}: {inner_text}");
                }
                source = inner.source();
            }
            text
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_names_the_engine_before_any_socket_is_looked_for() {
        let places = Places {
            docker_host: Some("tcp://engine:2375".to_owned()),
            ..Places::default()
        };
        let engine =
            Engine::find(&places).map(|engine| (engine.host.clone(), engine.shares_files()));
        assert_eq!(engine, Some(("tcp://engine:2375".to_owned(), false)));
    }
}
