//! What is said about anything that has a page: rules, invariant kinds, plan assertions.

/// Documentation that travels with the code it describes.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// The name users write.
    pub name: &'static str,
    /// One line.
    pub title: &'static str,
    /// Markdown, with a YAML example.
    pub docs: &'static str,
    /// The version that brought it.
    pub since: &'static str,
}

impl About {
    /// A page that was there from the first version on.
    pub(crate) const fn first(
        name: &'static str,
        title: &'static str,
        docs: &'static str,
    ) -> About {
        About {
            name,
            title,
            docs,
            since: "0.1.0",
        }
    }
}
