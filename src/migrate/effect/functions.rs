//! Functions that give every row of a statement the same value.

/// Words before a parenthesis that are no function of somebody's own: stable functions of PostgreSQL's own and of the extensions that come with it,
/// types, syntax.
const STABLE: &str = "\
abbrev abs acos acosd acosh age akeys and area array array_append array_cat array_dims array_fill array_length array_lower array_ndims \
array_position array_positions array_prepend array_remove array_replace array_to_json array_to_string array_to_tsvector array_upper ascii \
asind asinh atan atan2 atan2d atand atanh avals between bit bit_count bit_length bool box bpchar broadcast btrim cardinality case cast cbrt \
ceil ceiling center char char_length character character_length chr cidr circle coalesce col_description concat concat_ws convert \
convert_from convert_to cos cosd cosh cot cotd crypt cube current_database current_date current_schema current_schemas current_setting \
current_time current_timestamp current_user date date_add date_bin date_part date_subtract date_trunc datemultirange daterange decimal \
decode degrees dexp diagonal diameter digest div else encode enum_first enum_last enum_range exp extract factorial family float float4 \
float8 floor format format_type gcd get_bit get_byte greatest hashtext height hmac host hostmask hstore in inet inet_client_addr \
inet_server_addr initcap int2 int4 int4multirange int4range int8 int8multirange int8range interval is is_normalized isclosed isempty \
isfinite ishorizontal isopen isparallel isperp isvertical json_build_array json_build_object json_extract_path_text json_object \
json_strip_nulls json_typeof jsonb_array_length jsonb_build_array jsonb_build_object jsonb_extract_path jsonb_extract_path_text jsonb_insert \
jsonb_object jsonb_path_exists jsonb_path_query_first jsonb_pretty jsonb_set jsonb_strip_nulls jsonb_typeof justify_days justify_hours \
justify_interval lcm least left length levenshtein like line ln localtime localtimestamp log log10 lower lower_inc lower_inf lpad lseg ltree \
ltree2text ltrim make_date make_interval make_time make_timestamp make_timestamptz masklen md5 metaphone min_scale mod money multirange name \
netmask network normalize not notlike now nullif num_nonnulls num_nulls numeric nummultirange numnode numrange obj_description octet_length \
oid or overlaps overlay parse_ident path pg_backend_pid pg_get_userbyid pg_postmaster_start_time pg_size_pretty phraseto_tsquery pi \
plainto_tsquery point polygon position pow power querytree quote_ident quote_literal quote_nullable radians radius regclass regexp_count \
regexp_instr regexp_like regexp_match regexp_replace regexp_split_to_array regexp_substr repeat replace reverse right round row \
row_security_active row_to_json rpad rtrim satisfies_hash_partition scale session_user set_bit set_byte set_masklen setweight sha224 sha256 \
sha384 sha512 sign similarity sind sinh slope soundex split_part sqrt starts_with statement_timestamp string_agg string_to_array strip \
strpos substr substring tan tand tanh text text2ltree then time timestamp timestamptz timetz timezone to_ascii to_char to_date to_hex \
to_json to_jsonb to_number to_regclass to_regcollation to_regnamespace to_regoper to_regoperator to_regproc to_regprocedure to_regrole \
to_regtype to_timestamp to_tsquery to_tsvector transaction_timestamp translate trim trim_array trim_scale trunc ts_delete ts_filter \
ts_headline ts_lexize ts_rank ts_rank_cd tsmultirange tsrange tstzmultirange tstzrange tsvector_to_array txid_current unaccent unistr upper \
upper_inc upper_inf uuid_generate_v3 uuid_generate_v5 uuid_nil uuid_ns_dns uuid_ns_oid uuid_ns_url uuid_ns_x500 varbit varchar varying \
version websearch_to_tsquery when width width_bucket xmlcomment xpath xpath_exists";

/// Whether a call of this name is known to be stable.
pub(super) fn is_stable(name: &str) -> bool {
    STABLE.split_whitespace().any(|known| known == name)
}
