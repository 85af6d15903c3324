//! What all parts of one run share: which server, which seed, how to do it again.

use super::evidence::Judged;
use crate::design::Model;
use crate::finding::{Claim, Evidence, Method, Setting, Verdict};
use crate::postgres::Server;

/// One run.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    /// Where.
    pub server: &'a Server,
    /// Reproduces states, arguments and samples.
    pub seed: u64,
    /// The command line that does it again, without the seed.
    pub command: &'a str,
    /// Rows that queries are run on, of all tables together; `None` for a sample that is there in seconds.
    pub rows: Option<f64>,
}

/// What of a run stands in its evidence.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// `15.18`, as the server says it.
    pub server_version: &'a str,
    /// Reproduces states, arguments and samples.
    pub seed: u64,
    /// The command line that does it again, without the seed.
    pub command: &'a str,
}

impl Run<'_> {
    /// Writes down what came of a claim.
    pub fn evidence(
        &self,
        model: &Model,
        method: Method,
        claim: Claim,
        judged: Judged,
    ) -> Evidence {
        let told = Told {
            server_version: &self.server.version().text,
            seed: self.seed,
            command: self.command,
        };
        told.evidence(model, method, claim, judged)
    }
}

impl Told<'_> {
    /// The command line that tries it again, by this method alone.
    fn again(&self, method: Method, verdict: Verdict) -> String {
        let only = match verdict {
            // There may be no way to ask for what was not tried.
            Verdict::Unchecked => String::new(),
            _ => format!(" --only {}", method.word()),
        };
        format!("{}{only} --seed {}", self.command, self.seed)
    }

    /// Writes down what came of a claim.
    pub fn evidence(
        &self,
        model: &Model,
        method: Method,
        claim: Claim,
        judged: Judged,
    ) -> Evidence {
        let design = model.name.as_str();
        Evidence {
            id: format!("{design}/{}/{}", method.word(), claim.subject),
            design: design.to_owned(),
            claim,
            method,
            verdict: judged.verdict,
            reason: judged.reason,
            bounds: judged.bounds,
            figures: judged.figures,
            measured: judged.measured,
            plans: judged.plans,
            counterexample: judged.counterexample,
            setting: Setting {
                server_version: Some(self.server_version.to_owned()),
                seed: self.seed,
                volume: judged.volume,
            },
            reproduce: self.again(method, judged.verdict),
            duration: judged.duration,
            cached: None,
        }
    }
}
