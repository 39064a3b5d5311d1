//! The caption of a figure as text, and as LaTeX for `\caption{\protect\input{fig}}`.

use std::fmt::Write as _;
use std::path::Path;

use super::Written;
use super::options::{CaptionFormat, FigureArgs, LookOptions};
use crate::figure;
use crate::state::{State, View};
use crate::words::markup::{Marks, plain, spans};

impl FigureArgs {
    /// The captions that were asked for.
    pub(super) fn captions(
        &self,
        state: &State,
        view: View,
        look: &LookOptions,
        out: &Path,
    ) -> Vec<Written> {
        let title = figure::title(state, view);
        let shows = figure::description(state, &look.what_of(view), None);
        let written = self.caption_file.iter().map(|format| {
            let text = match format {
                CaptionFormat::Txt => text(&title, &shows),
                CaptionFormat::Tex => tex(&title, &shows),
            };
            (out.with_extension(format.extension()), text.into_bytes())
        });
        written.collect()
    }
}

/// The title, and the sentences in one paragraph each.
fn text(title: &str, shows: &str) -> String {
    format!("{title}\n\n{}\n", plain(shows).trim())
}

/// One paragraph without an empty line, which an argument of `\caption` must not have.
fn tex(title: &str, shows: &str) -> String {
    let mut out = format!("\\textbf{{{}.}} ", escaped(title));
    for span in spans(shows, Marks::Bold) {
        let text = escaped(&span.text);
        if span.bold {
            let _ = write!(out, "\\textbf{{{}}}", text.trim());
        } else {
            out.push_str(&text);
        }
    }
    let lines: Vec<&str> = out
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    // The comment sign keeps the end of the file from becoming a space.
    format!("{}%\n", lines.join(" "))
}

/// Text for LaTeX with its usual encoding: signs with a meaning are escaped, and those that the fonts of a
/// plain document lack are written as commands.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let command = match c {
            '\\' => "\\textbackslash{}",
            '{' => "\\{",
            '}' => "\\}",
            '$' => "\\$",
            '&' => "\\&",
            '#' => "\\#",
            '%' => "\\%",
            '_' => "\\_",
            '^' => "\\textasciicircum{}",
            '~' => "\\textasciitilde{}",
            '<' => "\\textless{}",
            '>' => "\\textgreater{}",
            '|' => "\\textbar{}",
            // A command of the usual encoding too; with babel the bare sign may be one of its own.
            '"' => "\\char34{}",
            '`' => "\\textasciigrave{}",
            '\u{d7}' => "$\\times$",
            '\u{b7}' => "$\\cdot$",
            '\u{b1}' => "$\\pm$",
            '\u{2212}' => "$-$",
            '\u{2260}' => "$\\neq$",
            '\u{2264}' => "$\\leq$",
            '\u{2265}' => "$\\geq$",
            '\u{2248}' => "$\\approx$",
            '\u{2192}' => "$\\rightarrow$",
            '\u{2191}' => "$\\uparrow$",
            '\u{2193}' => "$\\downarrow$",
            '\u{b0}' => "$^{\\circ}$",
            '\u{b2}' => "$^2$",
            '\u{b5}' | '\u{3bc}' => "$\\mu$",
            '\u{3b3}' => "$\\gamma$",
            '\u{3b2}' => "$\\beta$",
            '\u{3c3}' => "$\\sigma$",
            '\u{3b5}' => "$\\varepsilon$",
            '\u{221a}' => "$\\surd$",
            '\u{2026}' => "\\ldots{}",
            '\u{a0}' => "~",
            c => {
                out.push(c);
                continue;
            }
        };
        out.push_str(command);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_of_latex_are_escaped() {
        assert_eq!(
            tex("a_b", "**50% off.** {x} & \\y\n\n1 \u{d7} 2"),
            "\\textbf{a\\_b.} \\textbf{50\\% off.} \\{x\\} \\& \\textbackslash{}y 1 $\\times$ 2%\n"
        );
    }

    #[test]
    fn a_text_has_no_marks() {
        assert_eq!(text("A", "**b** c"), "A\n\nb c\n");
    }
}
