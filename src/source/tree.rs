//! The parser's events, put together as a tree.

use std::collections::{HashMap, HashSet};

use granit_parser::{Event, Parser, ScalarStyle, Span as Marks, StrInput, StructureStyle, Tag};

use super::fault::{DUPLICATE_KEY, Fault, SYNTAX, TOO_LARGE};
use super::node::{Entry, Node, NodeKind, Style};
use super::positions::{Notation, align};
use super::span::{SourceId, Span};
use super::syntax::{self, DEPTH};
use super::text::Text;
use super::torn;

/// Most keys and values of one file, copies by aliases included.
const NODES: usize = 500_000;
/// Most keys and values that aliases may copy.
const COPIES: usize = 50_000;

/// Keeps the first of equal keys, and reports the others.
pub(super) fn without_duplicates(entries: Vec<Entry>, faults: &mut Vec<Fault>) -> Vec<Entry> {
    let mut first = HashMap::<String, Span>::new();
    let mut kept = Vec::with_capacity(entries.len());
    for entry in entries {
        let at = entry.key.at();
        match first.get(entry.key.as_str()) {
            Some(before) => faults.push(
                Fault::new(
                    DUPLICATE_KEY,
                    format!("`{}` is given twice in one mapping", entry.key),
                    at,
                )
                .also(*before, "first given here")
                .help("keep one of them, or merge what they say"),
            ),
            None => {
                first.insert(entry.key.as_str().to_owned(), at);
                kept.push(entry);
            }
        }
    }
    kept
}

/// Reading stops; the fault is noted.
struct Stop;

pub(super) struct Builder<'a> {
    events: Parser<'a, StrInput<'a>>,
    /// The whole source.
    text: &'a str,
    id: SourceId,
    /// First byte of what is parsed.
    base: usize,
    pub(super) faults: Vec<Fault>,
    /// No fault of syntax so far.
    pub(super) is_sound: bool,
    /// There is a second document, which is not read.
    pub(super) has_more: bool,
    /// Only a part of the file is read: anchors may be elsewhere.
    pub(super) is_part: bool,
    anchors: HashMap<usize, (Node, usize)>,
    pub(super) spent: Budget,
    depth: usize,
}

/// What a file has cost so far.
#[derive(Clone, Copy, Default)]
pub(super) struct Budget {
    nodes: usize,
    copies: usize,
}

/// An entry of a mapping before duplicates and merge keys are dealt with.
pub(super) struct Pair {
    pub(super) entry: Entry,
    pub(super) is_plain: bool,
}

impl<'a> Builder<'a> {
    pub(super) fn new(text: &'a str, id: SourceId, from: usize, to: usize) -> Builder<'a> {
        let options = granit_parser::options! {
            emit_unresolved_aliases: true,
            emit_comments: false,
            flow_nesting_limit: DEPTH,
            block_nesting_limit: DEPTH,
        };
        Builder {
            events: Parser::new_from_str_with_options(&text[from..to], options),
            text,
            id,
            base: from,
            faults: Vec::new(),
            is_sound: true,
            has_more: false,
            is_part: false,
            anchors: HashMap::new(),
            spent: Budget::default(),
            depth: 0,
        }
    }

    /// The one document; `None` where there is none to be had.
    pub(super) fn document(&mut self) -> Option<Node> {
        let mut root = None;
        loop {
            let (event, marks) = self.next().ok()?;
            match event {
                Event::StreamStart | Event::DocumentEnd => {}
                Event::StreamEnd => return root,
                Event::DocumentStart(..) if root.is_some() => {
                    let fault = Fault::new(
                        SYNTAX,
                        "the file holds a second document",
                        self.span(&marks),
                    )
                    .help("keep one design in one file: take the `---` out, or move what follows to a file of its own");
                    self.faults.push(fault);
                    self.has_more = true;
                    return root;
                }
                Event::DocumentStart(..) => {}
                event => root = Some(self.node(event, &marks).ok()?),
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'a>, Marks), Stop> {
        match self.events.next_event() {
            Some(Ok(found)) => Ok(found),
            Some(Err(error)) => {
                let fault = syntax::fault(&error, self.id, self.text, self.base);
                Err(self.stop(fault))
            }
            None => Ok((Event::StreamEnd, Marks::default())),
        }
    }

    fn stop(&mut self, fault: Fault) -> Stop {
        self.is_sound = false;
        self.faults.push(fault);
        Stop
    }

    fn span(&self, marks: &Marks) -> Span {
        let byte = |mark: &granit_parser::Marker| {
            (self.base + mark.byte_offset().unwrap_or(0)).min(self.text.len()) as u32
        };
        Span::new(self.id, byte(&marks.start), byte(&marks.end))
    }

    fn node(&mut self, event: Event<'a>, marks: &Marks) -> Result<Node, Stop> {
        let at = self.span(marks);
        self.spent.nodes += 1;
        if self.spent.nodes > NODES {
            let message = format!("more than {NODES} keys and values in one file");
            return Err(self.stop(Fault::new(TOO_LARGE, message, at)));
        }
        let before = self.spent.nodes;
        let (node, anchor) = match event {
            Event::Scalar(value, style, anchor, tag) => {
                let is_text = self.tag(tag.as_deref(), at);
                (self.scalar(&value, style, at, marks, is_text), anchor)
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.tag(tag.as_deref(), at);
                (self.nested(at, |b| b.sequence(at, style))?, anchor)
            }
            Event::MappingStart(style, anchor, tag) => {
                self.tag(tag.as_deref(), at);
                (self.nested(at, |b| b.mapping(at, style))?, anchor)
            }
            Event::Alias(target) => (self.copy(target, at)?, 0),
            Event::UnresolvedAlias(name) => (self.unknown_alias(&name, at), 0),
            _ => (null(at), 0),
        };
        if anchor > 0 {
            let size = self.spent.nodes - before + 1;
            self.anchors.insert(anchor, (node.clone(), size));
        }
        Ok(node)
    }

    fn nested(
        &mut self,
        at: Span,
        inner: impl FnOnce(&mut Self) -> Result<Node, Stop>,
    ) -> Result<Node, Stop> {
        if self.depth == DEPTH {
            return Err(self.stop(syntax::too_deep(at)));
        }
        self.depth += 1;
        let node = inner(self)?;
        self.depth -= 1;
        Ok(node)
    }

    /// Whether a tag makes a scalar text. Tags of other programs mean nothing here.
    fn tag(&mut self, tag: Option<&Tag>, at: Span) -> bool {
        match tag {
            None => false,
            Some(tag) if tag.is_yaml_core_schema() => tag.core_suffix() == Some("str"),
            Some(tag) if tag.original() == "!" => true,
            Some(tag) => {
                let message = format!("the tag `{}` has no meaning in a design", tag.original());
                let fault = Fault::new(SYNTAX, message, at)
                    .help("take it out, or put the value in quotes if it starts with `!`");
                self.faults.push(fault);
                false
            }
        }
    }

    /// What an alias stands for.
    fn copy(&mut self, target: usize, at: Span) -> Result<Node, Stop> {
        let Some((node, size)) = self.anchors.get(&target) else {
            let fault = Fault::new(SYNTAX, "an alias inside the value that it stands for", at)
                .help("write the value out");
            self.faults.push(fault);
            return Ok(null(at));
        };
        self.spent.copies += size;
        self.spent.nodes += size;
        if self.spent.copies > COPIES {
            let message = format!("aliases copy more than {COPIES} keys and values");
            let fault = Fault::new(TOO_LARGE, message, at)
                .help("write repeated parts out, or use fewer aliases of aliases");
            return Err(self.stop(fault));
        }
        Ok(node.clone())
    }

    fn unknown_alias(&mut self, name: &str, at: Span) -> Node {
        if !self.is_part {
            let message =
                format!("`*{name}` stands for nothing: no anchor `&{name}` comes before it");
            let fault = Fault::new(SYNTAX, message, at)
                .help("put the value in quotes if it is meant to start with `*`");
            self.faults.push(fault);
        }
        null(at)
    }

    fn scalar(
        &self,
        value: &str,
        style: ScalarStyle,
        at: Span,
        marks: &Marks,
        is_text: bool,
    ) -> Node {
        if style == ScalarStyle::Plain
            && !is_text
            && matches!(value, "" | "~" | "null" | "Null" | "NULL")
        {
            return null(at);
        }
        let text = self.text(value, style, at, marks);
        let style = match style {
            ScalarStyle::Plain if !is_text => Style::Plain,
            _ => Style::Quoted,
        };
        Node {
            at: text.at(),
            kind: NodeKind::Scalar(text, style),
        }
    }

    fn text(&self, value: &str, style: ScalarStyle, at: Span, marks: &Marks) -> Text {
        let (mut start, mut end) = (at.start as usize, at.end as usize);
        let notation = match style {
            ScalarStyle::Plain => Notation::Plain,
            ScalarStyle::SingleQuoted => Notation::SingleQuoted,
            ScalarStyle::DoubleQuoted => Notation::DoubleQuoted,
            ScalarStyle::Literal | ScalarStyle::Folded => Notation::Block {
                indent: marks.start.col(),
            },
        };
        if matches!(notation, Notation::SingleQuoted | Notation::DoubleQuoted) {
            (start, end) = (start + 1, end.saturating_sub(1).max(start + 1));
        }
        let mut whole = at;
        if let (Notation::Block { .. }, Some(written)) = (notation, self.text.get(start..end)) {
            whole.end = whole.start + written.trim_end().len() as u32;
        }
        match align(self.text, start, end, notation, value) {
            Some(runs) => Text::new(value, whole, runs),
            None => Text::at_once(value, whole),
        }
    }

    fn sequence(&mut self, at: Span, style: StructureStyle) -> Result<Node, Stop> {
        let mut items = Vec::new();
        loop {
            let (event, marks) = self.next()?;
            if event == Event::SequenceEnd {
                let at = around(
                    at,
                    self.span(&marks),
                    style,
                    items.iter().map(|n: &Node| n.at),
                );
                if style == StructureStyle::Flow {
                    torn::join_items(self.text, &mut items, &mut self.faults);
                }
                return Ok(Node {
                    at,
                    kind: NodeKind::Sequence(items),
                });
            }
            items.push(self.node(event, &marks)?);
        }
    }

    fn mapping(&mut self, at: Span, style: StructureStyle) -> Result<Node, Stop> {
        let mut pairs = Vec::new();
        loop {
            let (event, marks) = self.next()?;
            if event == Event::MappingEnd {
                let spans = pairs
                    .iter()
                    .flat_map(|p: &Pair| [p.entry.key.at(), p.entry.value.at]);
                let at = around(at, self.span(&marks), style, spans);
                if style == StructureStyle::Flow {
                    torn::join_pairs(self.text, &mut pairs, &mut self.faults);
                }
                let entries = self.merged(pairs);
                return Ok(Node {
                    at,
                    kind: NodeKind::Mapping(without_duplicates(entries, &mut self.faults)),
                });
            }
            let pair = self.pair(event, &marks)?;
            pairs.extend(pair);
        }
    }

    /// A key and its value; `None` (and a fault) where the key is no single value.
    fn pair(&mut self, event: Event<'a>, marks: &Marks) -> Result<Option<Pair>, Stop> {
        let at = self.span(marks);
        let key = match &event {
            Event::Scalar(value, style, ..) => Some((
                self.text(value, *style, at, marks),
                *style == ScalarStyle::Plain,
            )),
            _ => None,
        };
        let key_node = self.node(event, marks)?;
        // An alias may stand for a key.
        let key = key.or_else(|| key_node.text().map(|text| (text.clone(), false)));
        let (event, marks) = self.next()?;
        let value = self.node(event, &marks)?;
        let Some((key, is_plain)) = key else {
            let message = format!("a key must be a single value, this is {}", key_node.noun());
            let fault = Fault::new(SYNTAX, message, at)
                .help("write the key as plain text; `{{ … }}` of a template needs quotes");
            self.faults.push(fault);
            return Ok(None);
        };
        let entry = Entry { key, value };
        Ok(Some(Pair { entry, is_plain }))
    }

    /// Entries with those that `<<` brings in. What a mapping says itself comes before what it merges.
    fn merged(&mut self, pairs: Vec<Pair>) -> Vec<Entry> {
        let is_merge = |pair: &Pair| pair.is_plain && pair.entry.key.as_str() == "<<";
        if !pairs.iter().any(is_merge) {
            return pairs.into_iter().map(|pair| pair.entry).collect();
        }
        let mut known = pairs
            .iter()
            .map(|pair| pair.entry.key.as_str().to_owned())
            .collect::<HashSet<_>>();
        let mut entries = Vec::new();
        for pair in pairs {
            if !is_merge(&pair) {
                entries.push(pair.entry);
                continue;
            }
            let value = pair.entry.value;
            let sources = match &value.kind {
                NodeKind::Sequence(items) => items.iter().collect(),
                _ => vec![&value],
            };
            for source in sources {
                if !matches!(source.kind, NodeKind::Mapping(_) | NodeKind::Null) {
                    let message = format!("`<<` merges mappings, this is {}", source.noun());
                    self.faults.push(Fault::new(SYNTAX, message, source.at));
                }
                for entry in source.entries() {
                    if known.insert(entry.key.as_str().to_owned()) {
                        entries.push(entry.clone());
                    }
                }
            }
        }
        entries
    }
}

fn null(at: Span) -> Node {
    Node {
        at,
        kind: NodeKind::Null,
    }
}

/// From bracket to bracket, or from the first to the last child.
fn around(
    start: Span,
    end: Span,
    style: StructureStyle,
    children: impl Iterator<Item = Span>,
) -> Span {
    match style {
        StructureStyle::Flow => start.to(end),
        // A copy made by an alias or a merge stands elsewhere.
        StructureStyle::Block => children
            .filter(|child| child.start >= start.start && child.end <= end.end.max(start.end))
            .reduce(Span::to)
            .unwrap_or(start),
    }
}
