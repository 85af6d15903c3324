//! Which server is wanted, and how it is set up.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::connect::Limits;
use super::places::Places;
use crate::error::Error;

/// Where PostgreSQL comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerChoice {
    /// A container, else local programs.
    Auto,
    /// A container.
    Docker,
    /// Programs on this machine.
    Local,
    /// A server that is there already.
    Url(String),
}

impl FromStr for ServerChoice {
    type Err = Error;

    fn from_str(text: &str) -> Result<ServerChoice, Error> {
        match text {
            "auto" => Ok(ServerChoice::Auto),
            "docker" => Ok(ServerChoice::Docker),
            "local" => Ok(ServerChoice::Local),
            url if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                Ok(ServerChoice::Url(url.to_owned()))
            }
            other => Err(Error::Usage(format!(
                "`{other}` is no place for PostgreSQL to come from; write auto, docker, local or postgres://user@host/database"
            ))),
        }
    }
}

/// What server is wanted.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// Where from.
    pub choice: ServerChoice,
    /// The major version that the design targets.
    pub major: u16,
    /// Whether only that version will do; otherwise the nearest of the machine's programs does.
    pub exactly: bool,
    /// Whether a server by URL may be used.
    pub allow_server: bool,
    /// Where things are on this machine.
    pub places: Places,
    /// What ends a session that runs away.
    pub limits: Limits,
    /// Settings of the server over those that every server of ours has. Not for a server by URL.
    pub settings: BTreeMap<String, String>,
}

impl ServerOptions {
    /// With the usual limits and settings.
    pub fn new(choice: ServerChoice, major: u16, places: Places) -> ServerOptions {
        ServerOptions {
            choice,
            major,
            exactly: false,
            allow_server: false,
            places,
            limits: Limits::default(),
            settings: BTreeMap::new(),
        }
    }

    /// No durability, because the data is thrown away; nothing that runs when it likes (autovacuum, JIT, checkpoints), because a run must
    /// repeat; no deadlock detection, because pgproof sees a deadlock at once and decides who dies.
    pub(super) fn server_settings(&self) -> Vec<(String, String)> {
        const FIXED: [(&str, &str); 21] = [
            ("autovacuum", "off"),
            ("checkpoint_timeout", "1h"),
            ("cluster_name", "pgproof"),
            ("deadlock_timeout", "1h"),
            // Files of the data directory, so that nothing is left in shared memory after a kill.
            ("dynamic_shared_memory_type", "mmap"),
            ("fsync", "off"),
            ("full_page_writes", "off"),
            ("jit", "off"),
            ("lc_messages", "C"),
            ("log_min_messages", "log"),
            ("log_timezone", "UTC"),
            ("logging_collector", "off"),
            ("max_connections", "100"),
            ("max_locks_per_transaction", "256"),
            ("max_wal_senders", "0"),
            ("max_wal_size", "4GB"),
            ("shared_buffers", "128MB"),
            ("synchronous_commit", "off"),
            ("timezone", "UTC"),
            ("wal_level", "minimal"),
            ("archive_mode", "off"),
        ];
        let mut settings: BTreeMap<String, String> = FIXED
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        settings.extend(self.settings.clone());
        settings.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_read_as_users_write_them() {
        assert_eq!(
            "auto".parse::<ServerChoice>().ok(),
            Some(ServerChoice::Auto)
        );
        let url = "postgresql://me@host/db";
        assert_eq!(
            url.parse::<ServerChoice>().ok(),
            Some(ServerChoice::Url(url.to_owned()))
        );
        assert!(
            matches!("dokcer".parse::<ServerChoice>(), Err(Error::Usage(text)) if text.contains("`dokcer`"))
        );
    }

    #[test]
    fn a_users_setting_wins() {
        let mut options = ServerOptions::new(ServerChoice::Auto, 15, Places::default());
        options.settings.insert("jit".to_owned(), "on".to_owned());
        let settings = options.server_settings();
        assert!(settings.contains(&("jit".to_owned(), "on".to_owned())));
        assert_eq!(settings.iter().filter(|(name, _)| name == "jit").count(), 1);
    }
}
