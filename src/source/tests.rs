//! Laws of the YAML reader: every character of every scalar is found again, whatever its style; nothing makes it panic.

use proptest::prelude::*;

use super::{Node, NodeKind, Parsed, SourceMap, Text, read};

fn reading(text: &str) -> (SourceMap, Parsed) {
    let mut map = SourceMap::new();
    let id = map.add("design.yaml", text.to_owned());
    let parsed = read(&map, id);
    (map, parsed)
}

fn tree(text: &str) -> (SourceMap, Node) {
    let (map, parsed) = reading(text);
    assert_eq!(parsed.faults, [], "{text}");
    (map, parsed.root.expect("a text without fault has a tree"))
}

/// What a snippet of the source is worth, if it is not the character itself.
fn is_worth(snippet: &str, character: char) -> bool {
    let is_break = matches!(snippet, "\n" | "\r\n" | "\r");
    match character {
        ' ' if is_break => true,
        '\n' if is_break || snippet.is_empty() => true,
        '\'' if snippet == "''" => true,
        _ => unescaped(snippet) == Some(character),
    }
}

fn unescaped(snippet: &str) -> Option<char> {
    let escape = snippet.strip_prefix('\\')?;
    let code = |digits: &str| u32::from_str_radix(digits, 16).ok();
    match escape.chars().next()? {
        'x' | 'U' => char::from_u32(code(&escape[1..])?),
        'u' if escape.len() > 5 => {
            let (high, low) = (code(&escape[1..5])?, code(&escape[7..11])?);
            char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))
        }
        'u' => char::from_u32(code(&escape[1..])?),
        'n' => Some('\n'),
        't' => Some('\t'),
        '0' => Some('\0'),
        'e' => Some('\u{1b}'),
        '_' => Some('\u{a0}'),
        other => Some(other),
    }
}

/// Each character stands where its text says, in order, and no visible character of the source is left over.
fn check(map: &SourceMap, text: &Text, visible: Option<&str>) -> Result<(), String> {
    let mut last = 0;
    let mut found = String::new();
    for (i, character) in text.as_str().char_indices() {
        let at = text.part(i..i + 1);
        let snippet = map.snippet(at);
        if snippet != character.to_string() && !is_worth(snippet, character) {
            return Err(format!("{character:?} of {text:?} is at {snippet:?}"));
        }
        if at.start < last {
            return Err(format!("{character:?} of {text:?} goes back"));
        }
        last = at.end;
        found.extend(snippet.split_whitespace());
    }
    let visible = visible.map(|v| v.split_whitespace().collect::<String>());
    match visible {
        Some(visible) if visible != found => Err(format!("{visible:?} became {found:?}")),
        _ => Ok(()),
    }
}

fn scalars<'a>(node: &'a Node, found: &mut Vec<&'a Text>) {
    match &node.kind {
        NodeKind::Null => {}
        NodeKind::Scalar(text, _) => found.push(text),
        NodeKind::Sequence(items) => items.iter().for_each(|item| scalars(item, found)),
        NodeKind::Mapping(entries) => {
            for entry in entries {
                found.push(&entry.key);
                scalars(&entry.value, found);
            }
        }
    }
}

#[test]
fn sql_in_a_block_points_into_the_file() {
    let text = "queries:\n  q:\n    sql: |\n      SELECT é, b\n\n        FROM t\n      WHERE x\n";
    let (map, root) = tree(text);
    let sql = root
        .get("queries")
        .and_then(|n| n.get("q")?.get("sql")?.text());
    let sql = sql.expect("it is there");
    assert_eq!(sql.as_str(), "SELECT é, b\n\n  FROM t\nWHERE x\n");
    let from = sql.as_str().find("FROM").expect("it is there");
    let at = sql.part(from..from + 4);
    assert_eq!(map.snippet(at), "FROM");
    assert_eq!(map.line_column(at).0.line, 6);
    assert_eq!(map.line_column(at).0.column, 9);
    assert_eq!(
        map.snippet(sql.at()),
        "SELECT é, b\n\n        FROM t\n      WHERE x"
    );
    check(&map, sql, None).expect("every character is found");
}

#[test]
fn all_styles_are_found_again() {
    for text in [
        "k: |\n  a\n  b\n",
        "k: |-\n  a\n  b\n",
        "k: |+\n  a\n\n\n",
        "k: |2\n    a\n   b\n",
        "k: |2-\n\n    a\n   b\n",
        "k: |\n\n\n  a\n\n  b",
        "k: | # why\n  a\nl: 1\n",
        "k: >\n  a\n  b\n\n  c\n\n\n  d\n    e\n\n    f\n  g\n",
        "k: >-\n\n  a\n  b",
        "k: >+\n  a\n\n\nl: 1",
        "k: a\n  b\n\n  c\n",
        "k: 'a ''b''\n  c\n\n  d '\n",
        "k: \"a \\\"b\\\" \\x41 \\u00e9 \\U0001F600 \\uD83D\\uDE00 \\t\\\n  c\\\n\n  d\n\n  e \"\n",
        "k: \"\n  a\"\n",
        "- a\n- |\n a\n  b\n- >\n a\n",
        "? |\n  a\n: b\n",
        "{a: 'x', \"b\\n\": y z, c: [d  e, f]}",
        "'q''s': 1\n\"d\\ts\": 2\n",
        "# 😀\nk: é 😀 — x # c\n",
    ] {
        for text in [
            text.to_owned(),
            text.replace('\n', "\r\n"),
            format!("\u{feff}{text}"),
        ] {
            let (map, root) = tree(&text);
            let mut found = Vec::new();
            scalars(&root, &mut found);
            for scalar in found {
                check(&map, scalar, None).unwrap_or_else(|e| unreachable!("{e} in {text:?}"));
            }
        }
    }
}

#[test]
fn mappings_stand_from_their_first_to_their_last_child() {
    let (map, root) = tree("a:\n  b: 1\n  c: [x, y]\nd: {}\ne: [ ]\nf:\n");
    let snippet = |key| map.snippet(root.get(key).expect("it is there").at);
    assert_eq!(snippet("a"), "b: 1\n  c: [x, y]");
    assert_eq!(snippet("d"), "{}");
    assert_eq!(snippet("e"), "[ ]");
    assert_eq!(snippet("f"), "");
}

#[test]
fn anchors_aliases_and_merges_are_resolved() {
    let (map, root) = tree(
        "x: &x {a: 1, b: 2}\ny: *x\nz:\n  b: 3\n  <<: [*x, {a: 9, c: 4}]\n&k key: v\nw: [*k]\n",
    );
    assert_eq!(
        root.to_json(),
        serde_json::json!({"x": {"a": 1, "b": 2}, "y": {"a": 1, "b": 2}, "z": {"b": 3, "a": 1, "c": 4}, "key": "v", "w": ["key"]})
    );
    let a = root.get("z").and_then(|z| z.entry("a")).expect("merged");
    assert_eq!(map.line_column(a.key.at()).0.line, 1);
    assert_eq!(
        map.snippet(root.get("z").expect("it is there").at)
            .lines()
            .count(),
        2
    );
    let quoted = tree("a: {'<<': {b: 1}}").1;
    assert!(quoted.get("a").and_then(|a| a.get("<<")).is_some());
}

/// The first fault's code, message and place (`line:column`).
fn fault(text: &str) -> (String, String) {
    let (map, parsed) = reading(text);
    let fault = parsed
        .faults
        .first()
        .unwrap_or_else(|| unreachable!("{text:?} is accepted"));
    let at = map.line_column(fault.at).0;
    (
        format!(
            "{}:{} {}: {}",
            at.line, at.column, fault.code, fault.message
        ),
        fault.help.clone().unwrap_or_default(),
    )
}

#[test]
fn bad_files_are_refused_with_a_place_and_a_next_step() {
    let deep = format!("a: {}", "[".repeat(1000));
    let deep_block = (0..1000)
        .map(|i| format!("{}a:\n", " ".repeat(i)))
        .collect::<String>();
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n".to_owned()
        + &('b'..='i')
            .map(|c| {
                let before = (c as u8 - 1) as char;
                format!("{c}: &{c} [{}]\n", vec![format!("*{before}"); 10].join(","))
            })
            .collect::<String>();
    for (text, wanted) in [
        ("", "1:1 syntax: the file is empty"),
        (" \n\r\n", "1:1 syntax: the file is empty"),
        (
            "# only\n---\n# words\n",
            "1:1 syntax: the file holds nothing but comments",
        ),
        (
            "a: 1\n\u{0}",
            "2:1 syntax: the file is not text: it holds a control character (U+0000)",
        ),
        ("\u{7f}ELF\u{2}", "1:1 syntax: the file is not text"),
        (
            "a: 1\n\tb: 2\n",
            "2:1 syntax: YAML does not allow tabs for indentation",
        ),
        (
            "a:\n\tb: 2\n",
            "2:1 syntax: YAML does not allow tabs for indentation",
        ),
        (
            "a:\n  b:\n  \tc: 2\n",
            "3:3 syntax: YAML does not allow tabs for indentation",
        ),
        (
            "a: 1\n---\nb: 2\n",
            "2:1 syntax: the file holds a second document",
        ),
        (
            "a: {type: numeric(12,2)}\n",
            "1:11 syntax: a comma inside braces ends a value: `numeric(12,2)` is torn apart",
        ),
        (
            "a: [lower(b, c), d]\n",
            "1:5 syntax: a comma inside brackets ends a value: `lower(b, c)` is torn apart",
        ),
        (
            "a: {type: text[], b: c}\n",
            "1:15 syntax: expected `,` or `}` here",
        ),
        ("a: *b\n", "1:4 syntax: `*b` stands for nothing"),
        (
            "a: &a [*a]\n",
            "1:8 syntax: an alias inside the value that it stands for",
        ),
        (
            "a: !x y\n",
            "1:7 syntax: the tag `!x` has no meaning in a design",
        ),
        (
            "a: b: c\n",
            "1:5 syntax: a second `key: value` on this line",
        ),
        (
            "a: @b\n",
            "1:4 syntax: a value cannot start with `@` without quotes",
        ),
        (
            "a: 'b\nc: d\n",
            "1:4 syntax: this quote is not closed before the next key",
        ),
        ("a: 'b' c\n", "1:8 syntax: text after a closing quote"),
        (
            "a: \"\\d\"\n",
            "1:4 syntax: no such escape in double quotes",
        ),
        ("a:\n  b: 1\n c: 2\n", "3:2 syntax: expected a key here"),
        (
            "a: 1\nb\nc: 2\n",
            "2:1 syntax: this line is no `key: value`",
        ),
        (
            "? [a]\n: b\n",
            "1:3 syntax: a key must be a single value, this is a list",
        ),
        (
            "a: {{ b }}\n",
            "1:5 syntax: a key must be a single value, this is a mapping",
        ),
        (
            "a: 1\nb: 2\na: 3\n",
            "3:1 duplicate-key: `a` is given twice in one mapping",
        ),
        (
            "a: {<<: 1}\n",
            "1:9 syntax: `<<` merges mappings, this is a single value",
        ),
        (&deep, "1:68 too-large: nested deeper than 64 levels"),
        (&deep_block, "too-large: nested deeper than 64 levels"),
        (
            &bomb,
            "too-large: aliases copy more than 50000 keys and values",
        ),
    ] {
        let (said, help) = fault(text);
        assert!(
            said.contains(wanted),
            "{said:?} is not {wanted:?}\n{text:.200}"
        );
        if !said.contains("merges") {
            assert!(!help.is_empty(), "no help for {said}");
        }
    }
}

#[test]
fn a_file_of_more_than_10_mb_is_refused() {
    let text = "a: b\n".repeat(2_400_000);
    assert!(fault(&text).0.contains("the file has 11 MB"));
    let nodes = "- 1\n".repeat(500_001);
    assert!(fault(&nodes).0.contains("more than 500000 keys and values"));
}

#[test]
fn what_a_stranger_writes_costs_little() {
    let open = "(,".repeat(50_000);
    let anchors = (0..25_000)
        .map(|i| format!("- &a{i} x\n"))
        .collect::<String>();
    let tabs = "a: 'x\n\tb\n".repeat(25_000);
    let keys = (0..25_000)
        .map(|i| format!("k{i}: [\n"))
        .collect::<String>();
    let bombs = "a: &a [x,x,x,x,x,x,x,x,x,x]\n".to_owned()
        + &"b: [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n".repeat(25_000)
        + "c: [\n";
    for text in [
        format!("[{open}]"),
        format!("a: {{{open}}}"),
        anchors,
        tabs,
        keys,
        bombs,
    ] {
        let (_, parsed) = reading(&text);
        // Quadratic work on these would not end within the patience of anybody who runs the tests.
        assert!(parsed.root.is_some() || !parsed.faults.is_empty());
    }
}

#[test]
fn torn_values_are_put_together_again() {
    let (_, parsed) = reading("a: {type: numeric(12, 2), b: f(x,y,z), c: [g(1,2) desc, h]}");
    assert_eq!(parsed.faults.len(), 3);
    assert_eq!(
        parsed.root.expect("it can be read").to_json(),
        serde_json::json!({"a": {"type": "numeric(12, 2)", "b": "f(x,y,z)", "c": ["g(1,2) desc", "h"]}})
    );
}

#[test]
fn all_duplicates_are_reported_with_their_first() {
    let (map, parsed) = reading("a: 1\na: 2\nb: {c: 1, c: 2}\na: 3\n");
    let places: Vec<_> = parsed
        .faults
        .iter()
        .map(|f| {
            (
                map.line_column(f.at).0.line,
                map.line_column(f.also[0].0).0.line,
            )
        })
        .collect();
    assert_eq!(places, [(2, 1), (3, 3), (4, 1)]);
    assert!(parsed.is_whole);
    assert_eq!(
        parsed.root.expect("it can be read").to_json(),
        serde_json::json!({"a": 1, "b": {"c": 1}})
    );
}

#[test]
fn a_fault_in_one_section_does_not_hide_those_of_others() {
    let (map, parsed) = reading(
        "design: x\ntables:\n  t: {a: [b, c}\nqueries:\n  q: *anchored\ncommands:\n  c:\n    - a\n   b: c\nstates: 'x\n",
    );
    let lines: Vec<_> = parsed
        .faults
        .iter()
        .map(|f| map.line_column(f.at).0.line)
        .collect();
    assert_eq!(lines, [3, 9, 10], "{:?}", parsed.faults);
    assert!(!parsed.is_whole);
    let root = parsed.root.expect("two sections can be read");
    let keys: Vec<_> = root.entries().iter().map(|e| e.key.as_str()).collect();
    assert_eq!(keys, ["design", "queries"]);
}

#[test]
fn an_unclosed_bracket_is_shown_where_it_opens() {
    let (said, _) = fault("a:\n  b: {c: 1\nd:\n  e: {f: 1}\n");
    assert!(said.starts_with("2:"), "{said}");
}

/// Words that are safe in every style.
fn word() -> impl Strategy<Value = String> {
    "[a-zé—😀0-9_.()=<>']{1,8}".prop_map(|w| format!("w{w}"))
}

fn line() -> impl Strategy<Value = String> {
    prop::collection::vec((word(), "[ ]{1,3}"), 1..4)
        .prop_map(|parts| parts.into_iter().map(|(w, b)| w + &b).collect::<String>())
        .prop_map(|line| line.trim_end().to_owned())
}

/// Lines for a block, some blank, some deeper; the first is neither.
fn lines() -> impl Strategy<Value = Vec<String>> {
    let more = prop_oneof![
        4 => line(),
        1 => Just(String::new()),
        1 => line().prop_map(|l| format!("  {l} ")),
        1 => line().prop_map(|l| format!("\t{l} # no comment: here, [{{\"")),
    ];
    (line(), prop::collection::vec(more, 0..6)).prop_map(|(first, mut more)| {
        more.insert(0, first);
        more
    })
}

fn indented(lines: &[String], indent: usize) -> String {
    lines
        .iter()
        .map(|line| match line.as_str() {
            "" => "\n".to_owned(),
            line => format!("{}{line}\n", " ".repeat(indent)),
        })
        .collect()
}

/// A scalar as it is written after `key:`, with what is to be seen of it.
fn written() -> impl Strategy<Value = (String, String)> {
    let block = (
        prop_oneof![Just('|'), Just('>')],
        prop_oneof![Just(""), Just("-"), Just("+")],
        0usize..3,
        1usize..4,
        any::<bool>(),
        lines(),
    )
        .prop_map(|(style, chomp, leading, indent, is_explicit, lines)| {
            let visible = lines.join("\n");
            let explicit = if is_explicit {
                indent.to_string()
            } else {
                String::new()
            };
            let body = indented(&lines, indent + 2);
            (
                format!("{style}{explicit}{chomp}\n{}{body}", "\n".repeat(leading)),
                visible,
            )
        });
    let plain = prop::collection::vec(prop_oneof![4 => line(), 1 => Just(String::new())], 0..4)
        .prop_flat_map(|more| (line(), Just(more)))
        .prop_map(|(first, more)| {
            let visible = format!("{first}\n{}", more.join("\n"));
            (format!("{first}\n{}", indented(&more, 4)), visible)
        });
    let single = lines().prop_map(|lines| {
        let quoted = |text: String| text.replace('\t', "").replace('\'', "''");
        let inner = quoted(indented(&lines, 4));
        (format!("'{}'\n", inner.trim()), quoted(lines.join("\n")))
    });
    let piece = prop_oneof![
        word().prop_map(|w| (w.clone(), w)),
        prop::sample::select(vec![
            "\\n",
            "\\t",
            "\\\"",
            "\\\\",
            "\\x41",
            "\\u00e9",
            "\\U0001F600",
            "\\uD83D\\uDE00",
            "  ",
            "\n    ",
            " \n\n  \n    ",
        ])
        .prop_map(|piece| (piece.to_owned(), piece.to_owned())),
        prop::sample::select(vec![" \\\n    ", "\\\n\n    "])
            .prop_map(|piece| (piece.to_owned(), String::new())),
    ];
    let double = prop::collection::vec(piece, 1..12).prop_map(|pieces| {
        let (inner, visible): (Vec<_>, Vec<_>) = pieces.into_iter().unzip();
        (format!("\"{}\"\n", inner.concat()), visible.concat())
    });
    prop_oneof![3 => block, 1 => plain, 1 => single, 2 => double]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_character_of_every_scalar_is_found_again(
        (scalar, visible) in written(),
        is_crlf: bool,
        has_bom: bool,
        is_last: bool,
        ends_in_break: bool,
    ) {
        let mut text = format!("first: é\ntop:\n  key: {scalar}");
        if !is_last {
            text.push_str("  next: 1\n");
        } else if !ends_in_break {
            text.truncate(text.trim_end().len());
        }
        if is_crlf {
            text = text.replace('\n', "\r\n");
        }
        if has_bom {
            text.insert(0, '\u{feff}');
        }
        let (map, parsed) = reading(&text);
        prop_assert!(parsed.faults.is_empty(), "{:?} in {text:?}", parsed.faults);
        let root = parsed.root.expect("a text without fault has a tree");
        let node = root.get("top").and_then(|top| top.get("key")).expect("it is there");
        if let Some(found) = node.text() {
            let checked = check(&map, found, Some(&visible));
            prop_assert!(checked.is_ok(), "{checked:?} in {text:?}");
        }
    }

    #[test]
    fn random_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        survives(&String::from_utf8_lossy(&bytes))?;
    }

    #[test]
    fn random_indicators_do_no_harm(text in "([-?:,{}\\[\\]#&*!|>'\"%@` \t\nab0é<~.\\\\(]|\r\n|<<: |- |: |--- |\n  ){0,60}") {
        survives(&text)?;
    }

    #[test]
    fn changed_designs_do_no_harm(
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0usize..12, "[-?:,{}\\[\\]#&*!|>'\"%@` \t\nab0é<~\\\\(]{0,4}"), 1..6)
    ) {
        let mut text = SAMPLE.to_owned();
        for (at, length, new) in changes {
            let boundaries: Vec<_> = text.char_indices().map(|(i, _)| i).chain([text.len()]).collect();
            let from = at.index(boundaries.len());
            let to = (from + length).min(boundaries.len() - 1);
            text.replace_range(boundaries[from]..boundaries[to], &new);
        }
        survives(&text)?;
    }
}

const SAMPLE: &str = "pgproof: 1\ndesign: s\ntables: &t\n  a: {b: 'x''y', c: \"\\u00e9\\n\", d: numeric(1,2)}\n  e: |2\n     SELECT 1\n\n    FROM x\n  f: >-\n    one\n    two\n\n    three\n  <<: {g: 1}\nqueries: *t\nlist:\n- a\n- - b\n  - c\n? k\n: v\n";

/// No panic, and every span lies in the text, between characters.
fn survives(text: &str) -> Result<(), TestCaseError> {
    let (map, parsed) = reading(text);
    let mut spans: Vec<_> = parsed.faults.iter().map(|fault| fault.at).collect();
    if let Some(root) = &parsed.root {
        let mut found = Vec::new();
        scalars(root, &mut found);
        for scalar in found {
            spans.push(scalar.at());
            for (i, _) in scalar.as_str().char_indices() {
                spans.push(scalar.part(i..i + 1));
            }
        }
    }
    for at in spans {
        let range = at.start as usize..at.end as usize;
        prop_assert!(text.get(range).is_some(), "{at:?} of {text:?}");
        map.line_column(at);
    }
    prop_assert!(parsed.root.is_some() || !parsed.faults.is_empty());
    Ok(())
}
