//! A handout as one HTML file: no other file is needed to read it.

use std::fmt::Write as _;

use super::{Handout, Slide};
use crate::words::handout as words;
use crate::words::markup::{Marks, blocks, spans};

/// The look of the page, on a screen and on paper.
const STYLE: &str = "\
:root{color-scheme:light}\
body{margin:0 auto;padding:2rem 1.2rem 4rem;max-width:62rem;\
font:16px/1.55 'Modelens Sans',Inter,'Helvetica Neue',Arial,sans-serif;color:#1c1e21;background:#f7f7f5}\
h1{font-size:1.9rem;line-height:1.2;margin:0 0 .3rem}\
h2{font-size:1.3rem;margin:0 0 .6rem}\
.about{color:#666a71;margin:0 0 2rem}\
section{background:#fff;border:1px solid #e3e3de;border-radius:10px;padding:1.2rem 1.4rem;margin:0 0 1.4rem}\
figure{margin:1rem 0}figure svg{width:100%;height:auto;display:block}\
code{font-family:'JetBrains Mono',Menlo,Consolas,monospace;font-size:.9em;background:#f0f0ec;\
padding:.05em .25em;border-radius:3px}\
.ask{border-left:4px solid #1c1e21;padding:.1rem 0 .1rem 1rem;margin:1rem 0}\
.ask ol{list-style:upper-alpha;margin:.4rem 0}\
.notes{border:1px dashed #a5a9b0;border-radius:6px;padding:.4rem 1rem;margin:1rem 0}\
.label{font-size:.75rem;font-weight:600;letter-spacing:.05em;color:#666a71}\
a{color:#0a66a8}\
@media print{body{background:#fff;padding:0;max-width:none}\
section{border:0;padding:0 0 1rem;border-radius:0}figure{break-inside:avoid}h2{break-after:avoid}}";

impl Handout {
    /// The whole file.
    pub fn html(&self) -> String {
        let title = escaped(&self.title);
        let mut out = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n\
             <p class=\"about\">{}</p>\n",
            escaped(&self.about)
        );
        for (i, slide) in self.slides.iter().enumerate() {
            slide_html(&mut out, i + 1, slide);
        }
        self.answers_html(&mut out);
        out.push_str("</body>\n</html>\n");
        out
    }

    fn answers_html(&self, out: &mut String) {
        let mut answers = self.answers().peekable();
        if answers.peek().is_none() {
            return;
        }
        let _ = writeln!(out, "<section id=\"answers\">\n<h2>{}</h2>", words::ANSWERS);
        for answer in answers {
            let step = answer.step;
            let label = escaped(&words::of_step(step));
            let _ = writeln!(
                out,
                "<p class=\"label\"><a href=\"#step{step}\">{label}</a></p>"
            );
            if let Some(right) = &answer.right {
                let _ = writeln!(out, "<p><strong>{}</strong></p>", inline(right));
            }
            markdown(out, answer.text);
        }
        out.push_str("</section>\n");
    }
}

fn slide_html(out: &mut String, number: usize, slide: &Slide) {
    let title = escaped(&words::numbered(number, &slide.title));
    let _ = writeln!(out, "<section id=\"step{number}\">\n<h2>{title}</h2>");
    if let Some(asked) = &slide.predict {
        let _ = writeln!(
            out,
            "<div class=\"ask\">\n<p class=\"label\">{}</p>",
            words::PREDICT
        );
        markdown(out, &asked.text);
        out.push_str("<ol>\n");
        for choice in &asked.choices {
            let _ = writeln!(out, "<li>{}</li>", inline(choice));
        }
        out.push_str("</ol>\n</div>\n");
    }
    let caption = escaped(&slide.caption);
    let _ = writeln!(
        out,
        "<figure role=\"img\" aria-label=\"{caption}\">\n{}</figure>",
        own_ids(&slide.figure.svg, number)
    );
    markdown(out, &slide.text);
    if let Some([question, _]) = &slide.question {
        let _ = writeln!(
            out,
            "<div class=\"ask\">\n<p class=\"label\">{}</p>",
            words::QUESTION
        );
        markdown(out, question);
        out.push_str("</div>\n");
    }
    if let Some(notes) = &slide.notes {
        let _ = writeln!(
            out,
            "<div class=\"notes\">\n<p class=\"label\">{}</p>",
            words::NOTES
        );
        markdown(out, notes);
        out.push_str("</div>\n");
    }
    out.push_str("</section>\n");
}

/// The figure with ids that no other figure of the page has: two steps may show the same picture.
fn own_ids(svg: &str, number: usize) -> String {
    let mut own = svg.to_owned();
    let marks = [
        "id=\"",
        "href=\"#",
        "url(#",
        "aria-labelledby=\"",
        "aria-describedby=\"",
    ];
    for mark in marks {
        own = own.replace(&format!("{mark}f"), &format!("{mark}s{number}f"));
    }
    own
}

/// Paragraphs and lists.
fn markdown(out: &mut String, source: &str) {
    let mut list = "";
    for block in blocks(source) {
        let wanted = match &block.bullet {
            None => "",
            Some(bullet) if bullet.ends_with('.') => "ol",
            Some(_) => "ul",
        };
        if list != wanted {
            if !list.is_empty() {
                let _ = writeln!(out, "</{list}>");
            }
            if !wanted.is_empty() {
                let _ = writeln!(out, "<{wanted}>");
            }
            list = wanted;
        }
        let tag = if wanted.is_empty() { "p" } else { "li" };
        let _ = writeln!(out, "<{tag}>{}</{tag}>", inline(&block.text));
    }
    if !list.is_empty() {
        let _ = writeln!(out, "</{list}>");
    }
}

fn inline(text: &str) -> String {
    let mut out = String::new();
    for span in spans(text, Marks::All) {
        let mut part = escaped(&span.text);
        for (is, tag) in [
            (span.code, "code"),
            (span.italic, "em"),
            (span.bold, "strong"),
        ] {
            if is {
                part = format!("<{tag}>{part}</{tag}>");
            }
        }
        out.push_str(&part);
    }
    out
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // Control characters are no part of HTML.
            letter if letter.is_control() && letter != '\n' => out.push(' '),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_becomes_html_and_cannot_break_out_of_it() {
        let mut out = String::new();
        markdown(&mut out, "a **b** `<c>`\n\n- d\n- e & f\n\n1. g");
        assert_eq!(
            out,
            "<p>a <strong>b</strong> <code>&lt;c&gt;</code></p>\n<ul>\n<li>d</li>\n\
             <li>e &amp; f</li>\n</ul>\n<ol>\n<li>g</li>\n</ol>\n"
        );
        assert_eq!(escaped("<script>\"&\u{1}"), "&lt;script&gt;&quot;&amp; ");
    }

    #[test]
    fn ids_of_a_figure_are_its_own() {
        let svg = "<g id=\"f1-c0\"/><use xlink:href=\"#f1-i0\" clip-path=\"url(#f1-c0)\"/>";
        let own = "<g id=\"s3f1-c0\"/><use xlink:href=\"#s3f1-i0\" clip-path=\"url(#s3f1-c0)\"/>";
        assert_eq!(own_ids(svg, 3), own);
    }
}
