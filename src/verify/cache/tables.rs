//! What evidence depends on in tables and views; like `meaning`, field by field.

use super::words::{Counts, Words, counted, plain};
use crate::catalog::{OnDelete, StatisticsKind};
use crate::design::{
    Check, Column, Data, Exclusion, ForeignKey, Index, IndexKey, PartitionBy, PartitionRule,
    Retention, RetentionAction, Sensitivity, Statistics, Table, TableRole, TimeKind, Unique, View,
    ViewKind, Volume, Writes,
};

plain!(
    Data,
    OnDelete,
    PartitionRule,
    RetentionAction,
    Sensitivity,
    StatisticsKind,
    TableRole,
    TimeKind,
    ViewKind,
    Volume,
    Writes,
);

impl Counts for Table {
    fn count(&self, words: &mut Words) {
        let Table {
            name,
            role,
            columns,
            key,
            unique,
            references,
            checks,
            exclusions,
            indexes,
            statistics,
            partition,
            retention,
            volume,
            writes,
            fillfactor,
            tenant,
            grain: _,
            owner: _,
            means: _,
            key_at: _,
            was: _,
        } = self;
        counted!(words; name, role, columns, key, unique, references, checks, exclusions, indexes, statistics);
        counted!(words; partition, retention, volume, writes, fillfactor, tenant);
    }
}

impl Counts for Column {
    fn count(&self, words: &mut Words) {
        let Column {
            name,
            data_type,
            nullable,
            default,
            identity,
            generated,
            one_of,
            check,
            collate,
            time,
            sensitivity,
            derived,
            data,
            nullable_because: _,
            means: _,
            was: _,
        } = self;
        counted!(words; name, data_type, nullable, default, identity, generated, one_of, check);
        counted!(words; collate, time, sensitivity, derived, data);
    }
}

impl Counts for Unique {
    fn count(&self, words: &mut Words) {
        let Unique {
            name,
            columns,
            predicate,
        } = self;
        counted!(words; name, columns, predicate);
    }
}

impl Counts for ForeignKey {
    fn count(&self, words: &mut Words) {
        let ForeignKey {
            name,
            columns,
            to,
            key,
            on_delete,
            on_update,
            deferrable,
            because: _,
        } = self;
        counted!(words; name, columns, to, key, on_delete, on_update, deferrable);
    }
}

impl Counts for Check {
    fn count(&self, words: &mut Words) {
        let Check { name, expression } = self;
        counted!(words; name, expression);
    }
}

impl Counts for Exclusion {
    fn count(&self, words: &mut Words) {
        let Exclusion {
            name,
            using,
            elements,
            predicate,
        } = self;
        counted!(words; name, using, elements, predicate);
    }
}

impl Counts for Index {
    fn count(&self, words: &mut Words) {
        let Index {
            name,
            using,
            unique,
            keys,
            include,
            predicate,
            with,
            serves: _,
            because: _,
            drop_when: _,
            was: _,
        } = self;
        counted!(words; name, using, unique, keys, include, predicate, with);
    }
}

impl Counts for Statistics {
    fn count(&self, words: &mut Words) {
        let Statistics {
            name,
            columns,
            kinds,
            distinct,
        } = self;
        let kinds: &Vec<StatisticsKind> = &kinds.iter().copied().collect();
        counted!(words; name, columns, kinds, distinct);
    }
}

impl Counts for IndexKey {
    fn count(&self, words: &mut Words) {
        let IndexKey {
            expression,
            column,
            collation,
            opclass,
            descending,
            nulls_first,
        } = self;
        counted!(words; expression, column, collation, opclass, descending, nulls_first);
    }
}

impl Counts for PartitionBy {
    fn count(&self, words: &mut Words) {
        let PartitionBy {
            by,
            rule,
            default,
            at: _,
        } = self;
        counted!(words; by, rule, default);
    }
}

impl Counts for Retention {
    fn count(&self, words: &mut Words) {
        let Retention {
            after,
            of,
            predicate,
            action,
            to,
            hold,
            after_text: _,
            at: _,
        } = self;
        counted!(words; after, of, predicate, action, to, hold);
    }
}

impl Counts for View {
    fn count(&self, words: &mut Words) {
        let View {
            name,
            kind,
            sql,
            security_invoker,
            after,
            means: _,
        } = self;
        counted!(words; name, kind, sql, security_invoker, after);
    }
}
