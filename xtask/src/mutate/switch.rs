//! How are all mutants of a file in one build? Each is a branch that is taken when its number is chosen.
//!
//! `cargo mutants` says which mutants there are and where; that it builds each alone is what takes a day. Here `a == b` becomes
//! `(a == b) ^ mutant(7)`, and a body begins with `if mutant(8) { return true; }`, so that one build has all of them. What the
//! type of a mutant does not allow is found when the whole does not compile, by the marks that stand around it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, bail};
use proc_macro2::LineColumn;
use serde_json::Value;
use syn::visit::{self, Visit};

/// What a crate gets at the end of its root, so that a mutant can be chosen.
pub(super) const CHOICE: &str = "
/// Whether this mutant is the one that was chosen.
pub fn mutant(id: u32) -> bool {
    static CHOSEN: std::sync::LazyLock<Option<u32>> =
        std::sync::LazyLock::new(|| std::env::var(\"ORCH_MUTANT\").ok().and_then(|id| id.parse().ok()));
    *CHOSEN == Some(id)
}
";

/// The variable that chooses.
pub(super) const VARIABLE: &str = "ORCH_MUTANT";

/// A mutant of one expression, as `cargo mutants` lists it.
#[derive(Debug, Clone)]
pub(super) struct Expression {
    /// Its place in the list.
    pub(super) id: usize,
    pub(super) file: String,
    /// What is replaced by what, and in which function.
    pub(super) name: String,
    /// Where it begins: a line, from 1.
    pub(super) line: usize,
    genre: String,
    from: LineColumn,
    to: LineColumn,
    instead: String,
}

impl Expression {
    /// Its file and its name.
    pub(super) fn called(&self) -> String {
        format!("{}: {}", self.file, self.name)
    }

    /// Reads one of the list.
    pub(super) fn read(id: usize, listed: &Value) -> Result<Expression> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let place = |value: &Value| {
            let number = |key: &str| usize::try_from(value[key].as_u64()?).ok();
            // Columns count from 1 there and from 0 here.
            Some(LineColumn { line: number("line")?, column: number("column")?.checked_sub(1)? })
        };
        let all = || {
            let (file, name) = (text(&listed["file"])?, text(&listed["name"])?);
            let from = place(&listed["span"]["start"])?;
            Some(Expression {
                id,
                // The name begins with file, line and column, which move.
                name: name.splitn(4, ':').nth(3)?.trim().to_owned(),
                file,
                line: from.line,
                genre: text(&listed["genre"])?,
                from,
                to: place(&listed["span"]["end"])?,
                instead: text(&listed["replacement"])?,
            })
        };
        all().with_context(|| {
            format!("`cargo mutants --list --json` says something else than it did: {listed}")
        })
    }

    /// The file with this mutant alone.
    pub(super) fn alone(&self, text: &str) -> String {
        let lines = Lines::of(text);
        let (from, to) = (lines.offset(self.from), lines.offset(self.to));
        format!("{}{}{}", &text[..from], self.instead, &text[to..])
    }
}

/// A file with all these mutants, and those that have no place in it: in what is computed at compile time, and around `let`.
/// Functions are no longer `const`, but for those that are called `constant`: something constant is made with them.
pub(super) fn rewritten(
    text: &str,
    mutants: &[&Expression],
    constant: &BTreeSet<String>,
) -> Result<(String, BTreeSet<usize>)> {
    let tree = syn::parse_file(text).context("cannot be parsed")?;
    let lines = Lines::of(text);
    let mut places = Places { lines: &lines, names: constant, constant: false, found: Found::default() };
    places.visit_file(&tree);
    let found = places.found;
    let mut without = BTreeSet::new();
    let mut nodes: BTreeMap<(usize, std::cmp::Reverse<usize>, bool), Node<'_>> = BTreeMap::new();
    for mutant in mutants {
        let range = Range { from: lines.offset(mutant.from), to: lines.offset(mutant.to) };
        let place = match mutant.genre.as_str() {
            "FnValue" => {
                let around =
                    found.bodies.iter().filter(|body| body.from <= range.from && range.to <= body.to);
                around
                    .min_by_key(|body| body.to - body.from)
                    .map(|body| (Range { from: body.from, to: body.from }, Switch::Body))
            }
            "BinaryOperator" => found.binaries.get(&range.from).cloned(),
            "UnaryOperator" => found.unaries.get(&range.from).cloned(),
            "MatchArm" => found.arms.get(&range.from).cloned(),
            "MatchArmGuard" => found.guards.contains(&range).then_some((range, Switch::Guard)),
            "StructField" => found.fields.get(&range.from).cloned(),
            other => bail!("`cargo mutants` has a kind of mutant that is not known here: {other}"),
        };
        let Some((range, switch)) = place else {
            without.insert(mutant.id);
            continue;
        };
        // A guard is around the expression that it consists of.
        let inner = !matches!(switch, Switch::Guard);
        let node = nodes.entry((range.from, std::cmp::Reverse(range.to), inner));
        node.or_insert(Node { range, switch, mutants: Vec::new() }).mutants.push(mutant);
    }
    for word in found.words {
        let node = Node { range: word, switch: Switch::Word, mutants: Vec::new() };
        nodes.insert((word.from, std::cmp::Reverse(word.to), false), node);
    }
    let nodes: Vec<Node<'_>> = nodes.into_values().collect();
    Ok((Page { text, nodes: &nodes }.render(Range { from: 0, to: text.len() }, 0), without))
}

/// The mutants whose marks stand in these lines of a rewritten file.
pub(super) fn marked(lines: &[&str]) -> BTreeSet<usize> {
    let marks = lines.iter().flat_map(|line| line.split("/*M").skip(1));
    marks.filter_map(|rest| rest.split_once("*/")?.0.parse().ok()).collect()
}

/// Bytes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Range {
    from: usize,
    to: usize,
}

/// What is there to be switched.
#[derive(Debug, Clone)]
enum Switch {
    /// It goes.
    Word,
    /// A function returns at its begin.
    Body,
    Binary {
        left: Range,
        operator: Range,
        right: Range,
    },
    /// The operator is left out.
    Unary {
        operand: Range,
    },
    Guard,
    /// The arm never matches.
    Arm {
        pattern: usize,
        guard: Option<Range>,
    },
    /// The field is as in what the rest is taken from.
    Field {
        name: Range,
        value: Range,
        rest: Range,
    },
}

struct Node<'a> {
    range: Range,
    switch: Switch,
    mutants: Vec<&'a Expression>,
}

/// Where each line of a text begins.
struct Lines<'a> {
    text: &'a str,
    begins: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        Lines {
            text,
            begins: std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect(),
        }
    }

    /// Columns are characters.
    fn offset(&self, place: LineColumn) -> usize {
        let begin = self.begins.get(place.line - 1).copied().unwrap_or(self.text.len());
        self.text[begin..].char_indices().nth(place.column).map_or(self.text.len(), |(at, _)| begin + at)
    }

    fn range(&self, of: &impl syn::spanned::Spanned) -> Range {
        let span = of.span();
        Range { from: self.offset(span.start()), to: self.offset(span.end()) }
    }
}

/// The places of a file where a mutant may be, by the byte at which `cargo mutants` says that it begins.
#[derive(Default)]
struct Found {
    /// Each `const` before a function that can do without.
    words: Vec<Range>,
    bodies: Vec<Range>,
    binaries: BTreeMap<usize, (Range, Switch)>,
    unaries: BTreeMap<usize, (Range, Switch)>,
    arms: BTreeMap<usize, (Range, Switch)>,
    fields: BTreeMap<usize, (Range, Switch)>,
    guards: BTreeSet<Range>,
}

struct Places<'a> {
    lines: &'a Lines<'a>,
    /// The functions that stay `const`.
    names: &'a BTreeSet<String>,
    /// Whether what is being looked at is computed at compile time, where nothing can be chosen.
    constant: bool,
    found: Found,
}

impl Places<'_> {
    fn constant(&mut self, constant: bool, look: impl FnOnce(&mut Self)) {
        let before = self.constant;
        self.constant |= constant;
        look(self);
        self.constant = before;
    }

    /// Whether a function is computed at compile time, and stays so.
    fn is_constant(&mut self, signature: &syn::Signature) -> bool {
        let Some(word) = &signature.constness else { return false };
        if self.names.contains(&signature.ident.to_string()) {
            return true;
        }
        let word = self.lines.range(word);
        self.found.words.push(word);
        false
    }

    fn body(&mut self, block: &syn::Block) {
        if !self.constant {
            let whole = self.lines.range(block);
            self.found.bodies.push(Range { from: whole.from + 1, to: whole.to });
        }
    }
}

impl<'ast> Visit<'ast> for Places<'_> {
    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        self.constant(true, |places| visit::visit_item_const(places, item));
    }

    fn visit_impl_item_const(&mut self, item: &'ast syn::ImplItemConst) {
        self.constant(true, |places| visit::visit_impl_item_const(places, item));
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        self.constant(true, |places| visit::visit_item_static(places, item));
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        let constant = self.is_constant(&item.sig);
        self.constant(constant, |places| {
            places.body(&item.block);
            visit::visit_item_fn(places, item);
        });
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        let constant = self.is_constant(&item.sig);
        self.constant(constant, |places| {
            places.body(&item.block);
            visit::visit_impl_item_fn(places, item);
        });
    }

    fn visit_expr_binary(&mut self, expr: &'ast syn::ExprBinary) {
        if !self.constant && !has_let(&expr.left) && !has_let(&expr.right) {
            let (left, right) = (self.lines.range(&expr.left), self.lines.range(&expr.right));
            let operator = self.lines.range(&expr.op);
            let whole = Range { from: left.from, to: right.to };
            self.found.binaries.insert(operator.from, (whole, Switch::Binary { left, operator, right }));
        }
        visit::visit_expr_binary(self, expr);
    }

    fn visit_expr_unary(&mut self, expr: &'ast syn::ExprUnary) {
        if !self.constant {
            let whole = self.lines.range(expr);
            let operand = self.lines.range(&expr.expr);
            self.found.unaries.insert(whole.from, (whole, Switch::Unary { operand }));
        }
        visit::visit_expr_unary(self, expr);
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        if !self.constant {
            let whole = self.lines.range(arm);
            let guard = arm.guard.as_ref().map(|(_, guard)| self.lines.range(guard));
            let pattern = self.lines.range(&arm.pat).to;
            self.found.guards.extend(guard);
            self.found.arms.insert(whole.from, (whole, Switch::Arm { pattern, guard }));
        }
        visit::visit_arm(self, arm);
    }

    fn visit_expr_struct(&mut self, expr: &'ast syn::ExprStruct) {
        if let (false, Some(rest)) = (self.constant, &expr.rest) {
            let rest = self.lines.range(rest);
            for field in expr.fields.iter().filter(|field| field.colon_token.is_some()) {
                let (name, value) = (self.lines.range(&field.member), self.lines.range(&field.expr));
                let whole = Range { from: name.from, to: value.to };
                self.found.fields.insert(name.from, (whole, Switch::Field { name, value, rest }));
            }
        }
        visit::visit_expr_struct(self, expr);
    }
}

/// Whether a condition is a chain with a `let` in it: such a chain cannot be put into brackets.
fn has_let(expr: &syn::Expr) -> bool {
    match expr {
        syn::Expr::Let(_) => true,
        syn::Expr::Binary(binary) => has_let(&binary.left) || has_let(&binary.right),
        _ => false,
    }
}

struct Page<'a> {
    text: &'a str,
    nodes: &'a [Node<'a>],
}

impl Page<'_> {
    /// The text of a range, with what is to be switched in it; `after`: the first node that may be in it.
    fn render(&self, of: Range, after: usize) -> String {
        let (mut text, mut at) = (String::new(), of.from);
        // Sorted by where they begin, the longer before those that it contains.
        for (index, node) in self.nodes.iter().enumerate().skip(after) {
            if node.range.from >= of.to {
                break;
            }
            if node.range.from < at || node.range.to > of.to {
                continue;
            }
            text.push_str(&self.text[at..node.range.from]);
            text.push_str(&self.switched(node, index + 1));
            at = node.range.to;
        }
        text.push_str(&self.text[at..of.to]);
        text
    }

    fn switched(&self, node: &Node<'_>, after: usize) -> String {
        let inside = |range: Range| self.render(range, after);
        let plain = |range: Range| &self.text[range.from..range.to];
        let Some(first) = node.mutants.first() else { return String::new() };
        let is = |mutant: &Expression| format!("crate::mutant({0}/*M{0}*/)", mutant.id);
        // A line of its own, so that an error in it has its mark.
        let own = |mutant: &Expression, text: &str| format!("\n/*M{0}*/ {text} /*M{0}*/\n", mutant.id);
        match &node.switch {
            Switch::Word => String::new(),
            Switch::Body => {
                let returns = |mutant: &&Expression| {
                    format!("if {} {{ return {}; }}\n", is(mutant), own(mutant, &mutant.instead))
                };
                node.mutants.iter().map(returns).collect()
            }
            Switch::Binary { left, operator, right } => {
                let (left, right, operator) = (inside(*left), inside(*right), plain(*operator));
                match (operator, first.instead.as_str()) {
                    ("&&", "||") => format!("(if ({left}) ^ {0} {{ {right} }} else {{ {0} }})", is(first)),
                    ("||", "&&") => format!("(if !({left}) ^ {0} {{ {right} }} else {{ !{0} }})", is(first)),
                    ("==", "!=") | ("!=", "==") => format!("(({left} {operator} {right}) ^ {})", is(first)),
                    _ => {
                        let other = |mutant: &&Expression| {
                            let instead = own(mutant, &format!("{left} {} {right}", mutant.instead));
                            format!("if {} {{ {instead} }} else ", is(mutant))
                        };
                        let others: String = node.mutants.iter().map(other).collect();
                        format!("({others}{{ {left} {operator} {right} }})")
                    }
                }
            }
            Switch::Unary { operand } => {
                let operator = &self.text[node.range.from..operand.from];
                let operand = inside(*operand);
                format!("(if {} {{ {} }} else {{ {operator}{operand} }})", is(first), own(first, &operand))
            }
            Switch::Guard => {
                let other =
                    |mutant: &&Expression| format!("if {} {{ {} }} else ", is(mutant), mutant.instead);
                let others: String = node.mutants.iter().map(other).collect();
                format!("({others}{{ {} }})", inside(node.range))
            }
            Switch::Arm { pattern, guard } => {
                let before = inside(Range { from: node.range.from, to: *pattern });
                let rest = |from: usize| inside(Range { from, to: node.range.to });
                match guard {
                    Some(guard) => {
                        format!("{before} if !{} && ({}) {}", is(first), inside(*guard), rest(guard.to))
                    }
                    None => format!("{before} if !{} {}", is(first), rest(*pattern)),
                }
            }
            Switch::Field { name, value, rest } => {
                let (name, rest) = (plain(*name), plain(*rest));
                format!("{name}: if {} {{ ({rest}).{name} }} else {{ {} }}", is(first), inside(*value))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn mutant(id: usize, genre: &str, (from, to): (usize, usize), instead: &str) -> Expression {
        let place = |column: usize| json!({"line": 1, "column": column + 1});
        let listed = json!({"file": "a.rs", "name": "a.rs:1:1: replace it in f", "genre": genre, "replacement": instead,
            "span": {"start": place(from), "end": place(to)}});
        Expression::read(id, &listed).expect("a mutant as it is listed")
    }

    fn words(text: &str) -> String {
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// One switch in each place: nothing of the text is lost, what is nested stays nested, and without a choice all is as it was.
    #[test]
    fn all_are_in_one_text() {
        let text = "fn f(a: u8) -> bool { a == 1 && !g(a) }";
        let mutants = [
            mutant(0, "FnValue", (22, 37), "true"),
            mutant(1, "BinaryOperator", (24, 26), "!="),
            mutant(2, "BinaryOperator", (29, 31), "||"),
            mutant(3, "UnaryOperator", (32, 33), ""),
        ];
        let (made, without) =
            rewritten(text, &mutants.each_ref(), &BTreeSet::new()).expect("it can be parsed");
        let made = words(&made);
        assert!(without.is_empty());
        assert_eq!(
            made,
            "fn f(a: u8) -> bool {if crate::mutant(0/*M0*/) { return /*M0*/ true /*M0*/ ; } \
             (if (((a == 1) ^ crate::mutant(1/*M1*/))) ^ crate::mutant(2/*M2*/) \
             { (if crate::mutant(3/*M3*/) { /*M3*/ g(a) /*M3*/ } else { !g(a) }) } else { crate::mutant(2/*M2*/) }) }"
        );
        assert_eq!(marked(&[&made]), BTreeSet::from([0, 1, 2, 3]));
        assert_eq!(mutants[1].alone(text), "fn f(a: u8) -> bool { a != 1 && !g(a) }");
    }

    /// A guard of one comparison has both mutants, and an arm is taken away by a guard.
    #[test]
    fn a_guard_is_around_what_it_says() {
        let text = "fn f(a: u8) -> u8 { match a { b if b == 1 => 2, _ => 3 } }";
        let mutants = [
            mutant(0, "MatchArmGuard", (35, 41), "true"),
            mutant(1, "BinaryOperator", (37, 39), "!="),
            mutant(2, "MatchArm", (30, 46), ""),
        ];
        let (made, _) = rewritten(text, &mutants.each_ref(), &BTreeSet::new()).expect("it can be parsed");
        assert_eq!(
            words(&made),
            "fn f(a: u8) -> u8 { match a { b if !crate::mutant(2/*M2*/) && \
             ((if crate::mutant(0/*M0*/) { true } else { ((b == 1) ^ crate::mutant(1/*M1*/)) })) => 2, _ => 3 } }"
        );
    }

    /// What is computed at compile time, and a chain with `let`, cannot choose: those mutants are to be made alone.
    #[test]
    fn what_cannot_choose_is_left_out() {
        let text = "const A: u8 = 1 + 2; fn f(a: Option<u8>) { if let Some(b) = a && b > 1 {} } const fn g() -> u8 { 1 }";
        let mutants = [
            mutant(0, "BinaryOperator", (16, 17), "-"),
            mutant(1, "BinaryOperator", (62, 64), "||"),
            mutant(2, "BinaryOperator", (67, 68), "<"),
            mutant(3, "FnValue", (98, 99), "0"),
        ];
        let (made, without) =
            rewritten(text, &mutants.each_ref(), &BTreeSet::new()).expect("it can be parsed");
        assert_eq!(without, BTreeSet::from([0, 1]));
        assert!(made.contains("crate::mutant(2"), "{made}");
        assert!(words(&made).contains("} fn g() -> u8 {if crate::mutant(3/*M3*/)"), "{made}");
        let constant = BTreeSet::from(["g".to_owned()]);
        let (made, without) = rewritten(text, &mutants.each_ref(), &constant).expect("it can be parsed");
        assert!(without.contains(&3) && made.contains("const fn g()"), "{made}");
    }
}
