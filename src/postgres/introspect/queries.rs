//! What is asked of `pg_catalog`. Each query returns one JSON object a row; `{schemas}` and `{roles}` are arrays of text.
//!
//! All run under an empty `search_path`, so that every name that is not PostgreSQL's own comes out with its schema. What the
//! catalog has no field for, but would make a difference (NOT VALID, RESTRICTIVE, UNLOGGED …), is appended to a text it does have,
//! so that it cannot go unnoticed.

/// Schemas, extensions and roles.
pub(super) const NAMES: &str = "
SELECT json_build_object('kind', kind, 'name', name, 'login', login, 'bypass_rls', bypass_rls) FROM (
  SELECT 'schema' AS kind, nspname AS name, false AS login, false AS bypass_rls
  FROM pg_namespace WHERE nspname = ANY ({schemas})
  UNION ALL
  SELECT 'extension', extname, false, false FROM pg_extension WHERE extname <> 'plpgsql'
  UNION ALL
  SELECT 'role', rolname, rolcanlogin, rolbypassrls FROM pg_roles WHERE rolname = ANY ({roles})
) n";

/// Enums and domains.
pub(super) const TYPES: &str = "
SELECT json_build_object(
  'schema', n.nspname, 'name', t.typname, 'comment', obj_description(t.oid, 'pg_type'),
  'labels', (SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid),
  'base', CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod)
    || CASE WHEN t.typnotnull THEN ' NOT NULL' ELSE '' END || coalesce(' DEFAULT ' || t.typdefault, '') END,
  'checks', (SELECT json_agg(json_build_object('name', c.conname, 'expression', pg_get_expr(c.conbin, 0)
      || CASE WHEN c.convalidated THEN '' ELSE ' NOT VALID' END))
    FROM pg_constraint c WHERE c.contypid = t.oid AND c.contype = 'c'))
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE n.nspname = ANY ({schemas}) AND t.typtype IN ('e', 'd')
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')";

/// Tables that are no partitions.
pub(super) const TABLES: &str = "
SELECT json_build_object(
  'schema', n.nspname, 'name', c.relname, 'comment', obj_description(c.oid, 'pg_class'),
  'row_security', c.relrowsecurity, 'force_row_security', c.relforcerowsecurity,
  'options', to_json(coalesce(c.reloptions, '{}') || CASE c.relpersistence WHEN 'u' THEN '{unlogged=true}'::text[] ELSE '{}' END),
  'strategy', p.partstrat,
  'by', (SELECT json_agg(CASE WHEN k.attnum = 0 THEN '(' || pg_get_expr(p.partexprs, c.oid) || ')' ELSE a.attname END ORDER BY k.place)
    FROM unnest(p.partattrs::int2[]) WITH ORDINALITY k(attnum, place)
    LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_partitioned_table p ON p.partrelid = c.oid
WHERE n.nspname = ANY ({schemas}) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')";

/// Columns of these tables, in order.
pub(super) const COLUMNS: &str = "
SELECT json_build_object(
  'schema', n.nspname, 'table', c.relname, 'name', a.attname, 'data_type', format_type(a.atttypid, a.atttypmod),
  'base', format_type(coalesce(nullif(t.typbasetype, 0), t.oid), NULL), 'nullable', NOT a.attnotnull, 'comment', col_description(c.oid, a.attnum),
  'default', pg_get_expr(d.adbin, d.adrelid), 'identity', a.attidentity, 'generated', a.attgenerated,
  'collation', CASE WHEN a.attcollation <> t.typcollation THEN (
    SELECT CASE WHEN pg_collation_is_visible(l.oid) THEN quote_ident(l.collname)
      ELSE quote_ident(ln.nspname) || '.' || quote_ident(l.collname) END
    FROM pg_collation l JOIN pg_namespace ln ON ln.oid = l.collnamespace WHERE l.oid = a.attcollation) END)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE n.nspname = ANY ({schemas}) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
ORDER BY c.oid, a.attnum";

/// Partitions of these tables.
pub(super) const PARTITIONS: &str = "
SELECT json_build_object('schema', n.nspname, 'table', p.relname, 'name', c.relname, 'bound', pg_get_expr(c.relpartbound, c.oid))
FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace n ON n.oid = p.relnamespace
JOIN pg_class c ON c.oid = i.inhrelid
WHERE n.nspname = ANY ({schemas}) AND p.relkind = 'p' AND NOT p.relispartition AND c.relispartition
ORDER BY c.relname";

/// Constraints of these tables.
pub(super) const CONSTRAINTS: &str = "
SELECT json_build_object(
  'schema', n.nspname, 'table', c.relname, 'name', k.conname, 'kind', k.contype,
  'deferred', k.condeferrable AND k.condeferred,
  'columns', (SELECT json_agg(a.attname ORDER BY u.place) FROM unnest(k.conkey) WITH ORDINALITY u(attnum, place)
    JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.attnum),
  'expression', CASE WHEN k.contype = 'c' THEN pg_get_expr(k.conbin, k.conrelid)
    || CASE WHEN k.connoinherit THEN ' NO INHERIT' ELSE '' END || CASE WHEN k.convalidated THEN '' ELSE ' NOT VALID' END END,
  'to_schema', fn.nspname, 'to_table', f.relname,
  'key', (SELECT json_agg(a.attname ORDER BY u.place) FROM unnest(k.confkey) WITH ORDINALITY u(attnum, place)
    JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.attnum),
  'on_delete', k.confdeltype, 'on_update', k.confupdtype,
  'method', am.amname, 'predicate', pg_get_expr(i.indpred, i.indrelid),
  'elements', CASE WHEN k.contype = 'x' THEN (
    SELECT json_agg(json_build_object('expression', pg_get_indexdef(k.conindid, u.place::int, false), 'operator', o.oprname) ORDER BY u.place)
    FROM unnest(k.conexclop) WITH ORDINALITY u(operator, place) JOIN pg_operator o ON o.oid = u.operator) END)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_class f ON f.oid = k.confrelid LEFT JOIN pg_namespace fn ON fn.oid = f.relnamespace
LEFT JOIN pg_index i ON i.indexrelid = k.conindid AND k.contype = 'x'
LEFT JOIN pg_class x ON x.oid = i.indexrelid LEFT JOIN pg_am am ON am.oid = x.relam
WHERE n.nspname = ANY ({schemas}) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND k.contype IN ('p', 'u', 'c', 'f', 'x') AND k.conparentid = 0";

/// Indexes of these tables and of materialised views that implement no constraint.
pub(super) const INDEXES: &str = "
SELECT json_build_object(
  'schema', n.nspname, 'table', c.relname, 'name', x.relname, 'method', am.amname, 'unique', i.indisunique,
  'predicate', pg_get_expr(i.indpred, i.indrelid),
  'options', to_json(coalesce(x.reloptions, '{}') || CASE WHEN i.indisvalid THEN '{}' ELSE '{invalid=true}'::text[] END),
  'keys', (SELECT json_agg(json_build_object(
      'expression', pg_get_indexdef(x.oid, s.place, false), 'column', a.attname,
      'descending', (i.indoption[s.place - 1] & 1) <> 0, 'nulls_first', (i.indoption[s.place - 1] & 2) <> 0,
      'opclass', CASE WHEN NOT o.opcdefault THEN
        CASE WHEN pg_opclass_is_visible(o.oid) THEN quote_ident(o.opcname)
          ELSE quote_ident(oschema.nspname) || '.' || quote_ident(o.opcname) END END,
      'collation', CASE WHEN l.oid IS NOT NULL AND l.oid <> coalesce(a.attcollation, ktype.typcollation) THEN
        CASE WHEN pg_collation_is_visible(l.oid) THEN quote_ident(l.collname)
          ELSE quote_ident(lschema.nspname) || '.' || quote_ident(l.collname) END END) ORDER BY s.place)
    FROM generate_series(1, i.indnkeyatts) s(place)
    LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[s.place - 1] AND i.indkey[s.place - 1] <> 0
    JOIN pg_attribute k ON k.attrelid = x.oid AND k.attnum = s.place JOIN pg_type ktype ON ktype.oid = k.atttypid
    JOIN pg_opclass o ON o.oid = i.indclass[s.place - 1] JOIN pg_namespace oschema ON oschema.oid = o.opcnamespace
    LEFT JOIN pg_collation l ON l.oid = i.indcollation[s.place - 1]
    LEFT JOIN pg_namespace lschema ON lschema.oid = l.collnamespace),
  'include', (SELECT json_agg(a.attname ORDER BY s.place) FROM generate_series(i.indnkeyatts + 1, i.indnatts) s(place)
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[s.place - 1]))
FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am am ON am.oid = x.relam
JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY ({schemas}) AND c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition
  AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = x.oid AND k.contype IN ('p', 'u', 'x'))";

/// Extended statistics of these tables.
pub(super) const STATISTICS: &str = "
SELECT json_build_object(
  'schema', n.nspname, 'table', c.relname, 'name', s.stxname,
  'kinds', (SELECT json_agg(k) FROM unnest(s.stxkind) AS u(k)),
  'columns', (SELECT json_agg(a.attname) FROM unnest(s.stxkeys::int2[]) AS u(attnum)
    JOIN pg_attribute a ON a.attrelid = s.stxrelid AND a.attnum = u.attnum),
  'expressions', to_json(pg_get_statisticsobjdef_expressions(s.oid)))
FROM pg_statistic_ext s JOIN pg_class c ON c.oid = s.stxrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY ({schemas}) AND c.relkind IN ('r', 'p') AND NOT c.relispartition";

/// Triggers that fire. A disabled one is none.
pub(super) const TRIGGERS: &str = "
SELECT json_build_object(
  'schema', n.nspname, 'table', c.relname, 'name', t.tgname, 'type', t.tgtype, 'definition', pg_get_triggerdef(t.oid, false),
  'constraint', t.tgconstraint <> 0, 'deferred', t.tgdeferrable AND t.tginitdeferred,
  'function_schema', fn.nspname, 'function', f.proname,
  'columns', (SELECT json_agg(a.attname ORDER BY u.place) FROM unnest(t.tgattr::int2[]) WITH ORDINALITY u(attnum, place)
    JOIN pg_attribute a ON a.attrelid = t.tgrelid AND a.attnum = u.attnum))
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_proc f ON f.oid = t.tgfoid JOIN pg_namespace fn ON fn.oid = f.pronamespace
WHERE n.nspname = ANY ({schemas}) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND NOT t.tgisinternal AND t.tgparentid = 0 AND t.tgenabled <> 'D'";

/// Row-level security policies.
pub(super) const POLICIES: &str = "
SELECT json_build_object(
  'schema', n.nspname, 'table', c.relname, 'name', p.polname, 'command', p.polcmd,
  'roles', (SELECT json_agg(r.rolname ORDER BY r.rolname) FROM pg_roles r WHERE r.oid = ANY (p.polroles)),
  'using', pg_get_expr(p.polqual, p.polrelid) || CASE WHEN p.polpermissive THEN '' ELSE ' RESTRICTIVE' END,
  'check', pg_get_expr(p.polwithcheck, p.polrelid) || CASE WHEN p.polpermissive THEN '' ELSE ' RESTRICTIVE' END)
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY ({schemas}) AND c.relkind IN ('r', 'p') AND NOT c.relispartition";

/// What roles other than the owner may do to tables and views.
pub(super) const GRANTS: &str = "
SELECT json_build_object(
  'schema', n.nspname, 'table', c.relname, 'role', coalesce(r.rolname, 'public'), 'privileges', json_agg(a.privilege_type))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL aclexplode(c.relacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE n.nspname = ANY ({schemas}) AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition AND a.grantee <> c.relowner
GROUP BY n.nspname, c.relname, r.rolname";

/// Functions and procedures that belong to no extension.
pub(super) const FUNCTIONS: &str = "
SELECT json_build_object('schema', n.nspname, 'name', f.proname, 'body', f.prosrc, 'definition', pg_get_functiondef(f.oid))
FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace
WHERE n.nspname = ANY ({schemas}) AND f.prokind IN ('f', 'p', 'w')
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'e')
ORDER BY f.proname, pg_get_function_identity_arguments(f.oid)";

/// Views and materialised views.
pub(super) const VIEWS: &str = "
SELECT json_build_object(
  'schema', n.nspname, 'name', c.relname, 'query', pg_get_viewdef(c.oid), 'materialized', c.relkind = 'm',
  'options', to_json(coalesce(c.reloptions, '{}')), 'comment', obj_description(c.oid, 'pg_class'))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY ({schemas}) AND c.relkind IN ('v', 'm')
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY c.oid";
