//! What a database has and no catalog can say: named, so that nobody takes it for the whole.

use crate::postgres::{Session, SqlFailure};
use crate::sql::{self, Ident};

/// One line for each thing in a schema, and for what belongs to the whole database.
const BEYOND: &str = "
SELECT what FROM (
  SELECT 'table ' || c.relname || ' inherits from ' || i.inhparent::regclass AS what
  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
  WHERE c.relnamespace = {schema} AND c.relkind IN ('r', 'f') AND NOT c.relispartition
  UNION ALL
  SELECT 'partition ' || c.relname || ' is partitioned itself' FROM pg_class c
  WHERE c.relnamespace = {schema} AND c.relkind = 'p' AND c.relispartition
  UNION ALL
  SELECT 'partition ' || i.inhrelid::regclass || ' of ' || p.relname || ' is in another schema'
  FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent JOIN pg_class c ON c.oid = i.inhrelid
  WHERE p.relnamespace = {schema} AND c.relispartition AND c.relnamespace <> p.relnamespace
  UNION ALL
  SELECT CASE c.relkind WHEN 'f' THEN 'foreign table ' ELSE 'sequence ' END || c.relname FROM pg_class c
  WHERE c.relnamespace = {schema} AND c.relkind IN ('f', 'S')
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i', 'e'))
  UNION ALL
  SELECT 'rule ' || r.rulename || ' on ' || c.relname FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
  WHERE c.relnamespace = {schema} AND r.rulename <> '_RETURN'
  UNION ALL
  SELECT 'trigger ' || t.tgname || ' on ' || c.relname || ' is ' || CASE t.tgenabled WHEN 'D' THEN 'disabled'
    WHEN 'R' THEN 'enabled for replicas only' ELSE 'enabled always' END
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
  WHERE c.relnamespace = {schema} AND NOT t.tgisinternal AND t.tgenabled <> 'O'
  UNION ALL
  SELECT 'trigger ' || t.tgname || ' on view ' || c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
  WHERE c.relnamespace = {schema} AND c.relkind = 'v' AND NOT t.tgisinternal
  UNION ALL
  SELECT CASE k.contype WHEN 'f' THEN 'foreign key ' ELSE 'constraint ' END || k.conname || ' on ' || c.relname
    || CASE WHEN NOT k.convalidated THEN ' was never validated' WHEN k.confmatchtype = 'f' THEN ' says MATCH FULL'
      WHEN k.condeferrable AND NOT k.condeferred THEN ' is deferrable, immediate at first' ELSE ' has columns behind INCLUDE' END
  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid LEFT JOIN pg_index i ON i.indexrelid = k.conindid
  WHERE c.relnamespace = {schema} AND k.conparentid = 0 AND NOT c.relispartition AND (NOT k.convalidated
    OR k.contype = 'f' AND k.confmatchtype = 'f' OR k.condeferrable AND NOT k.condeferred
    OR k.contype IN ('p', 'u') AND i.indnatts > i.indnkeyatts)
  UNION ALL
  SELECT 'unique index ' || i.indexrelid::regclass || ' says NULLS NOT DISTINCT' FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
  WHERE c.relnamespace = {schema} AND pg_get_indexdef(i.indexrelid) LIKE '%NULLS NOT DISTINCT%'
  UNION ALL
  SELECT 'index ' || i.indexrelid::regclass || ' of materialized view ' || c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
  JOIN pg_class x ON x.oid = i.indexrelid
  WHERE c.relnamespace = {schema} AND c.relkind = 'm' AND x.relname <> c.relname || '_key'
  UNION ALL
  SELECT 'option ' || o || ' of view ' || c.relname FROM pg_class c CROSS JOIN unnest(c.reloptions) o
  WHERE c.relnamespace = {schema} AND c.relkind IN ('v', 'm') AND o NOT LIKE 'security_invoker=%'
  UNION ALL
  SELECT 'table ' || c.relname || ' has a replica identity of its own' FROM pg_class c
  WHERE c.relnamespace = {schema} AND c.relkind IN ('r', 'p') AND c.relreplident <> 'd' AND NOT c.relispartition
  UNION ALL
  SELECT CASE t.typtype WHEN 'c' THEN 'composite type ' WHEN 'r' THEN 'range type ' ELSE 'base type ' END || t.typname FROM pg_type t
  LEFT JOIN pg_class c ON c.oid = t.typrelid
  WHERE t.typnamespace = {schema} AND (t.typtype = 'r' OR t.typtype = 'c' AND c.relkind = 'c' OR t.typtype = 'b' AND t.typelem = 0)
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
  UNION ALL
  SELECT 'aggregate ' || p.proname FROM pg_proc p WHERE p.pronamespace = {schema} AND p.prokind = 'a'
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
  UNION ALL
  SELECT 'operator ' || o.oprname FROM pg_operator o WHERE o.oprnamespace = {schema}
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_operator'::regclass AND d.objid = o.oid AND d.deptype = 'e')
  UNION ALL
  SELECT 'collation ' || l.collname FROM pg_collation l WHERE l.collnamespace = {schema}
  UNION ALL
  SELECT 'text search configuration ' || f.cfgname FROM pg_ts_config f WHERE f.cfgnamespace = {schema}
  UNION ALL
  SELECT 'text search dictionary ' || d.dictname FROM pg_ts_dict d WHERE d.dictnamespace = {schema}
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_ts_dict'::regclass AND e.objid = d.oid AND e.deptype = 'e')
  UNION ALL
  SELECT 'privileges on columns of ' || c.relname FROM pg_class c
  WHERE c.relnamespace = {schema} AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attacl IS NOT NULL)
  UNION ALL
  SELECT 'default privileges in the schema' FROM pg_default_acl d WHERE d.defaclnamespace = {schema} GROUP BY 1
  UNION ALL
  SELECT 'event trigger ' || evtname FROM pg_event_trigger
  UNION ALL
  SELECT 'publication ' || pubname FROM pg_publication
) beyond ORDER BY what";

/// What is there in a schema, and in the database around it, that a [`Catalog`](crate::catalog::Catalog) has no word for.
pub async fn beyond(session: &mut Session, schema: &Ident) -> Result<Vec<String>, SqlFailure> {
    let name = sql::literal(sql::quote_ident(schema).as_str());
    let schema = sql::fill("to_regnamespace({name})", &[("name", &name)]);
    let rows = session
        .query(&sql::fill(BEYOND, &[("schema", &schema)]))
        .await?
        .rows;
    let lines = rows.into_iter().filter_map(|mut row| row.pop().flatten());
    Ok(lines.collect())
}
