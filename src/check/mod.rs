//! Rules over a design: one YAML file a rule, with its reason and with examples that must and must not fire.
//!
//! A rule says what it looks at (`on`), when it fires (`when`, an expression over facts; or `builtin`, a function of
//! `builtin/`), and what it then says. [`load`] checks every rule, so that a misspelt fact is an error and no silence; [`run`]
//! gives the findings. Conditions never see the model, only the facts of `facts`. Start with `checks/grain/grain-missing.yaml`.

mod builtin;
mod engine;
mod facts;
mod migrations;
mod pack;
mod page;
mod predicates;
mod rule;
mod subject;
mod waiver;
mod words;
mod world;

pub use builtin::{BUILTINS, Builtin};
pub use engine::run;
pub use migrations::{Judged, judge_migrations};
pub use pack::{Check, Pack, about, environment, load};
pub use page::rules_page;
pub use rule::{Example, Rule, SubjectKind};
pub use waiver::{Waived, apply_waivers, waive_tried};
pub use world::Inputs;
