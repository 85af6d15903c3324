//! What an edit leaves behind that is no design any more goes, as somebody would let it go.

use super::parts::*;

pub fn tidy(design: &mut Design) {
    // What goes may have been what something else stood on.
    loop {
        let before = design.clone();
        once(design);
        if before == *design {
            return;
        }
    }
}

fn fits(sql: &Sql, table: &Table, design: &Design) -> bool {
    let columns = sql.uses.iter().all(|(id, class)| {
        table
            .column(*id)
            .is_some_and(|column| *class == Class::Any || column.kind.class() == *class)
    });
    // PostgreSQL compares times of two types as the session's zone has them.
    let of_one_kind = sql.uses.first().is_none_or(|(_, class)| {
        let kinds = sql
            .uses
            .iter()
            .map(|(id, _)| table.column(*id).map(|column| column.kind));
        let mut all = kinds.collect::<Vec<_>>();
        all.dedup();
        *class != Class::Time || all.len() == 1
    });
    columns
        && of_one_kind
        && sql
            .labels
            .iter()
            .all(|(id, label)| design.labels(*id).contains(label))
}

fn once(design: &mut Design) {
    let whole = design.clone();
    let is_type =
        |id: Id, is: fn(&TypeOf) -> bool| whole.types.iter().any(|own| own.id == id && is(&own.of));
    for table in &mut design.tables {
        for column in &mut table.columns {
            match column.kind {
                Kind::Enum(id) if !is_type(id, |of| matches!(of, TypeOf::Labels(_))) => {
                    column.kind = Kind::Text
                }
                Kind::Domain(id) if !is_type(id, |of| matches!(of, TypeOf::Number { .. })) => {
                    column.kind = Kind::Bigint
                }
                Kind::Words(id) if !is_type(id, |of| matches!(of, TypeOf::Words { .. })) => {
                    column.kind = Kind::Text
                }
                _ => {}
            }
            of_column(column, &whole);
        }
        let now = table.clone();
        let is = |sql: &Sql| fits(sql, &now, &whole);
        let all = |ids: &[Id], wanted: &dyn Fn(&Column) -> bool| {
            !ids.is_empty() && ids.iter().all(|id| now.column(*id).is_some_and(wanted))
        };
        let not_base = |sql: &Sql| {
            sql.uses.iter().any(|(id, _)| {
                now.column(*id)
                    .is_some_and(|column| column.generated.is_some())
            })
        };
        for column in &mut table.columns {
            column.check = column.check.take().filter(is);
            let kind = column.kind;
            let gives = |sql: &Sql| match sql.text.as_str() {
                "lower($0)" => kind == Kind::Text && !column.collate,
                "$0 * 2" => {
                    matches!(kind, Kind::Integer | Kind::Bigint)
                        && now
                            .column(sql.uses[0].0)
                            .is_some_and(|of| of.kind.is_whole() && of.kind != Kind::Bigint)
                }
                _ => kind == Kind::Bool,
            };
            column.generated = column
                .generated
                .take()
                .filter(|own| is(own) && !not_base(own) && gives(own));
        }
        table.tenant = table.tenant.filter(|id| now.column(*id).is_some());
        if !all(&table.key, &|column| {
            !column.nullable && column.kind.is_ordered() && column.generated.is_none()
        }) {
            // Without a key it would be no table that anybody may have.
            let fits = |column: &&Column| {
                column.kind.is_ordered() && column.generated.is_none() && !column.nullable
            };
            table.key = now
                .columns
                .iter()
                .filter(fits)
                .take(1)
                .map(|column| column.id)
                .collect();
        }
        let by = table.partition.as_ref().map(|own| own.by);
        let is_whole = |ids: &[Id]| by.is_none_or(|by| ids.contains(&by));
        if table
            .partition
            .as_ref()
            .is_some_and(|own| !can_cut(own, &now))
            || !table.key.is_empty() && !is_whole(&table.key)
        {
            table.partition = None;
        }
        let ordered = |column: &Column| column.kind.is_ordered();
        table.uniques.retain(|own| {
            all(&own.columns, &ordered)
                && is_whole(&own.columns)
                && own.filter.as_ref().is_none_or(is)
        });
        // PostgreSQL makes one of two that are the same.
        let mut seen = vec![table.key.clone()];
        table.uniques.retain(|own| {
            let is_new = own.filter.is_some() || !seen.contains(&own.columns);
            seen.push(own.columns.clone());
            is_new
        });
        table.checks.retain(|(_, own)| is(own));
        let mut seen = Vec::new();
        table.excludes.retain(|own| {
            let what = (own.equal.clone(), own.span.clone(), own.filter.clone());
            let is_new = !seen.contains(&what);
            seen.push(what);
            is_new
        });
        table.excludes.retain(|own| {
            let scalar = |column: &Column| {
                matches!(
                    column.kind,
                    Kind::Integer | Kind::Bigint | Kind::Text | Kind::Uuid
                )
            };
            let zoned = own.span.uses.iter().all(|(id, _)| {
                now.column(*id)
                    .is_some_and(|column| matches!(column.kind, Kind::Span | Kind::Timestamptz))
            });
            all(&own.equal, &scalar)
                && is(&own.span)
                && zoned
                && own.filter.as_ref().is_none_or(is)
                && by.is_none()
        });
        table
            .statistics
            .retain(|own| own.columns.len() > 1 && all(&own.columns, &ordered));
        table.indexes.retain_mut(|own| {
            own.include
                .retain(|id| now.column(*id).is_some_and(ordered));
            let keys: Vec<Id> = own
                .keys
                .iter()
                .flat_map(|(key, _)| key.uses.iter().map(|(id, _)| *id))
                .collect();
            let has_trigrams =
                whole.trigrams || own.keys.iter().all(|(_, rest)| *rest != " gin_trgm_ops");
            let usable = own.using.is_some()
                || all(&keys, &|column| {
                    column.kind.is_ordered()
                        || own.keys.iter().any(|(key, _)| key.text.contains("->>"))
                });
            let hashed = own.using != Some("hash")
                || all(&keys, &|column| {
                    column.kind != Kind::Bytea || column.kind.is_ordered()
                });
            let unique =
                !own.unique || is_whole(&keys) && own.keys.iter().all(|(key, _)| key.text == "$0");
            own.keys.iter().all(|(key, _)| is(key))
                && own.filter.as_ref().is_none_or(is)
                && has_trigrams
                && usable
                && hashed
                && unique
        });
        table.references.retain(|own| {
            let Some(to) = whole.table(own.to) else { return false };
            let same = own.columns.iter().zip(&own.key).all(|(one, other)| {
                let (one, other) = (now.column(*one), to.column(*other));
                // PostgreSQL 15 finds no operator for the range of a row that changes, and no cast for an array beside a column that gets a wider type.
                matches!((one, other), (Some(one), Some(other)) if one.kind == other.kind && !matches!(one.kind, Kind::Span | Kind::Texts | Kind::Ints) && one.collate == other.collate && one.generated.is_none())
            });
            let nulls = own.on_delete != "set null" || all(&own.columns, &|column| column.nullable);
            same && nulls && to.keys().any(|key| *key == own.key)
        });
    }
    let now = design.clone();
    design.views.retain_mut(|own| {
        let Some(table) = now.table(own.table) else {
            return false;
        };
        own.columns.retain(|id| table.column(*id).is_some());
        let joined = own
            .join
            .as_ref()
            .is_none_or(|name| table.references.iter().any(|other| other.name == *name));
        own.filter = own.filter.take().filter(|filter| fits(filter, table, &now));
        !own.columns.is_empty() && joined
    });
    design.routines.retain(|own| match &own.does {
        Does::Adds(_) => true,
        Does::Counts(table) => now.table(*table).is_some(),
        Does::Looks { table, column, .. } => now.table(*table).is_some_and(|table| {
            table
                .column(*column)
                .is_some_and(|column| column.generated.is_none())
        }),
    });
    design.invariants.retain_mut(|own| {
        now.table(own.table)
            .is_some_and(|table| holds(own, table, &now))
    });
    let isolated = design
        .invariants
        .iter()
        .any(|own| matches!(own.rule, Rule::Isolated(_)));
    if isolated && !design.roles.iter().any(|role| role.name == "pair_clerk") {
        design.roles.push(Role {
            name: "pair_clerk",
            grants: Vec::new(),
            on_views: false,
        });
    }
    let is_shut = |id: Id| {
        design
            .invariants
            .iter()
            .any(|own| own.table == id && own.rule == Rule::AppendOnly)
    };
    for role in &mut design.roles {
        role.grants.retain(|(id, _)| now.table(*id).is_some());
        for (_, words) in role.grants.iter_mut().filter(|(id, _)| is_shut(*id)) {
            words.retain(|word| !["update", "delete"].contains(word));
        }
        role.grants.retain(|(_, words)| !words.is_empty());
    }
    design.tables.retain(|table| !table.key.is_empty());
}

fn of_column(column: &mut Column, design: &Design) {
    if !column.kind.is_text() {
        column.one_of.clear();
        column.collate = false;
    }
    if !column.kind.is_whole() {
        column.identity = None;
    }
    if column.identity.is_some() {
        column.nullable = false;
        column.default = None;
        column.generated = None;
    }
    if column.generated.is_some() {
        column.default = None;
        column.one_of.clear();
    }
    let routine = |id: Id| {
        design
            .routines
            .iter()
            .any(|own| own.id == id && matches!(own.does, Does::Adds(_)))
    };
    column.default = column.default.filter(|own| match own {
        Default::Now => column.kind.class() == Class::Time,
        Default::Random => column.kind == Kind::Uuid,
        Default::Routine(id) => matches!(column.kind, Kind::Integer | Kind::Bigint) && routine(*id),
        Default::Literal(_) => column.kind != Kind::Span,
    });
}

fn can_cut(own: &Partition, table: &Table) -> bool {
    table.column(own.by).is_some_and(|by| {
        let fits = match own.form {
            Form::Hash(_) => by.kind.is_ordered(),
            Form::List(_) => by.kind.is_text(),
            Form::Every { .. } => by.kind.class() == Class::Time,
            Form::Ranges(_) => matches!(by.kind, Kind::Date | Kind::Timestamptz),
        };
        fits && !by.nullable && by.generated.is_none()
    }) && table.columns.iter().all(|column| column.identity.is_none())
}

fn holds(own: &mut Invariant, table: &Table, design: &Design) -> bool {
    let all = |ids: &[Id], wanted: &dyn Fn(&Column) -> bool| {
        !ids.is_empty() && ids.iter().all(|id| table.column(*id).is_some_and(wanted))
    };
    let scalar = |column: &Column| {
        matches!(
            column.kind,
            Kind::Integer | Kind::Bigint | Kind::Text | Kind::Uuid
        ) && column.generated.is_none()
    };
    let whole = |column: &Column| column.kind.is_whole() && column.generated.is_none();
    let is = |sql: &Sql| fits(sql, table, design);
    let by = table.partition.as_ref().map(|own| own.by);
    let is_whole = |ids: &[Id]| by.is_none_or(|by| ids.contains(&by));
    // PostgreSQL makes one of two that are the same.
    let is_excluded = |per: &[Id], span: &[Id]| {
        table.excludes.iter().any(|own| {
            let of: Vec<Id> = own.span.uses.iter().map(|(id, _)| *id).collect();
            own.filter.is_none() && own.equal == per && of == span
        })
    };
    match &mut own.rule {
        Rule::Required(columns, None) => all(columns, &|column| !column.nullable),
        Rule::Required(columns, Some(filter)) => all(columns, &|_| true) && is(filter),
        Rule::Parent(reference, filter) => {
            filter.as_ref().is_none_or(is)
                && table.references.iter().any(|own| own.name == *reference)
        }
        Rule::Child(child) => {
            let refers = |other: &Table| {
                other
                    .references
                    .iter()
                    .any(|own| own.to == table.id && own.key == table.key)
            };
            !table.key.is_empty() && design.table(*child).is_some_and(refers)
        }
        Rule::Unique(columns, filter) | Rule::AtMostOne(columns, filter) => {
            all(columns, &|column| column.kind.is_ordered())
                && filter.as_ref().is_none_or(is)
                && is_whole(columns)
        }
        Rule::ExactlyOne(columns, filter) => {
            all(columns, &scalar) && is(filter) && is_whole(columns)
        }
        Rule::AtMostCount(columns, _, filter) => {
            all(columns, &scalar) && filter.as_ref().is_none_or(is)
        }
        Rule::AtMostSum(columns, sum, filter) => {
            (columns.is_empty() || all(columns, &scalar))
                && all(&[*sum], &whole)
                && !columns.contains(sum)
                && filter.as_ref().is_none_or(is)
        }
        Rule::NoOverlapOf(columns, period, _) => {
            all(columns, &scalar)
                && !is_excluded(columns, &[*period])
                && all(&[*period], &|column| {
                    column.kind == Kind::Span && column.generated.is_none()
                })
                && by.is_none()
        }
        Rule::AtMostOfParent {
            reference,
            sum,
            limit,
        } => {
            let to = table
                .references
                .iter()
                .find(|other| other.name == *reference)
                .and_then(|other| design.table(other.to));
            all(&[*sum], &whole)
                && to.is_some_and(|to| {
                    to.column(*limit)
                        .is_some_and(|column| whole(column) && !column.nullable)
                })
        }
        Rule::Check(sql) | Rule::Holds(sql) => is(sql),
        Rule::NoOverlap { per, from, to } => {
            all(per, &scalar)
                && !is_excluded(per, &[*from, *to])
                && all(&[*from, *to], &|column| {
                    column.kind == Kind::Timestamptz && column.generated.is_none()
                })
                && table.column(*from).is_some_and(|column| !column.nullable)
                && by.is_none()
        }
        Rule::Balanced(per, sum) => all(per, &scalar) && all(&[*sum], &whole),
        Rule::AppendOnly => true,
        Rule::Immutable(columns, once) => {
            *once = once.take().filter(is);
            all(columns, &|column| column.generated.is_none())
        }
        Rule::Transitions(column, labels) => {
            let now = table.column(*column).map(|column| match column.kind {
                Kind::Enum(id) => design.labels(id).to_vec(),
                _ => column.one_of.clone(),
            });
            let now = now.unwrap_or_default();
            labels.retain(|label| now.contains(label));
            labels.len() > 1
                && table
                    .column(*column)
                    .is_some_and(|column| column.generated.is_none())
        }
        Rule::Monotonic(column, _) => all(&[*column], &|column| {
            whole(column) && column.identity.is_none()
        }),
        Rule::Isolated(tables) => {
            tables.retain(|id| {
                design.table(*id).is_some_and(|table| {
                    table
                        .tenant
                        .and_then(|id| table.column(id))
                        .is_some_and(|tenant| tenant.name == "tenant_id")
                })
            });
            // The function of a rule looks as the tenant of a row: all that it reads is a tenant's, or nothing is.
            loop {
                let mut rules = design.invariants.iter();
                let Some(read) = rules.find_map(|own| {
                    let (read, is_tenants) = read_by(own, design);
                    let is_some = read.iter().any(|id| tables.contains(id));
                    let is_all = is_tenants && read.iter().all(|id| tables.contains(id));
                    (is_some && !is_all).then_some(read)
                }) else {
                    break;
                };
                tables.retain(|id| !read.contains(id));
            }
            !tables.is_empty()
        }
    }
}

/// Tables whose rows the function of a rule reads, and whether it reads rows of one tenant only.
fn read_by(own: &Invariant, design: &Design) -> (Vec<Id>, bool) {
    let of_tenant = |id: Id, columns: &[Id]| {
        let tenant = design.table(id).and_then(|table| table.tenant);
        tenant.is_some_and(|tenant| columns.contains(&tenant))
    };
    let along = |child: Id, is: &dyn Fn(&Reference) -> bool| {
        let mut all = design
            .table(child)
            .into_iter()
            .flat_map(|table| &table.references);
        let found = all.find(|reference| is(reference));
        found.map_or((vec![child], false), |reference| {
            let is_tenants =
                of_tenant(child, &reference.columns) && of_tenant(reference.to, &reference.key);
            (vec![child, reference.to], is_tenants)
        })
    };
    match &own.rule {
        Rule::Child(child) => along(*child, &|reference| reference.to == own.table),
        Rule::Parent(name, _)
        | Rule::AtMostOfParent {
            reference: name, ..
        } => along(own.table, &|reference| reference.name == *name),
        Rule::Balanced(per, _) | Rule::NoOverlapOf(per, _, true) => {
            (vec![own.table], of_tenant(own.table, per))
        }
        _ => (Vec::new(), true),
    }
}
