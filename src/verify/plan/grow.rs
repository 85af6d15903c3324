//! Gives the btrees of a database made large the height that they would have.

use std::collections::BTreeMap;

use super::graft;
use super::relation::{Extent, Relation};
use super::storage::Storage;
use crate::error::Error;
use crate::postgres::FileChange;
use crate::sql::{fill, literal};

impl Storage {
    /// Gives btrees the height that they have at that size, in files of their own: pages that are in the server's memory already would not
    /// be read again.
    pub(super) async fn grow(&mut self, extents: &BTreeMap<u32, Extent>) -> Result<(), Error> {
        let mut changes = Vec::new();
        let mut moved = Vec::new();
        for at in 0..self.relations.len() {
            let relation = &self.relations[at];
            let Some((own, now)) = relation.height else {
                continue;
            };
            let wanted = extents
                .get(&relation.oid)
                .map_or(own, |extent| extent.height);
            if wanted == now || (wanted <= own && !relation.is_grown()) {
                continue;
            }
            let Some(tops) = self.tops.get(&relation.oid) else {
                continue;
            };
            let pages = relation.pages as u32;
            let grafted = graft::graft(&tops.first, &tops.root, pages, wanted.max(own));
            if wanted > own && grafted.is_none() {
                continue;
            }
            changes.extend(self.gone(relation));
            self.number -= 1;
            let folder = relation
                .own_path()
                .rsplit_once('/')
                .map_or("", |(folder, _)| folder);
            let path = format!("{folder}/{}", self.number);
            changes.push(FileChange::Copy(
                path.clone(),
                relation.own_path().to_owned(),
            ));
            for (block, page) in grafted.unwrap_or_default() {
                changes.push(FileChange::Page(path.clone(), block, page));
            }
            moved.push(format!("{},{}", relation.oid, self.number));
            let relation = &mut self.relations[at];
            relation.path = path;
            relation.height = Some((own, wanted.max(own)));
            // Its file is as small as the sample's again.
            self.extents.remove(&relation.oid);
        }
        if moved.is_empty() {
            return Ok(());
        }
        self.database
            .change_files(&mut self.admin, &changes)
            .await?;
        let all = literal(&moved.join(";"));
        let update = fill(
            "UPDATE pg_catalog.pg_class AS c SET relfilenode = v[2]::oid\n\
             FROM (SELECT string_to_array(part, ',') AS v FROM string_to_table({all}, ';') AS part) AS new WHERE c.oid = v[1]::oid",
            &[("all", &all)],
        );
        let done = self.admin.batch(&update).await;
        done.map_err(|failure| failure.into_error("make indexes higher"))
    }

    /// The file that a grown index has now goes.
    fn gone(&self, relation: &Relation) -> Vec<FileChange> {
        if !relation.is_grown() {
            return Vec::new();
        }
        let pages = self
            .extents
            .get(&relation.oid)
            .map_or(relation.pages, |extent| extent.pages);
        let last = (pages / self.segment).floor() as u64;
        let names = (1..=last).map(|number| format!("{}.{number}", relation.path));
        std::iter::once(relation.path.clone())
            .chain(names)
            .map(FileChange::Gone)
            .collect()
    }
}
